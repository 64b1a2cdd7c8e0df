package policy

import (
	"strings"
	"testing"

	"sluice/classify/appdb"
)

// What a package no longer has, and what was accepted with it, is warned of and matches nothing; what
// is new and unknown is refused.
// Rows: UP-11, FW-67.
func TestVanishedApplication(t *testing.T) {
	st := NewState()
	defer st.Close()
	apps := applications()
	cfg := office(between("trust", "untrust", dynamic("gone", "junos:VIDEO", Permit)))
	e, problems := Compile(cfg, st, apps)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	e.Activate()
	delete(apps, "junos:video")
	e, problems = Compile(cfg, st, apps)
	if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Message, "junos:VIDEO is no longer in the signature package: it matches nothing") {
		t.Errorf("problems %v, want a warning", problems)
	}
	f := flow("tcp 192.0.2.1 1024 198.51.100.1 80")
	f.Content = of("junos:VIDEO")
	if v := e.Lookup(f); v.Policy.Name != DefaultPolicy {
		t.Errorf("what is gone matches %s", v.Policy.Name)
	}
	delete(apps, "junos:ssh")
	if _, problems = Compile(office(between("trust", "untrust", dynamic("new", "junos:SSH", Permit))), st, apps); len(problems) != 1 || problems[0].Warning {
		t.Errorf("problems %v, want a refusal", problems)
	}
	after := NewState()
	defer after.Close()
	after.Restarted()
	if _, problems = Compile(cfg, after, apps); len(problems) != 1 || !problems[0].Warning {
		t.Errorf("after a restart: problems %v, want a warning", problems)
	}
}

// Applications that a packet's addresses, ports or protocol tell are accepted with a warning; those by
// ICMP type, and those by content, without.
// Rows: UP-23, FW-68.
func TestKnownByPackets(t *testing.T) {
	apps := applications()
	for _, a := range []*appdb.Application{
		{Name: "by-address", Custom: true, Servers: []appdb.ServerMapping{{}}},
		{Name: "by-protocol", Custom: true, IPProtocols: []uint8{2}},
		{Name: "by-type", Custom: true, ICMP: []appdb.ICMPMapping{{}}},
		{Name: "junos:IPP-IGMP"},
	} {
		apps[strings.ToLower(a.Name)] = a
	}
	for name, warned := range map[string]bool{"by-address": true, "by-protocol": true, "by-type": false, "junos:IPP-IGMP": true, "junos:SSH": false} {
		st := NewState()
		_, problems := Compile(office(between("trust", "untrust", dynamic("p", name, Permit))), st, apps)
		st.Close()
		if warned != (len(problems) == 1) || warned && (!problems[0].Warning || !strings.Contains(problems[0].Hint, "junos-defaults")) {
			t.Errorf("%s: %v, want a warning: %v", name, problems, warned)
		}
	}
}
