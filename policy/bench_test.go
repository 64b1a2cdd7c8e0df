package policy

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"sluice/store/schema"
)

// large is a configuration of n policies, each with ten addresses and a port of its own, half of
// them between one pair of zones. Address i is 10.x.y.z/32 with i in its low bits.
func large(n int) *schema.Config {
	cfg := office()
	book := schema.AddressBook{Name: globalBook}
	var policies []schema.Policy
	for i := range n {
		p := schema.Policy{Name: fmt.Sprintf("p%d", i)}
		for j := range 10 {
			a := schema.Address{Name: fmt.Sprintf("a%d-%d", i, j), Prefix: &schema.HostPrefix{Prefix: netip.PrefixFrom(ten(i*10+j), 32)}}
			book.Addresses = append(book.Addresses, a)
			if j < 5 {
				p.Match.SourceAddress = append(p.Match.SourceAddress, a.Name)
			} else {
				p.Match.DestinationAddress = append(p.Match.DestinationAddress, a.Name)
			}
		}
		if i%10 == 9 { // some policies are wide on one side
			p.Match.SourceAddress = []string{"any"}
		}
		name := fmt.Sprintf("app%d", i)
		cfg.Applications.Applications = append(cfg.Applications.Applications, app(name, schema.ProtoTCP, "", fmt.Sprint(1+i%60000)))
		p.Match.Application = []string{name, "junos-https"}
		p.Then.Permit = &schema.Permit{}
		policies = append(policies, p)
	}
	cfg.Security.AddressBooks = []schema.AddressBook{book}
	cfg.Security.Policies.ZonePairs = []schema.ZonePair{between("trust", "untrust", policies[:n/2]...), between("untrust", "trust", policies[n/2:]...)}
	cfg.Security.Policies.Global.Policies = []schema.Policy{rule("last", "any", "any", "junos-http", Permit)}
	return cfg
}

// ten is the address number i of 10.0.0.0/8.
func ten(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24|uint32(i))
	return netip.AddrFrom4(b)
}

// largeFlows are flows through large(policies): a third hits its policy, a third the global one,
// a third none.
func largeFlows(policies, n int) []Flow {
	random := rand.New(rand.NewPCG(1, 2))
	flows := make([]Flow, n)
	for i := range flows {
		p := random.IntN(policies / 2)
		flows[i] = Flow{FromZone: "trust", ToZone: "untrust", Src: ten(p * 10), Dst: ten(p*10 + 5), Protocol: schema.ProtoTCP, SrcPort: uint16(random.Uint32()), DstPort: []uint16{443, 80, 25}[i%3]}
	}
	return flows
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-policies", n), func(b *testing.B) {
			e := compile(b, large(n))
			flows := largeFlows(n, 1024)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e.Lookup(&flows[i&1023])
				i++
			}
		})
	}
}

// The worst that policies can do to a lookup: every word of every set has members, and no policy
// is in all of them.
func BenchmarkLookupInterleaved(b *testing.B) {
	var policies []schema.Policy
	for i := range 10_000 {
		sources, destinations := "10.0.0.0/8", "198.51.100.0/24"
		if i%2 == 1 {
			sources, destinations = "192.0.2.0/24", "203.0.113.0/24"
		}
		policies = append(policies, rule(fmt.Sprintf("p%d", i), sources, destinations, "junos-http", Permit))
	}
	e := compile(b, office(between("trust", "untrust", policies...)))
	f := flow("tcp 10.0.0.1 1024 203.0.113.1 80")
	b.ReportAllocs()
	for b.Loop() {
		e.Lookup(f)
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-policies", n), func(b *testing.B) {
			cfg := large(n)
			st := NewState()
			defer st.Close()
			for b.Loop() {
				if _, problems := Compile(cfg, st, nil); len(problems) > 0 {
					b.Fatal(problems[0])
				}
			}
		})
	}
}
