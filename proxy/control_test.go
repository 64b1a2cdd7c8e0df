package proxy

import (
	"net/netip"
	"testing"

	"sluice/stack"
	"sluice/store/schema"
)

// Gates that nobody came by make room for others when their time is over.
func TestGatesExpire(t *testing.T) {
	var all gates
	caller := netip.MustParseAddr("198.51.100.7")
	at := func(port uint16, until int64) *gate {
		to := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), port)
		return &gate{gateKey: gateKey{caller: caller, to: to, protocol: schema.ProtoUDP}, leave: to, until: until}
	}
	for i := range uint16(maxGatesAll) {
		if !all.add(at(firstDataPort+i, int64(i%2)), false, nil) {
			t.Fatalf("no room for gate %d", i)
		}
	}
	late := at(60000, 1)
	if all.add(late, false, nil) {
		t.Fatal("there are more gates than there may be")
	}
	all.expire(1)
	if !all.add(late, false, nil) {
		t.Fatal("gates whose time is over take the place of others")
	}
	if n := all.count.Load(); n != maxGatesAll/2+1 {
		t.Errorf("%d gates are left", n)
	}
	first := func(port uint16) *gate {
		k := stack.NewKey(netip.AddrPortFrom(caller, 20), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), port), uint8(schema.ProtoUDP))
		return all.find(&k, 1)
	}
	if first(firstDataPort) != nil || first(firstDataPort+1) == nil || first(60000) != late {
		t.Error("the gates that are open are not those whose time is not over")
	}
}
