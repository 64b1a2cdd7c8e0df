package forge_test

import (
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"sluice/internal/testpki"
	"sluice/tls/forge"
)

func order(t *testing.T, a *forge.Authority, profile uint32, name string) forge.Order {
	return forge.Order{Profile: profile, Server: testpki.SelfSigned(t, name).Certificate, Authority: a}
}

func get(t *testing.T, c *forge.Cache, o forge.Order, wantHit bool) *forge.Certificate {
	t.Helper()
	made, hit, err := c.Get(o)
	if err != nil {
		t.Fatal(err)
	}
	if hit != wantHit {
		t.Errorf("hit %v, want %v", hit, wantHit)
	}
	return made
}

// Handshakes share a certificate as long as it is kept, and nothing else (SP-33, SP-34, SP-35).
func TestCache(t *testing.T) {
	a := authorities(t)["ECDSA"]
	now := time.Now()
	c := forge.NewCache(minter, 10)
	c.SetClock(func() time.Time { return now })
	o := order(t, a, 1, "a.example.com")
	o.Updates, o.Verdict = 7, 20
	first := get(t, c, o, false)
	if again := get(t, c, o, true); again != first {
		t.Error("another certificate")
	}
	for what, change := range map[string]func(*forge.Order){
		"profile":   func(o *forge.Order) { o.Profile = 2 },
		"server":    func(o *forge.Order) { o.Server = testpki.SelfSigned(t, "a.example.com").Certificate },
		"authority": func(o *forge.Order) { o.Authority = authorities(t)["RSA"] },
		"kind":      func(o *forge.Order) { o.Kind = forge.Dummy },
		"key type":  func(o *forge.Order) { o.KeyType = forge.RSA },
	} {
		other := o
		change(&other)
		if get(t, c, other, false) == first {
			t.Errorf("another %s: the same certificate", what)
		}
	}
	list := c.List()
	if len(list) != 6 {
		t.Fatalf("%d entries", len(list))
	}
	last := list[5]
	if last.Certificate != first || last.Uses != 2 || last.Profile != 1 || last.Updates != 7 || last.Verdict != 20 || !last.Expires.Equal(now.Add(10*time.Minute)) {
		t.Errorf("entry %+v", last)
	}
	if s := c.Statistics(); s.Hits != 1 || s.Misses != 6 || s.Entries != 6 || s.Size != 10 || s.Full != 0 {
		t.Errorf("statistics %+v", s)
	}

	now = now.Add(10*time.Minute - time.Second)
	get(t, c, o, true)
	now = now.Add(time.Second)
	if len(c.List()) != 0 {
		t.Error("what is over is listed")
	}
	c.SetTimeout(5 * time.Minute)
	second := get(t, c, o, false)
	if second.Leaf.SerialNumber.Cmp(first.Leaf.SerialNumber) == 0 {
		t.Error("the serial number is the old one")
	}
	if s := c.Statistics(); s.Entries != 1 {
		t.Errorf("%d entries, with one of the present", s.Entries)
	}
	c.SetTimeout(0)
	first = get(t, c, o, false)
	if again := get(t, c, o, false); again == first {
		t.Error("a cache that is off keeps certificates")
	}
}

// A full cache gives up what was not used for longest.
func TestCacheFull(t *testing.T) {
	a := authorities(t)["ECDSA"]
	c := forge.NewCache(minter, 2)
	one, two, three := order(t, a, 1, "1.example.com"), order(t, a, 1, "2.example.com"), order(t, a, 2, "3.example.com")
	get(t, c, one, false)
	get(t, c, two, false)
	get(t, c, one, true)
	get(t, c, three, false)
	if s := c.Statistics(); s.Entries != 2 || s.Full != 1 {
		t.Errorf("statistics %+v", s)
	}
	get(t, c, one, true)
	c.Flush(1)
	if list := c.List(); len(list) != 1 || list[0].Profile != 2 {
		t.Errorf("left after a flush: %+v", list)
	}
	c.Clear()
	if len(c.List()) != 0 {
		t.Error("left after a clear")
	}
}

// However many ask at once, a certificate is made once.
func TestCacheAtOnce(t *testing.T) {
	c := forge.NewCache(minter, 10)
	o := order(t, authorities(t)["RSA"], 1, "a.example.com")
	o.KeyType = forge.RSA
	got := make([]*forge.Certificate, 32)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i], _, _ = c.Get(o) })
	}
	all.Wait()
	for _, g := range got {
		if g == nil || g != got[0] {
			t.Fatal("different certificates")
		}
	}
	if s := c.Statistics(); s.Misses != 1 || s.Hits != 31 || c.List()[0].Uses != 32 {
		t.Errorf("statistics %+v", s)
	}
}

// A failure is not kept.
func TestCacheFailure(t *testing.T) {
	c := forge.NewCache(minter, 10)
	o := order(t, nil, 1, "a.example.com")
	for range 2 {
		if _, hit, err := c.Get(o); err == nil || hit {
			t.Fatalf("hit %v, error %v", hit, err)
		}
	}
	if s := c.Statistics(); s.Entries != 0 {
		t.Errorf("statistics %+v", s)
	}
	ended := testpki.Root(t, "Ended", testpki.Valid(-2*time.Hour, -time.Hour))
	o.Authority = &forge.Authority{Certificate: ended.Certificate, Key: ended.Key, Chain: []*x509.Certificate{}}
	if _, _, err := c.Get(o); err == nil {
		t.Error("forged by an authority that ended")
	}
}
