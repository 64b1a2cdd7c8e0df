package track

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"sluice/store/schema"
)

// sslSession is the session of the guide's samples.
func sslSession(id uint64, ssl SSL) *Session {
	return &Session{
		ID: id, Source: netip.MustParseAddrPort("203.0.113.1:35090"), Destination: netip.MustParseAddrPort("192.0.2.1:443"), Protocol: 6,
		FromZone: "untrust", IngressInterface: "ge-0/0/0.0", ToZone: "trust", EgressInterface: "ge-0/0/1.0", Policy: "p1", SSL: ssl,
	}
}

// The messages of the SSL proxy have the fields, the order and the words of the guide's samples.
// Rows: SP-65, SP-89, 5/O-20.
func TestSSLMessages(t *testing.T) {
	const profile = "ssl-inspect-profile"
	base := func(profile, message string) string {
		return `source-address="203.0.113.1" source-port="35090" destination-address="192.0.2.1" destination-port="443" ` +
			`nat-source-address="203.0.113.1" nat-source-port="35090" nat-destination-address="192.0.2.1" nat-destination-port="443" ` +
			`profile-name="` + profile + `" source-zone-name="untrust" source-interface-name="ge-0/0/0.0" ` +
			`destination-zone-name="trust" destination-interface-name="ge-0/0/1.0" message="` + message + `"`
	}
	const plainBase = "<203.0.113.1/35090->192.0.2.1/443> NAT:< 203.0.113.1/35090->192.0.2.1/443> ssl-inspect-profile <untrust:ge-0/0/0.0->trust:ge-0/0/1.0> message:"
	for _, c := range []struct {
		tag               Tag
		session           *Session
		message           string
		structured, plain string
	}{
		{
			SSLDrop, sslSession(23, SSL{Profile: profile, Origin: FromCertificate}), "self signed certificate",
			`session-id="23" ` + base(profile, "self signed certificate"), "lsys:root 23 " + plainBase + "certificate error: self signed certificate",
		},
		{
			SSLDrop, sslSession(23, SSL{Origin: FromSystem}), "default ssl-proxy profile is not configured",
			`session-id="23" ` + base("(null)", "default ssl-proxy profile is not configured"),
			"lsys:root 23 " + strings.Replace(plainBase, profile, "(null)", 1) + "system: default ssl-proxy profile is not configured",
		},
		{
			SSLWhitelist, sslSession(24, SSL{Profile: profile, Origin: FromSystem, URL: "192.0.2.1"}), "session whitelisted",
			`session-id="24" url="192.0.2.1" ` + base(profile, "session whitelisted"), "lsys:root 24 host:192.0.2.1/443" + plainBase + "system: session whitelisted",
		},
		{
			SSLInfo, sslSession(17, SSL{Profile: profile, SNI: "www.example.com"}), "",
			`session-id="17" ` + base(profile, "NA") + ` sni="www.example.com" url-category="NULL"`,
			"lsys:root 17 " + plainBase + "NA sni:www.example.com url-category:NULL",
		},
		{
			SSLError, sslSession(1, SSL{Profile: profile, Origin: FromHandshake}), "no shared cipher",
			`session-id="1" ` + base(profile, "no shared cipher"), "lsys:root 1 " + plainBase + "openssl error: no shared cipher",
		},
		{SSLAllow, sslSession(1, SSL{Profile: profile}), "x", `session-id="1" ` + base(profile, "x"), "lsys:root 1 " + plainBase + "x"},
		{SSLIgnore, sslSession(1, SSL{Profile: profile}), "x", `session-id="1" ` + base(profile, "x"), "lsys:root 1 " + plainBase + "x"},
		{SSLWarning, sslSession(1, SSL{Profile: profile}), "x", `session-id="1" ` + base(profile, "x"), "lsys:root 1 " + plainBase + "x"},
	} {
		priority := map[Tag]string{SSLError: "<11>", SSLWarning: "<12>"}[c.tag]
		if priority == "" {
			priority = "<14>"
		}
		want := priority + "1 2018-10-25T01:00:18.179Z gw1 junos-ssl-proxy - " + c.tag.String() +
			` [junos@2636.1.1.1.2.129 logical-system-name="root-logical-system" ` + c.structured + "]"
		if got := renderOne(Structured, c.tag, c.message, c.session); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.tag, got, want)
		}
		want = priority + "Oct 25 01:00:18 gw1 junos-ssl-proxy: " + c.tag.String() + ": " + c.plain
		if got := renderOne(Plain, c.tag, c.message, c.session); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.tag, got, want)
		}
	}
}

// What a peer chose does not break out of its field: a server name with quotes and line ends, and
// a message with the words of a certificate.
func TestSSLMessagesAreEscaped(t *testing.T) {
	s := sslSession(9, SSL{Profile: "p", SNI: "a\"]\n<14>1 x", Origin: FromCertificate})
	const message = `subject /CN=a"\]b`
	parsed, err := rfc5424.NewParser().Parse([]byte(renderOne(Structured, SSLInfo, message, s)))
	if err != nil {
		t.Fatal(err)
	}
	fields := (*parsed.(*rfc5424.SyslogMessage).StructuredData)[DefaultSDID]
	if fields["sni"] != `a"] <14>1 x` || fields["message"] != message || len(fields) != 18 {
		t.Errorf("fields: %q", fields)
	}
	if plain := renderOne(Plain, SSLInfo, message, s); strings.ContainsAny(plain, "\n\r") {
		t.Errorf("plain: %q", plain)
	}
}

// A stream gets the messages of the SSL proxy when it asks for sslproxy, and with all of them; a
// stream that asks for sessions does not.
func TestSSLCategory(t *testing.T) {
	only, all, sessions := listenUDP(t), listenUDP(t), listenUDP(t)
	tracker := newTestTracker(t, Options{})
	cfg := &schema.Config{}
	for name, s := range map[string]struct {
		at       string
		category []string
	}{
		"only": {only.LocalAddr().String(), []string{"sslproxy"}}, "all": {all.LocalAddr().String(), nil}, "sessions": {sessions.LocalAddr().String(), []string{"session"}},
	} {
		at := netip.MustParseAddrPort(s.at)
		cfg.Security.Log.Streams = append(cfg.Security.Log.Streams, schema.LogStream{
			Name: name, Host: schema.LogHost{Address: at.Addr()}, Port: at.Port(), Category: s.category, Severity: "info",
		})
	}
	commit(t, tracker, cfg)
	tracker.SSL(SSLEvent{Kind: SSLDrop, Origin: FromSystem, Message: "first", Profile: "p", URL: "u", SNI: "s", Category: "c"}, sslSession(5, SSL{}))
	tracker.SSL(SSLEvent{Kind: FlowClose, Message: "no message of the SSL proxy"}, sslSession(5, SSL{}))
	tracker.FlowClose(sslSession(6, SSL{}), ReasonIDP)
	if got := receive(t, only); !strings.Contains(got, "SSL_PROXY_SSL_SESSION_DROP") || !strings.Contains(got, `profile-name="p"`) || !strings.Contains(got, `message="first"`) {
		t.Errorf("the stream that asks for sslproxy: %s", got)
	}
	if got := receive(t, all); !strings.Contains(got, "SSL_PROXY_SSL_SESSION_DROP") {
		t.Errorf("the stream that asks for all: %s", got)
	}
	if got := receive(t, all); !strings.Contains(got, "RT_FLOW_SESSION_CLOSE") || strings.Contains(got, "no message") {
		t.Errorf("the stream that asks for all: %s", got)
	}
	if got := receive(t, sessions); !strings.Contains(got, "RT_FLOW_SESSION_CLOSE") {
		t.Errorf("the stream that asks for sessions: %s", got)
	}
}
