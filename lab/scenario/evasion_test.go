package scenario

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// oddRequests are requests for the host @ as a server may take them; they are sent in pieces, cut at |.
var oddRequests = map[string]string{
	"as usual":                     "GET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"in pieces":                    strings.Join(strings.Split("GET / HTTP/1.1\r\nHost: @\r\n"+lastField, ""), "|"),
	"cut in its host":              "GET / HTTP/1.1\r\nHost: www.|@\r\n" + lastField,
	"in capitals":                  "GET / HTTP/1.1\r\nHOST: @.:80\r\n" + lastField,
	"after empty lines":            "\r\n|\r\n\r\nGET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"without CR":                   "GET / HTTP/1.1\nHost: @\nX-Last: 1\n\n",
	"absolute":                     "GET http://@/ HTTP/1.1\r\nHost: www.example.net\r\n" + lastField,
	"with two hosts":               "GET / HTTP/1.1\r\nHost: www.example.net\r\nHost: @\r\n" + lastField,
	"folded":                       "GET / HTTP/1.1\r\nHost:\r\n @\r\n" + lastField,
	"with space before the colon":  "GET / HTTP/1.1\r\nHost : @\r\n" + lastField,
	"of a method of its own":       "FROB / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"with tabs":                    "GET\t/\tHTTP/1.1\t\r\nHost:\t@\r\n" + lastField,
	"with bytes beyond ASCII":      "GET /\xff HTTP/1.1\r\nX\xff: \xfe\r\nHost: @\r\n" + lastField,
	"of a long target":             "GET /" + strings.Repeat("a", 9000) + " HTTP/1.1\r\nHost: @\r\n" + lastField,
	"of a long head":               "GET / HTTP/1.1\r\n" + manyFields + "Host: @\r\n" + lastField,
	"of a long head, in pieces":    "GET / HTTP/1.1\r\n|" + strings.ReplaceAll(manyFields, "\n", "\n|") + "Host: @\r\n" + lastField,
	"behind another":               "GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\nGET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"behind one with a body":       "POST / HTTP/1.1\r\nHost: www.example.net\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"behind one in chunks":         inChunks + "\r\n3\r\nabc\r\n0|\r\n\r\nGET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"behind one of two lengths":    inChunks + "Content-Length: 300\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: @\r\n" + lastField,
	"behind an upgrade not agreed": "GET / HTTP/1.1\r\nHost: www.example.net\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n|GET / HTTP/1.1\r\nHost: @\r\n" + lastField,
}

const (
	lastField = "X-Last: 1\r\n\r\n"
	inChunks  = "POST / HTTP/1.1\r\nHost: www.example.net\r\nTransfer-Encoding: chunked\r\n"
)

var manyFields = strings.Repeat("X-Field: "+strings.Repeat("a", 1000)+"\r\n", 20)

// In clear text, what an application refuses cannot be had by asking oddly, while those who ask oddly for
// something else are not refused.
// Row: UP-3.
func TestOddRequests(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{NoServers: true}, config+policy("trust", "untrust", "refused", "any", "any", "reject")+
			"set security policies from-zone trust to-zone untrust policy refused match dynamic-application junos:FACEBOOK-ACCESS\n"+
			"set security policies from-zone trust to-zone untrust policy all match dynamic-application any\n")
		w.configure("insert security policies from-zone trust to-zone untrust policy refused before policy all")
		w.listen(w.Web, ":80", answerLast)
		for name, request := range oddRequests {
			if w.answered(strings.ReplaceAll(request, "@", "www.facebook.com")) {
				t.Errorf("a request %s is not refused", name)
			}
			if !w.answered(strings.ReplaceAll(request, "@", "www.example.org")) {
				t.Errorf("a request %s that nobody refuses is not answered", name)
			}
		}
	})
}

// answered says whether a request gets as far as a server that answers it.
func (w *world) answered(request string) bool {
	c := w.connect(lab.WebAddr4 + ":80")
	defer c.Close()
	for piece := range strings.SplitSeq(request, "|") {
		if _, err := io.WriteString(c, piece); err != nil {
			return false
		}
		time.Sleep(200 * time.Microsecond) // so that the next piece is a segment of its own
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200")))
	return err == nil
}

// answerLast answers the request with the field that marks the last one.
func answerLast(c *net.TCPConn) {
	last := false
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if last && lines.Text() == "" {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
		last = strings.HasPrefix(lines.Text(), "X-Last")
	}
}

// oddConn is a connection whose first bytes come after others, and are sent one by one.
type oddConn struct {
	net.Conn
	before  string
	oneByte bool
}

func (c *oddConn) Write(b []byte) (int, error) {
	first := c.before
	c.before = ""
	switch {
	case c.oneByte: // a record for each byte of the first
		c.oneByte = false
		for _, one := range b[5:] {
			first += string([]byte{b[0], b[1], b[2], 0, 1, one})
		}
		_, err := io.WriteString(c.Conn, first)
		return len(b), err
	case first != "":
		if _, err := io.WriteString(c.Conn, first); err != nil {
			return 0, err
		}
		time.Sleep(time.Millisecond) // so that what follows is a segment of its own
	}
	return c.Conn.Write(b)
}

// A ClientHello is read as servers read it: with warnings and empty records before it, or in small ones.
// The SSL proxy takes none of that for something else than TLS.
// Rows: UP-3, SP-16.
func TestOddHellos(t *testing.T) {
	w := startSSL(t, lab.PermitAll+policy("trust", "untrust", "refused", "any", "any", "reject")+
		"set security policies from-zone trust to-zone untrust policy refused match dynamic-application junos:FACEBOOK-ACCESS\n"+
		"set security policies from-zone trust to-zone untrust policy all match dynamic-application any\n")
	w.configure("insert security policies from-zone trust to-zone untrust policy refused before policy all")
	const warning = "\x15\x03\x01\x00\x02\x01\x64"
	odd := map[string]oddConn{
		"as usual":               {},
		"after a warning":        {before: warning},
		"after an empty record":  {before: "\x16\x03\x01\x00\x00"},
		"in records of one byte": {oneByte: true},
	}
	issuer := func(c oddConn, name string) string {
		c.Conn = w.connect(lab.WebAddr4 + ":443")
		defer c.Conn.Close()
		_ = c.Conn.SetDeadline(time.Now().Add(10 * time.Second))
		s := tls.Client(&c, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		if s.Handshake() != nil {
			return ""
		}
		return s.ConnectionState().PeerCertificates[0].Issuer.CommonName
	}
	for name, c := range odd {
		if issuer(c, "www.facebook.com") != "" {
			t.Errorf("a refused session passes with a ClientHello %s", name)
		}
		if c.before != warning && issuer(c, lab.WebName) == "" { // the lab's server takes no warnings
			t.Errorf("a permitted session fails with a ClientHello %s", name)
		}
	}
	w.configure(strings.Split(strings.TrimSpace(sslProfile), "\n")...)
	for name, c := range odd {
		if by := issuer(c, lab.WebName); by != "" && by != "Branch CA" || by == "" && c.before == "" {
			t.Errorf("a session with a ClientHello %s has a certificate by %q", name, by)
		}
	}
}
