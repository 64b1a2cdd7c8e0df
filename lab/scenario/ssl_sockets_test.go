package scenario

import (
	"path/filepath"
	"strings"
	"testing"

	"sluice/lab"
)

// A browser opens WebSockets over HTTP/2 (RFC 8441), several in one connection beside its other requests, where
// nobody asks for the requests inside TLS and where each is judged; one that is refused hears so, and the others go
// on (SP-4, UP-14).
func TestWebSocketsOverHTTP2(t *testing.T) {
	for name, config := range map[string]string{"stream": lab.PermitAll + sslProfile, "requests": judged} {
		t.Run(name, func(t *testing.T) {
			w := startSSL(t, config)
			tool, err := lab.Binary("labhost")
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Dir(w.CA)
			server, err := w.Web.Start("env", "GODEBUG=http2xconnect=1", tool, "sockets", "-listen", lab.WebAddr4+":9445",
				"-certificate", filepath.Join(dir, "server.pem"), "-key", filepath.Join(dir, "server.key"))
			if err != nil {
				t.Fatal(err)
			}
			if err := server.WaitListening(t.Context(), "tcp", 9445); err != nil {
				t.Fatal(err)
			}
			b := w.browse(lab.WebAddr4, w.root)
			if err := b.open("https://" + lab.WebName + ":9445/"); err != nil {
				t.Fatal(err)
			}
			if got, err := b.run(`
				const talk = path => new Promise(done => {
					const s = new WebSocket("wss://" + location.host + path), got = []
					s.onopen = () => s.send("one")
					s.onmessage = m => { got.push(m.data.length); got.length < 2 ? s.send("x".repeat(100000)) : s.close(1000) }
					s.onclose = e => done(path + " " + got + " " + e.code)
				});
				const page = () => fetch("/page").then(r => r.status)
				Promise.all([talk("/a"), page(), talk("/private/b"), talk("/c"), page()]).then(all => all.join("; "))`); err != nil ||
				got != "/a 3,100000 1000; 200; "+map[string]string{"stream": "/private/b 3,100000 1000", "requests": "/private/b  1006"}[name]+"; /c 3,100000 1000; 200" {
				t.Errorf("the browser says %q, %v", got, err)
			}
			log := server.Output()
			for path, want := range map[string]bool{"/a": true, "/c": true, "/private/b": name == "stream"} {
				if strings.Contains(log, "HTTP/2.0 CONNECT websocket "+path+"\n") != want || strings.Contains(log, "GET  "+path) {
					t.Errorf("%s: the server was asked for\n%s", path, log)
				}
			}
			if n := len(w.sessions("destination-port 9445")); n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}
