package revoke

import (
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Lists are renewed before they end, and only by newer ones; those who depend on them are told (SP-36).
func TestRenewal(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	w.list(t, nil)
	var told atomic.Int64
	w.OnUpdate(func() { told.Add(1) })
	if o := w.check(t, l, Policy{}); o.Status != Good {
		t.Fatalf("%+v", o)
	}
	if told.Load() != 2 || w.Updates() != 2 {
		t.Errorf("told %d times, %d updates", told.Load(), w.Updates())
	}
	renew := func() {
		hits := w.site.Hits("/issuer.crl")
		w.refresh()
		until(t, "the list is asked for again", func() bool { return w.site.Hits("/issuer.crl") == hits+1 && w.idle() })
	}

	w.refresh()
	if !w.idle() {
		t.Error("renewed at once")
	}
	w.list(t, func(l *x509.RevocationList) { l.ThisUpdate = time.Now() }, l)
	w.clock.forward(31 * time.Minute)
	renew()
	if o := w.check(t, l, Policy{}); o.Status != Revoked {
		t.Errorf("%+v", o)
	}
	until(t, "told", func() bool { return told.Load() == 3 })

	// An old list, served again, does not undo that.
	w.list(t, func(l *x509.RevocationList) { l.ThisUpdate = time.Now().Add(-30 * time.Minute) })
	w.clock.forward(31 * time.Minute)
	renew()
	if o := w.check(t, l, Policy{}); o.Status != Revoked {
		t.Errorf("after an older list: %+v", o)
	}
	i := slices.IndexFunc(w.List(), func(e Entry) bool { return strings.HasSuffix(e.URL, "/issuer.crl") })
	if err := w.List()[i].Err; err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("error %v", err)
	}
}

// A list that is unchanged is not sent again.
func TestUnchanged(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	body := w.issuer.CRL(t, nil)
	var asked []string
	w.site.Do("/issuer.crl", func(rw http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+" "+r.Header.Get("If-Modified-Since"))
		rw.Header().Set("ETag", `"one"`)
		rw.Header().Set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = rw.Write(body)
	})
	w.check(t, l, Policy{})
	updates := w.Updates()
	w.start(t)
	if o := w.check(t, l, Policy{}); o.Status != Good {
		t.Errorf("%+v", o)
	}
	w.clock.forward(31 * time.Minute)
	w.refresh()
	until(t, "it is asked for again", func() bool { return w.site.Hits("/issuer.crl") == 2 && w.idle() })
	if want := `"one" Thu, 01 Jan 2026 00:00:00 GMT`; asked[1] != want {
		t.Errorf("asked with %q, want %q", asked[1], want)
	}
	if o := w.check(t, l, Policy{}); o.Status != Good || updates != 2 || w.Updates() > 1 {
		t.Errorf("%+v, %d updates", o, w.Updates())
	}
}

// Sessions, commands and renewals do not disturb each other: what was withdrawn is never good.
func TestAtOnce(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxLists = 2000 })
	gone, good := w.leaf(t, responder(w.url+"/none")), w.leaf(t)
	list := w.issuer.CRL(t, nil, gone.Certificate)
	w.site.Set("/issuer.crl", list)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if o := w.check(t, gone, Policy{}); o.Status == Good {
					t.Errorf("%+v", o)
				}
				w.check(t, good, Policy{})
			}
		})
	}
	for _, disturb := range []func(){
		func() { w.Clear() },
		func() { w.ClearOf(w.root.Certificate) },
		func() { w.refresh() },
		func() { w.List(); w.CRL(w.issuer.Certificate); w.clock.forward(time.Minute) },
		func() {
			if _, err := w.Load(w.issuer.Certificate, list); err != nil && !strings.Contains(err.Error(), "ended") && !strings.Contains(err.Error(), "cleared") {
				t.Error(err)
			}
		},
	} {
		all.Go(func() {
			for range 20 {
				disturb()
			}
		})
	}
	all.Wait()
	until(t, "nothing runs", w.idle)
	if w.bytes != w.counted() {
		t.Errorf("%d bytes are counted, and %d are there", w.bytes, w.counted())
	}
}

// counted is the size of all lists.
func (c *Checker) counted() (n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		n += s.record.Size
	}
	return n
}

// Foreign data that brings a reader down is an error.
func TestGuard(t *testing.T) {
	if err := guard(func() error { panic("index out of range") }); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("%v", err)
	}
}

// What nobody needs any more goes.
func TestIdle(t *testing.T) {
	w := newWorld(t, nil)
	w.list(t, nil)
	w.check(t, w.leaf(t), Policy{})
	w.check(t, w.issuer.Leaf(t, "x.example.com", points1(w.url+"/none.crl")), Policy{})
	if n := len(w.List()); n != 3 {
		t.Fatalf("%d sources", n)
	}
	w.clock.forward(maxIdle + time.Hour)
	w.refresh()
	if n := len(w.List()); n != 0 || !w.idle() {
		t.Errorf("%d sources left", n)
	}
}
