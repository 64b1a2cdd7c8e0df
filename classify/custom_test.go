package classify

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/decode/industrial"
)

// regexps are signatures by regular expressions, tried one after another.
type regexps struct{ applications []*appdb.Application }

func (r regexps) Wants(c decode.Context, d Direction) bool {
	for _, a := range r.applications {
		for _, p := range a.Patterns {
			for _, m := range p.Members {
				if m.Context == c && m.Directions[d] {
					return true
				}
			}
		}
	}
	return false
}

func (r regexps) Match(p *Progress, c decode.Context, d Direction, over string, meta *Meta, value []byte) *Hit {
	number := uint32(0)
	for _, a := range r.applications {
		for i := range a.Patterns {
			pattern, complete := &a.Patterns[i], false
			if pattern.Over != "" && pattern.Over != over || !pattern.On(meta.Protocol, meta.Server.Port()) {
				number += uint32(len(pattern.Members))
				continue
			}
			left := len(pattern.Members)
			for _, m := range pattern.Members {
				number++
				text := value
				if m.Depth > 0 {
					text = value[:min(len(value), m.Depth)]
				}
				if m.Context == c && m.Directions[d] && regexp.MustCompile(m.Regexp).Match(text) {
					complete = true
					if !slices.Contains(p.Matched[:], number) {
						p.Matched[slices.Index(p.Matched[:], 0)] = number
					}
				}
				if slices.Contains(p.Matched[:], number) {
					left--
				}
			}
			if complete && left == 0 {
				return &Hit{Application: a, Name: pattern.Name, Order: pattern.Order}
			}
		}
	}
	return nil
}

const industrialApplications = `
protocol MODBUS
  category Infrastructure
protocol BACNET
  category Infrastructure
micro MODBUS-READ-COILS
  of MODBUS
micro MODBUS-WRITE-SINGLE-COIL
  of MODBUS
micro BACNET-READ-PROPERTY
  of BACNET
protocol SSL
  category Infrastructure
  flags carrier
protocol HTTPS
  category Web
  flags carrier
application SHOP-TLS
  category Web
  hosts tls.example
`

// newCustomBench is a bench with applications of the operator.
func newCustomBench(t testing.TB, options Options, custom ...*appdb.Application) *bench {
	t.Helper()
	db := appdb.New()
	problems := append(db.Load("test.apps", strings.NewReader(testApplications+industrialApplications)), db.Check()...)
	for _, a := range custom {
		a.Custom = true
	}
	db, more := db.With(custom, nil)
	if options.Signatures == nil {
		options.Signatures = regexps{custom}
	}
	if options.Decoders == nil {
		options.Decoders = append(testDecoders(), industrial.Decoders...)
	}
	engine, last := Compile(db, NewState(nil), options)
	for _, p := range slices.Concat(problems, more, last) {
		t.Fatal(p)
	}
	return &bench{Engine: engine}
}

var both = [2]bool{true, true}

// over is a custom application with one signature.
func over(name, protocol string, priority appdb.Priority, members ...appdb.Member) *appdb.Application {
	return &appdb.Application{Name: name, Priority: priority, Patterns: []appdb.Pattern{{Name: "s1", Over: protocol, Members: members}}}
}

func member(c decode.Context, expression string) appdb.Member {
	return appdb.Member{Context: c, Directions: both, Regexp: expression}
}

func server(name, prefix string, ports ...appdb.PortRange) *appdb.Application {
	return &appdb.Application{Name: name, Servers: []appdb.ServerMapping{{Prefix: netip.MustParsePrefix(prefix), Ports: ports}}}
}

// CS-11, CS-12: ICMP messages by type and code; never ICMPv6.
func TestICMPMapping(t *testing.T) {
	one := uint8(1)
	b := newCustomBench(t, Options{},
		&appdb.Application{Name: "any-code", ICMP: []appdb.ICMPMapping{{Type: 100}}},
		&appdb.Application{Name: "code-1", ICMP: []appdb.ICMPMapping{{Type: 100, Code: &one}}})
	for _, c := range []struct {
		protocol, kind, code uint8
		want                 string
	}{
		{1, 100, 1, "ICMP code-1"}, {1, 100, 2, "ICMP any-code"}, {1, 8, 0, "ICMP ICMP-ECHO"}, {58, 100, 1, "ICMPV6 "},
	} {
		var f Flow
		meta := testMeta(c.protocol, 0)
		meta.ICMPType, meta.ICMPCode = c.kind, c.code
		b.Begin(&f, meta)
		protocol, application, _ := strings.Cut(c.want, " ")
		check(t, &f, protocol, application, true)
	}
}

// CS-10, CS-20: ICMP comes before the IP protocol, that before the address, that before patterns.
func TestPrecedenceOfKinds(t *testing.T) {
	all := []*appdb.Application{
		over("stream", "UDP", appdb.High, member(decode.Stream, "x")),
		server("address", "198.51.100.0/24"),
		{Name: "protocol", IPProtocols: []uint8{1, 2, 17}},
		{Name: "icmp", ICMP: []appdb.ICMPMapping{{Type: 100}}},
	}
	for protocol, want := range map[uint8]string{1: "icmp", 2: "protocol", 17: "protocol"} {
		var f Flow
		meta := testMeta(protocol, 0)
		meta.ICMPType = 100
		newCustomBench(t, Options{}, all...).Begin(&f, meta)
		if r := f.Result(); r.Application != want || !r.Final || r.State != FinalMatch {
			t.Errorf("protocol %d: %+v", protocol, r)
		}
	}
}

// CS-14, CS-44: servers by prefix and port, from the first packet and whatever the priority;
// traffic from them is not theirs.
func TestServerMapping(t *testing.T) {
	b := newCustomBench(t, Options{}, server("my-server", "192.0.2.0/24", appdb.PortRange{Protocol: 17, Low: 5000, High: 6000}))
	for _, c := range []struct {
		client, server string
		protocol       uint8
		want           string
	}{
		{"198.51.100.1:999", "192.0.2.9:5500", 17, "my-server"},
		{"198.51.100.1:999", "192.0.2.9:6001", 17, ""},
		{"198.51.100.1:999", "192.0.2.9:5500", 6, ""},
		{"192.0.2.9:5500", "198.51.100.1:5500", 17, ""},
	} {
		var f Flow
		b.Begin(&f, &Meta{Client: netip.MustParseAddrPort(c.client), Server: netip.MustParseAddrPort(c.server), Protocol: c.protocol})
		if r := f.Result(); r.Application != c.want || r.Final != (c.want != "") {
			t.Errorf("%+v: %+v", c, r)
		}
	}
	// It comes before what is predefined, and has an order of its own.
	first, second := server("first", "198.51.100.0/24"), server("second", "198.51.100.1/32")
	first.Order, second.Order = 1, 2
	var f Flow
	newCustomBench(t, Options{}, second, first).Begin(&f, testMeta(6, 80))
	check(t, &f, "UNKNOWN", "first", true)
}

// CS-16: beside a stream-based application, that of the address is the extended application.
func TestExtended(t *testing.T) {
	b := newCustomBench(t, Options{}, server("address", "198.51.100.0/24"), over("stream", "TCP", appdb.Low, member(decode.Stream, "install")))
	f := b.say(testMeta(6, 9))
	check(t, f, "UNKNOWN", "address", false)
	f.Stream(ToServer, []byte("please install"))
	f.Close()
	if r := f.Result(); r.Application != "stream" || r.Extended != "address" || r.Evidence != "signature s1" {
		t.Errorf("%+v", r)
	}
	f = b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	f.Close()
	if r := f.Result(); r.Application != "address" || r.Extended != "" || r.Protocol != "junos:HTTP" {
		t.Errorf("%+v", r)
	}
}

// CS-39 to CS-43: a custom application of low priority gives way to a predefined one, and of high
// priority comes before it; over a protocol, the protocol alone is nothing to give way to.
func TestPriority(t *testing.T) {
	const shop, nobody = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n", "GET / HTTP/1.1\r\nHost: agent1.example\r\n\r\n"
	for _, c := range []struct {
		custom *appdb.Application
		says   string
		want   string
	}{
		{over("mine", "HTTP", appdb.Low, member(decode.HTTPHost, "shop")), shop, "HTTP SHOP"},
		{over("mine", "HTTP", appdb.High, member(decode.HTTPHost, "shop")), shop, "HTTP mine"},
		{over("mine", "HTTP", appdb.Low, member(decode.HTTPHost, "agent1")), nobody, "HTTP mine"},
		{over("mine", "TCP", appdb.Low, member(decode.Stream, "agent1")), nobody, "HTTP "},
		{over("mine", "TCP", appdb.High, member(decode.Stream, "agent1")), nobody, "HTTP mine"},
		{over("mine", "TCP", appdb.Low, member(decode.Stream, "agent1")), "\x00 agent1", "UNKNOWN mine"},
		{over("mine", "HTTP", appdb.Low, member(decode.Stream, "agent1")), nobody, "HTTP mine"},
		{over("mine", "HTTP", appdb.Low, member(decode.Stream, "agent1")), "\x00 agent1", "UNKNOWN "},
	} {
		f := newCustomBench(t, Options{}, c.custom).say(testMeta(6, 80), c.says)
		f.Close()
		protocol, application, _ := strings.Cut(c.want, " ")
		check(t, f, protocol, application, true)
	}
}

// CS-41: what comes before everything predefined is final at once.
func TestHighPriorityEndsTheInspection(t *testing.T) {
	b := newCustomBench(t, Options{}, over("mine", "TCP", appdb.High, member(decode.Stream, "^zbc")))
	check(t, b.say(testMeta(6, 9), "zbc"), "UNKNOWN", "mine", true)
	check(t, b.say(testMeta(6, 9), "zbd"), "UNKNOWN", "", false)
}

// CS-37, CS-38: a known application is not final while a custom one is looked for, up to the bytes
// that it is looked for in.
func TestCustomBytes(t *testing.T) {
	mine := over("mine", "HTTP", appdb.Low, member(decode.Stream, "needle"))
	const request = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"
	b := newCustomBench(t, Options{CustomBytes: 400}, mine)
	f := b.say(testMeta(6, 80), request)
	check(t, f, "HTTP", "", false)
	f.Stream(ToClient, []byte(strings.Repeat("x", 300)+"needle"))
	check(t, f, "HTTP", "mine", true)
	f = b.say(testMeta(6, 80), request, "<"+strings.Repeat("x", 1000)+"needle")
	check(t, f, "HTTP", "", true)
	if r := f.Result(); r.HowFinal != ByInspection {
		t.Errorf("%+v", r)
	}
	_, bytes := f.Inspected()
	f.Stream(ToClient, []byte("needle"))
	if _, after := f.Inspected(); after != bytes {
		t.Errorf("%d bytes were looked at, then %d", bytes, after)
	}
	// A header behind the limit is as if it were not there, even in the first segment.
	b = newCustomBench(t, Options{CustomBytes: 400}, over("mine", "HTTP", appdb.Low, member(decode.HTTPHost, "needle")))
	check(t, b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 900)+"\r\nHost: needle.example\r\n\r\n"), "HTTP", "", true)
	check(t, b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: needle.example\r\n\r\n"), "HTTP", "mine", true)
	// Without patterns for the session's port nothing is waited for.
	mine.Patterns[0].Ports = []appdb.PortRange{{Protocol: 6, Low: 8000, High: 8080}}
	check(t, newCustomBench(t, Options{}, mine).say(testMeta(6, 80), request), "HTTP", "", true)
}

// CS-28: the depth of a stream counts from its first byte.
func TestStreamDepth(t *testing.T) {
	payload := strings.Repeat("x", 110) + "install" + strings.Repeat("x", 83)
	for depth, want := range map[int]string{100: "", 200: "mine"} {
		m := member(decode.Stream, ".*install.*")
		m.Depth = depth
		f := newCustomBench(t, Options{}, over("mine", "TCP", appdb.Low, m)).say(testMeta(6, 9), payload)
		f.Close()
		check(t, f, "UNKNOWN", want, true)
	}
}

// CS-35: the members of a signature may match in contexts and streams of either direction.
func TestMembersOfBothDirections(t *testing.T) {
	mine := over("mine", "HTTP", appdb.Low, member(decode.HTTPHost, "a.example"), member(decode.HTTPServer, "nice"))
	for server, want := range map[string]string{"nice": "mine", "other": ""} {
		f := newCustomBench(t, Options{}, mine).say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "<HTTP/1.1 200 OK\r\nServer: "+server+"\r\n\r\n")
		f.Close()
		check(t, f, "HTTP", want, true)
	}
	mine = over("mine", "TCP", appdb.Low, member(decode.Stream, "^query"), member(decode.Stream, "^tell"))
	b := newCustomBench(t, Options{}, mine)
	f := b.say(testMeta(6, 9), "query", "<tell")
	f.Close()
	check(t, f, "UNKNOWN", "mine", true)
	f = b.say(testMeta(6, 9), "query", "<query")
	f.Close()
	check(t, f, "UNKNOWN", "", true)
}

// CS-24: datagrams are searched one by one.
func TestCustomDatagrams(t *testing.T) {
	b := newCustomBench(t, Options{}, over("mine", "UDP", appdb.Low, member(decode.Stream, "^hello")))
	var f Flow
	b.Begin(&f, testMeta(17, 9))
	f.Datagram(ToServer, []byte("?"))
	check(t, &f, "UNKNOWN", "", false)
	f.Datagram(ToClient, []byte("hello"))
	check(t, &f, "UNKNOWN", "mine", true)
}

// Among custom applications of one priority the order decides, though another matched before.
func TestOrder(t *testing.T) {
	first, second := over("first", "TCP", appdb.Low, member(decode.Stream, "2")), over("second", "TCP", appdb.Low, member(decode.Stream, "1"))
	first.Order, second.Order = 1, 2
	f := newCustomBench(t, Options{}, first, second).say(testMeta(6, 9), "1")
	check(t, f, "UNKNOWN", "second", false)
	f.Stream(ToClient, []byte("2"))
	f.Close()
	check(t, f, "UNKNOWN", "first", true)
}

// What may still be found of a session that has not said anything is told without beginning its
// inspection, which takes ten times the memory.
func TestComingBeforePayload(t *testing.T) {
	b := newCustomBench(t, Options{}, over("mine", "TCP", appdb.Low, member(decode.Stream, "needle")))
	var f Flow
	b.Begin(&f, testMeta(6, 80))
	for range 2 {
		if got := f.Coming(); !slices.Equal(got, []string{"mine"}) {
			t.Errorf("may still be %v", got)
		}
	}
	if n := b.state.Memory(); n != 0 {
		t.Errorf("%d bytes held for a session without payload", n)
	}
	if f.Stream(ToServer, []byte("nothing of that kind")); b.state.Memory() == 0 {
		t.Error("nothing held for a session under inspection")
	}
}
