package scenario

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/lab"
)

// The guide's examples of the firewall and of tracking with the SSL proxy, word for word.
const (
	exampleFirewallTLS = `
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match source-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match destination-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match application junos-https
set security policies from-zone Z_1 to-zone Z_2 policy policy1 then permit application-services application-firewall rule-set appfw-rs-1
set security policies from-zone Z_1 to-zone Z_2 policy policy1 then permit application-services ssl-proxy profile-name ssl-profile-1
set security policies from-zone Z_1 to-zone Z_2 policy policy2 match source-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy2 match destination-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy2 match application junos-http
set security policies from-zone Z_1 to-zone Z_2 policy policy2 then permit application-services application-firewall rule-set appfw-rs-2
set security application-firewall rule-sets appfw-rs-1 rule rule1 match dynamic-application [junos:ORACLE]
set security application-firewall rule-sets appfw-rs-1 rule rule1 then permit
set security application-firewall rule-sets appfw-rs-1 default-rule deny
set security application-firewall rule-sets appfw-rs-2 rule rule1 match dynamic-application [junos:HULU]
set security application-firewall rule-sets appfw-rs-2 rule rule1 then deny
set security application-firewall rule-sets appfw-rs-2 default-rule permit
`
	exampleTrackingTLS = `
set security zones security-zone Z_1 application-tracking
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match source-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match destination-address any
set security policies from-zone Z_1 to-zone Z_2 policy policy1 match application junos-https
set security policies from-zone Z_1 to-zone Z_2 policy policy1 then permit application-services ssl-proxy profile-name ssl-profile-1
set security policies from-zone Z_1 to-zone Z_2 policy policy1 then permit
`
	// exampleRest is what the examples leave out.
	exampleRest = `
delete security zones security-zone trust
delete security zones security-zone untrust
delete security policies
set security zones security-zone Z_1 interfaces ge-0/0/0.0
set security zones security-zone Z_2 interfaces ge-0/0/1.0
set security zones security-zone Z_2 interfaces ge-0/0/2.0
set services ssl proxy profile ssl-profile-1 root-ca branch-ca
set services ssl proxy profile ssl-profile-1 trusted-ca [ lab oracle ]
`
)

// With the SSL proxy the firewall and tracking see what is inside TLS, whatever the port says
// (FW-44, FW-58…FW-62, TR-54, SP-5).
func TestGuideExamplesOverTLS(t *testing.T) {
	w := startSSL(t, lab.PermitAll)
	ca := testpki.Root(t, "Oracle authority")
	file := filepath.Join(t.TempDir(), "oracle.pem")
	if err := os.WriteFile(file, testpki.PEM(ca.Certificate), 0o644); err != nil {
		t.Fatal(err)
	}
	w.show("request security pki ca-certificate ca-profile-group load ca-group-name oracle filename " + file + " | no-confirm")
	database := chain(ca.Leaf(t, "database.example.net"))
	w.listen(w.Echo, net.JoinHostPort(lab.EchoAddr4, "443"), func(raw *net.TCPConn) {
		c := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{database}})
		b := make([]byte, 512)
		if n, err := c.Read(b); err == nil {
			_, _ = c.Write(b[:n])
		}
		_ = c.Close()
	})
	// connect is the first packet of an Oracle client (TNS connect).
	const connect = "\x00\x3a\x00\x00\x01\x00\x00\x00\x01\x3b\x01\x2c\x00\x41\x20\x00\xff\xff\x7f\x08\x00\x00\x01\x00\x00\x3a\x00\x3a" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	oracle := func() bool {
		raw := w.connect(net.JoinHostPort(lab.EchoAddr4, "443"))
		c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true, ServerName: "database.example.net"})
		if _, err := c.Write([]byte(connect)); err != nil {
			return false
		}
		n, _ := c.Read(make([]byte, len(connect)))
		return n == len(connect) && c.ConnectionState().PeerCertificates[0].Issuer.CommonName == "Branch CA"
	}
	configure := func(example string) {
		w.configure(strings.Split(strings.TrimSpace(exampleRest+strings.TrimLeft(example, "\n")), "\n")...)
	}

	configure(exampleFirewallTLS)
	if !oracle() {
		t.Error("the database is not reached")
	}
	if out, err := w.fetch("https://"+lab.WebName+"/", "-m", "2"); err == nil {
		t.Errorf("the web over TLS is reached: %q", out)
	}
	for host, passes := range map[string]bool{"www.hulu.com": false, "www.example.net": true} {
		if out, err := w.try(w.Client, "curl", "-sS", "-m", "2", "-H", "Host: "+host, "http://"+lab.WebAddr4+"/"); (err == nil) != passes {
			t.Errorf("%s passes: %v, want %v: %q", host, err == nil, passes, out)
		}
	}
	if out := w.show("show security application-firewall rule-set appfw-rs-1"); !regexp.MustCompile(`(?s)rule1.*1.*`).MatchString(out) {
		t.Errorf("rule set:\n%s", out)
	}

	w.configure("rollback 1")
	log := filepath.Join(t.TempDir(), "security.log")
	configure(exampleTrackingTLS + "set security log mode event\nset security log file name " + log + "\nset security application-tracking log-session-close")
	if out, err := w.fetch("https://" + lab.WebName + "/"); err != nil || out != "hello from the internet\n" {
		t.Errorf("%q, %v", out, err)
	}
	closed := regexp.MustCompile(`APPTRACK_SESSION_CLOSE .*application="HTTP2?" .*encrypted="Yes"`)
	w.eventually("the session is tracked", func() bool {
		text, err := os.ReadFile(log)
		return err == nil && closed.Match(text)
	})
}
