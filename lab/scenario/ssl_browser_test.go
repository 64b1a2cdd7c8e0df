package scenario

import (
	"crypto/tls"
	"strings"
	"testing"

	"sluice/lab"
)

// lastDrop is what "show services ssl droplogs" says of the session that was dropped last.
func (w *world) lastDrop() string {
	w.t.Helper()
	drops := w.show("show services ssl droplogs")
	return drops[max(strings.LastIndex(drops, "Message:"), 0):]
}

// A browser that trusts the gateway loads pages over HTTP/2 with what belongs to them, over a post-quantum key
// exchange on both sides, and what its scripts do works as without the gateway: events one by one, a WebSocket, a
// large upload. One that does not trust it shows nothing (SP-1, SP-6, SP-19, SP-42, SP-100, PK-12).
func TestBrowser(t *testing.T) {
	asStreamAndAsRequests(t, browserVisits)
}

// asStreamAndAsRequests runs a test where nobody asks for the requests inside TLS, and where a policy does.
func asStreamAndAsRequests(t *testing.T, test func(t *testing.T, config string)) {
	t.Run("stream", func(t *testing.T) { test(t, lab.PermitAll+sslProfile) })
	t.Run("requests", func(t *testing.T) {
		test(t, policy("trust", "untrust", "social", "any", "any", "reject")+
			"set security policies from-zone trust to-zone untrust policy social match dynamic-application junos:FACEBOOK-ACCESS\n"+lab.PermitAll+sslProfile)
	})
}

func browserVisits(t *testing.T, config string) {
	w := startSSL(t, config)
	s := w.startSite()
	w.configure("set services ssl traceoptions file browser", "set services ssl traceoptions level detail")
	b := w.browse(lab.WebAddr4, w.root)
	if err := b.open(s.base + "/"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/style.css", "/script.js", "/picture.svg"} {
		r := b.responses[s.base+path]
		if r.Status != 200 || r.Protocol != "h2" || r.SecurityDetails.Issuer != "Branch CA" || r.SecurityDetails.Protocol != "TLS 1.3" {
			t.Errorf("%s: %+v", path, r)
		}
	}
	runs := func(what, script, want string) {
		t.Helper()
		if got, err := b.run(script); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", what, got, err, want)
		}
	}
	runs("the page", `const p = document.getElementById("text"); p.textContent + " " + getComputedStyle(p).color + " " + document.images[0].naturalWidth`, "scripted rgb(1, 2, 3) 30")
	runs("a large upload", `fetch("/upload", {method: "POST", body: new Uint8Array(20 << 20)}).then(r => r.text())`, "20971520 bytes over HTTP/2.0, <nil>")
	runs("a WebSocket", `new Promise((done, fail) => {
		const s = new WebSocket("wss://" + location.host + "/socket"), got = []
		s.onopen = () => s.send("one")
		s.onmessage = m => { got.push(m.data); got.length < 2 ? s.send("x".repeat(100000)) : s.close(1000) }
		s.onclose = e => done(got[0] + " " + got[1].length + " " + e.code)
		s.onerror = () => fail("error")
	})`, "one 100000 1000")
	runs("events", `new Promise((done, fail) => {
		const s = new EventSource("/events"), got = []
		s.onmessage = m => { got.push(m.data); if (got.length == 3) { s.close(); done(got.join()) } else fetch("/heard", {method: "POST"}) }
		s.onerror = () => fail("error")
	})`, "event 0,event 1,event 2")

	if group := b.responses[s.base+"/"].SecurityDetails.KeyExchangeGroup; group != "X25519MLKEM768" {
		t.Errorf("the browser's group is %s", group)
	}
	if s.agreed(tls.X25519MLKEM768) == 0 {
		t.Error("no connection of the server has the post-quantum group")
	}
	trace := w.show("show log browser")
	for _, side := range []string{"initiation", "termination"} {
		found := false
		for line := range strings.Lines(trace) {
			found = found || strings.Contains(line, side) && strings.Contains(line, "handshake is complete: TLS 1.3") && strings.Contains(line, "X25519MLKEM768")
		}
		if !found {
			t.Errorf("no post-quantum handshake of the %s side is traced:\n%s", side, trace)
		}
	}

	for _, host := range []string{lab.WebName, lab.WebAddr4} { // nginx, by name and by address
		if err := b.open("https://" + host + "/"); err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		runs(host, `document.body.innerText.trim() + " " + location.host`, "hello from the internet "+host)
	}

	failed, dropped := w.handshakeErrors(), w.counter("session dropped")
	stranger := w.browse(lab.WebAddr4, "")
	if err := stranger.open(s.base + "/"); err == nil || err.Error() != "net::ERR_CERT_AUTHORITY_INVALID" {
		t.Errorf("a browser that does not trust the gateway: %v", err)
	}
	if page, err := stranger.run("location.protocol + document.body.innerText"); err != nil || strings.Contains(page, "scripted") || !strings.HasPrefix(page, "chrome-error:") {
		t.Errorf("a browser that does not trust the gateway shows %q, %v", page, err)
	}
	w.eventually("the refusal is counted", func() bool { return w.handshakeErrors() != failed && w.counter("session dropped") != dropped })
	if drop := w.lastDrop(); !strings.Contains(drop, "certificate") {
		t.Errorf("the refusal is recorded as\n%s", drop)
	}
	w.configure("delete services ssl proxy profile inspect trusted-ca lab")
	trusting := w.browse(lab.WebAddr4, w.root)
	if err := trusting.open(s.base + "/"); err == nil || !strings.HasPrefix(err.Error(), "net::ERR_") {
		t.Errorf("a server that the gateway does not believe: %v", err)
	}
	w.configure("set services ssl proxy profile inspect actions ignore-server-auth-failure")
	if err := trusting.open(s.base + "/"); err == nil || err.Error() != "net::ERR_CERT_AUTHORITY_INVALID" {
		t.Errorf("a server that nobody believes, its failure ignored: %v", err)
	}
}

// handshakeErrors is how often a client has refused, or could not do, what the gateway asked for.
func (w *world) handshakeErrors() string {
	w.t.Helper()
	for line := range strings.Lines(w.show("show services ssl termination counters error")) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "Handshake errors"); ok {
			return strings.TrimSpace(rest)
		}
	}
	w.t.Fatal("no counter of handshake errors")
	return ""
}
