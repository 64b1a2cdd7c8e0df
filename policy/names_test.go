package policy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"sluice/store/schema"
)

// fakeResolver answers with what the test says, or with a new address each time.
type fakeResolver struct {
	life time.Duration

	mu    sync.Mutex
	fixed []netip.Addr
	fail  bool
	asked int
}

func (r *fakeResolver) Resolve(_ context.Context, _ string, family Family) ([]netip.Addr, time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if r.fail {
		return nil, 0, errors.New("no answer")
	}
	if r.fixed == nil {
		return []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(r.asked)})}, r.life, nil
	}
	var list []netip.Addr
	for _, a := range r.fixed {
		if a.Is4() == (family == IPv4) {
			list = append(list, a)
		}
	}
	return list, r.life, nil
}

// set changes the answers, and returns how often was asked before.
func (r *fakeResolver) set(fail bool, addrs ...netip.Addr) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fixed, r.fail = addrs, fail
	return r.asked
}

func (r *fakeResolver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// namedConfig permits traffic to www.example only, by policy and by translation rule.
func namedConfig() *schema.Config {
	cfg := office(between("trust", "untrust", rule("site", "any", "site", "any", Permit)))
	addGlobalBook(cfg, addr("site", "WWW.example"))
	cfg.Security.AddressBooks[0].Addresses[0].DNSName = &schema.DNSName{Name: "WWW.example."}
	cfg.Security.NAT.Source.RuleSets = []schema.NATRuleSet{{
		Name: "out", From: schema.NATContext{Zones: []string{"trust"}}, To: schema.NATContext{Zones: []string{"untrust"}},
		Rules: []schema.NATRule{{Name: "site", Match: schema.NATMatch{DestinationAddressName: []string{"site"}}, Then: schema.NATThen{SourceNAT: schema.SourceNATAction{Interface: true}}}},
	}}
	return cfg
}

// A policy follows the addresses of a domain name, keeps the last ones while lookups fail, and
// hands them on to the next engine without asking.
// Rows: 5/S-55.
func TestDomainNames(t *testing.T) {
	one, two, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")
	resolver := new(fakeResolver)
	resolver.set(false, one, six)
	st := NewState(WithResolver(resolver))
	defer st.Close()
	st.names.shortest, st.names.retry = time.Millisecond, time.Millisecond
	permits := func(e *Engine, a netip.Addr) bool {
		f := &Flow{FromZone: "trust", ToZone: "untrust", Src: netip.MustParseAddr("10.0.0.1"), Dst: a, Protocol: schema.ProtoTCP}
		_, translated := e.SourceNAT(f, "eth1", "eth2")
		return e.Lookup(f).Policy.Name == "site" && translated
	}

	e := compileWith(t, namedConfig(), st)
	if permits(e, one) {
		t.Error("permits before the name was looked up")
	}
	if n := resolver.count(); n != 0 {
		t.Errorf("compiling asked %d times", n)
	}
	e.Activate()
	eventually(t, "first answer", func() bool { return permits(e, one) && permits(e, six) && !permits(e, two) })
	site := &schema.DNSName{Name: "www.EXAMPLE"}
	if got := st.Addresses(site); !slices.Equal(got, []netip.Addr{one, six}) {
		t.Errorf("the name has %v", got)
	}
	resolver.set(false, two, six)
	eventually(t, "changed answer", func() bool { return permits(e, two) && !permits(e, one) })
	asked := resolver.set(true)
	eventually(t, "failed lookups", func() bool { return resolver.count() > asked+10 })
	if !permits(e, two) || !permits(e, six) {
		t.Error("known addresses were lost when lookups failed")
	}
	next := compileWith(t, namedConfig(), st)
	if !permits(next, two) {
		t.Error("the next engine does not know the addresses")
	}
	next.Activate()
	if len(st.names.followed) != 1 {
		t.Errorf("%d names are followed", len(st.names.followed))
	}
	compileWith(t, office(), st).Activate()
	if len(st.names.followed) != 0 || st.Addresses(site) != nil {
		t.Error("a name is followed that no engine uses")
	}
}

// An engine compiled before another one took over keeps that one's addresses when its turn comes.
func TestDomainNamesOfTwoCandidates(t *testing.T) {
	resolver := new(fakeResolver)
	resolver.set(false, netip.MustParseAddr("192.0.2.1"))
	st := NewState(WithResolver(resolver))
	defer st.Close()
	first, second := compileWith(t, namedConfig(), st), compileWith(t, namedConfig(), st)
	f := flow("tcp 10.0.0.1 1 192.0.2.1 80")
	first.Activate()
	eventually(t, "first answer", func() bool { return first.Lookup(f).Policy.Name == "site" })
	resolver.set(true)
	second.Activate()
	if second.Lookup(f).Policy.Name != "site" {
		t.Error("the second engine lost the addresses")
	}
}

// The system resolver asks the servers of resolv.conf, over TCP when it must, follows aliases,
// and reports names that do not exist.
func TestSystemResolver(t *testing.T) {
	packet, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := packet.LocalAddr().String()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	var overTCP atomic.Int32
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		question := q.Question[0]
		record := func(text string) {
			rr, err := dns.NewRR(text)
			must(err)
			m.Answer = append(m.Answer, rr)
		}
		if w.RemoteAddr().Network() == "tcp" {
			overTCP.Add(1)
		}
		switch {
		case question.Name == "gone.example.":
			m.Rcode = dns.RcodeNameError
		case question.Name == "big.example." && w.RemoteAddr().Network() == "udp":
			m.Truncated = true
		case question.Qtype == dns.TypeA:
			record(question.Name + " 300 IN CNAME real.example.")
			record("real.example. 60 IN A 192.0.2.1")
			record("real.example. 90 IN A 192.0.2.2")
		}
		must(w.WriteMsg(m))
	})
	for _, server := range []*dns.Server{{PacketConn: packet, Handler: handler}, {Listener: listener, Handler: handler}} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe() //nolint:errcheck // ends by Shutdown
		<-started
		t.Cleanup(func() { server.Shutdown() }) //nolint:errcheck // nothing depends on it
	}
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 127.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	r := SystemResolver{Path: conf, port: port}

	addrs, life, err := r.Resolve(t.Context(), "www.example", IPv4)
	if err != nil || len(addrs) != 2 || addrs[0] != netip.MustParseAddr("192.0.2.1") || life != time.Minute {
		t.Errorf("A: %v %v %v", addrs, life, err)
	}
	if addrs, life, err := r.Resolve(t.Context(), "www.example", IPv6); err != nil || len(addrs) != 0 || life != emptyLife {
		t.Errorf("AAAA: %v %v %v", addrs, life, err)
	}
	if _, _, err := r.Resolve(t.Context(), "gone.example", IPv4); err == nil {
		t.Error("a name that does not exist is no error")
	}
	if addrs, _, err := r.Resolve(t.Context(), "big.example", IPv4); err != nil || len(addrs) != 2 || overTCP.Load() != 1 {
		t.Errorf("truncated: %v %v, %d over TCP", addrs, err, overTCP.Load())
	}
	if _, _, err := (SystemResolver{Path: conf + ".missing"}).Resolve(t.Context(), "www.example", IPv4); err == nil {
		t.Error("a missing resolv.conf is no error")
	}
}
