package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"sluice/lab"
)

// Policies decide by the category of the address that a browser asks for: by Host and path in clear
// text, by server name over TLS. Lists come from the configuration and from a file.
// Rows: PR-66, S-86, S-87, 5/S-58.
func TestURLCategory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ads.txt")
	if err := os.WriteFile(file, []byte("# advertisers\nads.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := start(t, lab.Options{}, `
set security utm custom-objects url-pattern games value [ http://*.games.example www.example.org/play 203.0.113.80 ]
set security utm custom-objects custom-url-category GAMES value games
set security utm custom-objects custom-url-category ADS file `+file+"\n"+
		policy("trust", "untrust", "leisure", "any", "any", "reject", "log session-init")+`
set security policies from-zone trust to-zone untrust policy leisure match url-category [ GAMES ADS ]
`+lab.PermitAll)
	for url, passes := range map[string]bool{
		"http://www.example.org/":       true,
		"http://www.example.org/play/1": false,
		"http://chess.games.example/":   false,
		"http://x.ads.example/":         false,
		"http://games.example/":         true,
		"http://" + lab.WebAddr4 + "/":  false,
		"https://chess.games.example/":  false,
		"https://ads.example/":          false,
		"https://www.example.org/play/": true, // the path is not to be seen
	} {
		host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(url, "http://"), "https://"), "/")
		args := []string{"-k", "-sS", "-m5", "-o", "/dev/null", url}
		if host != lab.WebAddr4 {
			args = append(args, "--resolve", host+":80:"+lab.WebAddr4, "--resolve", host+":443:"+lab.WebAddr4)
		}
		out, err := w.try(w.Client, "curl", args...)
		if (err == nil) != passes {
			t.Errorf("%s passes: %v, want %v: %s", url, err == nil, passes, out)
		}
	}
	err := w.gw.Configure(t.Context(), "set security policies from-zone trust to-zone untrust policy leisure match url-category GAME")
	if err == nil || !strings.Contains(err.Error(), "GAMES") {
		t.Errorf("an unknown category: %v, want an error that names GAMES", err)
	}
}

// A QUIC client is judged by the server name of its first datagram.
// Rows: PR-66, S-86.
func TestURLCategoryOverQUIC(t *testing.T) {
	w := start(t, lab.Options{}, `
set security utm custom-objects url-pattern games value *.games.example
set security utm custom-objects custom-url-category GAMES value games
`+policy("trust", "untrust", "leisure", "any", "any", "reject", "log session-init")+`
set security policies from-zone trust to-zone untrust policy leisure match url-category GAMES
`+lab.PermitAll)
	for name, want := range map[string]error{"chess.games.example": syscall.ECONNREFUSED, "www.example.org": nil} {
		u, err := w.dial(w.Client, "udp", lab.EchoAddr4+":7")
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(u, string(quicInitial(t, name))); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// Each request of a connection that a browser keeps is judged anew, by its application and by its
// category, while there is no page to be seen once the server has answered.
// Rows: UP-14, UP-19, FW-3, PR-66, S-86.
func TestKeptConnection(t *testing.T) {
	w := start(t, lab.Options{}, `
set security utm custom-objects url-pattern games value *.games.example
set security utm custom-objects custom-url-category GAMES value games
`+policy("trust", "untrust", "leisure", "any", "any", "deny", "log session-init")+`
set security policies from-zone trust to-zone untrust policy leisure match url-category GAMES
`+unified("no-video", "junos:YOUTUBE", "deny", "log session-init")+lab.PermitAll)
	for host, policy := range map[string]string{"chess.games.example": "leisure", "www.youtube.com": "no-video"} {
		ask := func(want bool, host string) []string {
			return []string{"-sS", within(want), "-o", "/dev/null", "-w", "%{num_connects} connections, %{http_code}\n", "-H", "Host: " + host, "http://" + lab.WebAddr4 + "/"}
		}
		args := append(append(ask(true, "www.example.org"), "--next"), ask(true, "www.example.net")...)
		args = append(append(args, "--next"), ask(false, host)...)
		out, err := w.try(w.Client, "curl", args...)
		if err == nil || !strings.Contains(out, "1 connections, 200\n0 connections, 200\n") || !strings.Contains(out, "0 connections, 000\n") {
			t.Errorf("%s: %v, want a third request that gets no answer:\n%s", host, err, out)
		}
		w.eventually("the refusal is logged", func() bool {
			return strings.Contains(w.show("show security log message RT_FLOW_SESSION_DENY policy "+policy), "policy deny")
		})
	}
}
