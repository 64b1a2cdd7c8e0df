package revoke

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/internal/testpki"
)

// What a list says of a certificate, and what follows from it (PK-26, PK-27, PK-31, PK-32, PK-33).
func TestLists(t *testing.T) {
	w := newWorld(t, nil)
	good := w.leaf(t)
	var entries []x509.RevocationListEntry
	var withdrawn []*testpki.Leaf
	for _, reason := range []int{0, 1, 2, 3, 4, 5, 6, 9, 10} {
		l := w.leaf(t)
		withdrawn = append(withdrawn, l)
		entries = append(entries, x509.RevocationListEntry{SerialNumber: l.SerialNumber, RevocationTime: time.Now(), ReasonCode: reason})
	}
	w.list(t, func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = entries
		for _, e := range entries[:2] { // on hold as well
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: e.SerialNumber, RevocationTime: time.Now(), ReasonCode: reasonHold})
		}
	})
	if o := w.check(t, good, Policy{DropIfNotPresent: true}); o.Status != Good || !o.Pass || o.Source != FromCRL || o.Err != nil {
		t.Errorf("good: %+v", o)
	}
	for i, l := range withdrawn {
		want := Revoked
		if entries[i].ReasonCode == reasonHold {
			want = OnHold
		}
		for _, ignore := range []bool{false, true} {
			o := w.check(t, l, Policy{IgnoreHold: ignore})
			if o.Status != want || o.Reason != entries[i].ReasonCode || o.Certificate == nil || !o.Certificate.Equal(l.Certificate) {
				t.Errorf("reason %d: %+v", entries[i].ReasonCode, o)
			}
			if o.Pass != (ignore && want == OnHold) {
				t.Errorf("reason %d, ignoring hold %v: passes %v", entries[i].ReasonCode, ignore, o.Pass)
			}
		}
	}
	if n := w.site.Hits("/issuer.crl") + w.site.Hits("/root.crl"); n != 2 {
		t.Errorf("%d downloads of two lists", n)
	}
	if w.Updates() != 2 {
		t.Errorf("%d updates", w.Updates())
	}
}

// An authority that was withdrawn withdraws what it issued.
func TestAuthorityWithdrawn(t *testing.T) {
	w := newWorld(t, nil)
	w.site.Set("/root.crl", w.root.CRL(t, nil, w.issuer.Certificate))
	w.list(t, nil)
	o := w.check(t, w.leaf(t), Policy{})
	if o.Status != Revoked || !o.Certificate.Equal(w.issuer.Certificate) || o.Pass {
		t.Errorf("%+v", o)
	}
}

// Lists that do not say what is asked, each with its reason (RFC 5280, 5.2, 5.3, 6.3.3).
func TestUnfitLists(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	extension := func(critical bool, value []byte, id ...int) func(*x509.RevocationList) {
		return func(l *x509.RevocationList) {
			l.ExtraExtensions = []pkix.Extension{{Id: id, Critical: critical, Value: value}}
		}
	}
	scope := func(value ...byte) func(*x509.RevocationList) {
		return extension(true, append([]byte{0x30, byte(len(value))}, value...), 2, 5, 29, 28)
	}
	entry := func(critical bool, value []byte, id ...int) func(*x509.RevocationList) {
		return func(list *x509.RevocationList) {
			list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: l.SerialNumber, RevocationTime: time.Now(),
				ExtraExtensions: []pkix.Extension{{Id: id, Critical: critical, Value: value}}}}
		}
	}
	point := func(url string) []byte {
		name := append([]byte{0x86, byte(len(url))}, url...)
		full := append([]byte{0xa0, byte(len(name))}, name...)
		return append([]byte{0xa0, byte(len(full))}, full...)
	}
	other := testpki.Root(t, "Other")
	namesake := w.root.Intermediate(t, "Issuer")
	for name, c := range map[string]struct {
		body []byte
		want string // "": the list is fit
	}{
		"own point":           {w.issuer.CRL(t, scope(point(w.url+"/issuer.crl")...)), ""},
		"users only":          {w.issuer.CRL(t, scope(0x81, 1, 0xff)), ""},
		"unknown, uncritical": {w.issuer.CRL(t, extension(false, []byte{5, 0}, 1, 2, 3)), ""},
		"in PEM":              {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: w.issuer.CRL(t, nil)}), ""},
		"of another issuer":   {other.CRL(t, nil), `is of "CN=Other`},
		"another key":         {namesake.CRL(t, nil), "not signed by"},
		"delta":               {w.issuer.CRL(t, extension(true, []byte{2, 1, 1}, 2, 5, 29, 27)), "delta CRL"},
		"indirect":            {w.issuer.CRL(t, scope(0x84, 1, 0xff)), "indirect CRL"},
		"some reasons":        {w.issuer.CRL(t, scope(0x83, 2, 1, 2)), "some reasons"},
		"attributes":          {w.issuer.CRL(t, scope(0x85, 1, 0xff)), "attribute certificates"},
		"authorities only":    {w.issuer.CRL(t, scope(0x82, 1, 0xff)), "authorities only"},
		"another point":       {w.issuer.CRL(t, scope(point("http://a.test/2.crl")...)), "another distribution point"},
		"nameless point":      {w.issuer.CRL(t, scope(0xa0, 2, 0xa1, 0)), "not supported"},
		"malformed point":     {w.issuer.CRL(t, scope(0x81, 2, 0xff, 0)), "malformed"},
		"unknown, critical":   {w.issuer.CRL(t, extension(true, []byte{5, 0}, 1, 2, 3)), "critical extension 1.2.3"},
		"other's entry":       {w.issuer.CRL(t, entry(true, []byte{0x30, 0}, 2, 5, 29, 29)), "indirect CRL"},
		"critical entry":      {w.issuer.CRL(t, entry(true, []byte{5, 0}, 1, 2, 3)), "critical entry extension"},
		"bad reason": {w.issuer.CRL(t, func(list *x509.RevocationList) {
			list.RevokedCertificateEntries = []x509.RevocationListEntry{{SerialNumber: l.SerialNumber, RevocationTime: time.Now(), ReasonCode: 99}}
		}), "malformed"},
		"of the future": {w.issuer.CRL(t, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}), "of the future"},
		"ended": {w.issuer.CRL(t, func(l *x509.RevocationList) {
			l.ThisUpdate, l.NextUpdate = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), "ended at"},
		"nothing":     {nil, "malformed"},
		"a page":      {[]byte("<html>It works!</html>"), "malformed"},
		"cut off":     {w.issuer.CRL(t, nil)[:100], "malformed"},
		"with a tail": {append(w.issuer.CRL(t, nil), 0), "malformed"},
	} {
		w.Clear()
		w.site.Set("/issuer.crl", c.body)
		o := w.check(t, l, Policy{})
		switch {
		case c.want == "" && o.Status != Good:
			t.Errorf("%s: %+v", name, o)
		case c.want != "" && (o.Status != NoInfo || o.Err == nil || !strings.Contains(o.Err.Error(), c.want)):
			t.Errorf("%s: %v, %v; want an error with %q", name, o.Status, o.Err, c.want)
		}
	}
}

// A list that ended still tells of what was withdrawn for good.
func TestEndedList(t *testing.T) {
	w := newWorld(t, nil)
	gone, held, good := w.leaf(t), w.leaf(t), w.leaf(t)
	w.list(t, func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: held.SerialNumber, RevocationTime: time.Now(), ReasonCode: reasonHold})
	}, gone)
	for l, want := range map[*testpki.Leaf]Status{gone: Revoked, held: OnHold, good: Good} {
		if o := w.check(t, l, Policy{}); o.Status != want {
			t.Errorf("%+v, want %v", o, want)
		}
	}
	w.clock.forward(90 * time.Minute)
	w.site.Do("/issuer.crl", http.NotFound)
	w.site.Set("/root.crl", w.root.CRL(t, func(l *x509.RevocationList) { l.NextUpdate = time.Now().Add(10 * time.Hour) }))
	for l, want := range map[*testpki.Leaf]Status{gone: Revoked, held: NoInfo, good: NoInfo} {
		if o := w.check(t, l, Policy{}); o.Status != want {
			t.Errorf("later: %+v, want %v", o, want)
		}
	}
}

// A list as openssl ca makes it, of version 1 (RFC 5280 calls for 2).
func TestOpenSSLList(t *testing.T) {
	w := newWorld(t, nil)
	gone, good := w.leaf(t), w.leaf(t)
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"ca.pem": testpki.PEM(w.issuer.Certificate), "ca.key": testpki.KeyPEM(t, w.issuer.Key), "crlnumber": []byte("01\n"),
		"index.txt": fmt.Appendf(nil, "R\t301231235959Z\t260101000000Z,keyCompromise\t%X\tunknown\t/CN=www.example.com\n", gone.SerialNumber),
		"openssl.cnf": []byte("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncertificate=ca.pem\nprivate_key=ca.key\n" +
			"default_md=sha256\ndefault_crl_days=7\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("openssl", "ca", "-config", "openssl.cnf", "-gencrl", "-out", "list.pem")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("openssl ca: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "list.pem"))
	if err != nil {
		t.Fatal(err)
	}
	w.site.Set("/issuer.crl", data)
	if o := w.check(t, gone, Policy{}); o.Status != Revoked {
		t.Errorf("%+v", o)
	}
	if o := w.check(t, good, Policy{}); o.Status != Good {
		t.Errorf("%+v", o)
	}
}

// What has no information passes or not, as configured (PK-28, PK-29, PK-30, T-14).
func TestNoInformation(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Wait = 50 * time.Millisecond; o.MaxList = 4000 })
	w.hang(t, "/hangs.crl")
	w.site.Set("/big.crl", bytes.Repeat([]byte{'x'}, 4001))
	at := func(urls ...string) []*x509.Certificate {
		for i, u := range urls {
			urls[i] = strings.Replace(u, "SITE", w.url, 1)
		}
		return w.chain(w.issuer.Leaf(t, "www.example.com", points1(urls...)))
	}
	until(t, "the root's list is there", func() bool {
		w.list(t, nil)
		return w.Check(t.Context(), at("SITE/issuer.crl"), nil, Policy{}).Status == Good
	})
	for name, c := range map[string]struct {
		chain  []*x509.Certificate
		status Status
		want   string
	}{
		"no list named":    {at(), NoInfo, "names no revocation list"},
		"LDAP only":        {at("ldap://ldap.example.com/cn=crl"), NoInfo, "names no revocation list"},
		"not found":        {at("SITE/none.crl"), NoInfo, "404"},
		"too big":          {at("SITE/big.crl"), NoInfo, "greater than"},
		"hangs":            {at("SITE/hangs.crl"), NoInfo, "in time"},
		"nobody there":     {at("http://127.0.0.1:1/x.crl"), NoInfo, "refused"},
		"issuer not known": {at("SITE/issuer.crl")[:1], NoCA, "is not known"},
	} {
		o := w.Check(t.Context(), c.chain, nil, Policy{})
		if o.Status != c.status || !o.Pass || o.Err == nil || !strings.Contains(o.Err.Error(), c.want) {
			t.Errorf("%s: %v, passes %v, %v", name, o.Status, o.Pass, o.Err)
		}
		if o := w.Check(t.Context(), c.chain, nil, Policy{DropIfNotPresent: true}); o.Status != c.status || o.Pass {
			t.Errorf("%s: passes where it must not: %+v", name, o)
		}
		if o := w.Check(t.Context(), c.chain, nil, Policy{Disable: true, DropIfNotPresent: true}); o.Status != Good || !o.Pass {
			t.Errorf("%s: does not pass unchecked: %+v", name, o)
		}
	}
	// The first of several places that answers is enough.
	if o := w.Check(t.Context(), at("ldap://x.test/", "SITE/none.crl", "SITE/issuer.crl"), nil, Policy{}); o.Status != Good {
		t.Errorf("second place: %+v", o)
	}
}

// An authority that is not checked (PK-11, T-16).
func TestDisabledAuthority(t *testing.T) {
	w := newWorld(t, nil)
	l := w.leaf(t)
	w.list(t, nil, l)
	p := Policy{DisabledFor: func(issuer *x509.Certificate) bool { return issuer.Equal(w.issuer.Certificate) }}
	if o := w.check(t, l, p); o.Status != Good || !o.Pass {
		t.Errorf("%+v", o)
	}
	if w.site.Hits("/issuer.crl") != 0 || w.site.Hits("/root.crl") != 1 {
		t.Error("the wrong list was asked for")
	}
}

// A certificate for which no information is available by design (RFC 9608).
func TestNoRevocationAvailable(t *testing.T) {
	w := newWorld(t, nil)
	l := w.issuer.Leaf(t, "www.example.com", testpki.Extension(pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 56}, Value: []byte{5, 0}}))
	if o := w.check(t, l, Policy{DropIfNotPresent: true}); o.Status != Good || !o.Pass {
		t.Errorf("%+v", o)
	}
}
