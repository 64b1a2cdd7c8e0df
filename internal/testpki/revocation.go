package testpki

import (
	"crypto/rand"
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// numbers are the numbers of the lists given out.
var numbers sync.Mutex
var lastNumber int64

// CRL makes a revocation list, valid for an hour, that an option may change before it is signed.
func (a *Authority) CRL(t testing.TB, change func(*x509.RevocationList), revoked ...*x509.Certificate) []byte {
	t.Helper()
	numbers.Lock()
	lastNumber++
	number := lastNumber
	numbers.Unlock()
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: moment(-time.Minute), NextUpdate: moment(time.Hour)}
	for _, c := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: c.SerialNumber, RevocationTime: moment(-time.Hour), ReasonCode: 1,
		})
	}
	if change != nil {
		change(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.Certificate, a.Key)
	if err != nil {
		t.Fatalf("revocation list of %q: %v", a.Subject, err)
	}
	return der
}

// OCSP makes a response about a certificate that a issued, valid for an hour; status is one of package
// ocsp. Another responder may sign it; nil: a itself.
func (a *Authority) OCSP(t testing.TB, c *x509.Certificate, status int, responder *Leaf, change func(*ocsp.Response)) []byte {
	t.Helper()
	r := ocsp.Response{Status: status, SerialNumber: c.SerialNumber, ThisUpdate: moment(-time.Minute), NextUpdate: moment(time.Hour)}
	if status == ocsp.Revoked {
		r.RevokedAt, r.RevocationReason = moment(-time.Hour), 1
	}
	if change != nil {
		change(&r)
	}
	by, key := a.Certificate, a.Key
	if responder != nil {
		by, key = responder.Certificate, responder.Key
		r.Certificate = responder.Certificate
	}
	der, err := ocsp.CreateResponse(a.Certificate, by, r, key)
	if err != nil {
		t.Fatalf("OCSP response of %q: %v", a.Subject, err)
	}
	return der
}

// Site is a web site of an authority. It is a http.Handler for GET and POST, and safe for concurrent use.
type Site struct {
	mu    sync.Mutex
	pages map[string]func(http.ResponseWriter, *http.Request)
	hits  map[string]int
}

// NewSite returns a site without pages.
func NewSite() *Site {
	return &Site{pages: map[string]func(http.ResponseWriter, *http.Request){}, hits: map[string]int{}}
}

// Set puts a page on the site.
func (s *Site) Set(path string, body []byte) {
	s.Do(path, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(body)
	})
}

// Do has a path answered by a function.
func (s *Site) Do(path string, f func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = f
}

// Hits is how often a path was asked for.
func (s *Site) Hits(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[path]
}

// ServeHTTP answers with the page of the path, or that of the longest folder above it.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	path, page := r.URL.Path, s.pages[r.URL.Path]
	for at := range s.pages {
		if page == nil && len(at) > 1 && at[len(at)-1] == '/' && len(path) > len(at) && path[:len(at)] == at {
			path, page = at, s.pages[at]
		}
	}
	s.hits[path]++
	s.mu.Unlock()
	if page == nil {
		http.NotFound(w, r)
		return
	}
	page(w, r)
}

// Serial is a serial number of its own for each n, of up to 24 bytes.
func Serial(n int) *big.Int {
	s := new(big.Int).Lsh(big.NewInt(int64(n)+1), uint(n%24)*7)
	return s.Add(s, new(big.Int).Lsh(big.NewInt(int64(n)+1), 8*22))
}
