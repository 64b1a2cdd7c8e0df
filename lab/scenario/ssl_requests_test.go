package scenario

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"sluice/lab"
)

// judged is a gateway that judges every web request inside TLS by its address: what is below /private of the
// web server is refused with a page.
var judged = judging + policy("trust", "untrust", "private", "any", "any", "reject profile page", "log session-init") +
	policy("trust", "untrust", "all", "any", "any", "permit", "log session-init") + sslProfile +
	"set security policies from-zone trust to-zone untrust policy private match url-category PRIVATE\n"

const judging = `
set security dynamic-application profile page redirect-message type custom-text content "not for you"
set security utm custom-objects url-pattern private value ` + lab.WebName + `/private
set security utm custom-objects custom-url-category PRIVATE value private
set services application-identification maximum-transactions 0
set security policies unified-policy max-lookups 65535
`

// requestWorld is a world with such a gateway, and a web server of every kind of message.
type requestWorld struct {
	*sslWorld
	roots *x509.CertPool // the gateway's, and the server's own

	mu   sync.Mutex
	seen []string // paths that the server was asked for
}

const requestPort = "9443"

func startRequests(t *testing.T) *requestWorld {
	w := &requestWorld{sslWorld: startSSL(t, judged), roots: x509.NewCertPool()}
	for _, file := range []string{w.root, w.CA} {
		if pem, err := os.ReadFile(file); err != nil || !w.roots.AppendCertsFromPEM(pem) {
			t.Fatal(file, err)
		}
	}
	server := &http.Server{Handler: w.origin(), TLSConfig: w.certificate(), ErrorLog: log.New(io.Discard, "", 0)}
	l := w.listener(w.Web, net.JoinHostPort(lab.WebAddr4, requestPort))
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { server.Close() })
	return w
}

// certificate is that of the lab's web server.
func (w *requestWorld) certificate() *tls.Config {
	w.t.Helper()
	dir := filepath.Dir(w.CA)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		w.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// manyBytes is more than any window.
var manyBytes = bytes.Repeat([]byte("0123456789abcdef"), 512<<10)

// origin answers with what it was asked.
func (w *requestWorld) origin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(out http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		out.Header().Set("Trailer", "Grpc-Status")
		if r.URL.Path == "/hints" {
			out.Header().Set("Link", "</style.css>; rel=preload")
			out.WriteHeader(http.StatusEarlyHints)
		}
		if pusher, ok := out.(http.Pusher); ok && r.URL.Path == "/push" {
			fmt.Fprintln(out, "push:", pusher.Push("/pushed", nil))
		}
		var fields []string
		for name, values := range r.Header {
			fields = append(fields, fmt.Sprint(name, values))
		}
		slices.Sort(fields)
		fmt.Fprintln(out, r.Method, r.Host, r.URL, r.Proto, r.TransferEncoding, n, fmt.Sprintf("%x", sum.Sum(nil)), err, fields, r.Trailer)
		if r.URL.Path == "/many" {
			_, _ = out.Write(manyBytes)
		}
		out.Header().Set("Grpc-Status", "0")
	})
	mux.Handle("/socket", websocket.Server{Handler: echoMessages})
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.seen = append(w.seen, r.URL.Path)
		w.mu.Unlock()
		mux.ServeHTTP(out, r)
	})
}

// asked is how often the server was asked for a path.
func (w *requestWorld) asked(path string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.seen {
		if p == path {
			n++
		}
	}
	return n
}

// client is one on a host of the lab, in one version of HTTP.
func (w *requestWorld) client(h *lab.Host, protocol string) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(protocol != "h2")
	protocols.SetHTTP2(protocol == "h2")
	transport := &http.Transport{
		Protocols: &protocols, DisableCompression: true, ExpectContinueTimeout: 10 * time.Second,
		TLSClientConfig: &tls.Config{RootCAs: w.roots},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return w.dial(h, "tcp", net.JoinHostPort(lab.WebAddr4, requestPort))
		},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// tell sends a request and describes what comes back.
func tell(c *http.Client, method, path string, body io.Reader, header http.Header) (text string, err error) {
	var hints []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h))
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, method, "https://"+lab.WebName+path, body)
	if err != nil {
		return "", err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.Trailer = http.Header{"X-Sum": {"of the client"}}
	}
	a, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	all, err := io.ReadAll(a.Body)
	a.Header.Del("Date")
	if len(all) > 2000 {
		all = fmt.Appendf(nil, "%d bytes, %x", len(all), sha256.Sum256(all))
	}
	return fmt.Sprintf("%s %s %v %s %v %v", a.Proto, a.Status, a.Header, all, a.Trailer, hints), err
}

// A client and a server see each other through the gateway as they do without it while every request is
// judged: fields, trailers, interim responses, bodies of any size; pushes are refused.
func TestRequestsPass(t *testing.T) {
	w := startRequests(t)
	for _, protocol := range []string{"http/1.1", "h2"} {
		through, direct := w.client(w.Client, protocol), w.client(w.Web, protocol)
		for _, c := range []struct {
			method, path string
			body         []byte
			header       http.Header
		}{
			{"GET", "/?a=%20b", nil, http.Header{"X-Many": {"one", "two"}, "Cookie": {"a=b; c=d"}}},
			{"HEAD", "/", nil, nil},
			{"GET", "/hints", nil, nil},
			{"POST", "/", []byte("grpc"), http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}},
			{"PUT", "/", manyBytes, http.Header{"Expect": {"100-continue"}}},
			{"GET", "/many", nil, nil},
			{"POST", "/many", manyBytes, nil},
		} {
			body := func() io.Reader {
				if c.body == nil {
					return nil
				}
				return struct{ io.Reader }{bytes.NewReader(c.body)}
			}
			want, err1 := tell(direct, c.method, c.path, body(), c.header)
			got, err2 := tell(through, c.method, c.path, body(), c.header)
			if err1 != nil || err2 != nil || got != want {
				t.Errorf("%s, %s %s: %v %s\ndirectly: %v %s", protocol, c.method, c.path, err2, got, err1, want)
			}
		}
	}
	out, err := w.try(w.Client, "nghttp", "https://"+lab.WebName+":"+requestPort+"/push")
	if err != nil || !strings.Contains(out, "push: feature not supported") || w.asked("/pushed") > 0 {
		t.Errorf("a push: %q, %v", out, err)
	}
	out, err = w.try(w.Client, "h2load", "-n400", "-c2", "-m20", "https://"+lab.WebName+":"+requestPort+"/")
	if err != nil || !strings.Contains(out, " 400 succeeded, 0 failed") {
		t.Errorf("many at once: %q, %v", out, err)
	}
}

// A head of HTTP/1.1 passes as it was written, either way.
func TestHeadsPassAsTheyAre(t *testing.T) {
	w := startRequests(t)
	const response = "HTTP/1.1 200 fine by me\r\nx-oDD:  spaced \r\nDate: never\r\nCONTENT-length: 2\r\nX-odd: again\r\n\r\nok"
	heads := make(chan string, 1)
	w.listen(w.Web, net.JoinHostPort(lab.WebAddr4, "9444"), func(raw *net.TCPConn) {
		c := tls.Server(raw, w.certificate())
		buffer := make([]byte, 4096)
		for n := 0; ; {
			m, err := c.Read(buffer[n:])
			if n += m; err != nil {
				return
			}
			if bytes.HasSuffix(buffer[:n], []byte("\r\n\r\n")) {
				heads <- string(buffer[:n])
				_, _ = io.WriteString(c, response)
				n = 0
			}
		}
	})
	c := tls.Client(w.connect(net.JoinHostPort(lab.WebAddr4, "9444")), &tls.Config{RootCAs: w.roots, ServerName: lab.WebName})
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{
		"GET /%7Ea?x HTTP/1.1\r\nhOsT:   " + lab.WebName + "\r\nX-b: 1\r\nx-A:2 \r\nX-b:\r\n\r\n",
		"BREW /pot HTTP/1.1\r\nHost: " + lab.WebName + "\r\n\r\n",
	} {
		answer := make([]byte, len(response))
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, answer); err != nil || string(answer) != response {
			t.Errorf("the response arrives as %q, %v", answer, err)
		}
		if got := <-heads; got != head {
			t.Errorf("%q arrives as %q", head, got)
		}
	}
	// What the two ends could understand in different ways does not pass.
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: "+lab.WebName+"\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(c); !strings.HasPrefix(string(rest), "HTTP/1.1 400 ") {
		t.Errorf("two lengths: %q, %v", rest, err)
	}
	if len(heads) > 0 {
		t.Errorf("the server has seen %q", <-heads)
	}
	w.eventually("the violation is logged", func() bool {
		return strings.Contains(w.show("show security log message RT_FLOW_SESSION_DENY"), "HTTP violation by the client: Transfer-Encoding and Content-Length in one message")
	})
}

// A refused request is answered with the page before any of it reaches the server. In HTTP/2 the others
// of its session go on; in HTTP/1.1 the session ends with it (UP-14, UP-17, UP-19, UP-21, FW-44, FW-53).
func TestRequestRefused(t *testing.T) {
	w := startRequests(t)
	h2 := w.client(w.Client, "h2")
	if got, err := tell(h2, "GET", "/", nil, nil); err != nil { // opens the session
		t.Fatal(got, err)
	}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			path, want := "/many", "HTTP/2.0 200 OK"
			if i%3 == 1 {
				path, want = "/private/x", "HTTP/2.0 403 Forbidden"
			}
			var body io.Reader
			if i%2 == 0 {
				body = bytes.NewReader(manyBytes[:1<<20])
			}
			got, err := tell(h2, "POST", path, body, nil)
			if err != nil || !strings.HasPrefix(got, want) || strings.Contains(got, "not for you") != (want[9] == '4') {
				t.Errorf("%s: %q, %v", path, got, err)
			}
		})
	}
	all.Wait()
	if n := w.asked("/private/x"); n > 0 || w.asked("/many") != 8 {
		t.Errorf("the server was asked %d times for what is refused, %d times for the rest", n, w.asked("/many"))
	}
	w.eventually("the refusals are logged", func() bool {
		log := w.show("show security log message RT_FLOW_SESSION_DENY policy private")
		return strings.Count(log, "policy reject redirect") == 4
	})
	if n := len(w.sessions("destination-port " + requestPort)); n != 1 {
		t.Errorf("%d sessions", n)
	}
	const refused = ": POST " + lab.WebName + "/private/x\n     Application: junos:HTTP2\n     Decision: reject, by security policies from-zone trust to-zone untrust policy private\n     The client was told: a page\n"
	const explain = "show security flow session destination-port " + requestPort + " explain"
	if why := w.show(explain); !strings.Contains(why, "Requests refused: 4\n") || strings.Count(why, refused) != 4 || !strings.Contains(why, "policy private: reject, this request alone\n") ||
		!strings.Contains(why, "Decision: permit\n") {
		t.Errorf("the session is explained as\n%s", why)
	}

	c := tls.Client(w.connect(net.JoinHostPort(lab.WebAddr4, requestPort)), &tls.Config{RootCAs: w.roots, ServerName: lab.WebName})
	r := bufio.NewReader(c)
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/one", "/two", "/private/y", "/three"} { // in one write
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, lab.WebName)
	}
	for _, want := range []int{200, 200, 403} {
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("want %d: %v", want, err)
		}
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != want || a.Close != (want == 403) || strings.Contains(string(text), "not for you") != a.Close {
			t.Errorf("%d %q, %v, want %d", a.StatusCode, text, err, want)
		}
	}
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the page: %v", err)
	}
	if why := w.show(explain); !strings.Contains(why, "Requests refused: 1\n") || !strings.Contains(why, ": GET "+lab.WebName+"/private/y\n") || !strings.Contains(why, "Decision: reject\n") {
		t.Errorf("the session that ended is explained as\n%s", why)
	}
	upload := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(upload, manyBytes, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"--http1.1", "--http2"} { // the page arrives although the client has more to say
		out, err := w.fetch("https://"+lab.WebName+":"+requestPort+"/private/y", version, "--resolve", lab.WebName+":"+requestPort+":"+lab.WebAddr4, "-T", upload, "-H", "Expect:", "-w", " %{http_code}")
		if !strings.Contains(out, "not for you") || !strings.HasSuffix(out, " 403") {
			t.Errorf("an upload with %s: %q, %v", version, out, err)
		}
	}
	if w.asked("/private/y")+w.asked("/three") > 0 || w.asked("/two") != 1 {
		t.Error("the server was asked for what is refused")
	}
}

// A WebSocket that is agreed on in a judged session carries messages both ways.
func TestWebSocketInJudgedSession(t *testing.T) {
	w := startRequests(t)
	config, err := websocket.NewConfig("wss://"+lab.WebName+"/socket", "https://"+lab.WebName)
	if err != nil {
		t.Fatal(err)
	}
	raw := tls.Client(w.connect(net.JoinHostPort(lab.WebAddr4, requestPort)), &tls.Config{RootCAs: w.roots, ServerName: lab.WebName, NextProtos: []string{"http/1.1"}})
	if err := raw.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	c, err := websocket.NewClient(config, raw)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	messages := []string{"hello", strings.Repeat("long ", 100000), "GET /private/z HTTP/1.1\r\n\r\n"}
	go func() {
		for _, m := range messages {
			if err := websocket.Message.Send(c, m); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for _, m := range messages {
		var got string
		if err := websocket.Message.Receive(c, &got); err != nil || got != m {
			t.Fatalf("%d bytes came back of %d, %v", len(got), len(m), err)
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}
