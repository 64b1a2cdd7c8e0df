package kernel

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/golden"
)

// The ruleset of typical configurations, word for word; nft accepts each.
func TestFirewallText(t *testing.T) {
	newGateway(t)
	zones := []Interface{
		{Device: "eth1", Logical: "ge-0/0/1.0", TUN: "slu-eth1", Inbound: []InboundRule{
			{Name: "ssh", Protocol: 6, PortLow: 22, PortHigh: 22},
			{Name: "traceroute", Protocol: 17, PortLow: 33434, PortHigh: 33523},
			{Name: "ping", Protocol: 1, ICMPTypes: []uint8{8}},
			{Name: "ping", Protocol: 58, ICMPTypes: []uint8{129, 128}},
			{Name: "ospf", Protocol: 89},
		}},
		{Device: "eth0.100", TUN: "slu-eth0.100", Inbound: []InboundRule{
			{Name: "telnet", Refuse: true, Protocol: 6, PortLow: 23, PortHigh: 23}, {Name: "all", All: true},
		}},
		{Device: "mgmt0"},
	}
	nat := append([]Interface(nil), zones...)
	nat[1].NATEgress = true
	for name, d := range map[string]Desired{
		"empty":   {},
		"zones":   {Interfaces: zones},
		"streams": {Interfaces: zones, StreamServices: true},
		"ports":   {Interfaces: zones, StreamPorts: []Port{{21, 21}, {5060, 5061}}},
		"lanes":   {Interfaces: zones, Lanes: []Lane{{5, "slu-lane5", "5150:25"}, {31, "slu-lane31", "5150:3f"}}},
		"nat":     {Interfaces: nat},
		"all":     {Interfaces: nat, StreamServices: true, CarriedMark: 0x51ce, LeavingMark: 0x51cf, forwards4: true},
	} {
		golden.Check(t, filepath.Join("testdata", name+".nft"), Firewall(d))
		if err := Check(d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Check refuses what could not be set.
func TestCheck(t *testing.T) {
	newGateway(t)
	for want, d := range map[string]Desired{
		"has no Linux device": {Interfaces: []Interface{{Logical: "ge-0/0/1.0"}}},
		"cannot be the name":  {Interfaces: []Interface{{Device: "eth0 eth1"}}},
		`"eth*"`:              {Interfaces: []Interface{{Device: "eth*"}}},
		`"averylongdevice1"`:  {Interfaces: []Interface{{Device: "averylongdevice1"}}},
		"both use":            {Interfaces: []Interface{{Device: "eth0"}, {Device: "eth0"}}},
		"lane 5 and":          {Interfaces: []Interface{{Device: "lane5", TUN: "slu-lane5"}}, Lanes: []Lane{{5, "slu-lane5", "5150:25"}}},
		"not in 1..4094":      {Interfaces: []Interface{{Device: "eth0.0", Parent: "eth0"}}},
		"ends before":         {Interfaces: []Interface{{Device: "eth0", TUN: "t", Inbound: []InboundRule{{PortLow: 2, PortHigh: 1}}}}},
		"no next-hop":         {Routes: []Route{{Destination: prefixes("192.0.2.0/24")[0]}}},
		"other address":       {Routes: []Route{{Destination: prefixes("192.0.2.0/24")[0], NextHops: []NextHop{hop("2001:db8::1")}}}},
		"there twice":         {Routes: []Route{{Destination: prefixes("192.0.2.0/24")[0], Discard: true}, {Destination: prefixes("192.0.2.1/24")[0], Reject: true}}},
	} {
		if err := Check(d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check says %v, want %q", err, want)
		}
	}
}

func TestTUNName(t *testing.T) {
	for device, want := range map[string]string{"eth1": "slu-eth1", "enp130s0f0": "slu-enp130s0f0", "eth0.4094x1": "slu-eth0.4094x1"} {
		if got := TUNName(device); got != want {
			t.Errorf("TUNName(%s) = %s, want %s", device, got, want)
		}
	}
	a, b := TUNName("enp130s0f0.100"), TUNName("enp130s0f0.101")
	if a == b || len(a) > maxDeviceName {
		t.Errorf("long names become %s and %s", a, b)
	}
}

func TestUnitePorts(t *testing.T) {
	for list, want := range map[string]string{
		"":                          "10000-31999",
		"80":                        "80,10000-31999",
		"80,9990-10010,31990-32001": "80,9990-32001",
		"9999,32000":                "9999-32000",
		"65535":                     "10000-31999,65535",
	} {
		if got := unitePorts(list, natPortLow, natPortHigh); got != want {
			t.Errorf("unitePorts(%q) = %q, want %q", list, got, want)
		}
	}
}

// No device name or comment that Check lets through can break out of the ruleset.
func FuzzFirewall(f *testing.F) {
	f.Add("eth1", "ssh")
	f.Add("a_b", "x\" accept\n")
	f.Fuzz(func(t *testing.T, device, name string) {
		plain := Desired{Interfaces: []Interface{{Device: "x", TUN: "t", Inbound: []InboundRule{{Name: "x", All: true}}}}}
		d := Desired{Interfaces: []Interface{{Device: device, TUN: "t", Inbound: []InboundRule{{Name: name, All: true}}}}}
		if d.check() != nil {
			return
		}
		for _, char := range []string{"\n", "{", "}", ";"} {
			if device, name := strings.Count(device, char), strings.Count(name, char); device+name > 0 && char != "\n" {
				continue // stands in quotes
			}
			if got, want := strings.Count(Firewall(d), char), strings.Count(Firewall(plain), char); got != want {
				t.Errorf("%d of %q, want %d", got, char, want)
			}
		}
	})
}
