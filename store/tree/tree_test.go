package tree

import (
	"fmt"
	"testing"
)

// load makes a tree from set statements.
func load(t testing.TB, lines string) *Tree {
	t.Helper()
	tr := New()
	for _, p := range tr.Load(LoadSet, nil, lines) {
		t.Error(p)
	}
	if t.Failed() {
		t.FailNow()
	}
	return tr
}

const sample = `
set system host-name branch-1
set interfaces ge-0/0/1 device eth1
set interfaces ge-0/0/1 unit 0 family inet address 192.0.2.1/24
set security zones security-zone trust interfaces ge-0/0/1.0 host-inbound-traffic system-services all
set security zones security-zone untrust host-inbound-traffic system-services ping
set security address-book global address a1 192.0.2.0/24
set security address-book global address a2 range-address 192.0.2.117 to 192.0.2.199
set security address-book global address a3 dns-name www.example.com ipv4-only
set security policies from-zone trust to-zone untrust policy p1 match source-address any destination-address [a1 a2] application junos-http
set security policies from-zone trust to-zone untrust policy p1 then permit application-services tcp-proxy
set security policies from-zone trust to-zone untrust policy p1 then permit
set security policies from-zone trust to-zone untrust policy p1 then log session-init session-close
deactivate security policies from-zone trust to-zone untrust policy p1 then log
annotate security policies from-zone trust to-zone untrust policy p1 "first \"rule\""
protect system
`

func TestAnEmptyTree(t *testing.T) {
	tr := New()
	if !tr.Empty() || tr.Text() != "" {
		t.Errorf("a new tree holds %q", tr.Text())
	}
	checkIdentity(t, tr)
	cfg, problems := tr.Decode()
	if cfg == nil || len(problems) > 0 {
		t.Error(problems)
	}
}

func TestAClone(t *testing.T) {
	tr := load(t, sample)
	c := tr.Clone()
	if err := c.Run(nil, "delete security"); err != nil {
		t.Fatal(err)
	}
	if c.Equal(tr) || !tr.Equal(load(t, sample)) {
		t.Error("a clone shares statements")
	}
}

// Lists are found, ordered and emptied the same whether they are short or long.
func TestLongLists(t *testing.T) {
	tr := New()
	for i := range 3 * manyChildren {
		if err := tr.Run([]string{"interfaces"}, fmt.Sprintf("set eth%d mtu 1400", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []string{"delete interfaces eth7", "rename interfaces eth8 to eth7", "insert interfaces eth40 before eth0", "set interfaces eth40 mtu 1500"} {
		if err := tr.Run(nil, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Run(nil, "set interfaces eth8 mtu 1300"); err != nil {
		t.Fatal(err)
	}
	cfg, problems := tr.Decode()
	if len(problems) > 0 || len(cfg.Interfaces) != 3*manyChildren {
		t.Fatal(problems, len(cfg.Interfaces))
	}
	if first, last := cfg.Interfaces[0], cfg.Interfaces[len(cfg.Interfaces)-1]; first.Name != "eth40" || first.MTU != 1500 || last.Name != "eth8" {
		t.Errorf("first %+v, last %+v", first, last)
	}
	checkIdentity(t, tr)
	checkSetForm(t, tr)
	if err := tr.Run(nil, "wildcard delete interfaces eth*"); err != nil || !tr.Empty() {
		t.Error(err, tr.Text())
	}
}
