package tls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	tls "sluice/tls/stdtls"
)

// serverName is the name of every server in these tests.
const serverName = "origin.example"

// identity is a certificate that vouches for itself, in memory and in files.
type identity struct {
	certificate       tls.Certificate
	roots             *x509.CertPool
	certFile, keyFile string
}

func newIdentity(t *testing.T, key any, public any) *identity {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		IsCA:     true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	id := &identity{roots: x509.NewCertPool()}
	if id.certificate, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	id.roots.AddCert(id.certificate.Leaf)
	dir := t.TempDir()
	id.certFile, id.keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, text := range map[string][]byte{id.certFile: certPEM, id.keyFile: keyPEM} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id
}

func ecdsaIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newIdentity(t, key, key.Public())
}

func rsaIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return newIdentity(t, key, key.Public())
}

// openssl is a running openssl command.
type openssl struct {
	stdin io.WriteCloser

	mu     sync.Mutex
	output bytes.Buffer
	done   chan struct{} // closed when it has ended
}

func startOpenSSL(t *testing.T, args ...string) *openssl {
	t.Helper()
	command := exec.Command("openssl", args...)
	o := &openssl{done: make(chan struct{})}
	var err error
	if o.stdin, err = command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = o, o
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = command.Wait() // what it printed tells how it ended
		close(o.done)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-o.done
	})
	return o
}

// Write collects what the command prints.
func (o *openssl) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.output.Write(b)
}

func (o *openssl) printed() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.output.String()
}

// patience is how long the tests wait for what must happen.
const patience = 20 * time.Second

func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// await waits until the command has printed text.
func (o *openssl) await(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(o.printed(), text); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("openssl did not print %q, but:\n%s", text, o.printed())
		}
	}
}

// startServer starts an openssl s_server that sends back each line reversed, or what args say,
// and returns its address.
func startServer(t *testing.T, id *identity, args ...string) (*openssl, string) {
	t.Helper()
	o := startOpenSSL(t, append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", id.certFile, "-key", id.keyFile}, args...)...)
	o.await(t, "ACCEPT ")
	_, address, _ := strings.Cut(o.printed(), "ACCEPT ")
	address, _, ended := strings.Cut(address, "\n")
	for !ended {
		_, address, _ = strings.Cut(o.printed(), "ACCEPT ")
		address, _, ended = strings.Cut(address, "\n")
	}
	return o, address
}

// session is what a server of these tests saw of a connection.
type session struct {
	state    tls.ConnectionState
	received string
	err      error
}

// serveOnce accepts one connection, sends back the first line, and waits for the end.
func serveOnce(t *testing.T, config *tls.Config) (address string, result <-chan session) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	results := make(chan session, 1)
	go func() {
		var s session
		defer func() { results <- s }()
		raw, err := listener.Accept()
		if err != nil {
			s.err = err
			return
		}
		defer raw.Close()
		raw.SetDeadline(time.Now().Add(patience))
		conn := tls.Server(raw, config)
		if s.err = conn.Handshake(); s.err != nil {
			return
		}
		s.state = conn.ConnectionState()
		line := make([]byte, 0, 100)
		for !bytes.HasSuffix(line, []byte("\n")) {
			n, err := conn.Read(line[len(line):cap(line)])
			line = line[:len(line)+n]
			if err != nil {
				s.err = err
				return
			}
		}
		s.received = string(line)
		if _, s.err = conn.Write(line); s.err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, conn) // until the client ends it
	}()
	return listener.Addr().String(), results
}
