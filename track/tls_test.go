package track

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/store/schema"
)

// newCollectorCertificate makes an authority, written to a PEM file, and a certificate of it for name.
func newCollectorCertificate(t *testing.T, name string) (caFile string, cert tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	caFile = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER}), 0o600); err != nil {
		t.Fatal(err)
	}
	return caFile, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}
}

// TestTLS sends over TLS (RFC 5425) to a collector whose certificate is right, and not to one whose is not.
func TestTLS(t *testing.T) {
	caFile, cert := newCollectorCertificate(t, "collector.example")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn)
	go func() { // a refused handshake is no connection; it is left to the outlet to try again
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if conn.(*tls.Conn).Handshake() != nil {
				conn.Close()
				continue
			}
			accepted <- conn
		}
	}()

	tracker := newTestTracker(t, Options{})
	cfg := streamTo(listener.Addr(), "tls")
	transport := &cfg.Security.Log.Streams[0].Transport
	transport.CAFile, transport.ServerName = caFile, "other.example"
	commit(t, tracker, cfg)
	tracker.FlowClose(fullSession(), ReasonClientFIN)
	eventually(t, "a certificate for another name is refused", func() bool {
		o := outletNamed(t, tracker, "stream s1")
		return o.State == StateDown && strings.Contains(o.Error, "collector.example, not other.example") && o.Sent == 0
	})

	fixed := streamTo(listener.Addr(), "tls")
	fixed.Security.Log.Streams[0].Transport = schema.LogTransport{Protocol: "tls", CAFile: caFile, ServerName: "collector.example"}
	commit(t, tracker, fixed)
	tracker.FlowClose(fullSession(), ReasonClientFIN)
	conn := <-accepted
	defer conn.Close()
	messages, err := readFrames(conn, 1)
	if err != nil || !strings.Contains(messages[0], "RT_FLOW_SESSION_CLOSE") {
		t.Fatalf("%v %v", messages, err)
	}
}
