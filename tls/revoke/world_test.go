package revoke

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testpki"
)

// clock is a clock that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) forward(d time.Duration) { c.ahead.Add(int64(d)) }

// world is a public key infrastructure with a web site, and a checker that asks it.
type world struct {
	*Checker
	root, issuer *testpki.Authority
	site         *testpki.Site
	url          string
	clock        *clock
	options      Options
}

func newWorld(t testing.TB, change func(*Options)) *world {
	t.Helper()
	w := &world{root: testpki.Root(t, "Root"), site: testpki.NewSite(), clock: &clock{}}
	server := httptest.NewServer(w.site)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.issuer = w.root.Intermediate(t, "Issuer", points1(w.url+"/root.crl"))
	w.site.Set("/root.crl", w.root.CRL(t, nil))
	w.options = Options{Client: server.Client(), Now: w.clock.now, Wait: 5 * time.Second, Dir: filepath.Join(t.TempDir(), "crl")}
	if change != nil {
		change(&w.options)
	}
	w.start(t)
	return w
}

// start makes the checker anew, as after a restart.
func (w *world) start(t testing.TB) {
	t.Helper()
	if w.Checker != nil {
		w.Close()
	}
	c, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.Checker = c
	t.Cleanup(sync.OnceFunc(func() {
		if w.Checker == c {
			c.Close()
		}
	}))
}

// points1 is the distribution points of a certificate.
func points1(urls ...string) testpki.Option {
	return testpki.With(func(c *x509.Certificate) { c.CRLDistributionPoints = urls })
}

func responder(url string) testpki.Option {
	return testpki.With(func(c *x509.Certificate) { c.OCSPServer = []string{url} })
}

// leaf is a server's certificate whose list is at /issuer.crl.
func (w *world) leaf(t testing.TB, o ...testpki.Option) *testpki.Leaf {
	t.Helper()
	return w.issuer.Leaf(t, "www.example.com", append([]testpki.Option{points1(w.url + "/issuer.crl")}, o...)...)
}

func (w *world) chain(l *testpki.Leaf) []*x509.Certificate {
	return append(l.Chain(), w.root.Certificate)
}

func (w *world) check(t testing.TB, l *testpki.Leaf, p Policy) Outcome {
	t.Helper()
	return w.Check(t.Context(), w.chain(l), nil, p)
}

// list serves a list of the issuer.
func (w *world) list(t testing.TB, change func(*x509.RevocationList), revoked ...*testpki.Leaf) {
	t.Helper()
	var certs []*x509.Certificate
	for _, l := range revoked {
		certs = append(certs, l.Certificate)
	}
	w.site.Set("/issuer.crl", w.issuer.CRL(t, change, certs...))
}

// hang serves a path that does not answer before the test ends.
func (w *world) hang(t testing.TB, path string) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	w.site.Do(path, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	})
}

func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in ten seconds: %s", what)
		}
	}
}
