package manage

import (
	"crypto/x509"
	"fmt"
	"math/big"
	"net/netip"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/internal/golden"
	"sluice/store/tree"
	"sluice/tls/dn"
	"sluice/tls/forge"
	"sluice/tls/pki"
	"sluice/tls/profile"
	"sluice/tls/report"
	"sluice/tls/sslproxy"
	"sluice/tls/verify"
)

// fakeSSL is an SSL proxy that says what a test wants.
type fakeSSL struct {
	set          *profile.Set
	counters     report.Counters
	drops        report.Drops
	sessions     map[uint64]sslproxy.Info
	cached       []sslproxy.Resumable
	certificates []forge.Entry
	exempt       []sslproxy.Exemption
}

func (f *fakeSSL) Profiles() *profile.Set     { return f.set }
func (f *fakeSSL) Counters() *report.Counters { return &f.counters }
func (f *fakeSSL) Drops() *report.Drops       { return &f.drops }
func (f *fakeSSL) Session(id uint64) (sslproxy.Info, bool) {
	s, ok := f.sessions[id]
	return s, ok
}
func (f *fakeSSL) CachedSessions() ([]sslproxy.Resumable, int) { return f.cached, 19660 }
func (f *fakeSSL) CachedCertificates() ([]forge.Entry, int)    { return f.certificates, 4000 }
func (f *fakeSSL) Exemptions() []sslproxy.Exemption            { return f.exempt }
func (f *fakeSSL) ClearCertificates() (n int)                  { n, f.certificates = len(f.certificates), nil; return n }

func (f *fakeSSL) ClearSessions(stale bool) (n int) {
	var left []sslproxy.Resumable
	for _, s := range f.cached {
		if stale && s.Expires.After(sslNow) {
			left = append(left, s)
		}
	}
	n, f.cached = len(f.cached)-len(left), left
	return n
}

func (f *fakeSSL) EndExemptions(client netip.Addr, server string) int {
	var left []sslproxy.Exemption
	for _, e := range f.exempt {
		if client.IsValid() && e.Client != client || server != "" && e.Server != server {
			left = append(left, e)
		}
	}
	n := len(f.exempt) - len(left)
	f.exempt = left
	return n
}

// sslNow is when the tests take place.
var sslNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// startSSL is a gateway with an idle SSL proxy, without profiles.
func startSSL(t *testing.T) (*fixture, *fakeSSL) {
	t.Helper()
	f := start(t)
	proxy := &fakeSSL{set: sslSet(t, "", nil)}
	keys, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f.server.options.SSL, f.server.options.Certificates = proxy, keys
	f.server.options.Now = func() time.Time { return sslNow }
	return f, proxy
}

// sslSet compiles statements.
func sslSet(t *testing.T, statements string, keys *pki.Store) *profile.Set {
	t.Helper()
	tr := tree.New()
	for _, p := range tr.Load(tree.LoadSet, nil, statements) {
		t.Fatal(p)
	}
	cfg, problems := tr.Decode()
	set, more := profile.Compile(cfg, nil, profile.Environment{PKI: keys})
	for _, p := range append(problems, more...) {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return set
}

// fill makes the proxy one that has worked: every counter has a value of its own, which is the same
// whatever command shows it.
func (f *fakeSSL) fill(t *testing.T) {
	t.Helper()
	keys, err := pki.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for id, kind := range map[string]string{"ssl-inspect-ca": pki.RSA, "ca-ecdsa": pki.ECDSA, "server": pki.ECDSA} {
		if err := keys.GenerateKeyPair(id, kind, map[string]int{pki.RSA: 2048, pki.ECDSA: 256}[kind]); err != nil {
			t.Fatal(err)
		}
		if err := keys.SelfSign(id, pki.Template{Subject: "CN=" + id, CA: true}); err != nil {
			t.Fatal(err)
		}
	}
	pem, err := keys.Export("ssl-inspect-ca", pki.PEM)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.LoadGroup("group", pem); err != nil {
		t.Fatal(err)
	}
	f.set = sslSet(t, `set services ssl proxy profile SSL_PROFILE root-ca [ ssl-inspect-ca ca-ecdsa ]
set services ssl proxy profile SSL_PROFILE trusted-ca all
set services ssl proxy profile SSL_PROFILE actions ignore-server-auth-failure
set services ssl proxy profile SSL_PROFILE preferred-ciphers custom
set services ssl proxy profile SSL_PROFILE custom-ciphers [ ecdhe-rsa-with-aes-256-gcm-sha384 tls13-with-aes-256-gcm-sha384 ]
set services ssl proxy profile SSL_PROFILE protocol-version tls12-and-higher
set services ssl proxy profile SSL_PROFILE enable-flow-tracing
set security address-book global address a 192.0.2.1
set services ssl proxy profile SSL_PROFILE whitelist a
set security utm custom-objects url-pattern bank value www.bank.example
set security utm custom-objects custom-url-category bank value bank
set services ssl proxy profile SSL_PROFILE whitelist-url-categories bank
set services ssl proxy profile reverse server-certificate server
set services ssl proxy profile reverse actions crl disable
set services ssl proxy profile reverse actions disable-session-resumption
set services ssl proxy profile reverse actions renegotiation drop
set interfaces ge-0/0/2 unit 0
set services ssl proxy profile reverse mirror-decrypt-traffic interface ge-0/0/2.0
set services ssl proxy profile reverse mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f
set services ssl proxy global-config invalidate-cache-on-crl-update
set services ssl initiation profile icap trusted-ca group
set services ssl termination profile portal server-certificate server
`, keys)
	n := 0
	for _, family := range []any{
		&f.counters.Proxy, &f.counters.Termination, &f.counters.Initiation, &f.counters.SessionCache, &f.counters.CertificateCache,
		f.counters.ProfileTermination("SSL_PROFILE"), f.counters.ProfileInitiation("SSL_PROFILE"),
	} {
		v := reflect.ValueOf(family).Elem()
		for i := range v.NumField() {
			n++
			switch c := v.Field(i).Addr().Interface().(type) {
			case *report.Counter:
				c.Add(uint64(n))
			case *report.Gauge:
				for range n {
					c.Up()
				}
			}
		}
	}
	name := func(text string) []byte {
		der, err := dn.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	f.sessions = map[uint64]sslproxy.Info{56: {
		ID: 56, Profile: "SSL_PROFILE", Subject: name("C=IN,ST=KA,L=BNG,O=JN,OU=XYZ,CN=server"), CRL: true,
		Client: agreed(256, 0xc02c, 0x303), Server: agreed(2048, 0x1301, 0x304),
	}, 57: {ID: 57, Profile: "SSL_PROFILE", Resumed: true, Renegotiations: 2, Subject: name("CN=a/b"), Code: verify.HasExpired, Client: agreed(2048, 0x009c, 0x303), Server: agreed(4096, 0x0035, 0x301)}}
	var hash [32]byte
	for i := range hash {
		hash[i] = byte(0xb5 + i)
	}
	f.cached = []sslproxy.Resumable{
		{
			ID: hash, Expires: sslNow.Add(294 * time.Second), Server: netip.MustParseAddrPort("198.51.100.1:443"), TerminationID: 65536, InitiationID: 65536, Kind: forge.Dummy,
			Code: verify.NoLocalIssuer, ChainHash: hash, ServerName: "www.example.com", Client: agreed(256, 0xc02c, 0x303), Initiated: agreed(2048, 0x1301, 0x304),
		},
		{Expires: sslNow, Server: netip.MustParseAddrPort("[2001:db8::1]:8443"), TerminationID: 65537, InitiationID: 65537, Own: true, Client: agreed(256, 0x1302, 0x304), Initiated: agreed(256, 0x002f, 0x301)},
	}
	f.certificates = []forge.Entry{{
		Certificate: &forge.Certificate{Kind: forge.Dummy, Leaf: &x509.Certificate{
			SerialNumber: big.NewInt(0x12345678), RawSubject: name("C=IN,ST=KA,O=XYZ Inc,CN=server"), RawIssuer: name("CN=" + forge.DummyIssuer),
		}},
		Profile: 65536, Verdict: uint16(verify.NoLocalIssuer), Updates: 3, Uses: 2, Expires: sslNow.Add(570 * time.Second),
	}}
	services := []report.Service{{Name: "junos-jdpi", Action: "ignore"}, {Name: "junos-ssl-proxy", Action: "none"}}
	f.drops.Record(report.Drop{
		Time: sslNow, Message: "unable to get local issuer certificate", Client: netip.MustParseAddrPort("192.0.2.1:40281"), Server: netip.MustParseAddrPort("198.51.100.1:443"),
		SourceInterface: "ge-0/0/1.0", DestinationInterface: "ge-0/0/0.0", SourceZone: "trust", DestinationZone: "untrust", Services: services,
	})
	f.exempt = []sslproxy.Exemption{
		{Client: netip.MustParseAddr("192.0.2.1"), Server: "pinned.example.com", Profile: "SSL_PROFILE", Failures: 3, Last: sslNow.Add(-time.Minute), Until: sslNow.Add(59 * time.Minute)},
		{Client: netip.MustParseAddr("192.0.2.2"), Server: "pinned.example.com", Profile: "SSL_PROFILE", Failures: 4, Last: sslNow.Add(-time.Hour), Until: sslNow.Add(time.Second / 2)},
		{Client: netip.MustParseAddr("192.0.2.2"), Server: "198.51.100.7", Profile: "reverse", Failures: 3, Last: sslNow, Until: sslNow.Add(time.Hour)},
	}
}

func agreed(bits int, suite, version uint16) sslproxy.Agreed {
	return sslproxy.Agreed{KeyBits: bits, Suite: suite, Version: version}
}

// sslShows are the commands that need no name that exists, and those that do.
var sslShows = []string{
	"proxy counters all", "proxy counters info", "proxy counters errors", "proxy profile all",
	"proxy session-cache statistics", "proxy session-cache entries summary", "proxy session-cache entries detail",
	"proxy certificate-cache statistics", "proxy certificate-cache entries summary", "proxy certificate-cache entries detail",
	"proxy status", "proxy statistics", "proxy pass-through",
	"termination counters all", "termination counters error", "termination counters handshake", "termination profile all",
	"initiation counters all", "initiation counters error", "initiation counters handshake", "initiation profile all",
	"droplogs",
}

// TestSSLCommands compares what the commands show with the transcripts testdata/ssl-idle.txt and
// ssl-busy.txt, letter by letter: names, their order and their misspellings are the guide's.
// Rows: 5/O-9, 5/O-10, 6/O-3, 6/O-7, 6/O-8, 6/O-9, 6/O-10, 6/O-11, 6/O-12, 6/O-13, 6/O-14, 6/O-15,
// 6/O-16, 6/O-17, 6/O-18, 6/O-19, 6/O-20, 6/O-21, 6/O-22, 6/O-23, 6/O-24, 6/O-25, 6/O-26, 6/O-27,
// 6/O-28, 6/O-29, 6/O-30, 6/O-31, 6/O-32, SP-73.
func TestSSLCommands(t *testing.T) {
	f, proxy := startSSL(t)
	transcript(t, f, "ssl-idle", sslShows)
	proxy.fill(t)
	transcript(t, f, "ssl-busy", append(sslShows, "session 56", "session 57", "proxy profile SSL_PROFILE", "proxy profile reverse",
		"termination profile brief SSL_PROFILE_65536_proxy_t", "termination profile brief reverse", "termination profile detail SSL_PROFILE_65536_proxy_t",
		"termination profile detail portal", "initiation profile brief SSL_PROFILE_65536_proxy_i", "initiation profile detail SSL_PROFILE_65536_proxy_i",
		"initiation profile detail reverse_65537_proxy_i", "initiation profile detail icap"))
}

// sourceLine is the place in this file where a session is said to be dropped.
var sourceLine = regexp.MustCompile(`Line: \d+`)

// transcript runs commands and compares what they show with testdata/NAME.txt.
func transcript(t *testing.T, f *fixture, name string, commands []string) {
	t.Helper()
	var got strings.Builder
	for _, c := range commands {
		line := "show services ssl " + c
		fmt.Fprintf(&got, "> %s\n%s\n", line, sourceLine.ReplaceAllString(f.run(t, line), "Line: 1"))
	}
	golden.Check(t, filepath.Join("testdata", name+".txt"), got.String())
}

// Both spellings of counters of errors are understood, and a command without a choice shows all.
func TestSSLSpellings(t *testing.T) {
	f, _ := startSSL(t)
	for one, other := range map[string]string{
		"proxy counters error":            "proxy counters errors",
		"proxy counters":                  "proxy counters all",
		"termination counters errors":     "termination counters error",
		"termination counters":            "termination counters all",
		"initiation counters errors":      "initiation counters error",
		"proxy profile":                   "proxy profile all",
		"initiation profile":              "initiation profile all",
		"proxy session-cache entries":     "proxy session-cache entries summary",
		"proxy certificate-cache entries": "proxy certificate-cache entries summary",
	} {
		if a, b := f.run(t, "show services ssl "+one), f.run(t, "show services ssl "+other); a != b {
			t.Errorf("%s is not %s:\n%s", one, other, a)
		}
	}
}

// Each clear command clears what it names and nothing else.
// Rows: 6/O-12, 6/O-15, 6/O-31.
func TestClearSSL(t *testing.T) {
	f, proxy := startSSL(t)
	proxy.fill(t)
	shown := func() map[string]string {
		all := map[string]string{}
		for _, c := range sslShows {
			all[c] = f.run(t, "show services ssl "+c)
		}
		all["termination profile detail SSL_PROFILE"] = f.run(t, "show services ssl termination profile detail SSL_PROFILE")
		all["initiation profile detail SSL_PROFILE"] = f.run(t, "show services ssl initiation profile detail SSL_PROFILE")
		return all
	}
	before := shown()
	for _, c := range []struct{ clear, says, changes string }{
		{"proxy counters", "counters of the SSL proxy are zero", "proxy counters"},
		{"proxy statistics", "statistics of the SSL proxy are zero", "proxy statistics"},
		{"termination counters", "towards clients are zero", "termination counters|termination profile detail"},
		{"initiation counters", "towards servers are zero", "initiation counters|initiation profile detail"},
		{"proxy session-cache statistics", "session cache are zero", "proxy session-cache statistics"},
		{"proxy certificate-cache statistics", "certificate cache are zero", "proxy certificate-cache statistics"},
		{"proxy session-cache entries stale", "1 sessions are forgotten", "proxy session-cache entries|proxy status"},
		{"proxy session-cache entries", "1 sessions are forgotten", "proxy session-cache entries|proxy status"},
		{"proxy certificate-cache entries", "1 certificates are forgotten", "proxy certificate-cache entries|proxy status"},
		{"droplogs", "forgotten", "droplogs"},
		{"proxy pass-through client 192.0.2.2", "2 exemptions ended", "proxy pass-through"},
		{"proxy pass-through server pinned.example.com", "1 exemptions ended", "proxy pass-through"},
		{"proxy pass-through all", "0 exemptions ended", ""},
	} {
		if out := f.run(t, "clear services ssl "+c.clear); !strings.Contains(out, c.says) {
			t.Errorf("clear %s: %q", c.clear, out)
		}
		after := shown()
		for command, text := range after {
			expected := false
			for _, beginning := range strings.Split(c.changes, "|") {
				expected = expected || beginning != "" && strings.HasPrefix(command, beginning)
			}
			if (text != before[command]) != expected {
				t.Errorf("clear %s: what %s shows has changed: %v\n%s", c.clear, command, !expected, text)
			}
		}
		before = after
	}
	if out := f.run(t, "show services ssl termination counters all"); !strings.Contains(out, "handshakes started               0\n") || strings.Contains(out, "active sessions                  0\n") {
		t.Errorf("gauges were cleared, or counters were not:\n%s", out)
	}
}

// What does not exist is said, with what comes near.
func TestSSLRefusals(t *testing.T) {
	f, proxy := startSSL(t)
	proxy.fill(t)
	for line, want := range map[string]string{
		"show services ssl session 1":                                "session 1 is not decrypted",
		"show services ssl session":                                  "session",
		"show services ssl proxy profile SSL_PROFIL":                 "did you mean SSL_PROFILE",
		"show services ssl termination profile brief revers":         "did you mean",
		"show services ssl initiation profile detail portal":         "there is no profile portal",
		"clear services ssl proxy pass-through":                      "not clear which",
		"clear services ssl proxy pass-through all client 192.0.2.1": "not clear which",
		"clear services ssl proxy pass-through client 192.0.2.99":    "no such session passes",
		"show services ssl proxy counters all errors":                "errors",
		"show services ssl proxy profile nothing":                    "show services ssl proxy profile all lists",
		"show services ssl termination profile brief nothing":        "show services ssl termination profile all lists",
		"show services ssl certificate brief certificate-id nothing": "show services ssl certificate all lists",
		"show security pki local-certificate certificate-id nothing": "show security pki local-certificate lists",
		"clear security pki key-pair certificate-id nothing":         "show security pki key-pair lists",
		"show security pki ca-certificate ca-profile nothing":        "request security pki ca-certificate load ca-profile nothing filename FILE",
	} {
		if got := refused(t, f, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	f.server.options.SSL = nil
	if got := refused(t, f, "show services ssl proxy status"); !strings.Contains(got, "runs without SSL proxy") {
		t.Errorf("without a proxy: %q", got)
	}
}

// Names of profiles and servers are completed.
func TestSSLCompletion(t *testing.T) {
	f, proxy := startSSL(t)
	proxy.fill(t)
	for line, want := range map[string][]string{
		"show services ssl proxy profile ":              {"SSL_PROFILE", "reverse"},
		"show services ssl termination profile brief ":  {"SSL_PROFILE_65536_proxy_t", "portal"},
		"show services ssl initiation profile detail ":  {"reverse_65537_proxy_i", "icap"},
		"clear services ssl proxy pass-through server ": {"pinned.example.com", "198.51.100.7"},
	} {
		list, err := f.server.table.Complete(line, f.server.live)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string]bool{}
		for _, c := range list {
			texts[c.Text] = true
		}
		for _, w := range want {
			if !texts[w] {
				t.Errorf("%s: %s is not offered: %v", line, w, texts)
			}
		}
	}
}
