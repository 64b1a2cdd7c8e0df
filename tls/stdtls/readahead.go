package tls

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// drainer is a connection that offers what it received without waiting, like a stack.Stream.
type drainer interface {
	// Drain offers what was received to write, which returns how much of it was taken. It
	// returns EAGAIN when nothing was received, and io.EOF at the end.
	Drain(write func(pieces [][]byte) (int, error)) (int, error)
	// WaitReadable waits until Drain is worth a try.
	WaitReadable() error
}

// readAhead holds what was read from the underlying connection and not used yet. It reads as much
// at once as there is and its buffer takes; the buffer comes from a pool, and goes back whenever
// it is empty. While it waits for a *net.TCPConn or a drainer it holds a buffer only for what it
// has of an incomplete record; for other connections it holds one that a record fits in.
type readAhead struct {
	buffer     []byte // nil, or of getBuffer
	begin, end int    // what is in use of it
	bulk       bool   // a read filled a buffer: use the larger one
	noWait     bool   // EAGAIN instead of waiting

	raw  syscall.RawConn // of a *net.TCPConn
	try  func(fd uintptr) bool
	take func(pieces [][]byte) (int, error)
	n    int // what try read
	err  error
}

// Len is the number of bytes held.
func (r *readAhead) Len() int { return r.end - r.begin }

// Bytes returns what is held, until more is read.
func (r *readAhead) Bytes() []byte { return r.buffer[r.begin:r.end] }

// Next takes n bytes of what is held. They are valid until more is read or the buffer is released.
func (r *readAhead) Next(n int) []byte {
	taken := r.buffer[r.begin : r.begin+n : r.begin+n]
	r.begin += n
	return taken
}

// release gives the buffer back if nothing is held.
func (r *readAhead) release() {
	if r.Len() == 0 && r.buffer != nil {
		putBuffer(r.buffer)
		r.buffer, r.begin, r.end = nil, 0, 0
	}
}

// readUntil reads from conn until at least n bytes are held. n is at most the size of a record.
func (r *readAhead) readUntil(conn io.Reader, n int) error {
	for r.Len() < n {
		if r.noWait {
			return syscall.EAGAIN
		}
		read, err := r.read(conn)
		switch {
		case r.Len() >= n:
		case err == io.EOF:
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case read == 0:
			return io.ErrNoProgress
		}
	}
	return nil
}

// read reads once, waiting for data.
func (r *readAhead) read(conn io.Reader) (n int, err error) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		n, err = r.readTCP(conn)
	case drainer:
		n, err = r.drain(conn)
	default:
		r.makeRoom()
		n, err = conn.Read(r.buffer[r.end:])
		r.end += n
	}
	if n > 0 {
		// A full buffer of the smaller size asks for the larger one, which is kept while more
		// arrives at once than the smaller one takes.
		r.bulk = r.end == len(r.buffer) || r.end > recordBufferSize
	}
	return n, err
}

// makeRoom makes sure that there is a buffer with room at its end.
func (r *readAhead) makeRoom() {
	switch held := r.Bytes(); {
	case r.buffer == nil:
		r.buffer = getBuffer(r.bulk)
	case r.bulk && len(r.buffer) < bulkBufferSize:
		r.move(true)
	case r.begin > 0:
		r.begin, r.end = 0, copy(r.buffer, held)
	}
}

// move changes the size of the buffer.
func (r *readAhead) move(bulk bool) {
	old := r.buffer
	r.buffer = getBuffer(bulk)
	r.begin, r.end = 0, copy(r.buffer, old[r.begin:r.end])
	putBuffer(old)
}

// shrink holds no larger buffer than what is in it needs.
func (r *readAhead) shrink() {
	r.release()
	if len(r.buffer) == bulkBufferSize && r.Len() <= recordBufferSize {
		r.move(false)
	}
}

// readTCP reads from a socket. It takes a buffer only once the socket has something to read.
func (r *readAhead) readTCP(conn *net.TCPConn) (int, error) {
	if r.raw == nil {
		raw, err := conn.SyscallConn()
		if err != nil {
			return 0, err
		}
		r.raw, r.try = raw, r.trySocket
	}
	if err := r.raw.Read(r.try); err != nil {
		return 0, err
	}
	n, err := r.n, r.err
	r.n, r.err = 0, nil
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		err = socketError("read", conn, errno)
	}
	return n, err
}

func (r *readAhead) trySocket(fd uintptr) bool {
	r.makeRoom()
	for {
		n, errno := readSocket(fd, r.buffer[r.end:])
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			r.shrink()
			return false
		case errno != 0:
			r.err = errno
		case n == 0:
			r.err = io.EOF
		default:
			r.n = n
			r.end += n
		}
		return true
	}
}

// drain takes what a connection offers.
func (r *readAhead) drain(conn drainer) (int, error) {
	if r.take == nil {
		r.take = r.takePieces
	}
	for {
		n, err := conn.Drain(r.take)
		if n > 0 {
			return n, nil // an error comes again
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return 0, err
		}
		r.shrink()
		if err := conn.WaitReadable(); err != nil {
			return 0, err
		}
	}
}

func (r *readAhead) takePieces(pieces [][]byte) (int, error) {
	r.makeRoom()
	begin := r.end
	for _, piece := range pieces {
		r.end += copy(r.buffer[r.end:], piece)
	}
	return r.end - begin, nil
}
