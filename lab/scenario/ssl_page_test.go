package scenario

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"sluice/lab"
)

// An application that is refused by the name that its ClientHello gives: the session is opened so that
// its user can be told why, where the policies that it might have come to have a profile, or the
// refusing policy names one. What asks for nothing, or stays closed, is refused without words
// (FW-12, FW-44, FW-49, FW-58).
func TestBlockPageByServerName(t *testing.T) {
	const video = "www.youtube.com"
	w := startSSL(t, `
set security dynamic-application profile page redirect-message type custom-text content "not in working hours"
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca lab
set security address-book global address strange 203.0.113.80/32
`+policy("trust", "untrust", "video", "any", "any", "reject profile page", "log session-init")+
		policy("trust", "untrust", "all", "any", "any", "permit application-services ssl-proxy profile-name inspect")+`
set security policies from-zone trust to-zone untrust policy video match dynamic-application junos:YOUTUBE
`)
	visit := func(name string, args ...string) (string, error) {
		return w.try(w.Client, "curl", append([]string{"-sS", "-m", "10", "--cacert", w.root, "--resolve", name + ":443:" + lab.WebAddr4, "https://" + name + "/"}, args...)...)
	}
	page := func(what string) {
		t.Helper()
		for _, version := range []string{"1.1", "2"} {
			out, err := visit(video, "--http"+version, "-w", " %{http_code} %{http_version}")
			if err != nil || !strings.Contains(out, "not in working hours") || !strings.HasSuffix(out, " 403 "+version) {
				t.Errorf("%s, HTTP/%s: %q, %v", what, version, out, err)
			}
		}
	}
	closed := func(what string) {
		t.Helper()
		if out, err := visit(video); err == nil || !strings.Contains(out, "reset") {
			t.Errorf("%s: %q, %v", what, out, err)
		}
	}
	page("by the profile of the policy behind it")
	if out, err := visit(lab.WebName); err != nil || out != "hello from the internet\n" {
		t.Errorf("another application: %q, %v", out, err)
	}

	// A client whose request comes later than the beginning of HTTP/2, and one that asks for nothing.
	roots := x509.NewCertPool()
	if pem, err := os.ReadFile(w.root); err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	open := func(protocol string) *tls.Conn {
		c := tls.Client(w.connect(lab.WebAddr4+":443"), &tls.Config{ServerName: video, RootCAs: roots, NextProtos: []string{protocol}})
		if err := c.HandshakeContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := open("h2")
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(c, c)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if frame, err := framer.ReadFrame(); err != nil || frame.Header().Type != http2.FrameSettings {
		t.Fatalf("the server's greeting: %v, %v", frame, err)
	}
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, field := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", video}, {":path", "/"}} {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			t.Fatal(err)
		}
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	for told := false; !told; { // the session goes on for other requests
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatalf("a late request: %v", err)
		}
		page, is := frame.(*http2.DataFrame)
		if told = is; told && !strings.Contains(string(page.Data()), "not in working hours") {
			t.Errorf("a late request: %q", page.Data())
		}
	}
	c = open("http/1.1")
	if _, err := c.Write([]byte("\x00\x01 is no request")); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("what is no request: %d bytes, %v", n, err)
	}

	// Sessions that are not opened after all.
	w.configure("set services ssl proxy profile inspect whitelist strange")
	closed("a server on the whitelist")
	w.configure("delete services ssl proxy profile inspect whitelist")
	if out, err := visit("m.youtube.com"); err == nil || !strings.Contains(out, "alert") {
		t.Errorf("a server that cannot be believed: %q, %v", out, err)
	}
	w.configure("delete security policies from-zone trust to-zone untrust policy all then permit application-services")
	closed("no policy behind it opens")
	w.configure("set security policies from-zone trust to-zone untrust policy video then reject ssl-proxy profile-name inspect")
	page("by a profile of its own")
	if got := w.show("show security policies hit-count"); !strings.Contains(strings.Join(strings.Fields(got), " "), "video Reject 9") &&
		!strings.Contains(strings.Join(strings.Fields(got), " "), "video 9 Reject") {
		t.Errorf("hits:\n%s", got)
	}
}
