package stack

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/waiter"
)

var _ net.Conn = (*Stream)(nil)

// Read implements net.Conn.
func (s *Stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		n, err := s.tryRead(b)
		if !errors.Is(err, ErrWouldBlock) {
			return n, err
		}
		if err := s.WaitReadable(); err != nil {
			return 0, err
		}
	}
}

func (s *Stream) tryRead(b []byte) (int, error) {
	s.read.mu.Lock()
	defer s.read.mu.Unlock()
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	w := tcpip.SliceWriter(b)
	result, err := s.endpoint.Read(&w, tcpip.ReadOptions{})
	if err != nil {
		return 0, s.readError(err)
	}
	s.consumed(result.Count)
	return result.Count, nil
}

// consumed accounts for n bytes taken from the receive queue.
func (s *Stream) consumed(n int) {
	s.read.moved(n)
	s.endpoint.ModerateRecvBuf(n)
}

// WaitReadable waits until reading is worth a try: data or the end of the stream may be there.
// It returns an error when the read deadline passes or the stream is closed.
func (s *Stream) WaitReadable() error {
	if s.read.deadline.passed() {
		return os.ErrDeadlineExceeded
	}
	<-s.read.ready // not a select: this is where idle sessions sleep, and its frame is small
	return s.woken(&s.read)
}

// WaitWritable is WaitReadable for writing. It waits no longer than patience, and then returns
// os.ErrDeadlineExceeded; 0 is without end.
func (s *Stream) WaitWritable(patience time.Duration) error {
	if s.write.deadline.passed() {
		return os.ErrDeadlineExceeded
	}
	var enough <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-s.write.ready:
	case <-enough:
		return os.ErrDeadlineExceeded
	}
	return s.woken(&s.write)
}

// woken tells why the wait of a side is over.
func (s *Stream) woken(side *side) error {
	switch {
	case s.closed.Load():
		side.wake() // for the others who wait
		return net.ErrClosed
	case side.deadline.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// maxDrain bounds the pieces one Drain offers.
const maxDrain = 32

// pieces collects the received data without copying it.
type pieces struct {
	list  [maxDrain][]byte
	count int
}

var errEnough = errors.New("enough")

func (p *pieces) Write(b []byte) (int, error) {
	if p.count == len(p.list) {
		return 0, errEnough
	}
	p.list[p.count] = b
	p.count++
	return len(b), nil
}

// discard takes its number of bytes.
type discard int

func (d *discard) Write(b []byte) (int, error) {
	if len(b) > int(*d) {
		n := int(*d)
		*d = 0
		return n, errEnough
	}
	*d -= discard(len(b))
	return len(b), nil
}

var piecesPool = sync.Pool{New: func() any { return new(pieces) }}

// Drain offers the data received from the client to write, in place, and takes away as much as
// write returns. write must not block nor keep the pieces. It returns ErrWouldBlock when nothing
// was received, io.EOF after the client's FIN, and the errors of write.
func (s *Stream) Drain(write func(pieces [][]byte) (int, error)) (int, error) {
	s.read.mu.Lock()
	defer s.read.mu.Unlock()
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	received := piecesPool.Get().(*pieces)
	defer func() {
		clear(received.list[:received.count])
		received.count = 0
		piecesPool.Put(received)
	}()
	if _, err := s.endpoint.Read(received, tcpip.ReadOptions{Peek: true}); err != nil {
		return 0, s.readError(err)
	}
	n, failure := write(received.list[:received.count])
	if n > 0 {
		taken := discard(n)
		if _, err := s.endpoint.Read(&taken, tcpip.ReadOptions{}); err != nil {
			return n, s.readError(err)
		}
		s.consumed(n)
	}
	return n, failure
}

// WriteTo implements io.WriterTo: it copies to w until the client's FIN.
func (s *Stream) WriteTo(w io.Writer) (total int64, err error) {
	// The data is copied out before a writer that may block sees it: the stream could be closed
	// meanwhile.
	for {
		if err := s.awaitData(); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return total, err
		}
		buffer := transferPool.Get().(*[transferSize]byte)
		n, err := s.tryRead(buffer[:])
		if n > 0 {
			var m int
			m, err = w.Write(buffer[:n])
			total += int64(m)
		}
		transferPool.Put(buffer)
		switch {
		case err == nil, errors.Is(err, ErrWouldBlock):
		case errors.Is(err, io.EOF):
			return total, nil
		default:
			return total, err
		}
	}
}

// transferSize is the size of the buffers of WriteTo.
const transferSize = 64 << 10

var transferPool = sync.Pool{New: func() any { return new([transferSize]byte) }}

// awaitData waits without a buffer until tryRead has something to say.
func (s *Stream) awaitData() error {
	for s.endpoint.Readiness(waiter.ReadableEvents)&waiter.ReadableEvents == 0 {
		if err := s.WaitReadable(); err != nil {
			return err
		}
	}
	return nil
}

// Write implements net.Conn.
func (s *Stream) Write(b []byte) (int, error) {
	total := 0
	for total < len(b) {
		n, err := s.tryWrite(bytes.NewReader(b[total:]))
		total += n
		if errors.Is(err, ErrWouldBlock) {
			err = s.WaitWritable(0)
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (s *Stream) tryWrite(p tcpip.Payloader) (int, error) {
	s.write.mu.Lock()
	defer s.write.mu.Unlock()
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	n, err := s.endpoint.Write(p, tcpip.WriteOptions{})
	if n > 0 {
		s.write.moved(int(n))
	}
	if err != nil {
		return int(n), s.writeError(err)
	}
	return int(n), nil
}

// source is a Payloader that reads straight into the buffers of the TCP stack.
type source struct {
	read func([]byte) (int, error)
	left int
	err  error
}

func (r *source) Len() int { return r.left }

func (r *source) Read(b []byte) (int, error) {
	if len(b) == 0 || r.err != nil {
		return 0, r.err
	}
	n, err := r.read(b)
	r.left -= n
	r.err = err
	return n, err
}

// Fill sends available bytes that read delivers, reading them straight into the send buffer.
// read must not block and must deliver what available promises, in as many calls as it takes. It
// returns less than available when the send buffer has less room, and ErrWouldBlock when it has
// none. An error of read loses what was read in this call.
func (s *Stream) Fill(available int, read func([]byte) (int, error)) (int, error) {
	from := source{read: read, left: available}
	n, err := s.tryWrite(&from)
	if from.err != nil {
		return n, from.err
	}
	return n, err
}

// SetDeadline implements net.Conn.
func (s *Stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.setDeadline(&s.read, t) }

// SetWriteDeadline implements net.Conn.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.setDeadline(&s.write, t) }

func (s *Stream) setDeadline(side *side, t time.Time) error {
	if s.closed.Load() {
		return net.ErrClosed
	}
	side.deadline.set(t, side.wake)
	return nil
}

// deadline is a moment after which waiting is over. Its zero value never passes, and costs
// nothing.
type deadline struct {
	at    atomic.Int64 // nanoseconds since epoch; 0 is never
	mu    sync.Mutex
	timer *time.Timer
}

func (d *deadline) set(t time.Time, wake func()) {
	d.stop()
	if t.IsZero() {
		d.at.Store(0)
		return
	}
	left := time.Until(t)
	d.at.Store(max(int64(time.Since(epoch)+left), 1))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.timer = time.AfterFunc(left, wake)
}

func (d *deadline) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) passed() bool {
	at := d.at.Load()
	return at != 0 && int64(time.Since(epoch)) >= at
}
