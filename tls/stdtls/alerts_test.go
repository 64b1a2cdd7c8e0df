package tls_test

import (
	stdtls "crypto/tls"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	tls "sluice/tls/stdtls"
)

// shake runs the handshakes of a client and a server.
func shake(t *testing.T, client interface{ Handshake() error }, server interface{ Handshake() error }) (clientErr, serverErr error) {
	t.Helper()
	served := make(chan error, 1)
	go func() { served <- server.Handshake() }()
	clientErr = client.Handshake()
	if reader, ok := client.(interface{ Read([]byte) (int, error) }); ok && clientErr == nil {
		_, clientErr = reader.Read(make([]byte, 1)) // in TLS 1.3 the server's verdict comes after the client's handshake
	}
	return clientErr, <-served
}

// connected returns both ends of a connection.
func connected(t *testing.T) (client, server net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if client, err = net.Dial("tcp", listener.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{client, server} {
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Now().Add(patience))
	}
	return client, server
}

// expectAlert checks what an error says about an alert, seen from both libraries.
func expectAlert(t *testing.T, err error, op string, want tls.AlertError) {
	t.Helper()
	var operation *net.OpError
	if !errors.As(err, &operation) || operation.Op != op {
		t.Errorf("%v is no %s", err, op)
		return
	}
	if operation.Err.Error() != want.Error() {
		t.Errorf("alert %q, want %q", operation.Err, want)
	}
}

// An error of a callback chooses the alert, on either side (G-16), and without a choice it is what
// crypto/tls sends.
func TestCallbacksChooseAlert(t *testing.T) {
	id := ecdsaIdentity(t)
	refusal := fmt.Errorf("refused by a rule: %w", tls.AlertAccessDenied)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for name, test := range map[string]struct {
			config *tls.Config
			want   tls.AlertError
		}{
			"config":        {&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, refusal }}, tls.AlertAccessDenied},
			"config, plain": {&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }}, tls.AlertInternalError},
			"certificate":   {&tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, refusal }}, tls.AlertAccessDenied},
			"connection": {&tls.Config{Certificates: []tls.Certificate{id.certificate},
				VerifyConnection: func(tls.ConnectionState) error { return refusal }}, tls.AlertAccessDenied},
			"connection, plain": {&tls.Config{Certificates: []tls.Certificate{id.certificate},
				VerifyConnection: func(tls.ConnectionState) error { return errors.New("no") }}, tls.AlertBadCertificate},
		} {
			clientConn, serverConn := connected(t)
			test.config.SessionTicketsDisabled = true
			client := stdtls.Client(clientConn, &stdtls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
			clientErr, serverErr := shake(t, client, tls.Server(serverConn, test.config))
			if serverErr == nil {
				t.Errorf("%s: no error", name)
			}
			expectAlert(t, clientErr, "remote error", test.want)
		}

		clientConn, serverConn := connected(t)
		client := tls.Client(clientConn, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version,
			VerifyConnection: func(tls.ConnectionState) error { return fmt.Errorf("found withdrawn: %w", tls.AlertCertificateRevoked) }})
		server := stdtls.Server(serverConn, &stdtls.Config{Certificates: []stdtls.Certificate{{Certificate: id.certificate.Certificate, PrivateKey: id.certificate.PrivateKey}}})
		clientErr, serverErr := shake(t, client, server)
		if !errors.Is(clientErr, tls.AlertCertificateRevoked) {
			t.Errorf("the client's error %v does not say what it sent", clientErr)
		}
		expectAlert(t, serverErr, "remote error", tls.AlertCertificateRevoked)
	}
}

// An alert that was received can be told by its number.
func TestReceivedAlert(t *testing.T) {
	clientConn, serverConn := connected(t)
	client := tls.Client(clientConn, &tls.Config{InsecureSkipVerify: true})
	server := stdtls.Server(serverConn, &stdtls.Config{GetConfigForClient: func(*stdtls.ClientHelloInfo) (*stdtls.Config, error) { return nil, errors.New("no") }})
	clientErr, _ := shake(t, client, server)
	var alert tls.AlertError
	if !errors.As(clientErr, &alert) || alert != tls.AlertInternalError {
		t.Errorf("error %v, alert %d", clientErr, alert)
	}
	expectAlert(t, clientErr, "remote error", tls.AlertInternalError)
}

// The connection tells what was negotiated.
func TestConnectionState(t *testing.T) {
	id := ecdsaIdentity(t)
	cache := tls.NewLRUClientSessionCache(1)
	serverConfig := &tls.Config{Certificates: []tls.Certificate{id.certificate}}
	for _, resumed := range []bool{false, true} {
		clientConn, serverConn := connected(t)
		server := tls.Server(serverConn, serverConfig)
		client := tls.Client(clientConn, &tls.Config{RootCAs: id.roots, ServerName: serverName, ClientSessionCache: cache,
			CurvePreferences: []tls.CurveID{tls.CurveP384}})
		served := make(chan error, 1)
		go func() {
			_, err := server.Write([]byte("x"))
			served <- err
		}()
		if _, err := client.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		for _, state := range []tls.ConnectionState{client.ConnectionState(), server.ConnectionState()} {
			if state.CurveID != tls.CurveP384 || state.DidResume != resumed || state.CipherBits() == 0 {
				t.Errorf("group %v, resumed %v, %d bits", state.CurveID, state.DidResume, state.CipherBits())
			}
		}
	}
}

// A client that refuses a server before it uses its keys is understood all the same.
func TestAlertInTheClear(t *testing.T) {
	id, other := ecdsaIdentity(t), ecdsaIdentity(t)
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		address, result := serveOnce(t, &tls.Config{Certificates: []tls.Certificate{id.certificate}})
		startOpenSSL(t, "s_client", version, "-connect", address, "-verify_return_error", "-CAfile", other.certFile)
		s := <-result
		var alert tls.AlertError
		if !errors.As(s.err, &alert) || alert != tls.AlertUnknownCA {
			t.Errorf("%s: %v", version, s.err)
		}
	}
}
