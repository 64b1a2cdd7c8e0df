package appid

import (
	"testing"

	"sluice/classify"
)

// Rows: CS-1, CS-3, CS-24 to CS-31, CS-36, CS-41: each kind of signature recognises its sessions,
// and only these.
func TestCustomApplications(t *testing.T) {
	g := start(t, Options{},
		"application my_tcp over TCP signature s1 member m01 context stream",
		"application my_tcp over TCP signature s1 member m01 pattern .*install.*",
		"application my_tcp over TCP signature s1 member m01 depth 100",
		"application my_http over HTTP signature s1 member m01 context http-header-host",
		"application my_http over HTTP signature s1 member m01 pattern .*agent1.*",
		"application my_http over HTTP signature s1 member m01 direction client-to-server",
		"application my_http priority high",
		"application my_icmp icmp-mapping type 100",
		"application my_icmp icmp-mapping code 1",
		"application my_address address-mapping A filter ip 192.0.2.1/24",
		"application my_address address-mapping A filter port-range udp 5000-6000",
		"application my_protocol ip-protocol-mapping protocol 200",
		"application nothing cacheable",
	)
	filler := func(n int) string {
		text := make([]byte, n)
		for i := range text {
			text[i] = 'x'
		}
		return string(text)
	}
	icmp := to(1, "198.51.100.7:0")
	icmp.ICMPType, icmp.ICMPCode = 100, 1
	ping := to(1, "198.51.100.7:0")
	ping.ICMPType = 8
	icmp6 := to(58, "[2001:db8::7]:0")
	icmp6.ICMPType, icmp6.ICMPCode = 100, 1
	for _, test := range []struct {
		name     string
		meta     *classify.Meta
		messages []message
		want     string
		is       bool
	}{
		{"stream within depth", tcp("198.51.100.7:9000"), []message{client(filler(20) + "install" + filler(200))}, "my_tcp", true},
		{"stream beyond depth", tcp("198.51.100.7:9001"), []message{client(filler(110) + "install" + filler(200))}, "my_tcp", false},
		{"host", tcp("198.51.100.7:8088"), http("agent1.lab", "/"), "my_http", true},
		{"other host", tcp("198.51.100.7:8089"), http("agent2.lab", "/"), "my_http", false},
		{"icmp", icmp, nil, "my_icmp", true},
		{"another icmp", ping, nil, "my_icmp", false},
		{"icmpv6", icmp6, nil, "my_icmp", false}, // CS-12
		{"address", udp("192.0.2.9:5500"), []message{client("hello")}, "my_address", true},
		{"address, another port", udp("192.0.2.9:6001"), []message{client("hello")}, "my_address", false},
		{"another address", udp("198.51.100.9:5500"), []message{client("hello")}, "my_address", false},
		{"ip protocol", to(200, "198.51.100.7:0"), nil, "my_protocol", true},
		{"another ip protocol", to(201, "198.51.100.7:0"), nil, "my_protocol", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := g.session(test.meta, test.messages...)
			if got := r.Protocol == test.want || r.Application == test.want; got != test.is {
				t.Errorf("is %s: %t, want %t (%+v)", test.want, got, test.is, r)
			}
		})
	}
}
