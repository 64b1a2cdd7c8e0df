package revoke

import (
	"crypto/x509"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testpki"
)

// However many sessions need a list, it is downloaded once.
func TestOneDownload(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	body := w.issuer.CRL(t, nil)
	release := make(chan struct{})
	w.site.Do("/issuer.crl", func(rw http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = rw.Write(body)
	})
	var all sync.WaitGroup
	var good atomic.Int64
	for range 20 {
		all.Go(func() {
			if w.Check(t.Context(), w.chain(l), nil, Policy{}).Status == Good {
				good.Add(1)
			}
		})
	}
	until(t, "the list is asked for", func() bool { return w.site.Hits("/issuer.crl") > 0 })
	close(release)
	all.Wait()
	if good.Load() != 20 || w.site.Hits("/issuer.crl") != 1 {
		t.Errorf("%d sessions know, %d downloads", good.Load(), w.site.Hits("/issuer.crl"))
	}
}

// A source that failed is left alone for a while, longer each time, and nobody waits for it again.
func TestFailedSource(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	asked := func() int { return w.site.Hits("/issuer.crl") }
	for i, pause := range []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute} {
		w.clock.forward(pause - time.Second)
		w.check(t, l, Policy{})
		if i > 0 && asked() != i {
			t.Fatalf("asked %d times, too soon", asked())
		}
		w.clock.forward(2 * time.Second)
		if o := w.check(t, l, Policy{}); o.Status != NoInfo {
			t.Fatalf("%+v", o)
		}
		until(t, "it is asked again, and fails", func() bool {
			list := w.ListOf(w.issuer.Certificate)
			return asked() == i+1 && len(list) == 1 && list[0].Err != nil && w.idle()
		})
	}
	w.hang(t, "/issuer.crl")
	w.clock.forward(time.Hour)
	began := time.Now()
	if o := w.check(t, l, Policy{}); o.Status != NoInfo || time.Since(began) > w.options.Wait/2 {
		t.Errorf("waited %v for what failed before: %+v", time.Since(began), o)
	}
}

// idle says whether nothing is downloaded.
func (c *Checker) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sources {
		if s.flight != nil {
			return false
		}
	}
	return true
}

// Lists survive a restart; what is broken on disk is fetched anew.
func TestRestart(t *testing.T) {
	w := newWorld(t, nil)
	gone, good := w.leaf(t), w.leaf(t)
	w.list(t, nil, gone)
	w.check(t, good, Policy{})
	hits := w.site.Hits("/issuer.crl")

	w.start(t)
	if list := w.List(); len(list) != 2 || list[0].Count+list[1].Count != 1 || list[0].URL == "" || list[0].Number == "" || list[0].NextUpdate.IsZero() {
		t.Errorf("lists after a restart: %+v", list)
	}
	if o := w.check(t, gone, Policy{}); o.Status != Revoked {
		t.Errorf("%+v", o)
	}
	if o := w.check(t, good, Policy{}); o.Status != Good {
		t.Errorf("%+v", o)
	}
	if w.site.Hits("/issuer.crl") != hits {
		t.Error("the list was downloaded again")
	}

	for _, spoil := range []func(path string) error{
		func(path string) error { return os.WriteFile(path, []byte("spoilt"), 0o600) },
		func(path string) error { return os.Truncate(path, 0) },
		os.Remove,
	} {
		for _, suffix := range []string{listSuffix, recordSuffix} {
			files, err := filepath.Glob(filepath.Join(w.options.Dir, "*"+suffix))
			if err != nil || len(files) != 2 {
				t.Fatalf("%v, %v", files, err)
			}
			for _, f := range files {
				if err := spoil(f); err != nil {
					t.Fatal(err)
				}
			}
			w.start(t)
			if o := w.check(t, gone, Policy{}); o.Status != Revoked {
				t.Errorf("spoilt %s: %+v", suffix, o)
			}
			until(t, "both lists are there", func() bool {
				files, err := filepath.Glob(filepath.Join(w.options.Dir, "*"+suffix))
				return err == nil && len(files) == 2 && w.idle()
			})
		}
	}
	for _, left := range []string{newPrefix + "1", strings.Repeat("0", 32) + listSuffix} {
		if err := os.WriteFile(filepath.Join(w.options.Dir, left), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.start(t)
		if _, err := os.Stat(filepath.Join(w.options.Dir, left)); !os.IsNotExist(err) {
			t.Errorf("%s is still there", left)
		}
	}
	info, err := os.Stat(w.options.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// Lists do not take more room than they may: those that were not used for longest go.
func TestRoom(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxLists = 1300 })
	first := w.leaf(t)
	w.list(t, nil)
	if o := w.check(t, first, Policy{}); o.Status != Good {
		t.Fatalf("%+v", o)
	}
	for i := range 5 {
		path := "/" + string(rune('a'+i)) + ".crl"
		w.site.Set(path, w.issuer.CRL(t, nil))
		w.clock.forward(time.Second)
		if o := w.check(t, w.issuer.Leaf(t, "www.example.com", points1(w.url+path)), Policy{}); o.Status != Good {
			t.Errorf("%+v", o)
		}
	}
	var size int64
	err := filepath.WalkDir(w.options.Dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, listSuffix) {
			info, err := d.Info()
			if err != nil {
				return err
			}
			size += info.Size()
		}
		return err
	})
	if err != nil || size > 1300 || size < 600 {
		t.Errorf("%d bytes on disk, %v", size, err)
	}
	hits := w.site.Hits("/issuer.crl")
	w.check(t, first, Policy{})
	if w.site.Hits("/issuer.crl") != hits+1 {
		t.Error("the list that was not used for longest is still there")
	}
}

// A list that is loaded by hand holds for the authority whose it is.
func TestByHand(t *testing.T) {
	w := newWorld(t, nil)
	gone := w.issuer.Leaf(t, "www.example.com")
	other := w.issuer.Leaf(t, "www.example.com")
	if o := w.check(t, gone, Policy{}); o.Status != NoInfo {
		t.Errorf("%+v", o)
	}
	e, err := w.Load(w.issuer.Certificate, w.issuer.CRL(t, nil, gone.Certificate))
	if err != nil || e.Count != 1 || e.URL != "" || e.Issuer != w.issuer.Subject.String() {
		t.Errorf("%+v, %v", e, err)
	}
	for range 2 {
		if o := w.check(t, gone, Policy{}); o.Status != Revoked {
			t.Errorf("%+v", o)
		}
		if o := w.check(t, other, Policy{DropIfNotPresent: true}); o.Status != Good {
			t.Errorf("%+v", o)
		}
		w.start(t)
	}
	if w.ClearOf(w.root.Certificate) != 1 || w.ClearOf(w.issuer.Certificate) != 1 || w.Clear() != 0 {
		t.Error("not cleared as it should")
	}
	if o := w.check(t, gone, Policy{}); o.Status != NoInfo {
		t.Errorf("%+v", o)
	}
	files, err := os.ReadDir(w.options.Dir)
	if err != nil || len(files) > 2 {
		t.Errorf("left on disk: %v, %v", files, err)
	}
	for name, data := range map[string][]byte{
		"another authority's": w.root.CRL(t, nil), "nothing": nil,
		"ended": w.issuer.CRL(t, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}),
	} {
		if _, err := w.Load(w.issuer.Certificate, data); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
	if len(w.ListOf(w.issuer.Certificate)) != 0 {
		t.Error("something was loaded")
	}
}

// A certificate cannot send the gateway to itself.
func TestOutwardClient(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Client = nil })
	w.list(t, nil)
	o := w.check(t, w.leaf(t), Policy{})
	if o.Status != NoInfo || o.Err == nil || !strings.Contains(o.Err.Error(), "not an address of another host") || w.site.Hits("/issuer.crl") != 0 {
		t.Errorf("%+v", o)
	}
	client := outwardClient()
	r := &http.Request{URL: nil}
	if err := client.CheckRedirect(redirect(t, "https://a.test/"), []*http.Request{r}); err == nil {
		t.Error("follows to HTTPS")
	}
	if err := client.CheckRedirect(redirect(t, "http://a.test/"), []*http.Request{r, r, r, r}); err == nil {
		t.Error("follows for ever")
	}
	if err := client.CheckRedirect(redirect(t, "http://a.test/"), []*http.Request{r}); err != nil {
		t.Error(err)
	}
}

func redirect(t *testing.T, url string) *http.Request {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Close ends downloads.
func TestClose(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Wait = 20 * time.Millisecond })
	w.hang(t, "/issuer.crl")
	w.check(t, w.leaf(t), Policy{})
	w.start(t) // waits for the first checker's end
	if _, err := New(Options{Dir: "/dev/null/lists"}); err == nil {
		t.Error("a directory that cannot be")
	}
}

// BenchmarkList reads a list of 100,000 entries.
func BenchmarkList(b *testing.B) {
	w := newWorld(b, nil)
	der := w.issuer.CRL(b, func(l *x509.RevocationList) {
		for i := range 100000 {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: testpki.Serial(i), RevocationTime: time.Now(), ReasonCode: 1})
		}
	})
	b.SetBytes(int64(len(der)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseList(der); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCheck looks a chain up whose lists are at hand.
func BenchmarkCheck(b *testing.B) {
	w := newWorld(b, nil)
	w.list(b, nil)
	chain := w.chain(w.leaf(b))
	for b.Loop() {
		if o := w.Check(b.Context(), chain, nil, Policy{}); o.Status != Good {
			b.Fatal(o.Err)
		}
	}
}

// A list with very many entries is looked up in as one with few.
func TestManyEntries(t *testing.T) {
	w := newWorld(t, nil)
	var gone []*x509.Certificate
	for range 3 {
		gone = append(gone, w.leaf(t).Certificate)
	}
	entries := make([]x509.RevocationListEntry, 0, 20000)
	for i := range 20000 {
		entries = append(entries, x509.RevocationListEntry{SerialNumber: testpki.Serial(i), RevocationTime: time.Now()})
	}
	for _, c := range gone {
		entries = append(entries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now()})
	}
	der := w.issuer.CRL(t, func(l *x509.RevocationList) { l.RevokedCertificateEntries = entries })
	l, err := parseList(der)
	if err != nil {
		t.Fatal(err)
	}
	if l.count() != len(entries) {
		t.Errorf("%d entries, want %d", l.count(), len(entries))
	}
	for _, e := range entries {
		if _, found := l.find(e.SerialNumber); !found {
			t.Fatalf("%v is not found", e.SerialNumber)
		}
	}
	if _, found := l.find(w.leaf(t).SerialNumber); found {
		t.Error("a good one is found")
	}
}
