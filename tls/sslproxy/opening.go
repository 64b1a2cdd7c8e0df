package sslproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"sluice/stack"
)

// speaker is the side of a session that sends the first byte.
type speaker uint8

const (
	clientFirst speaker = iota
	serverFirst
)

// longAgo is a deadline that ends what waits.
var longAgo = time.Unix(1, 0)

// first waits until one of the sides says something, or hangs up. No server is kept waiting for
// its turn: one that speaks first is heard at once.
func first(client *stack.Stream, server *net.TCPConn) (speaker, error) {
	raw, err := server.SyscallConn()
	if err != nil {
		return serverFirst, err
	}
	spoke := make(chan bool, 1)
	go func() {
		err := raw.Read(func(fd uintptr) bool {
			var b [1]byte
			_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return !errors.Is(err, unix.EAGAIN)
		})
		ended := errors.Is(err, os.ErrDeadlineExceeded)
		if !ended {
			_ = client.SetReadDeadline(longAgo) // an error means that the client has gone, which the wait tells
		}
		spoke <- !ended
	}()
	if _, err = client.Drain(nothing); errors.Is(err, stack.ErrWouldBlock) {
		err = client.WaitReadable()
	}
	_ = server.SetReadDeadline(longAgo)
	who := clientFirst
	if <-spoke {
		who = serverFirst
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) {
		err = nil
	}
	return who, errors.Join(err, client.SetReadDeadline(time.Time{}), server.SetReadDeadline(time.Time{}))
}

// nothing takes nothing of what was received.
func nothing([][]byte) (int, error) { return 0, nil }

// What a session turns out to be before anything of it is decided.
var (
	errNotTLS  = errors.New("the client does not speak TLS")
	errSSLv2   = errors.New("unsupported SSLv2 handshake received")
	errTooLong = errors.New("the ClientHello does not end")
	errEarly   = errors.New("a record of another kind comes before the ClientHello")
	errRefused = errors.New("refused by policy")
)

// maxOpening bounds what a client may send before its ClientHello is whole; handshake messages of
// more than 64 KiB are refused by the TLS library.
const maxOpening = 80 << 10

// opening is the client's side of a session while it is not decided whether its TLS is opened. It
// keeps what the client has sent, so that it can go on to the server as it came, and swallows what
// the TLS library answers.
type opening struct {
	*stack.Stream
	seen    func([]byte) (refused bool)
	kept    []byte
	problem error // why this is no beginning of TLS; it comes again
	engaged bool  // decided: everything passes
}

// Read keeps what it reads, until it cannot be the beginning of TLS.
func (o *opening) Read(b []byte) (int, error) {
	if o.problem != nil {
		return 0, o.problem
	}
	n, err := o.Stream.Read(b)
	if !o.engaged && n > 0 {
		o.keep(b[:n])
	}
	return n, err
}

// Drain is Read for the TLS library, which takes what is there without waiting.
func (o *opening) Drain(write func(pieces [][]byte) (int, error)) (int, error) {
	if o.engaged {
		return o.Stream.Drain(write)
	}
	if o.problem != nil {
		return 0, o.problem
	}
	return o.Stream.Drain(func(pieces [][]byte) (int, error) {
		taken, err := write(pieces)
		for rest := taken; rest > 0; pieces = pieces[1:] {
			piece := pieces[0][:min(rest, len(pieces[0]))]
			rest -= len(piece)
			o.keep(piece)
		}
		return taken, err
	})
}

// keep takes what the client has sent, and notes what is wrong with it.
func (o *opening) keep(data []byte) {
	o.kept = append(o.kept, data...)
	switch {
	case o.problem != nil:
	case o.seen(data):
		o.problem = errRefused
	default:
		o.problem = o.inspect()
	}
}

// Write swallows what the TLS library has to say before it was decided that it may.
func (o *opening) Write(b []byte) (int, error) {
	if !o.engaged {
		return len(b), nil
	}
	return o.Stream.Write(b)
}

// engage ends the keeping.
func (o *opening) engage() { o.engaged, o.kept = true, nil }

// inspect says what is wrong with what was kept as the beginning of TLS: a handshake record of
// version 3.x, whatever x is (RFC 8446 section 5.1).
func (o *opening) inspect() error {
	k := o.kept
	if len(k) > 0 && k[0] != recordHandshake && k[0] >= recordChangeCipher && k[0] <= recordHeartbeat {
		switch { // servers pass over some of these
		case len(k) == 1:
			return nil
		case k[1] == 3:
			return errEarly
		}
	}
	for i, want := range []byte{recordHandshake, 3} {
		if i < len(k) && k[i] != want {
			if isSSLv2(k) {
				return errSSLv2
			}
			return errNotTLS
		}
	}
	if len(k) > maxOpening {
		return errTooLong
	}
	return nil
}

// Types of records (RFC 8446 section 5.1, RFC 6520).
const (
	recordChangeCipher = 20
	recordHandshake    = 22
	recordHeartbeat    = 24
)

// isSSLv2 says whether b begins with a CLIENT-HELLO of SSL 2.0 (RFC 6101 appendix E), for whatever
// version.
func isSSLv2(b []byte) bool {
	return len(b) >= 5 && b[0]&0x80 != 0 && b[2] == 1 &&
		(bytes.Equal(b[3:5], []byte{0, 2}) || b[3] == 3 && b[4] <= 4)
}
