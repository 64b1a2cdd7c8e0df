package scenario

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// ends are the segments with FIN or RST that a host is sent by address, as tcpdump prints them.
func (w *world) ends(h *lab.Host, address string) *lab.Process {
	w.t.Helper()
	return w.capture(h, "eth0", "", "tcp[tcpflags] & (tcp-fin|tcp-rst) != 0 and src host "+address)
}

// A denied application stops in silence, on either path, translated or not: neither the client nor
// the server is sent a FIN or a RST.
// Rows: UP-17, FW-9, FW-23.
func TestDeniedInSilence(t *testing.T) {
	t.Parallel() // it mostly waits
	for name, more := range map[string]string{"express": "", "stream": proxied("rest"), "translated stream": proxied("rest") + sourceNAT} {
		t.Run(name, func(t *testing.T) {
			w := start(t, lab.Options{}, unified("no-video", "junos:YOUTUBE", "deny", "log session-init session-close")+
				policy("trust", "untrust", "rest", "any", "any", "permit")+more)
			server := lab.ClientAddr4 // what the server sees as client
			if strings.HasPrefix(name, "translated") {
				server = lab.WAN0Gateway4
			}
			client, web := w.ends(w.Client, lab.WebAddr4), w.ends(w.Web, server)
			c := w.connect(lab.WebAddr4 + ":80")
			r := bufio.NewReader(c)
			if err := request(c, r, "www.example.net"); err != nil {
				t.Fatal(err)
			}
			if err := request(c, r, "www.youtube.com"); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v, want silence", err)
			}
			w.eventually("its end is recorded", func() bool {
				return strings.Contains(w.show("show security log message RT_FLOW_SESSION_CLOSE"), "application failure or action")
			})
			for side, capture := range map[string]*lab.Process{"client": client, "server": web} {
				if err := capture.Stop(10 * time.Second); err != nil { // it prints what it still holds
					t.Error(err)
				}
				if out := capture.Output(); strings.Contains(out, "Flags [") {
					t.Errorf("the %s was sent\n%s", side, out)
				}
			}
		})
	}
}
