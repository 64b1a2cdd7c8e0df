package scenario

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testpki"
)

// A trace has the errors of sessions at its lowest level, what happens in their handshakes at the next,
// how much was transferred at the third, and of chosen profiles alone where selected-profile says so (SP-66).
func TestSSLTrace(t *testing.T) {
	w := startHostile(t)
	w.serve("fine", w.ca.Leaf(t, "fine"+bad))
	w.serve("expired", w.ca.Leaf(t, "expired"+bad, testpki.Valid(-2*time.Hour, -time.Hour)))
	w.configure("set services ssl traceoptions file first")
	visit := func() {
		_, _ = w.visit("fine")
		_, _ = w.visit("expired")
	}
	for _, c := range []struct {
		level, flag string
		has, lacks  []string
	}{
		{"brief", "all", []string{"initiation session", "session is dropped: certificate error: certificate has expired"}, []string{"handshake is complete"}},
		{"detail", "all", []string{"cli-configuration: profiles in force: inspect", "termination session", "handshake is complete: TLS 1.3", "session is opened, server name \"fine"}, []string{"bytes from the client"}},
		{"extensive", "proxy", []string{"bytes from the client"}, []string{"handshake is complete", "termination session"}},
		{"verbose", "initiation", []string{"shows 1 certificates", "CN=fine"}, []string{"termination session"}},
		{"verbose", "selected-profile", nil, []string{"session "}},
	} {
		file := "trace-" + c.level + "-" + c.flag
		w.configure("delete services ssl traceoptions", "set services ssl traceoptions file "+file, "set services ssl traceoptions level "+c.level, "set services ssl traceoptions flag "+c.flag)
		created := w.counter("sessions created")
		visit()
		w.eventually("the sessions have ended", func() bool {
			return w.counter("sessions created") != created && w.counter("sessions created") == w.counter("sessions destroyed")
		})
		w.eventually(file+" has its lines", func() bool {
			text, _ := w.gw.Show(t.Context(), "show log "+file)
			for _, want := range c.has {
				if !strings.Contains(text, want) {
					return false
				}
			}
			return true
		})
		text, _ := w.gw.Show(t.Context(), "show log "+file)
		for _, no := range c.lacks {
			if strings.Contains(text, no) {
				t.Errorf("%s has %q:\n%s", file, no, text)
			}
		}
	}
}
