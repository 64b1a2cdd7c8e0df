package scenario

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sluice/lab"
)

// python3 is the interpreter that finds Debian's modules.
const python3 = "/usr/bin/python3"

// Programs in Java and Python that trust the gateway do through it what they do without it, over HTTP/2 and
// HTTP/1.1, TLS 1.3 and 1.2; those that do not, refuse it, which is counted and recorded
// (SP-1, SP-6, SP-15, SP-42, SP-73, SP-100, PK-12).
func TestJavaAndPython(t *testing.T) {
	asStreamAndAsRequests(t, javaAndPythonVisit)
}

func javaAndPythonVisit(t *testing.T, config string) {
	w := startSSL(t, config)
	s := w.startSite()
	store := filepath.Join(t.TempDir(), "trust.p12")
	if out, err := exec.Command("keytool", "-importcert", "-noprompt", "-alias", "branch", "-file", w.root, "-keystore", store, "-storepass", "changeit").CombinedOutput(); err != nil {
		t.Fatalf("keytool: %v\n%s", err, out)
	}
	java := func(args ...string) (string, error) {
		return w.try(w.Client, "java", append(args, "testdata/Client.java", s.base)...)
	}
	python := func(root string) (string, error) {
		return w.try(w.Client, python3, "testdata/client.py", s.base, root)
	}
	const style = "#text { color: rgb(1, 2, 3) }"
	for _, c := range []struct {
		name string
		run  func() (string, error)
		want []string
	}{
		{"Java", func() (string, error) {
			return java("-Djavax.net.ssl.trustStore="+store, "-Djavax.net.ssl.trustStorePassword=changeit")
		}, []string{
			"HTTP_1_1 200 " + style + " O=Sluice lab, CN=Branch CA", "HTTP_2 200 " + style + " O=Sluice lab, CN=Branch CA",
			"20971520 bytes over HTTP/2.0, <nil>", "HttpsURLConnection 200 " + style, "WebSocket from Java",
		}},
		{"Python", func() (string, error) { return python(w.root) }, []string{
			"urllib 200 " + style, "issuer Branch CA TLSv1.3", "kept 29\nkept 29\nkept 29\n", "upload 5242880 bytes over HTTP/1.1, <nil>",
			"event data: event 0\nevent data: event 1\nevent data: event 2\nend b''", "TLSv1.2 body", "TLSv1.3 body",
		}},
	} {
		out, err := c.run()
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing in\n%s", c.name, want, out)
			}
		}
	}

	for _, c := range []struct {
		name          string
		run           func() (string, error)
		error, record string
	}{
		{"Java", func() (string, error) { return java() }, "PKIX path building failed", "remote error: tls: unknown certificate"},
		{"Python", func() (string, error) { return python(w.CA) }, "CERTIFICATE_VERIFY_FAILED", "remote error: tls: unknown certificate authority"},
	} {
		failed, dropped := w.handshakeErrors(), w.counter("session dropped")
		if out, err := c.run(); err == nil || !strings.Contains(out, c.error) {
			t.Errorf("%s does not trust the gateway: %v\n%s", c.name, err, out)
		}
		w.eventually("the refusal is counted", func() bool { return w.handshakeErrors() != failed && w.counter("session dropped") != dropped })
		if drop := w.lastDrop(); !strings.Contains(drop, c.record) {
			t.Errorf("%s does not trust the gateway, which is recorded as\n%s", c.name, drop)
		}
	}
	w.settled()

	// Where clients that know better pass, one that knows the server's own authority alone comes to its server.
	w.configure("set services ssl proxy profile inspect pass-through failures 2 timeout 600")
	for i := range 3 {
		dropped := w.counter("session dropped")
		if out, err := python(w.CA); (err == nil) != (i == 2) || i == 2 && !strings.Contains(out, "issuer Lab authority") {
			t.Errorf("a client that knows better, attempt %d: %v\n%s", i+1, err, out)
		}
		w.eventually("a refusal is counted", func() bool { return i == 2 || w.counter("session dropped") != dropped })
	}
}

// settled checks that what is counted fits together when all sessions have ended: for the proxy and for either
// side.
func (w *sslWorld) settled() {
	w.t.Helper()
	w.eventually("all sessions end", func() bool { return w.counter("sessions created") == w.counter("sessions destroyed") })
	for _, side := range []string{"termination", "initiation"} {
		counters := map[string]int{}
		for line := range strings.Lines(w.show("show services ssl " + side + " counters all")) {
			name, number, _ := strings.Cut(strings.TrimSpace(line), "  ")
			if n, err := strconv.Atoi(strings.TrimSpace(number)); err == nil {
				counters[name] = n
			}
		}
		if started, ended := counters["handshakes started"], counters["handshakes completed"]+counters["Handshake errors"]; started != ended || started == 0 {
			w.t.Errorf("%s: %d handshakes began, %d ended", side, started, ended)
		}
		if counters["active sessions"] != 0 || counters["proxy: sessions active"] != 0 || strconv.Itoa(counters["proxy: sessions created"]) != w.counter("sessions created") {
			w.t.Errorf("%s: %v, and %s sessions created", side, counters, w.counter("sessions created"))
		}
	}
}

// Calls of gRPC pass with what HTTP/2 has to carry for them: messages in turn in both directions, trailers, the
// status of a call that fails (SP-1).
func TestGRPC(t *testing.T) {
	asStreamAndAsRequests(t, grpcCalls)
}

func grpcCalls(t *testing.T, config string) {
	w := startSSL(t, config)
	dir := filepath.Dir(w.CA)
	p, err := w.Web.Start(python3, "testdata/grpc_peer.py", "serve", lab.WebAddr4+":50051", filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitListening(t.Context(), "tcp", 50051); err != nil {
		t.Fatal(err)
	}
	out := w.do(w.Client, python3, "testdata/grpc_peer.py", "call", lab.WebName+":50051", w.root)
	if want := "one 1000000 1000000\neach MESSAGE 0\neach MESSAGE 1\neach MESSAGE 2\nfail FAILED_PRECONDITION as asked for\n"; out != want {
		t.Errorf("the client prints\n%s", out)
	}
	if out, err := w.try(w.Client, python3, "testdata/grpc_peer.py", "call", lab.WebName+":50051", w.CA); err == nil {
		t.Errorf("a client that does not trust the gateway:\n%s", out)
	}
	w.settled()
}
