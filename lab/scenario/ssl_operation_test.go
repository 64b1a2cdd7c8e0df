package scenario

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/lab"
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

// A profile whose root CA was removed lets nothing pass, and says so, until the certificate is back.
func TestSSLCertificateGone(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	url := "https://" + lab.WebName + "/"
	if out, err := w.fetch(url); err != nil {
		t.Fatalf("%q, %v", out, err)
	}
	w.show("clear security pki local-certificate certificate-id branch-ca | no-confirm")
	if out, err := w.fetch(url); err == nil {
		t.Errorf("without the certificate: %q", out)
	}
	if n, failed := w.counter("session dropped"), w.counter("session create failed"); n != "1" || failed != "1" {
		t.Errorf("%s sessions dropped, %s not created", n, failed)
	}
	if alarms := w.show("show system alarms"); !strings.Contains(alarms, "services ssl proxy profile inspect is out of service: key pair branch-ca has no certificate yet") {
		t.Errorf("alarms: %s", alarms)
	}
	if drops := w.show("show services ssl droplogs"); !strings.Contains(drops, "ssl-proxy profile inspect cannot be used") || !strings.Contains(drops, "source zone:trust") {
		t.Errorf("drops: %s", drops)
	}
	w.show("request security pki local-certificate generate-self-signed certificate-id branch-ca subject CN=again add-ca-constraint")
	if issuer := w.issuer(lab.WebAddr4+":443", lab.WebName); !strings.Contains(issuer, "again") {
		t.Errorf("issuer %s", issuer)
	}
	if alarms := w.show("show system alarms"); strings.Contains(alarms, "out of service") {
		t.Errorf("alarms: %s", alarms)
	}
}
