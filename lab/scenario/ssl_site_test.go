package scenario

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync"

	"golang.org/x/net/websocket"

	"sluice/lab"
)

// site is a web server of HTTP/1.1 and HTTP/2 in whatever form programs use them: pages with pictures, events
// that come one by one, WebSockets, uploads, trailers.
type site struct {
	base string // URL without a path

	mu     sync.Mutex
	groups map[tls.CurveID]int // connections by group of their key exchange
}

// startSite starts a site on the web server, with the lab's certificate.
func (w *world) startSite() *site {
	w.t.Helper()
	const port = "8443"
	dir := filepath.Dir(w.CA)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		w.t.Fatal(err)
	}
	s := &site{base: "https://" + lab.WebName + ":" + port, groups: map[tls.CurveID]int{}}
	server := &http.Server{Handler: s.handler(), ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{
		Certificates: []tls.Certificate{pair},
		VerifyConnection: func(c tls.ConnectionState) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.groups[c.CurveID]++
			return nil
		},
	}}
	l := w.listener(w.Web, net.JoinHostPort(lab.WebAddr4, port))
	go func() { _ = server.ServeTLS(l, "", "") }()
	w.t.Cleanup(func() { server.Close() })
	return s
}

// agreed is how many connections had a group.
func (s *site) agreed(group tls.CurveID) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[group]
}

func (s *site) handler() http.Handler {
	page := func(kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page("text/html", `<!DOCTYPE html><title>site</title><link rel="stylesheet" href="/style.css"><script src="/script.js"></script><p id="text">waiting</p><img src="/picture.svg">`))
	mux.HandleFunc("GET /style.css", page("text/css", "#text { color: rgb(1, 2, 3) }"))
	mux.HandleFunc("GET /script.js", page("text/javascript", `addEventListener("load", () => document.getElementById("text").textContent = "scripted")`))
	mux.HandleFunc("GET /picture.svg", page("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20"/>`))
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d bytes over %s, %v", n, r.Proto, err)
	})
	mux.HandleFunc("GET /trailers", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.WriteString(w, "body")
		w.Header().Set("X-Sum", "4")
	})
	mux.Handle("GET /socket", websocket.Server{Handler: echoMessages})
	heard := make(chan struct{})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: event %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-heard: // the next comes only when this one has arrived
			case <-r.Context().Done():
				return
			}
		}
	})
	mux.HandleFunc("POST /heard", func(w http.ResponseWriter, r *http.Request) {
		select {
		case heard <- struct{}{}:
		case <-r.Context().Done():
		}
	})
	return mux
}

// echoMessages sends messages of a WebSocket back, each as one.
func echoMessages(c *websocket.Conn) {
	defer c.Close()
	for {
		var text string
		if websocket.Message.Receive(c, &text) != nil || websocket.Message.Send(c, text) != nil {
			return
		}
	}
}
