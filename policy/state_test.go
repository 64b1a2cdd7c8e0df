package policy

import (
	"encoding/json"
	"slices"
	"testing"

	"sluice/store/schema"
)

// Indexes and counters stay with a policy through commits that move, add and remove others, and
// end with it.
func TestStateAcrossCommits(t *testing.T) {
	st := NewState()
	defer st.Close()
	a, b, c := rule("a", "any", "any", "junos-http", Permit), rule("b", "any", "any", "junos-ssh", Permit), rule("c", "any", "any", "any", Deny)
	commit := func(policies ...schema.Policy) map[string]*Policy {
		e := compileWith(t, office(between("trust", "untrust", policies...)), st)
		e.Activate()
		out := map[string]*Policy{"": e.DefaultPolicy()}
		for _, p := range e.Policies() {
			out[p.Name] = p
		}
		return out
	}
	first := commit(a, c)
	first["a"].Counters.Hits.Add(1)
	first[""].Counters.Hits.Add(1)
	second := commit(b, c, a)
	if second["a"].Index != first["a"].Index || second["c"].Index != first["c"].Index || second["b"].Index == first["c"].Index {
		t.Errorf("indexes moved: %v %v", first, second)
	}
	if second["a"].Counters.Hits.Load() != 1 || second[""].Counters.Hits.Load() != 1 || second["b"].Counters.Hits.Load() != 0 {
		t.Error("hits were lost or invented")
	}
	if second["a"].Sequence != 3 || second["b"].Sequence != 1 {
		t.Errorf("sequence numbers %d, %d", second["a"].Sequence, second["b"].Sequence)
	}
	commit(b)
	third := commit(a, b)
	if third["a"].Index == first["a"].Index || third["a"].Counters.Hits.Load() != 0 {
		t.Error("a policy that was deleted came back with its old index or hits")
	}
}

// The detailed listing has the guide's values in the guide's order (O-2).
func TestDetailOrder(t *testing.T) {
	p := rule("policy-1", "any", "any", "any", Reject)
	cfg := office(between("trust", "untrust", p))
	cfg.Security.Policies.DefaultPolicy.PermitAll = true
	text, err := json.Marshal(compile(t, cfg).List(Filter{}))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"default-policy":"permit-all","pre-id-default-policy":"permit-all","policies":[{` +
		`"name":"policy-1","action-type":"reject","state":"enabled","index":4,"scope-policy":0,"policy-type":"Configured","sequence-number":1,` +
		`"from-zone":"trust","to-zone":"untrust","source-vrf-group":["any"],"destination-vrf-group":["any"],` +
		`"source-names":["any"],"source-addresses":[{"name":"any-ipv4","book":"global","means":["0.0.0.0/0"]},{"name":"any-ipv6","book":"global","means":["::/0"]}],` +
		`"destination-names":["any"],"destination-addresses":[{"name":"any-ipv4","book":"global","means":["0.0.0.0/0"]},{"name":"any-ipv6","book":"global","means":["::/0"]}],` +
		`"application-names":["any"],"applications":[{"name":"any","terms":[{"ip-protocol":0,"alg":"0","inactivity-timeout":0,"source-port-range":"0","destination-ports":"0"}]}],` +
		`"tcp-options":{"syn-check":false,"seq-check":false,"window-scale":false},"hits":0}]}`
	if string(text) != want {
		t.Errorf("listing\n%s\nwant\n%s", text, want)
	}
}

// Listings show what policies name, by filter, with statistics where they count.
func TestList(t *testing.T) {
	p := rule("p", "lan all", "10.5.0.0/16", "junos-ftp web ping", Permit)
	p.Then.Count, p.Then.Permit.ApplicationServices.TCPProxy = &schema.Count{}, true
	p.Then.Permit.TCPOptions.SYNCheckRequired = true
	cfg := office(between("trust", "untrust", p), between("untrust", "trust", rule("q", "any", "any", "any", Deny)))
	cfg.Security.Policies.Global.Policies = []schema.Policy{rule("g", "any", "any", "any", Deny)}
	cfg.Security.Policies.Global.Policies[0].Match.FromZone = []string{"trust", "untrust"}
	book := addGlobalBook(cfg, addr("lan", "192.0.2.9/24"), addr("some", "192.0.2.117-192.0.2.199"), addr("odd", "10.0.0.1/255.0.0.255"), addr("site", "www.example"))
	book.AddressSets = []schema.AddressSet{{Name: "all", Addresses: entries("lan", "some", "odd", "site")}}
	ping := schema.Application{Name: "ping"}
	ping.ICMPType = ptr(uint8(8))
	ping.InactivityTimeout = ptr(schema.Never)
	cfg.Applications.Applications = []schema.Application{app("web", schema.ProtoTCP, "1024-65535", "80-90"), ping}
	e := compile(t, cfg)

	names := func(f Filter) (list []string) {
		for _, v := range e.List(f).Policies {
			list = append(list, v.Name)
		}
		return list
	}
	for _, test := range []struct {
		filter Filter
		want   []string
	}{
		{Filter{}, []string{"p", "q", "g"}},
		{Filter{FromZone: "trust", ToZone: "untrust"}, []string{"p"}},
		{Filter{Global: true}, []string{"g"}},
		{Filter{Name: "q"}, []string{"q"}},
	} {
		if got := names(test.filter); !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.filter, got, test.want)
		}
	}

	c := e.Policies()[0].Counters
	c.Hits.Add(4)
	c.SessionsOpened.Add(3)
	c.SessionsClosed.Add(1)
	c.PacketsFromClient.Add(1)
	c.BytesFromClient.Add(100)
	c.PacketsFromServer.Add(2)
	c.BytesFromServer.Add(200)
	v := e.List(Filter{Name: "p"}).Policies[0]
	if got, want := *v.Statistics, (StatisticsView{100, 200, 1, 2, 2, 1, 4}); got != want {
		t.Errorf("statistics %+v, want %+v", got, want)
	}
	var addresses []string
	for _, a := range v.SourceAddresses {
		addresses = append(addresses, a.Name+" "+a.Means[0])
	}
	if want := []string{"lan 192.0.2.0/24", "some 192.0.2.117 ~ 192.0.2.199", "odd 10.0.0.1/255.0.0.255", "site www.example"}; !slices.Equal(addresses, want) {
		t.Errorf("addresses %q, want %q", addresses, want)
	}
	ftp, web, icmp := v.Applications[0].Terms[0], v.Applications[1].Terms[0], v.Applications[2].Terms[0]
	if ftp.ALG != "ftp" || ftp.InactivityTimeout != 1800 || ftp.DestinationPorts.String() != "21" {
		t.Errorf("ftp %+v", ftp)
	}
	if web.SourcePorts.String() != "1024-65535" || web.DestinationPorts.String() != "80-90" || web.Protocol != 6 {
		t.Errorf("web %+v", web)
	}
	if icmp.Protocol != 1 || *icmp.ICMPType != 8 || icmp.ICMPCode != nil || !icmp.Never || icmp.InactivityTimeout != 0 {
		t.Errorf("icmp %+v", icmp)
	}
	if !v.TCPOptions.SYNCheck || !slices.Equal(v.Services, []string{"tcp-proxy"}) || !slices.Equal(v.SourceNames, []string{"lan", "all"}) {
		t.Errorf("view %+v", v)
	}
	if g := e.List(Filter{Global: true}).Policies[0]; g.FromZone != "trust untrust" || g.ToZone != "any" {
		t.Errorf("global: %s to %s", g.FromZone, g.ToZone)
	}
}

// show security match-policies: the deciding policy, what would match without it, and the
// default policy when none does.
func TestMatchPolicies(t *testing.T) {
	e := compile(t, office(between("trust", "untrust",
		rule("web", "any", "any", "junos-http", Permit), rule("ssh", "any", "any", "junos-ssh", Permit), rule("all", "any", "any", "any", Deny))))
	f := flow("tcp 192.0.2.1 1024 198.51.100.1 80")
	if got := e.MatchPolicies(f, 1); len(got) != 1 || got[0].Name != "web" {
		t.Errorf("first: %+v", got)
	}
	if got := e.MatchPolicies(f, 16); len(got) != 2 || got[1].Name != "all" {
		t.Errorf("all: %+v", got)
	}
	f.FromZone = "untrust"
	if got := e.MatchPolicies(f, 16); len(got) != 1 || got[0].Name != DefaultPolicy || got[0].Action != Deny {
		t.Errorf("none: %+v", got)
	}
}

// The rematch statement reaches who handles sessions.
func TestRematch(t *testing.T) {
	cfg := office()
	if on, extensive := compile(t, cfg).Rematch(); on || extensive {
		t.Error("policy-rematch is on by default")
	}
	cfg.Security.Policies.Rematch = &schema.Rematch{Extensive: true}
	if on, extensive := compile(t, cfg).Rematch(); !on || !extensive {
		t.Error("policy-rematch extensive is lost")
	}
}
