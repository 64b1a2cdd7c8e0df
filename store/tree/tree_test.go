package tree

import (
	"strings"
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

func TestSmoke(t *testing.T) {
	tr := load(t, sample)
	text := tr.Text()
	t.Log("\n" + text)
	again, problems := Parse(text)
	if len(problems) > 0 || !again.Equal(tr) {
		t.Error(problems, "\n"+again.Text())
	}
	set, err := tr.Show(Set, nil)
	t.Log("\n"+set, err)
	re := New()
	if p := re.Load(LoadSet, nil, set); len(p) > 0 || !re.Equal(tr) {
		t.Error(p)
	}
	js, err := tr.Show(JSON, []string{"security", "policies"})
	t.Log(js, err)
	cfg, problems := tr.Decode()
	t.Logf("%+v %v", cfg.Security.Policies, problems)
	for _, line := range []string{"", "sec", "security ", "security policies from-zone ", "security policies from-zone trust to-zone trust policy x then ", "interfaces e1 mtu "} {
		t.Log(line, tr.Complete(nil, "set", line))
	}
	if strings.Contains(text, "\t") {
		t.Error("tab")
	}
}
