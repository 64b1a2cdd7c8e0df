package scenario

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

// explained is how it was decided about the session with a server's port.
func (w *world) explained(port int) (x view.Explanation) {
	w.t.Helper()
	list := w.sessions(fmt.Sprint("destination-port ", port))
	if len(list) != 1 {
		w.t.Fatalf("%d sessions with port %d", len(list), port)
	}
	w.answer(fmt.Sprintf("show security flow session session-identifier %d explain", list[0].ID), &x)
	return x
}

// A session is open until its first request, between requests a transaction is complete, and with the
// last that is looked at its application is final. The application changes meanwhile and the policy
// does not, so the records of its beginning and its end tell of two applications under one policy.
// Rows: UP-12, UP-13, UP-14, UP-15, UP-18, UP-22, UP-24, LM-1, ST-18, MA-9.
func TestClassificationStates(t *testing.T) {
	w := start(t, lab.Options{}, "set services application-identification max-transactions 3\n"+
		unified("no-video", "junos:YOUTUBE", "deny")+policy("trust", "untrust", "rest", "any", "any", "permit", "log session-init session-close"))
	c := w.connect(lab.WebAddr4 + ":80")
	r := bufio.NewReader(c)
	if x := w.explained(80); x.Decision.Found || x.Identification.State != "Pre-match" {
		t.Errorf("before its first request: %+v, %+v", x.Identification, x.Decision)
	}
	for n, want := range []struct{ host, application, state string }{
		{"www.example.net", "", "Transaction final"},
		{"www.facebook.com", "junos:FACEBOOK-ACCESS", "Transaction final"},
		{"www.messenger.com", "junos:FACEBOOK-CHAT", "Final match"},
		{"www.example.net", "junos:FACEBOOK-CHAT", "Final match"},
	} {
		if err := request(c, r, want.host); err != nil {
			t.Fatalf("request %d: %v", n+1, err)
		}
		x := w.explained(80)
		if i := x.Identification; i.Protocol != "junos:HTTP" || i.Application != want.application || i.State != want.state || i.Transactions != min(n+1, 3) {
			t.Errorf("after request %d for %s: %+v", n+1, want.host, i)
		}
		if !x.Decision.Found || !strings.Contains(x.Decision.Statement, " policy rest") {
			t.Errorf("after request %d: %+v", n+1, x.Decision)
		}
	}
	w.remembers(80, "FACEBOOK-CHAT")
	_ = c.Close()
	w.eventually("the session's end is recorded", func() bool {
		return strings.Contains(w.show("show security log message RT_FLOW_SESSION_CLOSE"), "HTTP FACEBOOK-CHAT")
	})
	if created := w.show("show security log message RT_FLOW_SESSION_CREATE"); !strings.Contains(created, "HTTP UNKNOWN") || !strings.Contains(created, " rest ") {
		t.Errorf("it began as\n%s", created)
	}
}

// Without an end of the transactions the application is never final, and every request is judged.
// Rows: UP-21, ST-18.
func TestEndlessTransactions(t *testing.T) {
	w := start(t, lab.Options{}, "set services application-identification maximum-transactions 0\nset security policies unified-policy max-lookups 100\n"+
		unified("no-video", "junos:YOUTUBE", "reject")+policy("trust", "untrust", "rest", "any", "any", "permit"))
	c := w.connect(lab.WebAddr4 + ":80")
	r := bufio.NewReader(c)
	for n := range 30 {
		if err := request(c, r, []string{"www.example.net", "www.facebook.com"}[n%2]); err != nil {
			t.Fatalf("request %d: %v", n+1, err)
		}
	}
	if i := w.explained(80).Identification; i.State != "Transaction final" || i.Transactions != 30 {
		t.Errorf("after 30 requests: %+v", i)
	}
	if err := request(c, r, "www.youtube.com"); err == nil {
		t.Error("the 31st request is not judged")
	}
}

// A rule on a group decides about what a later package adds to the group, without a commit.
// Rows: AG-3, FW-33.
func TestGroupGrowsWithThePackage(t *testing.T) {
	f := startFeed(t, "")
	f.listen(f.Web, ":8081", answers(okPage))
	install := func(version string) {
		f.done("download version "+version, "Application package "+version+" is downloaded successfully")
		f.done("install", "Install application package "+version+" succeed")
	}
	passes := func() bool {
		_, err := f.try(f.Client, "curl", "-sS", "-m5", "--resolve", "bank.example:8081:"+lab.WebAddr4, "http://bank.example:8081/")
		return err == nil
	}
	const money = "  group money\n"
	f.publish(feedApps+money+bank, "--version", "2001") // the last application of feedApps is in the group
	f.publish(feedApps+money+bank+money, "--version", "2002")
	install("2001")
	f.configure("set security application-firewall rule-sets rs rule r match dynamic-application-groups junos:money",
		"set security application-firewall rule-sets rs rule r then reject",
		"set security application-firewall rule-sets rs default-rule permit",
		"set security policies from-zone trust to-zone untrust policy all then permit application-services application-firewall rule-set rs")
	if !passes() {
		t.Error("refused, though it is not in the group")
	}
	install("2002")
	if passes() {
		t.Error("passes, though it is in the group now")
	}
}
