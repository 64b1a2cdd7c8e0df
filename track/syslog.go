package track

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// Limits on collectors.
const (
	dialTimeout  = 5 * time.Second
	writeTimeout = 10 * time.Second // a collector that takes nothing for so long is given up and dialled again
)

// newWriter makes the writer that spec asks for.
func (t *Tracker) newWriter(spec outletSpec) writer {
	switch spec.kind {
	case kindUDP:
		return &datagramWriter{spec: spec}
	case kindFile:
		return &fileWriter{path: spec.path, maxBytes: spec.maxBytes, files: spec.files}
	case kindJournal:
		return new(journalWriter)
	case kindHistory:
		return &historyWriter{store: t.history, maxRecords: spec.maxRecords}
	default:
		return &streamWriter{spec: spec, secure: t.opts.Secure}
	}
}

// datagramWriter sends one message a datagram (RFC 5426). UDP does not tell whether a collector
// listens, but the kernel passes on that a host or port refused an earlier datagram.
type datagramWriter struct {
	spec     outletSpec
	conn     *net.UDPConn
	batch    *ipv4.PacketConn // of conn, for its sendmmsg, which knows both address families
	messages []ipv4.Message
	buffers  [batchSize][1][]byte // of messages
}

func (w *datagramWriter) open(context.Context) (fresh bool, err error) {
	if w.conn != nil {
		return false, nil
	}
	var local *net.UDPAddr
	if w.spec.source.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(w.spec.source, 0))
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(w.spec.collector))
	if err != nil {
		return false, fmt.Errorf("collector: %w", err)
	}
	w.conn, w.batch = conn, ipv4.NewPacketConn(conn)
	return true, nil
}

// write sends the whole batch. A refusal belongs to a datagram sent before and keeps the current
// one from being sent, so that one is sent again; every refusal counts as one lost message.
func (w *datagramWriter) write(_ context.Context, b *batch) (sent, lost int, err error) {
	w.messages = w.messages[:0]
	for i := b.done; i < len(b.items); i++ {
		w.buffers[i][0] = b.bytes(i)
		w.messages = append(w.messages, ipv4.Message{Buffers: w.buffers[i][:]})
	}
	for next, again := 0, false; next < len(w.messages); {
		n, refusal := w.batch.WriteBatch(w.messages[next:], 0)
		next += max(n, 0)
		switch {
		case refusal == nil && n > 0:
			again = false
			continue
		case refusal == nil:
			refusal = io.ErrShortWrite
		}
		lost, err = lost+1, fmt.Errorf("collector: %w", refusal)
		if again = !again && errors.Is(refusal, syscall.ECONNREFUSED); !again {
			next++ // this one will not go
		}
	}
	lost = min(lost, len(w.messages))
	return len(w.messages) - lost, lost, err
}

func (w *datagramWriter) broken() <-chan struct{} { return nil }

func (w *datagramWriter) close() {
	if w.conn != nil {
		w.conn.Close()
	}
}

// streamWriter sends messages over TCP with octet counting (RFC 6587, 3.4.1), or over TLS, which
// frames them the same way (RFC 5425). Messages that the kernel took count as sent: the protocol
// has no acknowledgement.
type streamWriter struct {
	spec   outletSpec
	secure func(ctx context.Context, conn net.Conn, name, profile string) (net.Conn, error) // Options.Secure
	conn   net.Conn
	ended  chan struct{} // closed when the collector closed conn
	unhook func() bool   // unties conn from the outlet's context
}

func (w *streamWriter) open(ctx context.Context) (fresh bool, err error) {
	if w.conn != nil {
		select {
		case <-w.ended:
			w.close()
			return false, errors.New("the collector closed the connection")
		default:
			return false, nil
		}
	}
	conn, err := w.dial(ctx)
	if err != nil {
		return false, fmt.Errorf("collector: %w", err)
	}
	ended := make(chan struct{})
	w.conn, w.ended = conn, ended
	// Neither this deadline nor that of a write can be refused, unless the connection is closed
	// already, and then reads and writes say so.
	w.unhook = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	go func() { // collectors send nothing; reading is how their closing is seen
		defer close(ended)
		var scrap [512]byte
		for {
			if _, err := conn.Read(scrap[:]); err != nil {
				return
			}
		}
	}()
	return true, nil
}

func (w *streamWriter) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d := net.Dialer{Control: userTimeout, KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}}
	if w.spec.source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(w.spec.source, 0))
	}
	if w.spec.kind == kindTCP || w.spec.tlsProfile != "" {
		conn, err := d.DialContext(ctx, "tcp", w.spec.collector.String())
		if err != nil || w.spec.kind == kindTCP {
			return conn, err
		}
		secure, err := w.secure(ctx, conn, w.spec.serverName, w.spec.tlsProfile)
		if err != nil {
			conn.Close()
		}
		return secure, err
	}
	roots, err := certificates(w.spec.caFile)
	if err != nil {
		return nil, err
	}
	secure := tls.Dialer{NetDialer: &d, Config: &tls.Config{
		RootCAs: roots, ServerName: w.spec.serverName, MinVersion: tls.VersionTLS12,
	}}
	return secure.DialContext(ctx, "tcp", w.spec.collector.String())
}

// userTimeout makes the kernel give up a connection whose data is not acknowledged.
func userTimeout(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(2*writeTimeout/time.Millisecond))
	})
	if err != nil {
		return err
	}
	return failed
}

func (w *streamWriter) write(ctx context.Context, b *batch) (sent, lost int, err error) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if ctx.Err() != nil { // the deadline just set must not undo that of the end
		return 0, 0, ctx.Err()
	}
	from := b.start(b.done)
	n, err := w.conn.Write(b.data[from:])
	if err == nil {
		return b.rest(), 0, nil
	}
	for b.done+sent < len(b.items) && b.items[b.done+sent].end <= from+n {
		sent++
	}
	// A message cut in the middle ends with the connection; the collector gets it whole from the next one.
	w.end(false)
	return sent, 0, fmt.Errorf("collector: %w", err)
}

func (w *streamWriter) broken() <-chan struct{} { return w.ended }

func (w *streamWriter) close() {
	if w.conn != nil {
		w.end(true)
	}
}

// end closes the connection. TLS says goodbye to the collector, which takes seconds when it does
// not read, so a connection that failed or was given up is cut beneath it.
func (w *streamWriter) end(politely bool) {
	live := w.unhook()
	if secure, ok := w.conn.(interface{ NetConn() net.Conn }); ok && !(politely && live) {
		secure.NetConn().Close()
	}
	w.conn.Close()
	<-w.ended
	w.conn, w.ended = nil, nil
}
