package tls

import (
	"bytes"
	"crypto/rand"
	stdtls "crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// script is a connection that offers an input in pieces, and keeps what is written.
type script struct {
	net.Conn
	input   []byte
	size    int // of the pieces
	written bytes.Buffer
	idle    bool // the next Drain finds nothing
}

func (s *script) Drain(write func([][]byte) (int, error)) (int, error) {
	if s.idle = !s.idle; s.idle {
		return 0, syscall.EAGAIN
	}
	if len(s.input) == 0 {
		return 0, io.EOF
	}
	n, err := write([][]byte{s.input[:min(s.size, len(s.input))]})
	s.input = s.input[n:]
	return n, err
}

func (s *script) WaitReadable() error              { return nil }
func (s *script) Write(b []byte) (int, error)      { return s.written.Write(b) }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
func (s *script) Close() error                     { return nil }

// firstFlight is what a client sends first.
func firstFlight(tb testing.TB, config *stdtls.Config) []byte {
	near, far := net.Pipe()
	config.InsecureSkipVerify = true
	go func() {
		defer far.Close()
		_ = stdtls.Client(far, config).Handshake() // ends with the pipe
	}()
	buffer := make([]byte, 4096)
	n, err := near.Read(buffer)
	near.Close()
	if err != nil {
		tb.Fatal(err)
	}
	return buffer[:n]
}

// Whatever a client sends, in whatever pieces, costs it its connection and nothing else: the server
// neither panics nor waits.
func FuzzServer(f *testing.F) {
	certificate, err := testCertificate()
	if err != nil {
		f.Fatal(err)
	}
	config := &Config{Certificates: []Certificate{certificate}, MinVersion: VersionTLS10, Rand: rand.Reader}
	for _, version := range []uint16{VersionTLS10, VersionTLS12, VersionTLS13} {
		f.Add(firstFlight(f, &stdtls.Config{MinVersion: VersionTLS10, MaxVersion: version}), uint16(7))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint16(3))
	f.Add(append([]byte{22, 3, 1, 0x40, 0}, make([]byte, 16384)...), uint16(1448))
	f.Fuzz(func(t *testing.T, input []byte, size uint16) {
		conn := &script{input: input, size: int(size) + 1}
		server := Server(conn, config)
		if err := server.Handshake(); err == nil {
			t.Fatal("the handshake succeeded without a second flight that fits")
		} else if errors.Is(err, syscall.EAGAIN) {
			t.Fatal("the handshake gave up waiting")
		}
	})
}
