package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// bulk is more than any window, and than the buffers of the connections.
var bulk = bytes.Repeat([]byte("0123456789abcdef"), 256<<10)

// origin answers with what a request was, and in all the ways there are.
func origin(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("Trailer", "X-Sum")
	w.Header().Set("X-Asked", fmt.Sprint(r.Method, r.Host, r.URL, r.Header["X-Case"], err))
	if r.URL.Path == "/hints" {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(http.StatusEarlyHints)
	}
	if r.URL.Path == "/bulk" {
		_, _ = w.Write(bulk)
	}
	fmt.Fprintf(w, "%x", sha256.Sum256(body))
	w.Header().Set("X-Sum", fmt.Sprint(len(body), r.Trailer))
}

// both runs a test with clients and servers of both versions, behind relays that read little or much at
// once. client is one through the relay, direct one without.
func both(t *testing.T, service func() *script, test func(t *testing.T, url string, client *http.Client, direct string)) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, size := range []int{100, 64 << 10} {
			t.Run(fmt.Sprint(protocol, " in pieces of ", size), func(t *testing.T) {
				var protocols http.Protocols
				protocols.SetHTTP1(protocol != "h2")
				protocols.SetUnencryptedHTTP2(protocol == "h2")
				s := httptest.NewUnstartedServer(http.HandlerFunc(origin))
				s.Config.Protocols = &protocols
				s.Start()
				t.Cleanup(s.Close)
				address := through(t, strings.TrimPrefix(s.URL, "http://"), protocol, size, service())
				transport := &http.Transport{Protocols: &protocols, DisableCompression: true}
				t.Cleanup(transport.CloseIdleConnections)
				test(t, "http://"+address, &http.Client{Transport: transport, Timeout: time.Minute}, s.URL)
			})
		}
	}
}

// ask sends a request and describes what comes back.
func ask(client *http.Client, method, url, host string, body io.Reader) (string, error) {
	var hints []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		hints = append(hints, fmt.Sprint(code, h))
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return "", err
	}
	r.Host = host
	r.Header["X-Case"] = []string{"as it is"}
	if body != nil {
		r.Trailer = http.Header{"X-Of-Client": {"yes"}}
	}
	a, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	a.Header.Del("Date")
	return fmt.Sprintf("%s %v %x %d %v %v", a.Status, a.Header, sha256.Sum256(text), len(text), a.Trailer, hints), err
}

// A client and a server see each other through the relay as they do without it.
func TestPeers(t *testing.T) {
	both(t, func() *script { return new(script) }, func(t *testing.T, url string, client *http.Client, direct string) {
		for _, c := range []struct {
			method, path string
			body         []byte
		}{
			{"GET", "/", nil}, {"HEAD", "/", nil}, {"GET", "/hints", nil}, {"GET", "/bulk", nil}, {"POST", "/", []byte("hello")}, {"PUT", "/bulk", bulk}, {"DELETE", "/x?y=z", nil},
		} {
			reader := func() io.Reader {
				if c.body == nil {
					return nil
				}
				return struct{ io.Reader }{bytes.NewReader(c.body)} // in chunks
			}
			want, err1 := ask(client, c.method, direct+c.path, "a.example", reader())
			got, err2 := ask(client, c.method, url+c.path, "a.example", reader())
			if err1 != nil || err2 != nil || got != want {
				t.Errorf("%s %s: %s, %v; directly %s, %v", c.method, c.path, got, err2, want, err1)
			}
		}
	})
}

// Some requests of many that are made at once are refused, and no other suffers.
func TestPeersRefused(t *testing.T) {
	refusing := func() *script {
		return &script{judge: func(x *Exchange, _ *Head) Verdict {
			if strings.HasPrefix(x.Target, "/no") {
				return Verdict{Answer: &Answer{Status: http.StatusForbidden, Body: []byte("not in working hours")}}
			}
			return Verdict{}
		}}
	}
	both(t, refusing, func(t *testing.T, url string, client *http.Client, _ string) {
		var all sync.WaitGroup
		for i := range 24 {
			all.Go(func() {
				path, want := fmt.Sprint("/yes", i), "200 OK"
				if i%3 == 0 {
					path, want = "/no", "403 Forbidden"
				}
				var body io.Reader
				if i%2 == 0 {
					body = bytes.NewReader(bulk[:100<<10])
				}
				got, err := ask(client, "POST", url+path, fmt.Sprint("host", i, ".example"), body)
				if !strings.HasPrefix(got, want) || err != nil {
					t.Errorf("request %d: %q, %v, want %s", i, got, err, want)
				}
			})
		}
		all.Wait()
	})
}
