package handout

import (
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/tls/pki"
)

// rootCA is a store with one root certificate, "proxy-ca".
func rootCA(t *testing.T) (*pki.Store, *pki.Local) {
	t.Helper()
	s, err := pki.Open(filepath.Join(t.TempDir(), "pki"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.GenerateKeyPair("proxy-ca", pki.ECDSA, 256); err != nil {
		t.Fatal(err)
	}
	if err := s.SelfSign("proxy-ca", pki.Template{Subject: "O=A & <b>,CN=root", CA: true}); err != nil {
		t.Fatal(err)
	}
	l, _ := s.Local("proxy-ca")
	return s, l
}

// freePort is a port that nothing listens on.
func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// get fetches a path and returns what came.
func get(t *testing.T, url string) (status int, header http.Header, body []byte) {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, body
}

// The page lists the root certificates with their fingerprints, every link of it leads to the
// certificate, and nothing else is there.
// Rows: PK-12.
func TestPage(t *testing.T) {
	_, l := rootCA(t)
	port := freePort(t)
	s := New(Options{Certificates: func() []*pki.Local { return []*pki.Local{l, {ID: "key-only"}} }, Port: port})
	defer s.Close()
	address := netip.MustParseAddr("127.0.0.1")
	s.Set([]netip.Addr{address, netip.MustParseAddr("::1")})
	base := "http://" + netip.AddrPortFrom(address, port).String()
	status, header, body := get(t, base+"/")
	text := string(body)
	for _, want := range []string{"O=A &amp; &lt;b&gt;, CN=root", fingerprint(pki.Fingerprint(l.Certificate)), l.Certificate.NotAfter.UTC().Format("2006-01-02")} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if status != http.StatusOK || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || strings.Contains(text, "key-only") {
		t.Errorf("%d, %v\n%s", status, header, text)
	}
	links := regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(text, -1)
	if len(links) != 3 {
		t.Errorf("%d links in\n%s", len(links), text)
	}
	for _, link := range links {
		status, header, body := get(t, base+link[1])
		der := body
		switch filepath.Ext(link[1]) {
		case ".pem":
			block, _ := pem.Decode(body)
			der = block.Bytes
		case ".mobileconfig":
			if header.Get("Content-Type") != "application/x-apple-aspen-config" || !strings.Contains(string(body), "<plist") {
				t.Errorf("%v\n%s", header, body)
			}
			continue
		}
		if c, err := x509.ParseCertificate(der); err != nil || status != http.StatusOK || !c.Equal(l.Certificate) {
			t.Errorf("%s: %d, %v", link[1], status, err)
		}
	}
	for _, path := range []string{"/other", "/root-ca/", "/root-ca/other.pem", "/root-ca/proxy-ca.key", "/root-ca/key-only.pem", "/root-ca/..%2fproxy-ca.pem"} {
		if status, _, body := get(t, base+path); status != http.StatusNotFound || strings.Contains(string(body), "PRIVATE") {
			t.Errorf("%s: %d", path, status)
		}
	}
	if answer, err := http.Post(base+"/", "text/plain", nil); err != nil || answer.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %v, %v", answer, err)
	}
	get(t, "http://"+netip.AddrPortFrom(netip.MustParseAddr("::1"), port).String()+"/")

	s.Set([]netip.Addr{netip.MustParseAddr("::1")})
	if c, err := net.Dial("tcp", netip.AddrPortFrom(address, port).String()); err == nil {
		c.Close()
		t.Error("the page is still served on an address that was taken away")
	}
}

// Without a certificate the page says so.
func TestEmptyPage(t *testing.T) {
	port := freePort(t)
	s := New(Options{Certificates: func() []*pki.Local { return nil }, Port: port})
	defer s.Close()
	s.Set([]netip.Addr{netip.MustParseAddr("127.0.0.1")})
	if _, _, body := get(t, "http://"+netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()+"/"); !strings.Contains(string(body), "No root certificate is in use") {
		t.Errorf("%s", body)
	}
}

// A port that another program has is reported, and taken once it is free; an address that the gateway
// does not have yet is no fault.
func TestTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := taken.Addr().(*net.TCPAddr).AddrPort()
	s := New(Options{Certificates: func() []*pki.Local { return nil }, Port: at.Port()})
	defer s.Close()
	s.Set([]netip.Addr{at.Addr(), netip.MustParseAddr("192.0.2.77"), netip.MustParseAddr("2001:db8::77")})
	if faults := s.Faults(); len(faults) != 1 || !strings.Contains(faults[0].Error(), "127.0.0.1") {
		t.Errorf("%v", faults)
	}
	taken.Close()
	s.Set([]netip.Addr{at.Addr()})
	if faults := s.Faults(); len(faults) != 0 {
		t.Errorf("%v", faults)
	}
	get(t, "http://"+at.String()+"/")
}

// Where the certificate that signs has a root above it, the root is handed out.
func TestRootAbove(t *testing.T) {
	_, root := rootCA(t)
	_, below := rootCA(t)
	signs := &pki.Local{ID: "signs", Certificate: below.Certificate, Chain: []*x509.Certificate{root.Certificate}}
	answer := httptest.NewRecorder()
	Handler(func() []*pki.Local { return []*pki.Local{signs} }).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/root-ca/signs.cer", nil))
	if c, err := x509.ParseCertificate(answer.Body.Bytes()); err != nil || !c.Equal(root.Certificate) {
		t.Errorf("%v", err)
	}
}
