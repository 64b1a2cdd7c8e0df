package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

var testCertificate = sync.OnceValues(func() (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	return Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

// below are kinds of connections that TLS can run over.
var below = map[string]func(*net.TCPConn) net.Conn{
	"TCP":     func(c *net.TCPConn) net.Conn { return c },
	"drainer": func(c *net.TCPConn) net.Conn { return newQueue(c) },
	"other":   func(c *net.TCPConn) net.Conn { return struct{ net.Conn }{c} },
}

// queue is a connection with a receive queue that is drained.
type queue struct {
	net.Conn
	mu       sync.Mutex
	received [][]byte
	err      error
	ready    chan struct{}
	waiting  atomic.Bool // somebody is in WaitReadable
}

func newQueue(conn net.Conn) *queue {
	q := &queue{Conn: conn, ready: make(chan struct{}, 1)}
	go func() {
		for {
			b := make([]byte, 1448)
			n, err := conn.Read(b)
			q.mu.Lock()
			if n > 0 {
				q.received = append(q.received, b[:n])
			}
			q.err = err
			q.mu.Unlock()
			select {
			case q.ready <- struct{}{}:
			default:
			}
			if err != nil {
				return
			}
		}
	}()
	return q
}

func (q *queue) Drain(write func([][]byte) (int, error)) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.received) == 0 {
		if q.err != nil {
			return 0, q.err
		}
		return 0, syscall.EAGAIN
	}
	total, err := write(q.received)
	for n := total; n > 0; {
		m := min(n, len(q.received[0]))
		n -= m
		if q.received[0] = q.received[0][m:]; len(q.received[0]) == 0 {
			q.received = q.received[1:]
		}
	}
	return total, err
}

func (q *queue) WaitReadable() error {
	q.waiting.Store(true)
	defer q.waiting.Store(false)
	<-q.ready
	return nil
}

// pair returns a server of this package over a connection of a kind and a crypto/tls client.
func pair(t *testing.T, kind func(*net.TCPConn) net.Conn, config *stdtls.Config) (server *Conn, client *stdtls.Conn, wire *holder) {
	t.Helper()
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	near, far := loopback(t)
	server = Server(kind(near), &Config{Certificates: []Certificate{certificate}, MinVersion: VersionTLS10})
	config = config.Clone()
	config.InsecureSkipVerify = true
	wire = &holder{Conn: far}
	client = stdtls.Client(wire, config)
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := errors.Join(client.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	return server, client, wire
}

// holder is a connection that can hold back what is written.
type holder struct {
	net.Conn
	hold bool
	held []byte
}

func (h *holder) Write(b []byte) (int, error) {
	if h.hold {
		h.held = append(h.held, b...)
		return len(b), nil
	}
	return h.Conn.Write(b)
}

func loopback(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	dialed, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []net.Conn{dialed, accepted} {
		t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return accepted.(*net.TCPConn), dialed.(*net.TCPConn)
}

// versions are configurations that differ in how records look.
var versions = map[string]*stdtls.Config{
	"1.0 CBC":      {MinVersion: VersionTLS10, MaxVersion: VersionTLS10, CipherSuites: []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}},
	"1.2 CBC":      {MinVersion: VersionTLS12, MaxVersion: VersionTLS12, CipherSuites: []uint16{TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}},
	"1.2 GCM":      {MinVersion: VersionTLS12, MaxVersion: VersionTLS12, CipherSuites: []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}},
	"1.2 ChaCha20": {MinVersion: VersionTLS12, MaxVersion: VersionTLS12, CipherSuites: []uint16{TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}},
	"1.3":          {MinVersion: VersionTLS13},
}

// pattern is data in which a shift is seen.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// What a peer sends arrives whole, whatever it runs over and however it is cut.
func TestRead(t *testing.T) {
	data := pattern(700_000)
	for name, config := range versions {
		for kind, make := range below {
			t.Run(name+" over "+kind, func(t *testing.T) {
				t.Parallel()
				server, client, _ := pair(t, make, config)
				go func() {
					for rest, size := data, 1; len(rest) > 0; size = size*3 + 1 {
						n, err := client.Write(rest[:min(size, len(rest))])
						if err != nil {
							return
						}
						rest = rest[n:]
					}
					client.Close()
				}()
				got, err := io.ReadAll(server)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("read %d bytes, the same %v, error %v", len(got), bytes.Equal(got, data), err)
				}
				if !server.CloseNotified() {
					t.Error("the end was not seen as a close_notify")
				}
				if server.rawInput.buffer != nil {
					t.Error("a buffer is held after the end")
				}
			})
		}
	}
}

// What ReadRecords gives and WriteRecords takes is what passes between two peers.
func TestForward(t *testing.T) {
	data := pattern(900_000)
	for name, config := range versions {
		for kind, make := range below {
			t.Run(name+" over "+kind, func(t *testing.T) {
				t.Parallel()
				in, sender, _ := pair(t, make, config)
				out, receiver, _ := pair(t, make, config)
				go func() {
					for rest, size := data, 1; len(rest) > 0; size = size*2 + 1 {
						n, err := sender.Write(rest[:min(size, len(rest))])
						if err != nil {
							return
						}
						rest = rest[n:]
					}
					sender.Close()
				}()
				go func() {
					defer out.CloseNotify()
					for {
						pieces, err := in.ReadRecords(nil)
						if err != nil {
							return
						}
						taken := 0
						if err := out.WriteRecords(pieces, func() { taken++; in.ReleaseRecords() }); err != nil || taken != 1 {
							t.Errorf("wrote with error %v, and took %d times", err, taken)
							return
						}
					}
				}()
				got, err := io.ReadAll(receiver)
				if err != nil || !bytes.Equal(got, data) {
					t.Errorf("received %d bytes, the same %v, error %v", len(got), bytes.Equal(got, data), err)
				}
			})
		}
	}
}

// A connection that waits holds no buffer, but for the part of a record that has come, and goes on
// after a deadline.
func TestIdleHoldsNothing(t *testing.T) {
	server, client, wire := pair(t, below["TCP"], &stdtls.Config{})
	expectTimeout := func() {
		t.Helper()
		if err := server.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := server.WaitReadable(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("waited until %v", err)
		}
		if err := server.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		if err := server.WaitReadable(); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		if n, err := server.Read(b); err != nil || string(b[:n]) != want {
			t.Fatalf("read %q, error %v", b[:n], err)
		}
	}
	expectTimeout()
	if server.rawInput.buffer != nil || server.hand.Cap() != 0 {
		t.Errorf("after the handshake: %d bytes of input buffer, %d of handshake", len(server.rawInput.buffer), server.hand.Cap())
	}
	client.Write([]byte("whole"))
	expect("whole")
	if server.rawInput.buffer != nil {
		t.Error("a buffer is held when all was read")
	}

	// A record comes in two parts.
	wire.hold = true
	client.Write([]byte("in two parts"))
	wire.Conn.Write(wire.held[:9])
	expectTimeout()
	if got := len(server.rawInput.buffer); got != recordBufferSize {
		t.Errorf("for a part of a record %d bytes of buffer are held", got)
	}
	wire.Conn.Write(wire.held[9:])
	expect("in two parts")
	if server.rawInput.buffer != nil {
		t.Error("a buffer is held when all was read")
	}
}

// A connection whose peer has ended it holds no buffer, however long it is kept.
func TestEndHoldsNothing(t *testing.T) {
	for name, end := range map[string]func(*stdtls.Conn, *holder){
		"close_notify": func(client *stdtls.Conn, _ *holder) { client.CloseWrite() },
		"FIN alone":    func(_ *stdtls.Conn, wire *holder) { wire.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			server, client, wire := pair(t, below["TCP"], &stdtls.Config{})
			end(client, wire)
			if err := server.WaitReadable(); err != io.EOF {
				t.Fatalf("waited until %v", err)
			}
			if server.rawInput.buffer != nil {
				t.Error("a buffer is held after the end")
			}
		})
	}
}

// counter is a connection that counts how often it is used.
type counter struct {
	net.Conn
	reads, writes int
}

func (c *counter) Read(b []byte) (int, error) {
	c.reads++
	return c.Conn.Read(b)
}

func (c *counter) Write(b []byte) (int, error) {
	c.writes++
	return c.Conn.Write(b)
}

// Many records are read with one read and written with one write.
func TestManyRecordsAtOnce(t *testing.T) {
	count := new(counter)
	server, client, wire := pair(t, func(c *net.TCPConn) net.Conn { count.Conn = c; return count }, &stdtls.Config{DynamicRecordSizingDisabled: true})
	data := pattern(128 << 10)

	wire.hold = true
	client.Write(data)
	wire.hold = false
	if _, err := wire.Conn.Write(wire.held); err != nil {
		t.Fatal(err)
	}
	count.reads = 0
	got := make([]byte, len(data))
	if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, data) {
		t.Fatalf("read something else, error %v", err)
	}
	if count.reads > 6 {
		t.Errorf("%d reads for eight records", count.reads)
	}

	count.writes = 0
	received := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(client, got)
		received <- err
	}()
	server.config.DynamicRecordSizingDisabled = true
	if _, err := server.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := <-received; err != nil || !bytes.Equal(got, data) {
		t.Fatalf("the client read something else, error %v", err)
	}
	if count.writes != 1 {
		t.Errorf("%d writes for eight records", count.writes)
	}
}

// Keys that are updated in the middle of what is read at once are heeded.
func TestKeyUpdateBetweenRecords(t *testing.T) {
	certificate, err := testCertificate()
	if err != nil {
		t.Fatal(err)
	}
	near, far := loopback(t)
	wire := &holder{Conn: far}
	receiver := Server(near, &Config{Certificates: []Certificate{certificate}})
	sender := Client(wire, &Config{InsecureSkipVerify: true})
	shaken := make(chan error, 1)
	go func() { shaken <- receiver.Handshake() }()
	if err := errors.Join(sender.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}

	wire.hold = true
	suite := cipherSuiteTLS13ByID(sender.cipherSuite)
	var want []byte
	for i := range 4 {
		data := pattern(5000 + i)
		want = append(want, data...)
		if _, err := sender.Write(data); err != nil {
			t.Fatal(err)
		}
		message, err := (&keyUpdateMsg{updateRequested: i%2 == 0}).marshal()
		if err != nil {
			t.Fatal(err)
		}
		sender.out.Lock()
		if _, err := sender.writeRecordLocked(recordTypeHandshake, message); err != nil {
			t.Fatal(err)
		}
		sender.setWriteTrafficSecret(suite, QUICEncryptionLevelInitial, suite.nextTrafficSecret(sender.out.trafficSecret))
		sender.out.Unlock()
	}
	if _, err := wire.Conn.Write(wire.held); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(receiver, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("read something else, error %v", err)
	}
	// Both of our own directions follow: what the receiver says, the sender can read.
	if _, err := receiver.Write([]byte("heard")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 100)
	if n, err := sender.Read(answer); err != nil || string(answer[:n]) != "heard" {
		t.Errorf("answered %q, error %v", answer[:n], err)
	}
}

// The end of the connection without a close_notify can be told.
func TestEndWithoutCloseNotify(t *testing.T) {
	server, _, wire := pair(t, below["TCP"], &stdtls.Config{})
	wire.Close()
	if n, err := server.Read(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Fatalf("read %d bytes, error %v", n, err)
	}
	if server.CloseNotified() {
		t.Error("a FIN was taken for a close_notify")
	}
}
