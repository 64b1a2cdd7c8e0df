package sslproxy

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"sluice/tls/profile"
	"sluice/tls/report"
)

// clock is a clock that a test moves.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// Entries are found until their time is over, and make room for newer ones (SP-30, SP-34).
func TestCache(t *testing.T) {
	var count report.Cache
	k := &clock{time.Unix(1e9, 0)}
	c := newCache[int, string](2, k.Now, &count)
	c.put(1, "one", k.now.Add(time.Minute))
	if v, ok := c.get(1); !ok || v != "one" {
		t.Errorf("%q, %v", v, ok)
	}
	k.now = k.now.Add(time.Minute)
	if _, ok := c.get(1); ok {
		t.Error("an entry is found when its time is over")
	}
	if n := c.drop(func(_ int, _ string, ends time.Time) bool { return !k.now.Before(ends) }); n != 1 {
		t.Errorf("%d stale entries", n)
	}
	for i := range 3 {
		c.put(i, "x", k.now.Add(time.Minute))
	}
	if _, ok := c.get(0); ok {
		t.Error("the oldest entry has not made room")
	}
	c.put(2, "again", k.now.Add(time.Minute))
	if v, ok := c.get(2); !ok || v != "again" {
		t.Errorf("%q, %v", v, ok)
	}
	seen := 0
	c.each(func(int, string, time.Time) { seen++ })
	if seen != 2 || count.Hit.Value() != 2 || count.Miss.Value() != 2 || count.Full.Value() != 1 {
		t.Errorf("%d entries, %d hits, %d misses, %d times full", seen, count.Hit.Value(), count.Miss.Value(), count.Full.Value())
	}
}

// Refusals count while they follow each other, an exemption ends, and what is over is forgotten.
func TestRefusals(t *testing.T) {
	k := &clock{time.Unix(1e9, 0)}
	l := newRefusals(k.Now)
	r := refusal{netip.MustParseAddr("192.0.2.1"), "pinned.example", "p"}
	rule := &profile.PassThrough{Failures: 2, Timeout: 10 * time.Minute}
	if l.add(r, rule) || l.exempt(r) {
		t.Error("exempt after one refusal of two")
	}
	k.now = k.now.Add(2 * refusalMemory)
	if l.add(r, rule) {
		t.Error("a refusal of long ago counts")
	}
	if !l.add(r, rule) || !l.exempt(r) {
		t.Error("not exempt after two refusals")
	}
	other := r
	other.server = "other.example"
	if l.exempt(other) {
		t.Error("another server is exempt, too")
	}
	k.now = k.now.Add(rule.Timeout)
	if l.exempt(r) {
		t.Error("exempt after its time")
	}
	l.add(r, rule)
	l.forget(r)
	if l.add(r, rule) {
		t.Error("a refusal counts although the certificate was accepted since")
	}
	for i := range maxRefusals + 100 {
		r.client = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		l.add(r, rule)
	}
	if len(l.known) > maxRefusals {
		t.Errorf("%d refusals are remembered", len(l.known))
	}
	k.now = k.now.Add(2 * refusalMemory)
	l.add(other, rule)
	if len(l.known) > 2 {
		t.Errorf("%d refusals are remembered that are over", len(l.known))
	}
}

// The beginning of TLS is told from everything else by its first bytes (SP-16, SP-17, SP-85).
func TestInspect(t *testing.T) {
	for begin, want := range map[string]error{
		"":                     nil,
		"\x16":                 nil,
		"\x16\x03":             nil,
		"\x16\x03\x01":         nil,
		"\x16\x03\x04\x00\x05": nil,
		"\x16\x03\x7f":         nil,
		"\x16\x02":             errNotTLS,
		"\x15":                 nil,
		"\x15\x03":             errEarly,
		"\x14\x03\x01":         errEarly,
		"\x15\x02":             errNotTLS,
		"G":                    errNotTLS,
		"\x80\x2e":             errNotTLS,
		"\x80\x2e\x01\x00\x02": errSSLv2,
		"\x80\x2e\x01\x03\x01": errSSLv2,
		"\x80\x2e\x02\x03\x01": errNotTLS,
	} {
		if got := (&opening{kept: []byte(begin)}).inspect(); !errors.Is(got, want) {
			t.Errorf("%q: %v, want %v", begin, got, want)
		}
	}
	long := make([]byte, maxOpening+1)
	copy(long, "\x16\x03\x01")
	if !errors.Is((&opening{kept: long}).inspect(), errTooLong) {
		t.Error("a hello without end")
	}
}
