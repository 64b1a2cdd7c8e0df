package scenario

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/lab"
)

// sslProfile is a forward profile that trusts the lab's authority, on the policy of lab.PermitAll, with
// tracking as the service that looks inside.
const sslProfile = `
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca lab
set services ssl proxy profile inspect actions log all
set security policies from-zone trust to-zone untrust policy all then permit application-services ssl-proxy profile-name inspect
set security zones security-zone trust application-tracking
`

// sslWorld is a world whose gateway has a root certificate, branch-ca, and trusts the lab's authority.
type sslWorld struct {
	*world
	root string // file of the root certificate
}

// startSSL starts a gateway, gives it its certificates and then the configuration.
func startSSL(t *testing.T, config string) *sslWorld {
	t.Helper()
	w := &sslWorld{world: start(t, lab.Options{}, ""), root: filepath.Join(t.TempDir(), "root.pem")}
	w.authority(w.root)
	w.show("request security pki ca-certificate ca-profile-group load ca-group-name lab filename " + w.CA + " | no-confirm")
	w.configure(strings.Split(strings.TrimSpace(config), "\n")...)
	return w
}

// authority gives the gateway a root certificate, branch-ca, which is written to a file.
func (w *world) authority(root string) {
	w.t.Helper()
	for _, command := range []string{
		"request security pki generate-key-pair certificate-id branch-ca type ecdsa size 256",
		`request security pki local-certificate generate-self-signed certificate-id branch-ca domain-name branch.example.net subject "CN=Branch CA,O=Sluice lab" email admin@example.net add-ca-constraint`,
		"request security pki local-certificate export certificate-id branch-ca type pem filename " + root,
	} {
		w.show(command)
	}
}

// issuer is whom a TLS client sees as issuer of the certificate of a server.
func (w *sslWorld) issuer(address, name string, args ...string) string {
	w.t.Helper()
	out, err := w.try(w.Client, "openssl", append([]string{"s_client", "-connect", address, "-servername", name, "-CAfile", w.root, "-verify_return_error"}, args...)...)
	for _, line := range strings.Split(out, "\n") {
		if issuer, ok := strings.CutPrefix(line, "issuer="); ok {
			return issuer
		}
	}
	return fmt.Sprintf("none (%v)", err)
}

// fetch asks for a page and returns what curl prints.
func (w *sslWorld) fetch(url string, args ...string) (string, error) {
	return w.try(w.Client, "curl", append([]string{"-sS", "-m", "10", "--cacert", w.root, "--resolve", lab.WebName + ":443:" + lab.WebAddr4, url}, args...)...)
}

// counter is a counter of "show services ssl proxy counters all".
func (w *sslWorld) counter(name string) string {
	w.t.Helper()
	for _, line := range strings.Split(w.show("show services ssl proxy counters all"), "\n") {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// A client sees the server's certificate as the gateway made it, the gateway what is inside
// (SP-1, SP-2, SP-4, SP-5, SP-6, SP-20, SP-42, SP-64, SP-73).
func TestForwardProxy(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	if issuer := w.issuer(lab.WebAddr4+":443", lab.WebName); !strings.Contains(issuer, "Branch CA") {
		t.Errorf("issuer %s", issuer)
	}
	for _, version := range []string{"--http1.1", "--http2"} {
		out, err := w.fetch("https://"+lab.WebName+"/", version, "-w", "%{http_version}")
		if want := map[string]string{"--http1.1": "1.1", "--http2": "2"}[version]; err != nil || out != "hello from the internet\n"+want {
			t.Errorf("%s: %q, %v", version, out, err)
		}
	}
	if out, err := w.fetch("https://"+lab.WebName+"/download", "-o", "/dev/null", "-w", "%{size_download}"); err != nil || out != fmt.Sprint(lab.DownloadSize) {
		t.Errorf("download: %q, %v", out, err)
	}
	upload := filepath.Join(t.TempDir(), "upload")
	if err := os.WriteFile(upload, []byte(strings.Repeat("up ", 1<<20)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := w.fetch("https://"+lab.WebName+"/upload/x", "-T", upload, "-w", "%{http_code}"); err != nil || out != "201" {
		t.Errorf("upload: %q, %v", out, err)
	}
	w.eventually("the applications inside are counted", func() bool {
		return strings.Contains(w.show("show services application-identification statistics applications"), "HTTP")
	})
	if n := w.counter("sessions created"); n != "5" {
		t.Errorf("%s sessions created", n)
	}
	w.eventually("all sessions end", func() bool { return w.counter("sessions destroyed") == "5" })
}

// A decrypted session leaves with a translated address where the policy of translation says so.
func TestForwardProxyWithNAT(t *testing.T) {
	w := startSSL(t, lab.PermitAll+hideBehindWAN1+sslProfile)
	for address, want := range map[string]string{lab.WebAddr4Link1: lab.WAN1Gateway4, lab.WebAddr4: lab.ClientAddr4} {
		out, err := w.try(w.Client, "curl", "-sS", "-m", "10", "--cacert", w.root, "--resolve", lab.WebName+":443:"+address, "https://"+lab.WebName+"/whoami")
		if err != nil || out != want+"\n" {
			t.Errorf("%s: the server sees %q, %v, want %s", address, out, err, want)
		}
	}
	if n := w.counter("sessions created"); n != "2" {
		t.Errorf("%s sessions created", n)
	}
}

// Where nothing looks inside, TLS stays closed, and nothing is logged (SP-3).
func TestForwardProxyWithoutConsumer(t *testing.T) {
	w := startSSL(t, lab.PermitAll+strings.ReplaceAll(sslProfile, "set security zones security-zone trust application-tracking\n", ""))
	if issuer := w.issuer(lab.WebAddr4+":443", lab.WebName, "-CAfile", w.CA); !strings.Contains(issuer, "Lab authority") {
		t.Errorf("issuer %s", issuer)
	}
	if m, i, c := w.counter("sessions matched"), w.counter("sessions ignored"), w.counter("sessions created"); m != "1" || i != "1" || c != "0" {
		t.Errorf("%s matched, %s ignored, %s created", m, i, c)
	}
}

// Servers that speak first, and clients that do not speak TLS, are left alone (SP-82…SP-86).
func TestForwardProxyNonTLS(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	w.listen(w.Web, net.JoinHostPort(lab.WebAddr4, "2222"), func(c *net.TCPConn) {
		defer c.Close()
		fmt.Fprint(c, "SSH-2.0-banner first\r\n")
		b := make([]byte, 64)
		n, _ := c.Read(b)
		_, _ = c.Write(b[:n])
	})
	c := w.connect(net.JoinHostPort(lab.WebAddr4, "2222"))
	b := make([]byte, 64)
	if n, err := c.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "SSH-2.0") {
		t.Fatalf("banner %q, %v", b[:n], err)
	}
	fmt.Fprint(c, "hello")
	if n, err := c.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Errorf("echo %q, %v", b[:n], err)
	}
	if out := w.do(w.Client, "curl", "-sS", "-m", "5", "http://"+lab.WebAddr4+"/"); out != "hello from the internet\n" {
		t.Errorf("plain HTTP: %q", out)
	}
	for _, short := range []string{"x", "\x16", "\x16\x03"} { // a few bytes that are no TLS, with an end behind them
		c := w.connect(net.JoinHostPort(lab.EchoAddr4, fmt.Sprint(lab.PortCount)))
		fmt.Fprint(c, short)
		_ = c.CloseWrite()
		if n, err := c.Read(b); err != nil || strings.TrimSpace(string(b[:n])) != fmt.Sprint(len(short)) {
			t.Errorf("%q: the server counted %q, %v", short, b[:n], err)
		}
	}
	if n := w.counter("non SSL sessions recieved"); n != "5" {
		t.Errorf("%s non-TLS sessions", n)
	}
}
