package scenario

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/lab"
)

// Servers behind the gateway keep their certificates, which it has with their keys; one that it has no
// key for is not reached (SP-7, SP-8, SP-60, SP-69, SP-70, SP-71, SP-72, SP-86).
func TestReverseProxy(t *testing.T) {
	w := startHostile(t)
	for _, name := range []string{"first", "second", "third"} {
		leaf := w.ca.Leaf(t, name+bad)
		w.serve(name, leaf)
		if name == "third" {
			continue // its key is not loaded
		}
		cert, key := leafFiles(t, leaf)
		if out := w.show("request security pki local-certificate load certificate-id " + name + " filename " + cert + " key " + key); !strings.Contains(out, "Local certificate loaded successfully") {
			t.Errorf("load: %q", out)
		}
	}
	w.configure(
		"set services ssl proxy profile protect server-certificate [ first second ]",
		"set services ssl proxy profile protect actions log all",
		"set security policies from-zone trust to-zone untrust policy all then permit application-services ssl-proxy profile-name protect",
	)
	w.roots.AddCert(w.ca.Certificate)
	for _, name := range []string{"first", "second"} {
		shown, err := w.visit(name)
		if err != nil || !bytes.Equal(shown.Raw, w.servers[name].Certificates[0].Certificate[0]) {
			t.Errorf("%s: %v, not the server's own certificate", name, err)
		}
	}
	if _, err := w.visit("third"); err == nil {
		t.Error("a server without a loaded key is reached")
	}
	if out := w.show("show services ssl termination counters error"); !strings.Contains(squeeze(out), "Server Protection errors 1") {
		t.Errorf("counters:\n%s", out)
	}
	if err := w.gw.Configure(t.Context(), "set services ssl proxy profile both server-certificate first", "set services ssl proxy profile both root-ca branch-ca"); err == nil {
		t.Error("a profile with both kinds of certificates is accepted")
	}
	if err := w.gw.Configure(t.Context(), "set services ssl proxy profile none actions log all"); err == nil {
		t.Error("a profile without certificates is accepted")
	}
}

// squeeze makes every run of blanks one.
func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

// Servers on the whitelist, by address, name and category, keep their certificates
// (SP-12, SP-75…SP-81, SP-40, 5/S-18).
func TestWhitelist(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile+`
set security address-book global address web `+lab.WebAddr4+`/32
set security address-book global address web6 `+lab.WebAddr6+`/128
set security address-book global address range range-address 203.0.113.70 to 203.0.113.90
set security address-book global address wildcard wildcard-address 203.0.113.0/255.255.255.0
set security address-book global address other 198.51.100.0/24
set security utm custom-objects url-pattern bank value `+lab.WebName+`
set security utm custom-objects custom-url-category BANK value bank
set security utm feature-profile web-filtering juniper-local profile local category BANK action permit
set security utm utm-policy filter web-filtering http-profile local
`)
	own := func(step string, want bool) {
		t.Helper()
		issuer := w.issuer(lab.WebAddr4+":443", lab.WebName, "-CAfile", w.CA)
		if got := strings.Contains(issuer, "Lab authority"); got != want {
			t.Errorf("%s: issuer %s, want the server's own: %v", step, issuer, want)
		}
	}
	own("without a whitelist", false)
	for i, name := range []string{"web", "range", "wildcard"} {
		w.configure("set services ssl proxy profile inspect whitelist " + name)
		own(name, true)
		if n := w.counter("sessions whitelisted : IP based"); n != fmt.Sprint(i+1) {
			t.Errorf("%s: %s sessions counted", name, n)
		}
		w.configure("delete services ssl proxy profile inspect whitelist")
	}
	w.configure("set services ssl proxy profile inspect whitelist [ other web6 ]")
	own("another address", false)
	w.configure("set services ssl proxy profile inspect whitelist-url-categories BANK")
	own("a category without a web filter on the policy", false)
	w.configure("set security policies from-zone trust to-zone untrust policy all then permit application-services utm-policy filter")
	own("a category", true)
	if n := w.counter("sessions whitelisted : url based"); n != "1" {
		t.Errorf("%s sessions counted by category", n)
	}
	if out := w.show("show services ssl proxy statistics"); !strings.Contains(out, "whitelisted url category match 1") {
		t.Errorf("statistics:\n%s", out)
	}
	if err := w.gw.Configure(t.Context(), "set security address-book global address odd wildcard-address 203.0.113.9/255.0.255.0", "set services ssl proxy profile inspect whitelist odd"); err == nil {
		t.Error("a mask that is not contiguous is accepted")
	}
}

// Mail sessions turn to TLS, and are decrypted from then on; one that stays in the clear past a
// threshold is left alone, and one whose client cheats is ended (SP-37…SP-40).
func TestSTARTTLS(t *testing.T) {
	w := startHostile(t)
	w.configure("set services ssl proxy global-config mail-threshold byte-threshold 100")
	leaf := w.ca.Leaf(t, "mail"+bad)
	server := func(port, greeting string, answer func(line string) (reply string, upgrade bool)) {
		w.listen(w.Web, net.JoinHostPort(lab.WebAddr4, port), func(raw *net.TCPConn) {
			fmt.Fprint(raw, greeting)
			var c net.Conn = raw
			r := bufio.NewReader(c)
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				reply, upgrade := answer(strings.TrimSpace(line))
				fmt.Fprint(c, reply)
				if upgrade {
					c = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{chain(leaf)}})
					r = bufio.NewReader(c)
				}
			}
		})
	}
	server("25", "220 mail ESMTP\r\n", func(line string) (string, bool) {
		switch {
		case strings.HasPrefix(line, "EHLO"):
			return "250-mail\r\n250 STARTTLS\r\n", false
		case line == "STARTTLS":
			return "220 go ahead\r\n", true
		}
		return "250 " + line + "\r\n", false
	})
	server("143", "* OK IMAP4rev1 ready\r\n", func(line string) (string, bool) {
		tag, command, _ := strings.Cut(line, " ")
		if command == "CAPABILITY" {
			return "* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + " OK done\r\n", false
		}
		return tag + " OK done\r\n", command == "STARTTLS"
	})
	server("110", "+OK ready\r\n", func(line string) (string, bool) {
		if line == "CAPA" {
			return "+OK list\r\nSTLS\r\n.\r\n", false
		}
		return "+OK\r\n", line == "STLS"
	})
	for port, protocol := range map[string]string{"25": "smtp", "143": "imap", "110": "pop3"} {
		if issuer := w.issuer(lab.WebAddr4+":"+port, "mail"+bad, "-starttls", protocol); !strings.Contains(issuer, "Branch CA") {
			t.Errorf("%s: issuer %s", protocol, issuer)
		}
		name := strings.ToUpper(protocol)
		if plain, over := w.counter(name+" sessions"), w.counter(name+" over STARTTLS"); plain != "1" || over != "1" {
			t.Errorf("%s: %s sessions, %s turned to TLS", name, plain, over)
		}
	}

	// In the clear.
	c := w.connect(net.JoinHostPort(lab.WebAddr4, "25"))
	r := bufio.NewReader(c)
	for _, line := range []string{"", "EHLO client", "NOOP " + strings.Repeat("x", 120), "NOOP again"} {
		if line != "" {
			fmt.Fprint(c, line+"\r\n")
		}
		reply, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.HasPrefix(reply, "250-") {
			_, _ = r.ReadString('\n')
		}
	}
	if n := w.counter("Client not supporting STARTTLS"); n != "1" {
		t.Errorf("%s clients without STARTTLS", n)
	}
	// It is left alone from then on: TLS passes untouched.
	fmt.Fprint(c, "STARTTLS\r\n")
	if reply, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(reply, "220") {
		t.Fatalf("late STARTTLS: %q, %v", reply, err)
	}
	late := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := late.Handshake(); err != nil || !bytes.Equal(late.ConnectionState().PeerCertificates[0].Raw, leaf.Raw) {
		t.Errorf("late STARTTLS: %v, not the server's own certificate", err)
	}

	// A command behind STARTTLS in the clear.
	c = w.connect(net.JoinHostPort(lab.WebAddr4, "25"))
	fmt.Fprint(c, "STARTTLS\r\nMAIL FROM:<injected@example.net>\r\n")
	r = bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			break
		}
		if strings.HasPrefix(line, "220 go") {
			t.Error("the injected command passed")
		}
	}
}

// Policies that ask for different profiles are told apart by the server name; where that does not
// decide, the default profile does, and without one the session ends
// (SP-87…SP-96, SP-98, 5/S-44, 5/S-48).
func TestProfileSelection(t *testing.T) {
	w := startHostile(t)
	for _, command := range []string{
		"request security pki generate-key-pair certificate-id other-ca type rsa size 2048",
		`request security pki local-certificate generate-self-signed certificate-id other-ca domain-name other.example.net subject "CN=Other CA" add-ca-constraint`,
	} {
		w.show(command)
	}
	w.configure(strings.Split(strings.TrimSpace(`
set services ssl proxy profile other root-ca other-ca
set services ssl proxy profile other trusted-ca bad
delete security policies from-zone trust to-zone untrust
`+policy("trust", "untrust", "social", "any", "any", "permit application-services ssl-proxy profile-name inspect")+
		policy("trust", "untrust", "video", "any", "any", "permit application-services ssl-proxy profile-name other")+
		policy("trust", "untrust", "rest", "any", "any", "permit")+`
set security policies from-zone trust to-zone untrust policy social match dynamic-application [ junos:FACEBOOK-ACCESS junos:SSH ]
set security policies from-zone trust to-zone untrust policy video match dynamic-application junos:YOUTUBE
`), "\n")...)
	names := []string{"www.facebook.com", "www.youtube.com", "nobody.example.org"}
	for _, name := range names {
		w.servers[name] = &tls.Config{Certificates: []tls.Certificate{chain(w.ca.Leaf(t, name))}}
	}
	w.servers[""] = &tls.Config{Certificates: []tls.Certificate{chain(w.ca.Leaf(t, "", testpki.With(func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = nil, []net.IP{net.ParseIP(lab.WebAddr4)}
	})))}}
	issuer := func(name string) string {
		shown, err := w.visit(name, func(c *tls.Config) { c.ServerName, c.InsecureSkipVerify = name, true })
		if err != nil {
			return "none"
		}
		return shown.Issuer.CommonName
	}
	for name, want := range map[string]string{"www.facebook.com": "Branch CA", "www.youtube.com": "Other CA", "nobody.example.org": "Trusted authority", "": "none"} {
		if got := issuer(name); got != want {
			t.Errorf("%q: issued by %s, want %s", name, got, want)
		}
	}
	if n := w.counter("Unified policy : no default profile"); n != "1" {
		t.Errorf("%s sessions without default profile", n)
	}
	w.configure("set security ngfw default-profile ssl-proxy profile-name other")
	if got := issuer(""); got != "Other CA" {
		t.Errorf("default profile: issued by %s", got)
	}
	if got := issuer("www.facebook.com"); got != "Branch CA" {
		t.Errorf("with a default profile: issued by %s, want that of the policy", got)
	}
	if n := w.counter("Unified policy : default profile hit"); n != "1" {
		t.Errorf("%s hits of the default profile", n)
	}
	w.configure("set security policies from-zone trust to-zone untrust policy video then permit application-services ssl-proxy profile-name inspect")
	if got := issuer(""); got != "Branch CA" {
		t.Errorf("the policies agree: issued by %s", got)
	}
}

// Sessions are resumed on both sides; not after the trusted authorities have changed, and not where
// the profile says so (SP-26…SP-31).
func TestResumption(t *testing.T) {
	w := startHostile(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		name := fmt.Sprintf("v%x", version)
		w.serve(name, w.ca.Leaf(t, name+bad), func(c *tls.Config) { c.MaxVersion = version })
		cache := tls.NewLRUClientSessionCache(8)
		resumed := false
		resuming := func(c *tls.Config) {
			c.MaxVersion, c.ClientSessionCache = version, cache
			c.VerifyConnection = func(cs tls.ConnectionState) error { resumed = cs.DidResume; return nil }
		}
		visit := func(step string, want bool) {
			t.Helper()
			if _, err := w.visit(name, resuming); err != nil || resumed != want {
				t.Errorf("%x, %s: %v, resumed %v, want %v", version, step, err, resumed, want)
			}
		}
		visit("first", false)
		visit("second", true)
		w.configure("set services ssl proxy profile inspect actions log info")
		visit("after a change that does not matter", true)
		w.configure("delete services ssl proxy profile inspect trusted-ca lab")
		visit("after the trusted authorities changed", false)
		visit("and again", true)
		w.configure("set services ssl proxy profile inspect actions disable-session-resumption", "set services ssl proxy profile inspect trusted-ca lab")
		visit("disabled", false)
		visit("still disabled", false)
		w.configure("delete services ssl proxy profile inspect actions disable-session-resumption", "delete services ssl proxy profile inspect actions log info")
	}
	if out := w.show("show services ssl proxy session-cache statistics"); !strings.Contains(squeeze(out), "Session cache hit : 6") {
		t.Errorf("statistics:\n%s", out)
	}
	w.eventually("sessions with servers are resumed", func() bool {
		return !strings.Contains(squeeze(w.show("show services ssl initiation counters handshake")), "proxy: session resumption 0")
	})
}

// A client that keeps refusing the certificate made for a server is left alone, until that is revoked
// or over.
func TestPassThrough(t *testing.T) {
	w := startHostile(t)
	w.serve("pinned", w.ca.Leaf(t, "pinned"+bad))
	pinned := func(c *tls.Config) { // knows its server's own authority alone
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AddCert(w.ca.Certificate)
	}
	attempt := func() error { // a refusal is known when it is counted
		dropped := w.counter("session dropped")
		_, err := w.visit("pinned", pinned)
		if err != nil {
			w.eventually("the refusal is counted", func() bool { return w.counter("session dropped") != dropped })
		}
		return err
	}
	for range 4 {
		if attempt() == nil {
			t.Fatal("a client that knows its server sees another certificate and does not mind")
		}
	}
	w.configure("set services ssl proxy profile inspect pass-through failures 2 timeout 600")
	for i, pass := range []bool{false, false, true, true} {
		if err := attempt(); (err == nil) != pass {
			t.Errorf("attempt %d: %v, want to pass: %v", i+1, err, pass)
		}
	}
	if out := w.show("show services ssl proxy pass-through"); !strings.Contains(out, "pinned"+bad) || !strings.Contains(out, lab.ClientAddr4) {
		t.Errorf("pass-through:\n%s", out)
	}
	w.show("clear services ssl proxy pass-through all")
	if attempt() == nil {
		t.Error("it still passes after it was cleared")
	}
	if _, err := w.visit("pinned"); err != nil {
		t.Errorf("another client of the same address: %v", err)
	}
}

// Over TLS that the gateway has opened, a refused request gets its page, in the version of HTTP that the
// client speaks; a denied one stops in silence (FW-30, SP-5).
func TestBlockPageOverTLS(t *testing.T) {
	w := startSSL(t, `
set security dynamic-application profile page redirect-message type custom-text content "not in working hours"
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca lab
`+policy("trust", "untrust", "social", "any", "any", "reject profile page")+
		policy("trust", "untrust", "video", "any", "any", "deny")+
		policy("trust", "untrust", "all", "any", "any", "permit application-services ssl-proxy profile-name inspect")+`
set security policies from-zone trust to-zone untrust policy social match dynamic-application junos:FACEBOOK-ACCESS
set security policies from-zone trust to-zone untrust policy video match dynamic-application junos:YOUTUBE
`)
	for _, version := range []string{"--http1.1", "--http2"} {
		out, err := w.fetch("https://"+lab.WebName+"/", version, "-H", "Host: www.facebook.com", "-w", " %{http_code} %{http_version}")
		if want := map[string]string{"--http1.1": " 403 1.1", "--http2": " 403 2"}[version]; err != nil || !strings.Contains(out, "not in working hours") || !strings.HasSuffix(out, want) {
			t.Errorf("%s: %q, %v", version, out, err)
		}
		if out, err := w.fetch("https://"+lab.WebName+"/", version, "-H", "Host: www.youtube.com", "-m", "3"); err == nil || !strings.Contains(out, "timed out") {
			t.Errorf("%s, denied: %q, %v", version, out, err)
		}
		if out, err := w.fetch("https://"+lab.WebName+"/", version); err != nil || out != "hello from the internet\n" {
			t.Errorf("%s, permitted: %q, %v", version, out, err)
		}
	}
}
