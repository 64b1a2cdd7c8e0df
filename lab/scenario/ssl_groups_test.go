package scenario

import (
	"crypto/tls"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/lab"
)

// A server is offered post-quantum key exchange by the gateway where the client offers it too, and else is
// spared its cost (SP-1).
func TestForwardProxyGroups(t *testing.T) {
	w := startSSL(t, lab.PermitAll+sslProfile)
	web := filepath.Dir(w.CA)
	pair, err := tls.LoadX509KeyPair(filepath.Join(web, "server.pem"), filepath.Join(web, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	offered := make(chan []tls.CurveID, 2)
	address := net.JoinHostPort(lab.WebAddr4, "8450")
	config := &tls.Config{Certificates: []tls.Certificate{pair}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		offered <- hello.SupportedCurves
		return nil, nil
	}}
	w.listen(w.Web, address, func(raw *net.TCPConn) {
		_ = tls.Server(raw, config).Handshake()
		_ = raw.Close()
	})
	for _, groups := range [][]tls.CurveID{{tls.X25519MLKEM768, tls.X25519}, {tls.X25519, tls.CurveP256}} {
		c := tls.Client(w.connect(address), &tls.Config{ServerName: lab.WebName, InsecureSkipVerify: true, CurvePreferences: groups})
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if err := c.Handshake(); err != nil {
			t.Fatalf("offering %v: %v", groups, err)
		}
		if issuer := c.ConnectionState().PeerCertificates[0].Issuer.CommonName; issuer != "Branch CA" {
			t.Errorf("issuer %q", issuer)
		}
		_ = c.Close()
		want := slices.Contains(groups, tls.X25519MLKEM768)
		if got := <-offered; slices.Contains(got, tls.X25519MLKEM768) != want {
			t.Errorf("of a client that offers %v the server is offered %v", groups, got)
		}
	}
}
