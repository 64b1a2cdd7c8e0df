package sslproxy

import (
	"context"
	stdtls "crypto/tls"
	"net"
	"net/netip"
	"testing"
	"time"

	"sluice/internal/nstest"
	"sluice/internal/panics"
	"sluice/relay"
	"sluice/stack"
	tls "sluice/tls/stdtls"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// peer is one end of a relayed session: a crypto/tls connection and the socket below it.
type peer struct {
	*stdtls.Conn
	socket *net.TCPConn
}

// world makes relayed sessions.
type world struct {
	open       func() (*net.TCPConn, net.Conn, error) // a client's socket, and the gateway's end of it
	serverCert stdtls.Certificate
	clientCert tls.Certificate
	inspect    relay.Inspector
	filter     Filter
	ctx        context.Context
	stop       context.CancelFunc
	maxVersion uint16 // 0 is TLS 1.3
	results    chan relay.Result
}

// eachWorld runs a test with clients behind a socket and with clients behind the TCP stack.
func eachWorld(t *testing.T, test func(t *testing.T, w *world)) {
	if !nstest.Isolate(t) {
		return
	}
	for name, open := range map[string]func(*testing.T) func() (*net.TCPConn, net.Conn, error){"socket": openSocket, "stack": openStream} {
		t.Run(name, func(t *testing.T) {
			der, key, err := newCertificate()
			if err != nil {
				t.Fatal(err)
			}
			w := &world{open: open(t), results: make(chan relay.Result, 1)}
			w.serverCert = stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
			w.clientCert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
			w.ctx, w.stop = context.WithCancel(context.Background())
			t.Cleanup(w.stop)
			test(t, w)
		})
	}
}

// openSocket makes clients whose gateway's end is a socket.
func openSocket(t *testing.T) func() (*net.TCPConn, net.Conn, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return func() (*net.TCPConn, net.Conn, error) {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return nil, nil, err
		}
		gateway, err := listener.Accept()
		return client.(*net.TCPConn), gateway, err
	}
}

// openStream makes clients whose gateway's end is a *stack.Stream.
func openStream(t *testing.T) func() (*net.TCPConn, net.Conn, error) {
	device, err := stack.OpenDevice(stack.DeviceOptions{Name: "slt0"})
	if err != nil {
		t.Fatal(err)
	}
	nstest.Address(t, "slt0", netip.MustParsePrefix("192.0.2.1/24"))
	nstest.Route(t, "slt0", netip.MustParsePrefix("198.51.100.0/24"))
	accepted := make(chan *stack.Stream, 1)
	terminator, err := stack.NewTerminator(stack.TerminatorOptions{Accept: func(p *stack.Pending) {
		if stream, err := p.Accept(); err == nil {
			accepted <- stream
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	port, err := terminator.Attach(device)
	if err != nil {
		t.Fatal(err)
	}
	nstest.Pump(t, device.Queues(), stack.MaxFrameLen, port.Inject, func() {
		terminator.Close()
		device.Close()
	}, stack.ErrClosed)
	return func() (*net.TCPConn, net.Conn, error) {
		client, err := net.DialTimeout("tcp", "198.51.100.7:443", patience)
		if err != nil {
			return nil, nil, err
		}
		return client.(*net.TCPConn), <-accepted, nil
	}
}

// connect makes a session whose handshakes are over, and relays it.
func (w *world) connect(t *testing.T) (client, server peer) {
	t.Helper()
	clientSocket, gateway, err := w.open()
	if err != nil {
		t.Fatal(err)
	}
	serverSide, serverSocket, err := openSocket(t)()
	if err != nil {
		t.Fatal(err)
	}
	client = peer{stdtls.Client(clientSocket, &stdtls.Config{InsecureSkipVerify: true, MaxVersion: w.maxVersion}), clientSocket}
	server = peer{stdtls.Server(serverSocket, &stdtls.Config{Certificates: []stdtls.Certificate{w.serverCert}}), serverSocket.(*net.TCPConn)}
	for _, p := range []peer{client, server} {
		t.Cleanup(func() { p.socket.Close() })
		if err := p.socket.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	terminated := tls.Server(gateway, &tls.Config{Certificates: []tls.Certificate{w.clientCert}})
	initiated := tls.Client(serverSide, &tls.Config{InsecureSkipVerify: true, MaxVersion: w.maxVersion})
	shaken := make(chan error, 4)
	for _, conn := range []interface{ Handshake() error }{client, server, terminated, initiated} {
		go func() { shaken <- conn.Handshake() }()
	}
	for range cap(shaken) {
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
	}
	go func() {
		defer panics.Catch(func(p *panics.Panic) { w.results <- relay.Result{End: relay.Stopped, Err: p} })
		w.results <- Relay(w.ctx, terminated, initiated, w.inspect, w.filter)
	}()
	return client, server
}

// expect waits for the end of the relayed session.
func (w *world) expect(t *testing.T, end relay.End) relay.Result {
	t.Helper()
	select {
	case result := <-w.results:
		if result.End != end || (result.Err != nil) != (end != relay.ClientFIN && end != relay.ServerFIN) {
			t.Errorf("relay ended with %v, %v; want %v", result.End, result.Err, end)
		}
		return result
	case <-time.After(patience):
		t.Fatalf("the relay did not end, want %v", end)
	}
	return relay.Result{}
}
