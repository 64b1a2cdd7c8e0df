package tls

import (
	"net"
	"os"
	"syscall"
	"unsafe"
)

// The sockets of the net package never block. So the runtime is not told of the system calls that read
// and write them here: when one takes long, as it does where the kernel delivers what is written to a
// host nearby at once, the runtime would have a thread more take over what else there is to do, and wake
// it for that.

// readSocket is read(2).
func readSocket(fd uintptr, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// writeSocket is write(2).
func writeSocket(fd uintptr, b []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

// socketError is the error of a system call in the form that the net package gives it.
func socketError(operation string, conn net.Conn, errno syscall.Errno) error {
	return &net.OpError{Op: operation, Net: "tcp", Source: conn.LocalAddr(), Addr: conn.RemoteAddr(), Err: os.NewSyscallError(operation, errno)}
}

// writer writes to a *net.TCPConn.
type writer struct {
	raw   syscall.RawConn // nil before the first write
	try   func(fd uintptr) bool
	left  []byte
	errno syscall.Errno
}

// send writes to the connection below what c has to say.
func (c *Conn) send(data []byte) (int, error) {
	conn, ok := c.conn.(*net.TCPConn)
	if !ok {
		return c.conn.Write(data)
	}
	w := &c.writer
	if w.raw == nil {
		raw, err := conn.SyscallConn()
		if err != nil {
			return 0, err
		}
		w.raw, w.try = raw, w.trySocket
	}
	w.left, w.errno = data, 0
	err := w.raw.Write(w.try)
	if err == nil && w.errno != 0 {
		err = socketError("write", conn, w.errno)
	}
	n := len(data) - len(w.left)
	w.left = nil
	return n, err
}

func (w *writer) trySocket(fd uintptr) bool {
	for len(w.left) > 0 {
		n, errno := writeSocket(fd, w.left)
		switch errno {
		case 0:
			w.left = w.left[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			w.errno = errno
			return true
		}
	}
	return true
}
