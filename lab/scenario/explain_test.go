package scenario

import (
	"fmt"
	"strings"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

// A session that was refused with its first packet is explained by what it was, and the log finds it by the
// number that it has there (UP-17).
func TestExplainRefusedSession(t *testing.T) {
	w := start(t, lab.Options{}, policy("trust", "untrust", "no-telnet", "any", "junos-telnet", "deny", "log session-init")+
		policy("trust", "untrust", "no-ssh", "any", "junos-ssh", "reject", "log session-init")+lab.PermitAll)
	for port, c := range map[int]struct{ policy, action, answer string }{23: {"no-telnet", "deny", ""}, 22: {"no-ssh", "reject", "RST"}} {
		if out, err := w.try(w.Client, "curl", "-sS", "-m2", fmt.Sprintf("telnet://%s:%d", lab.WebAddr4, port)); err == nil {
			t.Errorf("port %d is open: %s", port, out)
		}
		var x view.Explanation
		w.answer(fmt.Sprintf("show security flow session source-prefix 192.0.2.0/24 destination-port %d explain", port), &x)
		if x.Session.Policy != c.policy || x.Decision.Action != c.action || x.Session.In.Packets == 0 || x.Ended == nil || x.Ended.Answer != c.answer {
			t.Errorf("port %d: %+v, ended %+v", port, x, x.Ended)
		}
		w.eventually("its record is found", func() bool {
			log := w.show(fmt.Sprintf("show security log session-identifier %d", x.Session.ID))
			return strings.Contains(log, "RT_FLOW_SESSION_DENY") && strings.Contains(log, c.policy) && strings.Contains(log, "policy "+c.action)
		})
		text := w.show(fmt.Sprintf("show security flow session session-identifier %d explain", x.Session.ID))
		if !strings.Contains(text, "policy "+c.policy+", with the first packet\n") || !strings.Contains(text, "  Reason: policy "+c.action+"\n") {
			t.Errorf("port %d is explained as\n%s", port, text)
		}
	}
}
