package kernel

import (
	"testing"
)

// The gateway answers in a zone what the zone allows, and nothing else.
// Rows: FW-16, S-61, 5/S-60.
func TestHostInbound(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	b.up(t, d, pass, pass)
	b.serve("22")
	b.serve("23")
	b.server.serve("80")

	for _, address := range []string{"192.0.2.1", "2001:db8:1::1"} {
		if b.client.pings(address) {
			t.Errorf("%s answers ping, which is not allowed", address)
		}
	}
	if b.client.dials("192.0.2.1:22") || b.client.dials("[2001:db8:1::1]:22") {
		t.Error("ssh answers, which is not allowed")
	}
	dropped, err := b.kernel.Dropped()
	if err != nil || dropped["lan0"].Packets < 4 || dropped["wan0"].Packets != 0 {
		t.Errorf("dropped %v, %v: want those of lan0 alone", dropped, err)
	}
	// What the gateway itself began is answered all the same.
	if !b.dials("198.51.100.10:80") || !b.dials("[2001:db8:2::10]:80") || !b.pings("198.51.100.10") || !b.pings("2001:db8:2::10") {
		t.Error("the gateway does not hear answers to itself")
	}

	d.Interfaces[0].Inbound = []InboundRule{
		{Name: "ssh", Protocol: 6, PortLow: 22, PortHigh: 22},
		{Name: "ping", Protocol: 1, ICMPTypes: []uint8{8}},
		{Name: "ping", Protocol: 58, ICMPTypes: []uint8{128}},
	}
	b.set(t, d)
	for _, address := range []string{"192.0.2.1", "2001:db8:1::1"} {
		if !b.client.pings(address) {
			t.Errorf("%s does not answer ping, which is allowed", address)
		}
	}
	if !b.client.dials("192.0.2.1:22") || !b.client.dials("[2001:db8:1::1]:22") {
		t.Error("ssh does not answer, which is allowed")
	}
	if b.client.dials("192.0.2.1:23") {
		t.Error("telnet answers, which is not allowed")
	}
	if b.server.dials("198.51.100.1:22") || b.server.dials("192.0.2.1:22") {
		t.Error("ssh answers in the other zone")
	}
	after, err := b.kernel.Dropped()
	if err != nil || after["lan0"].Packets <= dropped["lan0"].Packets {
		t.Errorf("counters do not go on: %v, then %v, %v", dropped, after, err)
	}

	d.Interfaces[0].Inbound = []InboundRule{{Name: "telnet", Refuse: true, Protocol: 6, PortLow: 23, PortHigh: 23}, {Name: "all", All: true}}
	b.set(t, d)
	if b.client.dials("192.0.2.1:23") || !b.client.dials("192.0.2.1:22") {
		t.Error("all except telnet does not hold")
	}
}
