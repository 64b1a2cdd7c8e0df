package revoke

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"sluice/internal/testpki"
)

var mustStapleExtension = testpki.Extension(pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})

func signer(o ...testpki.Option) []testpki.Option {
	return append([]testpki.Option{testpki.With(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning} })}, o...)
}

// What a stapled response says of a certificate (RFC 6960, RFC 7633).
func TestStaple(t *testing.T) {
	w := newWorld(t, nil)
	l := w.issuer.Leaf(t, "www.example.com")
	promised := w.issuer.Leaf(t, "www.example.com", mustStapleExtension)
	other := testpki.Root(t, "Other")
	good, revoked := ocsp.Good, ocsp.Revoked
	times := func(this, next time.Duration) func(*ocsp.Response) {
		return func(r *ocsp.Response) {
			r.ThisUpdate, r.NextUpdate = time.Now().Add(this), time.Now().Add(next)
			if next == 0 {
				r.NextUpdate = time.Time{}
			}
		}
	}
	delegate := w.issuer.Leaf(t, "OCSP", signer()...)
	for name, c := range map[string]struct {
		staple func(c *x509.Certificate) []byte
		want   Status
		err    string
	}{
		"none":    {func(*x509.Certificate) []byte { return nil }, NoInfo, ""},
		"good":    {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, nil, nil) }, Good, ""},
		"revoked": {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, revoked, nil, nil) }, Revoked, ""},
		"on hold": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, revoked, nil, func(r *ocsp.Response) { r.RevocationReason = reasonHold })
		}, OnHold, ""},
		"unknown":     {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, ocsp.Unknown, nil, nil) }, NoInfo, "does not know"},
		"no end, new": {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, nil, times(-time.Minute, 0)) }, Good, ""},
		"no end, old": {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, nil, times(-2*time.Hour, 0)) }, NoInfo, "ended"},
		"ended": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, good, nil, times(-2*time.Hour, -time.Hour))
		}, NoInfo, "ended"},
		"of the future": {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, nil, times(time.Hour, 2*time.Hour)) }, NoInfo, "of the future"},
		"another number": {func(*x509.Certificate) []byte {
			return w.issuer.OCSP(t, delegate.Certificate, good, nil, nil)
		}, NoInfo, "no response matching"},
		"another authority's": {func(c *x509.Certificate) []byte { return other.OCSP(t, c, good, nil, nil) }, NoInfo, "not signed by"},
		"about another authority's": {func(c *x509.Certificate) []byte {
			// The delegate of the issuer speaks of a certificate with the same number that another issued.
			return other.OCSP(t, c, good, delegate, nil)
		}, NoInfo, "another issuer"},
		"delegated": {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, delegate, nil) }, Good, ""},
		"issuer's certificate included": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, good, &testpki.Leaf{Certificate: w.issuer.Certificate, Key: w.issuer.Key}, nil)
		}, Good, ""},
		"delegate for other things": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, good, w.issuer.Leaf(t, "Web"), nil)
		}, NoInfo, "may not sign"},
		"delegate ended": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, good, w.issuer.Leaf(t, "OCSP", signer(testpki.Valid(-2*time.Hour, -time.Hour))...), nil)
		}, NoInfo, "not of the present"},
		"delegate of another authority": {func(c *x509.Certificate) []byte {
			return w.issuer.OCSP(t, c, good, other.Leaf(t, "OCSP", signer()...), nil)
		}, NoInfo, "did not certify"},
		"an error":  {func(*x509.Certificate) []byte { return ocsp.TryLaterErrorResponse }, NoInfo, "try later"},
		"malformed": {func(*x509.Certificate) []byte { return []byte("OCSP") }, NoInfo, "stapled OCSP response"},
		"too big":   {func(*x509.Certificate) []byte { return make([]byte, maxResponse+1) }, NoInfo, "at most"},
		"cut off":   {func(c *x509.Certificate) []byte { return w.issuer.OCSP(t, c, good, nil, nil)[:60] }, NoInfo, "stapled OCSP response"},
	} {
		for _, leaf := range []*testpki.Leaf{l, promised} {
			o := w.Check(t.Context(), w.chain(leaf), c.staple(leaf.Certificate), Policy{})
			if o.Status != c.want {
				t.Errorf("%s: %v, want %v (%v)", name, o.Status, c.want, o.Err)
			}
			if c.err != "" && (o.Err == nil || !strings.Contains(o.Err.Error(), c.err)) {
				t.Errorf("%s: error %v, want %q", name, o.Err, c.err)
			}
			missing := leaf == promised && c.want == NoInfo
			if o.MustStapleMissing != missing || o.Pass != (!missing && (c.want == Good || c.want == NoInfo)) {
				t.Errorf("%s: must-staple missing %v, passes %v", name, o.MustStapleMissing, o.Pass)
			}
			if (o.Source == FromStaple) != (c.want != NoInfo) {
				t.Errorf("%s: source %q", name, o.Source)
			}
		}
	}
}

// A good staple spares the download; what is known to be withdrawn stays so.
func TestStapleAndList(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	w.list(t, nil, l)
	staple := w.issuer.OCSP(t, l.Certificate, ocsp.Good, nil, nil)
	if o := w.Check(t.Context(), w.chain(l), staple, Policy{}); o.Status != Good || w.site.Hits("/issuer.crl") != 0 {
		t.Errorf("%+v, %d downloads", o, w.site.Hits("/issuer.crl"))
	}
	w.check(t, l, Policy{})
	if o := w.Check(t.Context(), w.chain(l), staple, Policy{}); o.Status != Revoked || o.Source != FromCRL {
		t.Errorf("%+v", o)
	}
}

// answerOCSP has the site answer questions of both kinds about certificates of the issuer.
func answerOCSP(t *testing.T, w *world, get bool, response func(serial string) []byte) {
	reply := func(rw http.ResponseWriter, der []byte) {
		q, err := ocsp.ParseRequest(der)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = rw.Write(response(q.SerialNumber.String()))
	}
	w.site.Do("/ocsp", func(rw http.ResponseWriter, r *http.Request) {
		der, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/ocsp-request" {
			http.Error(rw, "POST only", http.StatusMethodNotAllowed)
			return
		}
		reply(rw, der)
	})
	w.site.Do("/ocsp/", func(rw http.ResponseWriter, r *http.Request) {
		der, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.URL.Path, "/ocsp/"))
		if !get || err != nil || r.Method != http.MethodGet {
			http.Error(rw, "no", http.StatusBadRequest)
			return
		}
		reply(rw, der)
	})
}

// Responders are asked, and their answers kept.
func TestAsk(t *testing.T) {
	for _, get := range []bool{true, false} {
		t.Run(fmt.Sprint("GET ", get), func(t *testing.T) {
			w := newWorld(t, nil)
			good := w.issuer.Leaf(t, "good.example.com", responder(w.url+"/ocsp"))
			gone := w.issuer.Leaf(t, "gone.example.com", responder(w.url+"/ocsp"))
			answerOCSP(t, w, get, func(serial string) []byte {
				if serial == gone.SerialNumber.String() {
					return w.issuer.OCSP(t, gone.Certificate, ocsp.Revoked, nil, nil)
				}
				return w.issuer.OCSP(t, good.Certificate, ocsp.Good, nil, nil)
			})
			for range 3 {
				if o := w.check(t, good, Policy{DropIfNotPresent: true}); o.Status != Good || o.Source != FromOCSP || !o.Pass {
					t.Errorf("%+v", o)
				}
				if o := w.check(t, gone, Policy{}); o.Status != Revoked || o.Source != FromOCSP || o.Reason != 1 {
					t.Errorf("%+v", o)
				}
			}
			if n := w.site.Hits("/ocsp") + w.site.Hits("/ocsp/"); n != map[bool]int{true: 2, false: 4}[get] {
				t.Errorf("asked %d times", n)
			}
			w.clock.forward(90 * time.Minute)
			w.site.Do("/ocsp", http.NotFound)
			w.site.Do("/ocsp/", http.NotFound)
			w.site.Set("/root.crl", w.root.CRL(t, func(l *x509.RevocationList) { l.NextUpdate = time.Now().Add(10 * time.Hour) }))
			if o := w.check(t, good, Policy{}); o.Status != NoInfo || o.Err == nil || !strings.Contains(o.Err.Error(), "404") {
				t.Errorf("when the answer ended: %+v", o)
			}
			n := w.site.Hits("/ocsp")
			w.check(t, good, Policy{})
			if w.site.Hits("/ocsp") != n {
				t.Error("a responder that failed is asked again at once")
			}
		})
	}
}

// Where the list hangs, the responder decides; where all hang, the session does not wait long, and later
// ones not at all.
func TestSlowSources(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Wait = 300 * time.Millisecond })
	w.hang(t, "/issuer.crl")
	w.hang(t, "/slow")
	w.check(t, w.issuer.Leaf(t, "x"), Policy{}) // has the root's list at hand
	gone := w.leaf(t, responder(w.url+"/ocsp"))
	answerOCSP(t, w, true, func(string) []byte { return w.issuer.OCSP(t, gone.Certificate, ocsp.Revoked, nil, nil) })
	if o := w.check(t, gone, Policy{}); o.Status != Revoked || o.Source != FromOCSP {
		t.Errorf("%+v", o)
	}
	slow := w.issuer.Leaf(t, "slow.example.com", responder(w.url+"/slow"), points1(w.url+"/issuer.crl"))
	if o := w.check(t, slow, Policy{}); o.Status != NoInfo || o.Err == nil || !strings.Contains(o.Err.Error(), "in time") {
		t.Errorf("%+v", o)
	}
	until(t, "sessions no longer wait", func() bool {
		began := time.Now()
		return w.check(t, slow, Policy{}).Status == NoInfo && time.Since(began) < 100*time.Millisecond
	})
}

// OpenSSL's own responder is understood.
func TestOpenSSLResponder(t *testing.T) {
	w := newWorld(t, nil)
	l := w.issuer.Leaf(t, "www.example.com", responder(w.url+"/ocsp"))
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"ca.pem": testpki.PEM(w.issuer.Certificate), "ca.key": testpki.KeyPEM(t, w.issuer.Key),
		"index.txt": fmt.Appendf(nil, "R\t301231235959Z\t260101000000Z,keyCompromise\t%X\tunknown\t/CN=www.example.com\n", l.SerialNumber),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.site.Do("/ocsp", func(rw http.ResponseWriter, r *http.Request) {
		request, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(filepath.Join(dir, "request"), request, 0o600); err != nil {
			t.Error(err)
		}
		command := exec.Command("openssl", "ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key",
			"-reqin", "request", "-respout", "response", "-ndays", "1")
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("openssl ocsp: %v\n%s", err, out)
		}
		response, err := os.ReadFile(filepath.Join(dir, "response"))
		if err != nil {
			t.Error(err)
		}
		_, _ = rw.Write(response)
	})
	if o := w.check(t, l, Policy{}); o.Status != Revoked || o.Source != FromOCSP || o.Reason != 1 {
		t.Errorf("%+v", o)
	}
}

// What is kept of responders is bounded.
func TestManyAnswers(t *testing.T) {
	r := newResponses(Options{}.withDefaults())
	for i := range maxResponses + 10 {
		r.mu.Lock()
		r.add(subject{byte(i), byte(i >> 8), byte(i >> 16)}, response{until: time.Now().Add(time.Hour)})
		r.fail(fmt.Sprint("http://", i, ".test/"), io.ErrUnexpectedEOF)
		r.mu.Unlock()
	}
	if len(r.answers) > maxResponses || len(r.failed) > maxResponses {
		t.Errorf("%d answers, %d failures", len(r.answers), len(r.failed))
	}
}
