package sslproxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/relay"
	tls "sluice/tls/stdtls"
)

// hangUpTeller is a connection that tells when it breaks, like a stack.Stream.
type hangUpTeller interface {
	OnHangUp(func())
	Err() error
}

// side is one side of a session.
type side struct {
	*tls.Conn
	raw                            net.Conn // what is below TLS
	taken                          atomic.Uint64
	turn                           sync.Mutex // to write what a Filter says
	finished, reset, lost, garbled relay.End
}

// reason is what an error of the side means.
func (s *side) reason(err error) relay.End {
	var alert *net.OpError
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return s.reset
	case errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"), errors.Is(err, io.ErrUnexpectedEOF):
		return s.garbled
	}
	var record tls.RecordHeaderError
	if errors.As(err, &record) {
		return s.garbled
	}
	return s.lost
}

// sendFIN ends our direction of the connection below TLS.
func (s *side) sendFIN() error {
	if raw, ok := s.raw.(interface{ CloseWrite() error }); ok {
		return raw.CloseWrite()
	}
	return nil
}

// linger closes the connection below TLS so that its peer comes to the end of what it was sent.
func (s *side) linger() {
	// Errors mean that the connection is broken already.
	if raw, ok := s.raw.(interface{ Linger() error }); ok {
		_ = raw.Linger()
	} else {
		_ = s.raw.Close()
	}
}

// abort breaks the connection below TLS with a RST, and ends what waits for it.
func (s *side) abort() {
	// Errors mean that the connection is broken already.
	switch raw := s.raw.(type) {
	case interface{ Abort() error }:
		_ = raw.Abort()
	case interface{ SetLinger(int) error }:
		_ = raw.SetLinger(0)
		_ = s.raw.Close()
	default:
		_ = s.raw.Close()
	}
}

// pendingError is the error of a socket that nobody reads.
func (s *side) pendingError() error {
	socket, ok := s.raw.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	return relay.PendingError(raw)
}

// awaitFIN waits, after a close_notify, for the end of the connection below. What comes before it
// means nothing.
func (s *side) awaitFIN() error {
	var ignored [64]byte
	for {
		switch _, err := s.raw.Read(ignored[:]); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// stalledCheck is how often it is looked whether a sender is still there whose receiver takes no
// data, as nobody reads from it then.
const stalledCheck = time.Second

// stallWatch looks whether a sender is still there while a write to its receiver does not end.
type stallWatch struct {
	of     *side
	broken func(error)

	mu      sync.Mutex
	timer   *time.Timer // nil before the first write
	writing bool
}

func (w *stallWatch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = true
	if w.timer == nil {
		w.timer = time.AfterFunc(stalledCheck, w.check)
	} else {
		w.timer.Reset(stalledCheck)
	}
}

func (w *stallWatch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writing = false
	w.timer.Stop()
}

func (w *stallWatch) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.writing {
		return
	}
	if err := w.of.pendingError(); err != nil {
		go w.broken(err)
		return
	}
	w.timer.Reset(stalledCheck)
}
