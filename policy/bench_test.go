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

// largeFlows are flows at large: a third hits a policy, a third the global one, a third none.
func largeFlows(n int) []Flow {
	random := rand.New(rand.NewPCG(1, 2))
	flows := make([]Flow, n)
	for i := range flows {
		p := random.IntN(500)
		flows[i] = Flow{FromZone: "trust", ToZone: "untrust", Src: ten(p * 10), Dst: ten(p*10 + 5), Protocol: schema.ProtoTCP, SrcPort: uint16(random.Uint32()), DstPort: []uint16{443, 80, 25}[i%3]}
	}
	return flows
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-policies", n), func(b *testing.B) {
			e := compile(b, large(n))
			flows := largeFlows(1024)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				e.Lookup(&flows[i&1023])
				i++
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{10, 1000, 10_000} {
		b.Run(fmt.Sprintf("%d-policies", n), func(b *testing.B) {
			cfg := large(n)
			st := NewState()
			defer st.Close()
			for b.Loop() {
				if _, problems := Compile(cfg, st); len(problems) > 0 {
					b.Fatal(problems[0])
				}
			}
		})
	}
}
