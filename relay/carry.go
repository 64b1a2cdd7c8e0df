package relay

import (
	"errors"
	"io"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"sluice/stack"
)

// upload carries the client's bytes to the server, straight from the receive queue of one
// connection into the socket of the other.
func (r *relay) upload() {
	var refused error // what the server's socket said
	var fd int
	writev := func(pieces [][]byte) (int, error) {
		if err := r.showPieces(pieces); err != nil {
			refused = err
			return 0, err
		}
		n, err := unix.Writev(fd, pieces)
		refused = err
		return max(n, 0), err
	}
	var received error // what the client's side said
	drain := func(socket uintptr) {
		fd = int(socket)
		var n int
		n, received = r.client.Drain(writev)
		r.fromClient.Add(uint64(n))
	}
	for {
		received, refused = nil, nil
		if err := r.raw.Control(drain); err != nil {
			r.fail(ServerLost, err)
			return
		}
		switch {
		case errors.Is(refused, unix.EAGAIN):
			if err := r.awaitUpstream(); err != nil {
				r.fail(serverEnd(err), err)
				return
			}
		case errors.Is(refused, errStopped):
			r.fail(Stopped, refused)
			return
		case errors.Is(refused, unix.EINTR), received == nil:
		case refused != nil:
			r.fail(serverEnd(refused), refused)
			return
		case errors.Is(received, stack.ErrWouldBlock):
			if err := r.client.WaitReadable(); err != nil {
				r.fail(clientEnd(err), err)
				return
			}
		case errors.Is(received, io.EOF):
			r.finishUpload()
			return
		default:
			r.fail(clientEnd(received), received)
			return
		}
	}
}

// uploadEdited carries what edit makes of the client's bytes, which are few.
func (r *relay) uploadEdited(edit func([]byte) []byte) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := r.client.Read(buffer)
		if n > 0 {
			r.fromClient.Add(uint64(n))
			if stop := r.show(true, buffer[:n]); stop != nil {
				r.fail(Stopped, stop)
				return
			}
			if _, err := r.upstream.Write(edit(buffer[:n])); err != nil {
				r.fail(serverEnd(err), err)
				return
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			r.finishUpload()
			return
		default:
			r.fail(clientEnd(err), err)
			return
		}
	}
}

// finishUpload hands the client's FIN on.
func (r *relay) finishUpload() {
	r.finish(ClientFIN)
	r.finSent.Store(true)
	if err := r.upstream.CloseWrite(); err != nil && !errors.Is(err, unix.ENOTCONN) {
		r.fail(serverEnd(err), err)
	}
}

// showPieces shows what of the client's bytes, which begin at the first that was not written yet,
// has not been shown before.
func (r *relay) showPieces(pieces [][]byte) error {
	if r.inspector.Load() == nil {
		return nil
	}
	skip := r.shown - r.fromClient.Load()
	for _, piece := range pieces {
		n := min(skip, uint64(len(piece)))
		skip -= n
		if err := r.show(true, piece[n:]); err != nil {
			return err
		}
		r.shown += uint64(len(piece)) - n
	}
	return nil
}

// show lets the inspector see bytes that are about to pass.
func (r *relay) show(fromClient bool, data []byte) error {
	inspect := r.inspector.Load()
	if inspect == nil || len(data) == 0 {
		return nil
	}
	return r.obey((*inspect)(fromClient, data))
}

// obey does what a verdict says. It returns an error when nothing may pass any more.
func (r *relay) obey(v Verdict) error {
	switch v {
	case Seen:
		r.inspector.Store(nil)
	case Close:
		r.answered.Store(true)
	}
	return v.Err()
}

// awaitUpstream waits until the server's socket takes data.
func (r *relay) awaitUpstream() error {
	waited := false
	return r.raw.Write(func(uintptr) bool {
		done := waited
		waited = true
		return done
	})
}

// download carries the server's bytes to the client, straight from the socket into the send
// buffer of the client's connection.
func (r *relay) download() {
	var fd int
	read := func(b []byte) (int, error) {
		for {
			n, err := unix.Read(fd, b)
			switch {
			case err == unix.EINTR:
			case err != nil:
				return 0, err
			case n == 0:
				return 0, io.ErrUnexpectedEOF // there was less than the socket had announced
			default:
				return n, r.show(false, b[:n])
			}
		}
	}
	var available, moved int
	var received, sent error // what the server's socket and the client's side said
	fill := func(socket uintptr) bool {
		fd = int(socket)
		moved, received, sent = 0, nil, nil
		available, received = announced(fd)
		if errors.Is(received, unix.EAGAIN) {
			return false // wait until readable
		}
		if received == nil {
			moved, sent = r.client.Fill(available, read)
			r.fromServer.Add(uint64(moved))
		}
		return true
	}
	for {
		if err := r.raw.Read(fill); err != nil {
			r.fail(serverEnd(err), err)
			return
		}
		switch {
		case errors.Is(received, io.EOF) && !r.finSent.Load() && r.upstreamClosed():
			// It was a RST whose error the other direction was told.
			r.fail(ServerRST, syscall.ECONNRESET)
			return
		case errors.Is(received, io.EOF):
			r.finish(ServerFIN)
			if err := r.client.CloseWrite(); err != nil {
				r.fail(clientEnd(err), err)
			}
			return
		case received != nil:
			r.fail(serverEnd(received), received)
			return
		case errors.Is(sent, stack.ErrWouldBlock):
			if err := r.awaitClient(); err != nil {
				return
			}
		case errors.Is(sent, errStopped):
			r.fail(Stopped, sent)
			return
		case sent != nil:
			r.fail(clientEnd(sent), sent)
			return
		}
	}
}

// upstreamClosed says whether the server's socket has no connection any more. After the server's
// FIN alone it still has.
func (r *relay) upstreamClosed() bool {
	closed := false
	err := r.raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		closed = err == nil && info.State == unix.BPF_TCP_CLOSE
	})
	return err == nil && closed
}

// announced is the number of bytes, up to relayChunk, that reading from a socket delivers without
// waiting. It returns io.EOF at the end of the stream and EAGAIN when there is nothing yet.
func announced(fd int) (int, error) {
	// Peeking with MSG_TRUNC makes TCP count what it would deliver and copy nothing (tcp(7)), so
	// that the buffer is never touched, whatever length is given.
	var untouched [1]byte
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&untouched)), relayChunk,
			unix.MSG_PEEK|unix.MSG_TRUNC|unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		default:
			return int(n), nil
		}
	}
}

// awaitClient waits until the client takes data. While it does not, nobody reads from the server,
// so this looks now and then whether the server has reset the session.
func (r *relay) awaitClient() error {
	for {
		err := r.client.WaitWritable(stalledCheck)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			if err != nil {
				r.fail(clientEnd(err), err)
			}
			return err
		}
		if err := PendingError(r.raw); err != nil {
			r.fail(serverEnd(err), err)
			return err
		}
	}
}

// PendingError is the error that a socket holds for whoever uses it next; it is taken from there.
func PendingError(socket syscall.RawConn) (err error) {
	control := socket.Control(func(fd uintptr) {
		var pending int
		if pending, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR); err == nil && pending != 0 {
			err = syscall.Errno(pending)
		}
	})
	return errors.Join(control, err)
}
