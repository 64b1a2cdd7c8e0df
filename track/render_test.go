package track

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"
)

// fullSession is a session with every field set to something that can be told apart.
func fullSession() *Session {
	return &Session{
		ID:     9625,
		Source: netip.MustParseAddrPort("192.0.2.10:34880"), Destination: netip.MustParseAddrPort("198.51.100.2:80"),
		NATSource: netip.MustParseAddrPort("203.0.113.1:10001"), NATDestination: netip.MustParseAddrPort("198.51.100.3:8080"),
		Protocol: 6, ICMPType: 8,
		SourceNATRule: "rs/r1", DestinationNATRule: "ds/r2",
		Policy: "permit-web", FromZone: "trust", ToZone: "untrust", User: "user1", Roles: "DEPT1",
		Service: "junos-http", Application: "HTTP", NestedApplication: "GOOGLE-GEN",
		Category: "Web", SubCategory: "Social-Networking", Risk: 3, Characteristics: "Can Leak Information", Encrypted: "No",
		IngressInterface: "ge-0/0/1.0", EgressInterface: "ge-0/0/2.0", RoutingInstance: "TC1_VPN",
		RoutingProfile: "apbr1", RoutingRule: "rule1", RoutingPolicy: "sla1", RoutingRuleType: "application", DSCP: "13",
		WebFilterCategory: "Enhanced_News", MultipathRule: "multi1", UplinkInterface: "gr-0/0/0.0", UplinkTxBytes: 1959, UplinkRxBytes: 68643,
		SourceVRF: "vpn-A", DestinationVRF: "vpn-B", LastEgressInterface: "ge-0/0/4.0", LastUplinkInterface: "gr-0/0/1.0",
		SSL:               SSL{Profile: "ssl-inspect-profile", URL: "www.example.net", SNI: "www.example.com", Category: "CATEGORY-1", Origin: FromCertificate},
		PacketsFromClient: 347, BytesFromClient: 18199, PacketsFromServer: 388, BytesFromServer: 131928,
		Start: time.Unix(1540454000, 0), Elapsed: 411*time.Second + 900*time.Millisecond,
	}
}

// emptySession is what the gateway knows at least.
func emptySession() *Session {
	return &Session{
		ID:     28,
		Source: netip.MustParseAddrPort("[2001:db8::10]:251"), Destination: netip.MustParseAddrPort("[2001:db8:1::1]:250"),
		Protocol: 17, Policy: "1", FromZone: "trust", ToZone: "untrust",
	}
}

var testTime = time.Date(2018, 10, 25, 1, 0, 18, 179e6, time.UTC)

func renderOne(f Format, tag Tag, reason string, s *Session) string {
	e := Entry{Time: testTime, Tag: tag, Reason: reason, Session: *s}
	return e.Message(f, "gw1", true)
}

// The golden messages pin every layout: TR-15 (two forms), TR-18 (addresses of both families),
// TR-20, TR-23 (absent values), TR-25 (reason), TR-26, TR-28, TR-29, TR-32 to TR-36, TR-39; the
// order is that of the released log reference.
// Rows: LM-2, TR-31.
func TestMessages(t *testing.T) {
	const sd = "[junos@2636.1.1.1.2.129 "
	fullBase := `source-address="192.0.2.10" source-port="34880" destination-address="198.51.100.2" destination-port="80" ` +
		`service-name="junos-http" application="HTTP" nested-application="GOOGLE-GEN" ` +
		`nat-source-address="203.0.113.1" nat-source-port="10001" nat-destination-address="198.51.100.3" nat-destination-port="8080" ` +
		`src-nat-rule-name="rs/r1" dst-nat-rule-name="ds/r2" protocol-id="6" policy-name="permit-web" ` +
		`source-zone-name="trust" destination-zone-name="untrust" session-id-32="9625" `
	emptyBase := `source-address="2001:db8::10" source-port="251" destination-address="2001:db8:1::1" destination-port="250" ` +
		`service-name="None" application="UNKNOWN" nested-application="UNKNOWN" ` +
		`nat-source-address="2001:db8::10" nat-source-port="251" nat-destination-address="2001:db8:1::1" nat-destination-port="250" ` +
		`src-nat-rule-name="N/A" dst-nat-rule-name="N/A" protocol-id="17" policy-name="1" ` +
		`source-zone-name="trust" destination-zone-name="untrust" session-id-32="28" `
	counts := `packets-from-client="347" bytes-from-client="18199" packets-from-server="388" bytes-from-server="131928" elapsed-time="411" `
	noCounts := `packets-from-client="0" bytes-from-client="0" packets-from-server="0" bytes-from-server="0" elapsed-time="0" `
	vrfs := `source-l3vpn-vrf-group-name="vpn-A" destination-l3vpn-vrf-group-name="vpn-B"`
	noVRFs := `source-l3vpn-vrf-group-name="N/A" destination-l3vpn-vrf-group-name="N/A"`
	fullFlow := `source-address="192.0.2.10" source-port="34880" destination-address="198.51.100.2" destination-port="80" connection-tag="0" ` +
		`service-name="junos-http" nat-source-address="203.0.113.1" nat-source-port="10001" ` +
		`nat-destination-address="198.51.100.3" nat-destination-port="8080" nat-connection-tag="0" ` +
		`src-nat-rule-type="source rule" src-nat-rule-name="rs/r1" dst-nat-rule-type="destination rule" dst-nat-rule-name="ds/r2" ` +
		`protocol-id="6" policy-name="permit-web" source-zone-name="trust" destination-zone-name="untrust" session-id="9625" `
	tail := `application-category="Web" application-sub-category="Social-Networking" application-risk="3" application-characteristics="Can Leak Information" `

	tests := []struct {
		tag     Tag
		reason  string
		session *Session
		want    string
	}{
		{AppCreate, "", fullSession(), fullBase + `username="user1" roles="DEPT1" encrypted="No" destination-interface-name="ge-0/0/2.0" ` +
			`category="Web" sub-category="Social-Networking" ` + vrfs},
		{AppCreate, "", emptySession(), emptyBase + `username="N/A" roles="N/A" encrypted="UNKNOWN" destination-interface-name="" ` +
			`category="N/A" sub-category="N/A" ` + noVRFs},
		{AppClose, string(ReasonAgedOut), fullSession(), `reason="idle Timeout" ` + fullBase + counts + `username="user1" roles="DEPT1" encrypted="No" ` +
			`profile-name="apbr1" rule-name="rule1" routing-instance="TC1_VPN" destination-interface-name="ge-0/0/2.0" ` +
			`uplink-incoming-interface-name="gr-0/0/0.0" uplink-tx-bytes="1959" uplink-rx-bytes="68643" ` +
			`category="Web" sub-category="Social-Networking" multipath-rule-name="multi1" ` + vrfs + ` dscp-value="13" apbr-rule-type="application"`},
		{AppClose, string(ReasonClientRST), emptySession(), `reason="TCP CLIENT RST" ` + emptyBase + noCounts + `username="N/A" roles="N/A" encrypted="UNKNOWN" ` +
			`profile-name="N/A" rule-name="N/A" routing-instance="default" destination-interface-name="" ` +
			`uplink-incoming-interface-name="" uplink-tx-bytes="0" uplink-rx-bytes="0" ` +
			`category="N/A" sub-category="N/A" multipath-rule-name="N/A" ` + noVRFs + ` dscp-value="N/A" apbr-rule-type="N/A"`},
		{AppVolumeUpdate, "", fullSession(), fullBase + counts + `username="user1" roles="DEPT1" encrypted="No" ` +
			`profile-name="apbr1" rule-name="rule1" routing-instance="TC1_VPN" destination-interface-name="ge-0/0/2.0" ` +
			`category="Web" sub-category="Social-Networking" ` + vrfs + ` dscp-value="13" apbr-rule-type="application"`},
		{AppRouteUpdate, "", fullSession(), fullBase + `username="user1" roles="DEPT1" encrypted="N/A" ` +
			`profile-name="apbr1" rule-name="rule1" routing-instance="TC1_VPN" destination-interface-name="ge-0/0/2.0" ` +
			`category="Web" sub-category="Social-Networking" apbr-policy-name="sla1" webfilter-category="Enhanced_News" ` +
			vrfs + ` dscp-value="13" apbr-rule-type="application"`},
		{NextHopChange, "", fullSession(), fullBase + counts + `username="user1" roles="DEPT1" encrypted="No" ` +
			`profile-name="apbr1" rule-name="rule1" routing-instance="TC1_VPN" destination-interface-name="ge-0/0/2.0" ` +
			`last-destination-interface-name="ge-0/0/4.0" uplink-incoming-interface-name="gr-0/0/0.0" last-incoming-interface-name="gr-0/0/1.0" ` +
			`uplink-tx-bytes="1959" uplink-rx-bytes="68643" apbr-policy-name="sla1" dscp-value="13" apbr-rule-type="application"`},
		{NextHopChange, "", emptySession(), emptyBase + noCounts + `username="N/A" roles="N/A" encrypted="UNKNOWN" ` +
			`profile-name="N/A" rule-name="N/A" routing-instance="default" destination-interface-name="" ` +
			`last-destination-interface-name="" uplink-incoming-interface-name="" last-incoming-interface-name="N/A" ` +
			`uplink-tx-bytes="0" uplink-rx-bytes="0" apbr-policy-name="N/A" dscp-value="N/A" apbr-rule-type="N/A"`},
		{FlowCreate, "", fullSession(), fullFlow + `username="user1" roles="DEPT1" packet-incoming-interface="ge-0/0/1.0" ` +
			`application="HTTP" nested-application="GOOGLE-GEN" encrypted="No" ` + tail +
			`src-vrf-grp="vpn-A" dst-vrf-grp="vpn-B" tunnel-inspection="Off" tunnel-inspection-policy-set="root"`},
		{FlowClose, string(ReasonClientFIN), fullSession(), `reason="TCP CLIENT FIN" ` + fullFlow + counts +
			`application="HTTP" nested-application="GOOGLE-GEN" username="user1" roles="DEPT1" packet-incoming-interface="ge-0/0/1.0" encrypted="No" ` + tail +
			`secure-web-proxy-session-type="NA" peer-session-id="0" peer-source-address="0.0.0.0" peer-source-port="0" ` +
			`peer-destination-address="0.0.0.0" peer-destination-port="0" hostname="NA NA" ` +
			`src-vrf-grp="vpn-A" dst-vrf-grp="vpn-B" tunnel-inspection="Off" tunnel-inspection-policy-set="root"`},
		{FlowDeny, DenyPolicy, emptySession(), `source-address="2001:db8::10" source-port="251" destination-address="2001:db8:1::1" destination-port="250" ` +
			`connection-tag="0" service-name="None" protocol-id="17" icmp-type="0" policy-name="1" source-zone-name="trust" destination-zone-name="untrust" ` +
			`application="UNKNOWN" nested-application="UNKNOWN" username="N/A" roles="N/A" packet-incoming-interface="" encrypted="UNKNOWN" reason="policy deny"`},
	}
	for _, test := range tests {
		want := "<14>1 2018-10-25T01:00:18.179Z gw1 RT_FLOW - " + test.tag.String() + " " + sd + test.want + "]"
		if got := renderOne(Structured, test.tag, test.reason, test.session); got != want {
			t.Errorf("%s:\n got %s\nwant %s", test.tag, got, want)
		}
	}
}

// TestPlainMessages pins the plain form (TR-15).
func TestPlainMessages(t *testing.T) {
	tests := []struct {
		tag     Tag
		reason  string
		session *Session
		want    string
	}{
		{FlowCreate, "", fullSession(), "session created 192.0.2.10/34880->198.51.100.2/80 0x0 junos-http 203.0.113.1/10001->198.51.100.3/8080 0x0 " +
			"source rule rs/r1 destination rule ds/r2 6 permit-web trust untrust 9625 user1(DEPT1) ge-0/0/1.0 HTTP GOOGLE-GEN No " +
			"Web Social-Networking 3 Can Leak Information vpn-A vpn-B Off root"},
		{FlowClose, "TCP CLIENT FIN", emptySession(), "session closed TCP CLIENT FIN: 2001:db8::10/251->2001:db8:1::1/250 0x0 None 2001:db8::10/251->2001:db8:1::1/250 0x0 " +
			"N/A N/A N/A N/A 17 1 trust untrust 28 0(0) 0(0) 0 UNKNOWN UNKNOWN N/A(N/A)  UNKNOWN N/A N/A -1 N/A NA 0 0.0.0.0/0->0.0.0.0/0 NA NA N/A N/A Off root"},
		{FlowDeny, "policy reject", fullSession(), "session denied 192.0.2.10/34880->198.51.100.2/80 0x0 junos-http 6(8) permit-web trust untrust " +
			"HTTP GOOGLE-GEN user1(DEPT1) ge-0/0/1.0 No policy reject"},
		{AppCreate, "", emptySession(), "AppTrack session created 2001:db8::10/251->2001:db8:1::1/250 None UNKNOWN UNKNOWN " +
			"2001:db8::10/251->2001:db8:1::1/250 N/A N/A 17 1 trust untrust 28 N/A N/A UNKNOWN  N/A N/A N/A N/A"},
		{AppClose, "idle Timeout", fullSession(), "AppTrack session closed idle Timeout: 192.0.2.10/34880->198.51.100.2/80 junos-http HTTP GOOGLE-GEN " +
			"203.0.113.1/10001->198.51.100.3/8080 rs/r1 ds/r2 6 permit-web trust untrust 9625 347(18199) 388(131928) 411 " +
			"user1 DEPT1 No apbr1 rule1 TC1_VPN ge-0/0/2.0 gr-0/0/0.0 1959 68643 Web Social-Networking multi1 vpn-A vpn-B 13 application"},
		{AppVolumeUpdate, "", fullSession(), "AppTrack volume update: 192.0.2.10/34880->198.51.100.2/80 junos-http HTTP GOOGLE-GEN " +
			"203.0.113.1/10001->198.51.100.3/8080 rs/r1 ds/r2 6 permit-web trust untrust 9625 347(18199) 388(131928) 411 " +
			"user1 DEPT1 No apbr1 rule1 TC1_VPN ge-0/0/2.0 Web Social-Networking vpn-A vpn-B 13 application"},
		{AppRouteUpdate, "", fullSession(), "AppTrack route update: 192.0.2.10/34880->198.51.100.2/80 junos-http HTTP GOOGLE-GEN " +
			"203.0.113.1/10001->198.51.100.3/8080 rs/r1 ds/r2 6 permit-web trust untrust 9625 " +
			"user1 DEPT1 N/A apbr1 rule1 TC1_VPN ge-0/0/2.0 Web Social-Networking sla1 Enhanced_News vpn-A vpn-B 13 application"},
	}
	for _, test := range tests {
		want := "<14>Oct 25 01:00:18 gw1 RT_FLOW: " + test.tag.String() + ": " + test.want
		if got := renderOne(Plain, test.tag, test.reason, test.session); got != want {
			t.Errorf("%s:\n got %s\nwant %s", test.tag, got, want)
		}
	}
}

// TestFieldCounts checks the sizes that the log reference states for the application tracking
// messages: 26 (TR-6), 41 (TR-5), 36 (TR-7), 33 (TR-27) and 38 (TR-37).
func TestFieldCounts(t *testing.T) {
	for tag, want := range map[Tag]int{AppCreate: 26, AppClose: 41, AppVolumeUpdate: 36, AppRouteUpdate: 33, NextHopChange: 38, FlowDeny: 18} {
		if got := len(programs[Structured][tag].fields); got != want {
			t.Errorf("%s has %d fields, want %d", tag, got, want)
		}
	}
}

// TestStructuredParses reads every message with an independent RFC 5424 parser (TR-56), with
// values that need escaping and values that try to break out of the message.
func TestStructuredParses(t *testing.T) {
	s := fullSession()
	s.User = `a"b\c]d`
	s.Roles = "line\nbreak\r\x00<14>1 - - - - - -"
	s.Policy = "Grüße ✓"
	s.Category = "bad\xffutf8"
	wants := map[string]string{
		"username": `a"b\c]d`, "roles": "line break  <14>1 - - - - - -", "policy-name": "Grüße ✓",
		"elapsed-time": "411", "source-port": "34880",
	}
	parser := rfc5424.NewParser()
	for _, tag := range Tags() {
		text := renderOne(Structured, tag, "TCP CLIENT FIN", s)
		if strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("%s spans lines: %q", tag, text)
		}
		parsed, err := parser.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v\n%s", tag, err, text)
		}
		m := parsed.(*rfc5424.SyslogMessage)
		process, priority := "RT_FLOW", uint8(14)
		if tag.decryption() {
			process, priority = "junos-ssl-proxy", map[Tag]uint8{SSLError: 11, SSLWarning: 12}[tag]
			if priority == 0 {
				priority = 14
			}
		} else if tag == AppQoS {
			process = "RT_APPQOS"
		}
		if *m.Appname != process || *m.MsgID != tag.String() || *m.Hostname != "gw1" || *m.Priority != priority || !m.Timestamp.Equal(testTime) {
			t.Errorf("%s: header is not what was sent: %s", tag, text)
		}
		params := (*m.StructuredData)[DefaultSDID]
		if len(params) != len(programs[Structured][tag].fields) {
			t.Errorf("%s: %d fields parsed, %d sent", tag, len(params), len(programs[Structured][tag].fields))
		}
		for name, want := range wants {
			if got, ok := params[name]; ok && got != want {
				t.Errorf("%s: %s is %q, want %q", tag, name, got, want)
			}
		}
	}
}

// TestEntry shows an entry of the history in words and by field.
func TestEntry(t *testing.T) {
	e := Entry{Time: testTime, Tag: FlowDeny, Reason: "policy deny", Session: *fullSession()}
	if want := "session denied 192.0.2.10/34880->198.51.100.2/80 0x0 junos-http 6(8) permit-web trust untrust HTTP GOOGLE-GEN user1(DEPT1) ge-0/0/1.0 No policy deny"; e.Text() != want {
		t.Errorf("text is %q, want %q", e.Text(), want)
	}
	fields := e.Fields()
	if len(fields) != 18 || fields["reason"] != "policy deny" || fields["destination-port"] != "80" {
		t.Errorf("fields are %v", fields)
	}
}

// TestTagText reads back every tag as it is written.
func TestTagText(t *testing.T) {
	for _, tag := range Tags() {
		text, _ := tag.MarshalText()
		var back Tag
		if err := back.UnmarshalText(text); err != nil || back != tag {
			t.Errorf("%s reads back as %s (%v)", tag, back, err)
		}
	}
	var tag Tag
	if err := tag.UnmarshalText([]byte("RT_FLOW_SESSION")); err == nil {
		t.Error("an unknown tag is accepted")
	}
}

// TestHeader keeps host names from breaking the header.
func TestHeader(t *testing.T) {
	for in, want := range map[string]string{"gw 1\n": "gw1", "": "-", "gw.example": "gw.example"} {
		if got := header(in); got != want {
			t.Errorf("header(%q) is %q, want %q", in, got, want)
		}
	}
}

// FuzzRender checks that no value breaks out of its message.
func FuzzRender(f *testing.F) {
	f.Add(`a"]`, "x\ny", "\xff")
	parser := rfc5424.NewParser()
	f.Fuzz(func(t *testing.T, user, policy, reason string) {
		s := fullSession()
		s.User, s.Policy = user, policy
		text := renderOne(Structured, AppClose, reason, s)
		parsed, err := parser.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		if n := len((*parsed.(*rfc5424.SyslogMessage).StructuredData)[DefaultSDID]); n != 41 {
			t.Fatalf("%d fields: %q", n, text)
		}
		if line := renderOne(Plain, AppClose, reason, s); strings.ContainsAny(line, "\r\n\x00") {
			t.Fatalf("plain form spans lines: %q", line)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	env := envelope{host: "gw1", sdid: DefaultSDID}
	for _, format := range []Format{Structured, Plain} {
		b.Run(format.String(), func(b *testing.B) {
			r := record{Entry: Entry{Tag: AppClose, Time: testTime, Reason: "TCP CLIENT FIN", Session: *fullSession()}}
			var c clock
			buf := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				buf = env.appendMessage(buf[:0], format, &r, &c)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}
