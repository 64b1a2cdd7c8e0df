package scenario

import (
	"crypto/x509"
	"strings"
	"testing"

	"sluice/internal/testpki"
	"sluice/lab"
)

// Logs go to a collector over TLS as an SSL initiation profile says: the collector, which knows the root alone,
// is shown the gateway's certificate with its issuer, and is itself believed only with a certificate that the
// profile trusts; connections are counted for the profile (SP-62, PK-24, 5/S-28…5/S-31).
func TestLogsByInitiationProfile(t *testing.T) {
	w := startHostile(t)
	own := w.ca.Intermediate(t, "Issuer of gateways").Leaf(t, "gateway", testpki.With(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }))
	cert, key := leafFiles(t, own)
	collectorCert, collectorKey := leafFiles(t, w.ca.Leaf(t, "collector"+bad, testpki.Key(testpki.RSA(t, 2048))))
	// A server of OpenSSL ends with its standard input.
	p, err := w.Web.Start("sh", "-c", `tail -f /dev/null | openssl s_server "$@"`, "sh", "-accept", lab.WebAddr4+":6514", "-Verify", "3", "-verify_return_error",
		"-CAfile", w.file, "-cert", collectorCert, "-key", collectorKey, "-cipher", "ECDHE-RSA-AES256-GCM-SHA384", "-tls1_2")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitListening(t.Context(), "tcp", 6514); err != nil {
		t.Fatal(err)
	}
	w.show("request security pki local-certificate load certificate-id gateway filename " + cert + " key " + key)
	const stream = "set security log stream c "
	w.configure(
		"set services ssl initiation profile logs client-certificate gateway", "set services ssl initiation profile logs trusted-ca lab",
		"set services ssl initiation profile logs custom-ciphers ecdhe-rsa-with-aes-256-gcm-sha384", "set services ssl initiation profile logs preferred-ciphers custom",
		stream+"host "+lab.WebAddr4, stream+"port 6514", stream+"transport protocol tls", stream+"transport server-name collector"+bad, stream+"transport tls-profile logs",
		"set security policies from-zone trust to-zone untrust policy all then log session-close",
	)
	counters := func(want ...string) bool {
		out := squeeze(w.show("show services ssl initiation profile detail logs"))
		for _, part := range want {
			if !strings.Contains(out, part) {
				return false
			}
		}
		return true
	}
	w.eventually("a collector that is not trusted is refused", func() bool {
		return counters("handshakes completed 0", "active sessions 0") && !counters("total handshake errors 0")
	})
	if out := w.show("show security log"); strings.Contains(p.Output(), "RT_FLOW") {
		t.Errorf("it has logs all the same:\n%s", out)
	}
	w.configure("set services ssl initiation profile logs trusted-ca bad")
	w.do(w.Client, "curl", "-sS", "-m", "5", "http://"+lab.WebAddr4+"/")
	w.eventually("the log arrives", func() bool { return strings.Contains(p.Output(), "RT_FLOW_SESSION_CLOSE") })
	if !strings.Contains(p.Output(), "CIPHER is ECDHE-RSA-AES256-GCM-SHA384") || !strings.Contains(p.Output(), "CN = Issuer of gateways") {
		t.Errorf("the collector sees\n%s", p.Output())
	}
	if !counters("active sessions 1") {
		t.Errorf("the connection is not counted:\n%s", w.show("show services ssl initiation profile detail logs"))
	}
	if err := w.gw.Configure(t.Context(), stream+"transport ca-file "+w.file); err == nil || !strings.Contains(err.Error(), "ca-file and tls-profile both say whom the gateway trusts") {
		t.Errorf("ca-file beside tls-profile: %v", err)
	}
	if err := w.gw.Configure(t.Context(), "delete services ssl initiation"); err == nil || !strings.Contains(err.Error(), `"logs" is not defined`) {
		t.Errorf("a profile that is in use goes: %v", err)
	}
}

// Metrics are served over HTTPS as an SSL termination profile says, with the profile's suites alone, and over
// nothing else (SP-62, 5/S-32).
func TestMetricsByTerminationProfile(t *testing.T) {
	w := startHostile(t)
	cert, key := leafFiles(t, w.ca.Leaf(t, "metrics"+bad))
	w.show("request security pki local-certificate load certificate-id metrics filename " + cert + " key " + key)
	w.configure(
		"set services ssl termination profile own server-certificate metrics", "set services ssl termination profile own preferred-ciphers custom",
		"set services ssl termination profile own custom-ciphers ecdhe-ecdsa-with-aes-256-gcm-sha384",
		"set security zones security-zone trust host-inbound-traffic system-services metrics",
		"set system services metrics address "+lab.LAN4, "set system services metrics tls-profile own",
	)
	ask := func(args ...string) (string, error) {
		return w.try(w.Client, "curl", append([]string{"-sS", "-m", "5", "--cacert", w.file, "--resolve", "metrics" + bad + ":9464:" + lab.LAN4}, args...)...)
	}
	const url = "https://metrics" + bad + ":9464/metrics"
	w.eventually("metrics are served", func() bool {
		out, err := ask(url)
		return err == nil && strings.Contains(out, "sluice_ssl_")
	})
	if out, err := ask("-v", "--tlsv1.2", "--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", url); err != nil || !strings.Contains(out, "TLSv1.2 / ECDHE-ECDSA-AES256-GCM-SHA384") {
		t.Errorf("not in the profile's suite: %v\n%.800s", err, out)
	}
	for _, other := range [][]string{{"--tlsv1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256", url}, {strings.Replace(url, "https", "http", 1)}} {
		if out, err := ask(other...); err == nil {
			t.Errorf("%v: %.200s", other, out)
		}
	}
	if out := squeeze(w.show("show services ssl termination profile detail own")); !strings.Contains(out, "handshakes completed 2") || !strings.Contains(out, "total handshake errors 2") {
		t.Errorf("counters: %s", out)
	}
	if err := w.gw.Configure(t.Context(), "delete services ssl termination"); err == nil || !strings.Contains(err.Error(), `"own" is not defined`) {
		t.Errorf("a profile that is in use goes: %v", err)
	}
}
