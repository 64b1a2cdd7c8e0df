package profile

import (
	"crypto/x509"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
	"sluice/store/tree"
	"sluice/tls/pki"
)

// config decodes set statements.
func config(t *testing.T, statements string) *schema.Config {
	t.Helper()
	tr := tree.New()
	for _, p := range tr.Load(tree.LoadSet, nil, statements) {
		t.Fatal(p)
	}
	cfg, problems := tr.Decode()
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return cfg
}

// keyring is a store with certificates of every kind: ca-rsa and ca-ecdsa can sign, server-rsa and
// server-ecdsa cannot, key has no certificate, ca-384 lies on another curve.
func keyring(t *testing.T) *pki.Store {
	t.Helper()
	s, err := pki.Open(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	for id, kind := range map[string]string{
		"ca-rsa": pki.RSA, "ca-rsa-2": pki.RSA, "ca-ecdsa": pki.ECDSA, "server-rsa": pki.RSA, "server-ecdsa": pki.ECDSA, "ca-384": pki.ECDSA, "key": pki.RSA,
	} {
		size := 2048
		if kind == pki.ECDSA {
			size = 256
		}
		if id == "ca-384" {
			size = 384
		}
		if err := s.GenerateKeyPair(id, kind, size); err != nil {
			t.Fatal(err)
		}
		if id == "key" {
			continue
		}
		err := s.SelfSign(id, pki.Template{Subject: "CN=" + id, DomainName: id + ".example.com", CA: strings.HasPrefix(id, "ca-")})
		if err != nil {
			t.Fatal(err)
		}
	}
	pem, err := s.Export("ca-rsa", pki.PEM)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LoadGroup("group", pem); err != nil {
		t.Fatal(err)
	}
	if pem, err = s.Export("ca-ecdsa", pki.PEM); err != nil {
		t.Fatal(err)
	}
	if err := s.LoadCA("loaded", pem); err != nil {
		t.Fatal(err)
	}
	return s
}

// forward is a sound profile p, and what is added to it.
func forward(more ...string) string {
	lines := []string{
		"set security pki ca-profile loaded ca-identity loaded", "set security pki ca-profile empty ca-identity empty",
		"set services ssl proxy profile p root-ca ca-ecdsa", "set services ssl proxy profile p trusted-ca all",
	}
	for _, m := range more {
		if !strings.HasPrefix(m, "set ") && !strings.HasPrefix(m, "delete ") {
			m = "set services ssl proxy profile p " + m
		}
		lines = append(lines, m)
	}
	return strings.Join(lines, "\n")
}

// Every mistake in the statements is a problem that names its statement, or a warning where the
// commit may go on.
// Rows: SP-8, SP-49, SP-58, SP-59, SP-63, SP-77, SP-81, DM-13, PK-3, T-13, T-37, T-53, 5/O-20.
func TestProblems(t *testing.T) {
	keys := keyring(t)
	const path = "[edit services ssl proxy profile p"
	for _, c := range []struct {
		statements string
		want       []string // beginnings of problems; "warning: " before those of warnings
	}{
		{forward(), nil},
		{forward("root-ca ca-rsa"), nil},
		{"set services ssl proxy profile p trusted-ca all", []string{path + "] one of root-ca (forward proxy) and server-certificate (reverse proxy) must be set"}},
		{forward("server-certificate server-rsa"), []string{path + "] root-ca (forward proxy) and server-certificate (reverse proxy) cannot both be set"}},
		{"set services ssl proxy profile p server-certificate [ server-rsa server-ecdsa ]", nil},
		{forward("root-ca ca-ecda"), []string{path + ` root-ca ca-ecda] there is no certificate "ca-ecda" (did you mean ca-ecdsa`}},
		{forward("root-ca server-rsa"), []string{path + " root-ca server-rsa] certificate server-rsa is not one of a CA"}},
		{forward("root-ca key"), []string{path + " root-ca key] key pair key has no certificate yet"}},
		{forward("root-ca [ ca-rsa ca-rsa-2 ]"), []string{path + " root-ca ca-rsa-2] root CAs ca-rsa and ca-rsa-2 both have RSA keys"}},
		{"set services ssl proxy profile p root-ca ca-384\nset services ssl proxy profile p trusted-ca all",
			[]string{"warning: " + path + " root-ca ca-384] certificate ca-384 has a key on curve P-384"}},
		{"set services ssl proxy profile p root-ca ca-rsa", []string{"warning: " + path + "] no CA is trusted without trusted-ca"}},
		{forward("trusted-ca grup"), []string{path + ` trusted-ca grup] there is no CA profile or group "grup" (did you mean group`}},
		{forward("trusted-ca [ group loaded ]"), nil},
		{forward("trusted-ca empty"), []string{"warning: " + path + " trusted-ca empty] CA empty has no certificate"}},
		{forward("preferred-ciphers custom"), []string{path + " preferred-ciphers] preferred-ciphers custom needs custom-ciphers"}},
		{forward("custom-ciphers rsa-with-aes-128-cbc-sha"), []string{path + " custom-ciphers] custom-ciphers hold with preferred-ciphers custom only"}},
		{forward("preferred-ciphers custom", "custom-ciphers rsa-with-aes-128-gcm-sha256", "protocol-version tls11"),
			[]string{path + "] no cipher of the profile can be used with protocol-version tls11"}},
		{forward("preferred-ciphers custom", "custom-ciphers rsa-with-aes-128-gcm-sha256", "protocol-version tls13"),
			[]string{path + "] no cipher of the profile can be used with protocol-version tls13"}},
		{forward("preferred-ciphers custom", "custom-ciphers [ tls13-with-aes-128-ccm-sha256 tls13-with-aes-128-gcm-sha256 ]"),
			[]string{"warning: " + path + " custom-ciphers tls13-with-aes-128-ccm-sha256] cipher TLS_AES_128_CCM_SHA256 is never agreed on"}},
		{forward("whitelist odd", "set security address-book global address odd wildcard-address 203.0.113.9/255.0.255.0"),
			[]string{path + " whitelist odd] address odd has a wildcard mask whose bits are not contiguous"}},
		{forward("whitelist all", "set security address-book global address odd wildcard-address 203.0.113.9/255.0.255.0", "set security address-book global address-set all address odd"),
			[]string{path + " whitelist all] address odd has a wildcard mask"}},
		{forward("whitelist branch", "set security address-book local address branch 192.0.2.0/24"),
			[]string{path + ` whitelist branch] address "branch" is not in the global address book`}},
		{forward("mirror-decrypt-traffic interface st0.0", "mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f"),
			[]string{path + " mirror-decrypt-traffic interface st0.0] a copy of decrypted traffic cannot be sent into a tunnel"}},
		{forward("mirror-decrypt-traffic interface ge-0/0/2.0", "mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f"),
			[]string{path + " mirror-decrypt-traffic interface ge-0/0/2.0] interface ge-0/0/2 is not configured"}},
		{forward("mirror-decrypt-traffic interface ge-0/0/2.0", "mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f", "set interfaces ge-0/0/2 unit 0"), nil},
		{strings.ReplaceAll(forward(), "profile p ", "profile all "), []string{"[edit services ssl proxy profile all] a profile cannot be called all"}},
		{"set services ssl initiation profile i trusted-ca group\nset services ssl initiation profile i custom-ciphers tls12-ecdhc-ecdsa-aes-256-gcm-sha384", nil},
		{"set services ssl initiation profile i client-certificate server-rsa", []string{"warning: [edit services ssl initiation profile i] no CA is trusted"}},
		{"set services ssl initiation profile i trusted-ca all\nset services ssl initiation profile i client-certificate none",
			[]string{`[edit services ssl initiation profile i client-certificate none] there is no certificate "none"`}},
		{"set services ssl termination profile t custom-ciphers tls12-ecdhe-ecdsa-aes-128-cbc-sha", []string{"[edit services ssl termination profile t] the profile has no server-certificate"}},
		{"set services ssl termination profile t server-certificate server-ecdsa", nil},
		{"set services ssl termination profile t server-certificate server-rsa\nset services ssl termination profile t custom-ciphers tls12-ecdhe-ecdsa-aes-128-cbc-sha",
			[]string{"warning: [edit services ssl termination profile t custom-ciphers] no cipher fits the certificates"}},
		{"set services ssl termination profile t server-certificate [ server-rsa server-ecdsa ]\nset services ssl termination profile t custom-ciphers tls12-ecdhe-ecdsa-aes-128-cbc-sha", nil},
		{"set services ssl proxy profile p server-certificate server-ecdsa\nset services ssl proxy profile p preferred-ciphers custom\nset services ssl proxy profile p custom-ciphers rsa-with-aes-128-cbc-sha",
			[]string{"warning: " + path + " custom-ciphers] no cipher fits the certificates"}},
		{forward("whitelist-url-categories bank", categories, policy(""), "set security utm utm-policy u web-filtering http-profile junos-wf-local-default"),
			[]string{"warning: [edit security policies from-zone trust to-zone untrust policy 1 then permit application-services] profile p exempts the categories bank"}},
		{forward("whitelist-url-categories bank", categories, policy("u"), "set security utm utm-policy u web-filtering http-profile junos-wf-local-default"), nil},
	} {
		_, problems := Compile(config(t, c.statements), nil, Environment{PKI: keys, Supports: func(id uint16) bool { return id != 0x1304 }})
		var got []string
		for _, p := range problems {
			text := p.Error()
			if p.Warning {
				text = "warning: " + text
			}
			got = append(got, text)
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s\ngot  %q\nwant %q", c.statements, got, c.want)
		}
	}
}

const categories = "set security utm custom-objects url-pattern bank value www.bank.example\nset security utm custom-objects custom-url-category bank value bank"

// policy is one with profile p, and a web filter where one is named.
func policy(filter string) string {
	const p = "set security policies from-zone trust to-zone untrust policy 1 "
	text := "set security zones security-zone trust\nset security zones security-zone untrust\n" +
		p + "match source-address any\n" + p + "match destination-address any\n" + p + "match application any\n" +
		p + "then permit application-services ssl-proxy profile-name p"
	if filter != "" {
		text += "\n" + p + "then permit application-services utm-policy " + filter
	}
	return text
}

// A configuration that was accepted goes on holding although a certificate went: the profile says
// that it can decrypt nothing.
func TestCertificateGone(t *testing.T) {
	keys := keyring(t)
	cfg := config(t, forward("root-ca gone")+"\nset services ssl proxy profile q server-certificate server-rsa")
	set, problems := Compile(cfg, nil, Environment{PKI: keys, Accepted: true})
	if len(problems) != 1 || !problems[0].Warning {
		t.Errorf("problems: %v", problems)
	}
	if p := set.Proxy("p"); p.Broken != `there is no certificate "gone"` {
		t.Errorf("the profile is broken by %q", p.Broken)
	}
	if q := set.Proxy("q"); q.Broken != "" {
		t.Errorf("the other profile is broken by %q", q.Broken)
	}
}

// Without a keyring, certificates are not looked up: everything else is checked.
func TestWithoutKeyring(t *testing.T) {
	if _, problems := Compile(config(t, forward("root-ca gone", "trusted-ca gone")), nil, Environment{}); len(problems) != 0 {
		t.Errorf("problems: %v", problems)
	}
}

// A profile is what its statements say.
// Rows: SP-6, SP-7, SP-9, SP-65, SP-66, SP-71, SP-72, DM-8, DM-11, DM-12, PK-10, PK-11, PK-18, SP-96.
func TestProfile(t *testing.T) {
	keys := keyring(t)
	set, problems := Compile(config(t, forward(
		"root-ca ca-rsa", "trusted-ca [ group loaded ]", "delete services ssl proxy profile p trusted-ca all",
		"actions ignore-server-auth-failure", "actions crl if-not-present drop", "actions crl ignore-hold-instruction-code",
		"actions disable-session-resumption", "actions allow-strong-certificate", "actions renegotiation drop",
		"actions logs errors", "actions log sessions-whitelisted", "actions log info", "enable-flow-tracing",
		"mirror-decrypt-traffic interface ge-0/0/2.0", "mirror-decrypt-traffic destination-mac-address 00:50:56:a6:5f:1f",
		"mirror-decrypt-traffic only-after-security-policies-enforcement", "set interfaces ge-0/0/2 device eth7", "set interfaces ge-0/0/2 unit 0",
		"pass-through failures 2", "whitelist-url-categories bank", categories,
		"set security pki ca-profile loaded revocation-check disable",
		"set services ssl proxy profile q server-certificate [ server-rsa server-ecdsa ]", "set services ssl proxy profile q actions log all",
		"set services ssl proxy global-config disable-cert-cache", "set services ssl proxy global-config invalidate-cache-on-crl-update",
		"set services ssl proxy global-config session-cache-timeout 300",
		"set security ngfw default-profile ssl-proxy profile-name q",
	)), nil, Environment{PKI: keys})
	for _, p := range problems {
		t.Error(p)
	}
	p, q := set.Proxy("p"), set.Proxy("q")
	if !p.Forward() || len(p.RootCAs) != 2 || p.RootCAs[0].ID != "ca-ecdsa" || !p.RootCAs[0].IsECDSA() || p.RootCAs[1].IsECDSA() || p.RootCAs[1].Key == nil {
		t.Errorf("root CAs: %+v", p.RootCAs)
	}
	if q.Forward() || len(q.ServerCertificates) != 2 || len(q.TrustedCAs) != 0 || set.Default() != q {
		t.Errorf("reverse proxy: %+v", q)
	}
	loaded := keys.CAProfile("loaded")[0].Certificate
	if len(p.TrustedCAs) != 2 || !p.CRL.DisabledFor(loaded) || p.CRL.DisabledFor(p.TrustedCAs[0]) {
		t.Errorf("%d CAs are trusted", len(p.TrustedCAs))
	}
	if _, err := p.RootCAs[0].Certificate.Verify(x509.VerifyOptions{Roots: p.Trusted}); err != nil {
		t.Errorf("a trusted CA: %v", err)
	}
	if !p.IgnoreServerAuthFailure || p.CRL.Disable || !p.CRL.DropIfNotPresent || !p.CRL.IgnoreHold || !p.DisableResumption || !p.AllowStrongCertificate ||
		p.Renegotiation != DropAll || p.Log != LogErrors|LogWhitelisted|LogInfo || !p.FlowTracing || q.Log != LogAll || q.Renegotiation != AllowSecure {
		t.Errorf("actions: %+v", p)
	}
	if m := p.Mirror; m == nil || m.Interface != "ge-0/0/2.0" || m.Device != "eth7" || m.MAC.String() != "00:50:56:a6:5f:1f" || !m.AfterEnforcement || q.Mirror != nil {
		t.Errorf("mirror: %+v", p.Mirror)
	}
	if h := p.PassThrough; h == nil || h.Failures != 2 || h.Timeout != time.Hour || q.PassThrough != nil {
		t.Errorf("pass-through: %+v", p.PassThrough)
	}
	want := Global{
		CertificateCacheTimeout: 10 * time.Minute, InvalidateOnCRLUpdate: true, SessionCacheTimeout: 5 * time.Minute,
		MailBytes: 300, MailPackets: 15, MaximumDecryptedSessions: 50000,
	}
	got := set.Global
	got.TraceOptions = schema.SSLTraceOptions{}
	if !equalGlobal(got, want) {
		t.Errorf("global: %+v", got)
	}
	now := time.Now()
	if p.RootExpired(now) || !p.RootExpired(now.AddDate(100, 0, 0)) || q.RootExpired(now.AddDate(100, 0, 0)) {
		t.Error("expiry of the root CA is wrong")
	}
}

// Each log option asks for messages of its own; all asks for every one, and nothing is logged without.
// Rows: SP-65, 5/S-11, 5/S-12, 5/S-13, 5/S-14.
func TestLogOptions(t *testing.T) {
	kinds := map[string]Log{
		"sessions-dropped": LogDropped, "sessions-allowed": LogAllowed, "sessions-ignored": LogIgnored, "sessions-whitelisted": LogWhitelisted,
		"errors": LogErrors, "warning": LogWarnings, "info": LogInfo,
	}
	log := func(options ...string) Log {
		for i, o := range options {
			options[i] = "actions log " + o
		}
		set, _ := Compile(config(t, forward(options...)), nil, Environment{})
		return set.Proxy("p").Log
	}
	for option, kind := range kinds {
		got := log(option)
		for other, k := range kinds {
			if got.Has(k) != (other == option) {
				t.Errorf("%s: %s is logged: %v", option, other, got.Has(k))
			}
		}
		if !log("all").Has(kind) || log().Has(kind) {
			t.Errorf("%s is not part of all, or is logged without an option", option)
		}
	}
	if log("errors", "info") != LogErrors|LogInfo {
		t.Error("options do not add up")
	}
}

func equalGlobal(a, b Global) bool {
	return a.CertificateCache == b.CertificateCache && a.CertificateCacheTimeout == b.CertificateCacheTimeout && a.InvalidateOnCRLUpdate == b.InvalidateOnCRLUpdate &&
		a.SessionCacheTimeout == b.SessionCacheTimeout && a.MailBytes == b.MailBytes && a.MailPackets == b.MailPackets && a.MaximumDecryptedSessions == b.MaximumDecryptedSessions
}

// Numbers stay the same from one commit to the next, and are not given twice.
// Rows: 6/O-11, 6/O-22, 6/O-28.
func TestNumbers(t *testing.T) {
	profiles := func(names ...string) string {
		text := ""
		for _, n := range names {
			text += "set services ssl proxy profile " + n + " server-certificate x\nset services ssl initiation profile " + n + " trusted-ca all\n" +
				"set services ssl termination profile " + n + " server-certificate x\n"
		}
		return text
	}
	first, _ := Compile(config(t, profiles("p1", "p2")), nil, Environment{})
	if p := first.Proxy("p2"); p.ID != 11 || p.TerminationName() != "p2_65537_proxy_t" || p.InitiationName() != "p2_65537_proxy_i" {
		t.Errorf("p2 is %d, %s, %s", p.ID, p.TerminationName(), p.InitiationName())
	}
	if i, s := first.Initiation("p1"), first.Termination("p2"); i.ID != 1 || s.ID != 2 {
		t.Errorf("other profiles are %d and %d", i.ID, s.ID)
	}
	second, _ := Compile(config(t, profiles("p3", "p2")), first, Environment{})
	ids := func(s *Set) (list []uint32) {
		for _, p := range s.Proxies() {
			list = append(list, p.ID)
		}
		return list
	}
	if got := ids(second); !slices.Equal(got, []uint32{11, 12}) || second.Proxy("p3").ID != 12 {
		t.Errorf("after the second commit: %v", got)
	}
	third, _ := Compile(config(t, profiles("p1", "p4")), second, Environment{})
	if got := ids(third); !slices.Equal(got, []uint32{10, 13}) || !slices.Equal(ids(second), []uint32{11, 12}) {
		t.Errorf("after the third commit: %v", got)
	}
}

// The fingerprint changes with what cached sessions depend on, and with nothing else.
// Rows: SP-31.
func TestFingerprint(t *testing.T) {
	keys := keyring(t)
	of := func(more ...string) Fingerprint {
		set, _ := Compile(config(t, forward(more...)), nil, Environment{PKI: keys})
		return set.Proxy("p").Fingerprint
	}
	before := of()
	for _, same := range [][]string{
		{"actions log all"}, {"enable-flow-tracing"}, {"pass-through failures 2"}, {"whitelist a", "set security address-book global address a 192.0.2.1"},
		{"trusted-ca all"}, {"preferred-ciphers medium"}, {"actions disable-session-resumption"},
	} {
		if of(same...) != before {
			t.Errorf("%v changes it", same)
		}
	}
	seen := map[Fingerprint]string{before: "nothing"}
	for _, other := range []string{
		"root-ca ca-rsa", "preferred-ciphers strong", "preferred-ciphers weak", "protocol-version tls12", "actions ignore-server-auth-failure", "actions crl disable",
		"set services ssl proxy profile p trusted-ca group\ndelete services ssl proxy profile p trusted-ca all",
	} {
		f := of(other)
		if s, twice := seen[f]; twice {
			t.Errorf("%s: as with %s", other, s)
		}
		seen[f] = other
	}
	pem, err := keys.Export("ca-rsa-2", pki.PEM)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.LoadGroup("more", pem); err != nil {
		t.Fatal(err)
	}
	if of() == before {
		t.Error("another trusted CA does not change it")
	}
}

// Each kind of address exempts its servers, and no others.
// Rows: SP-41, SP-75, SP-76, SP-77, T-52.
func TestWhitelist(t *testing.T) {
	names := domain{"www.example.com": {netip.MustParseAddr("203.0.113.80")}}
	book := `set security address-book global address address-4 192.0.2.117
set security address-book global address address-2 range-address 192.0.2.130 to 192.0.2.199
set security address-book global address address-3 wildcard-address 203.0.113.0/255.255.255.192
set security address-book global address address-1 dns-name www.example.com
set security address-book global address address-5 2001:db8:5::/48
set security address-book global address inner 198.51.100.0/24
set security address-book global address-set sets address inner`
	set, problems := Compile(config(t, forward(book, "whitelist [ address-4 address-2 address-3 address-1 address-5 sets ]")), nil, Environment{Names: names})
	for _, p := range problems {
		t.Error(p)
	}
	w := set.Proxy("p").Whitelist
	if w.Len() != 6 {
		t.Errorf("%d entries", w.Len())
	}
	for addr, want := range map[string]string{
		"192.0.2.117": "192.0.2.117", "192.0.2.118": "", "192.0.2.130": "192.0.2.130", "192.0.2.199": "192.0.2.199", "192.0.2.200": "",
		"203.0.113.63": "203.0.113.63", "203.0.113.64": "", "203.0.113.80": "www.example.com", "2001:db8:5:1::1": "2001:db8:5:1::1", "2001:db8:6::1": "",
		"198.51.100.9": "198.51.100.9", "::ffff:192.0.2.117": "192.0.2.117",
	} {
		if host, ok := w.Match(netip.MustParseAddr(addr)); host != want || ok != (want != "") {
			t.Errorf("%s: %q, %v, want %q", addr, host, ok, want)
		}
	}
	names["www.example.com"] = []netip.Addr{netip.MustParseAddr("203.0.113.81")}
	if _, ok := w.Match(netip.MustParseAddr("203.0.113.80")); ok {
		t.Error("an address that the name has lost is exempt")
	}
	if host, _ := w.Match(netip.MustParseAddr("203.0.113.81")); host != "www.example.com" {
		t.Error("an address that the name has gained is not exempt")
	}
	var none *Whitelist
	if _, ok := none.Match(netip.MustParseAddr("192.0.2.1")); ok || none.Len() != 0 {
		t.Error("no list exempts something")
	}
}

// domain resolves names.
type domain map[string][]netip.Addr

func (d domain) Addresses(name *schema.DNSName) []netip.Addr { return d[name.Name] }
