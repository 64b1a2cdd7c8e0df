package scenario

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/lab"
)

// Up to TLS 1.2 clients and servers that have no tickets take their sessions up again by the identifier, and
// the cache of sessions is shown with it (SP-26, SP-30, G-8).
func TestResumptionByIdentifier(t *testing.T) {
	w := startHostile(t)
	cert, key := leafFiles(t, w.ca.Leaf(t, "plain"+bad))
	session := filepath.Join(t.TempDir(), "session")
	p, err := w.Web.Start("openssl", "s_server", "-accept", lab.WebAddr4+":7700", "-tls1_2", "-no_ticket", "-cert", cert, "-key", key, "-rev", "-quiet")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitListening(t.Context(), "tcp", 7700); err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`Session-ID: ([0-9A-F]{64})`)
	visit := func(step string, resumed bool, args ...string) string {
		t.Helper()
		out, err := w.openssl("abc\nCLOSE\n", append(args, "-connect", lab.WebAddr4+":7700", "-servername", "plain"+bad, "-tls1_2", "-no_ticket", "-sess_out", session)...)
		if !strings.Contains(out, "cba") || strings.Contains(out, "Reused, TLSv1.2") != resumed {
			t.Errorf("%s: %v, want it resumed: %v\n%s", step, err, resumed, out)
		}
		if found := id.FindStringSubmatch(out); found != nil {
			return strings.ToLower(found[1])
		}
		t.Errorf("%s: no identifier:\n%s", step, out)
		return ""
	}
	first := visit("first", false)
	if again := visit("second", true, "-sess_in", session); again != first {
		t.Errorf("the session is called %s, then %s", first, again)
	}
	if out := w.show("show services ssl proxy session-cache entries summary"); !strings.Contains(strings.ReplaceAll(out, " ", ""), first) {
		t.Errorf("the session %s is not shown:\n%s", first, out)
	}
	if out := squeeze(w.show("show services ssl initiation counters handshake")); !strings.Contains(out, "proxy: session resumption 1") {
		t.Errorf("the session with the server is not resumed: %s", out)
	}
	w.show("clear services ssl proxy session-cache entries")
	visit("cleared", false, "-sess_in", session)
	w.configure("set services ssl proxy profile inspect actions disable-session-resumption")
	if out, _ := w.openssl("abc\nCLOSE\n", "-connect", lab.WebAddr4+":7700", "-servername", "plain"+bad, "-tls1_2", "-no_ticket", "-sess_in", session); !strings.Contains(out, "cba") || strings.Contains(out, "Reused, TLSv1.2") || id.MatchString(out) {
		t.Errorf("switched off:\n%s", out)
	}
}
