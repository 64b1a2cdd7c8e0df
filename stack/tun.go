package stack

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offloads a TUN device can be asked for (TUN_F_* of linux/if_tun.h): what the kernel may leave
// unfinished in the frames it hands over.
const (
	tunCsum   = 0x01
	tunTSO4   = 0x02
	tunTSO6   = 0x04
	tunTSOECN = 0x08
	tunUSO4   = 0x20
	tunUSO6   = 0x40
)

// tunOffloads are tried in turn. UDP segmentation came with Linux 6.2. A kernel without the last
// of them is served in plain mode.
var tunOffloads = []int{
	tunCsum | tunTSO4 | tunTSO6 | tunTSOECN | tunUSO4 | tunUSO6,
	tunCsum | tunTSO4 | tunTSO6 | tunTSOECN,
	tunCsum | tunTSO4 | tunTSO6,
}

// errNoOffload says that the kernel, or the container, refused the vnet header or the offloads.
var errNoOffload = errors.New("offloads refused")

// tunQueue is one queue of a TUN device with vnet headers. Its descriptor does not block: under
// load a read is one system call; a reader that finds nothing sleeps in poll, where close can
// wake it.
type tunQueue struct {
	fd     int
	wake   int          // eventfd, readable once the queue is closed
	use    sync.RWMutex // held for reading while fd is in use, so that it is not reused under a system call
	closed atomic.Bool
}

func openTUN(name string, count int) (queues []queue, err error) {
	defer func() {
		if err != nil {
			for _, q := range queues {
				err = errors.Join(err, q.close())
			}
			queues = nil
		}
	}()
	for i := range count {
		flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI | unix.IFF_VNET_HDR | unix.IFF_MULTI_QUEUE)
		if i == 0 {
			flags |= unix.IFF_TUN_EXCL // never join a device that somebody else made
		}
		fd, err := attachTUN(name, flags)
		if err != nil {
			return queues, err
		}
		wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
		if err != nil {
			return queues, errors.Join(fmt.Errorf("eventfd: %w", err), unix.Close(fd))
		}
		queues = append(queues, &tunQueue{fd: fd, wake: wake})
	}
	return queues, nil
}

func attachTUN(name string, flags uint16) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/net/tun: %w", err)
	}
	if err := setUpTUN(fd, name, flags); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func setUpTUN(fd int, name string, flags uint16) error {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	request.SetUint16(flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		if errors.Is(err, unix.EINVAL) && flags&unix.IFF_VNET_HDR != 0 {
			return fmt.Errorf("%w: vnet header: %w", errNoOffload, err)
		}
		return fmt.Errorf("attach: %w", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, VirtioHeaderLen); err != nil {
		return fmt.Errorf("%w: vnet header size: %w", errNoOffload, err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TUNSETVNETLE, 1); err != nil {
		return fmt.Errorf("%w: vnet header byte order: %w", errNoOffload, err)
	}
	for _, offloads := range tunOffloads {
		if err = unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offloads); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: %w", errNoOffload, err)
}

func (q *tunQueue) Read(frame []byte) (int, error) {
	q.use.RLock()
	defer q.use.RUnlock()
	for {
		if q.closed.Load() {
			return 0, ErrClosed
		}
		n, err := unix.Read(q.fd, frame)
		switch {
		case err == nil:
			return n, nil
		case err == unix.EAGAIN:
			if err := q.sleep(); err != nil {
				return 0, err
			}
		case err != unix.EINTR:
			return 0, deviceError("read", err)
		}
	}
}

// sleep waits for a packet or for close.
func (q *tunQueue) sleep() error {
	fds := [2]unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, {Fd: int32(q.wake), Events: unix.POLLIN}}
	_, err := unix.Poll(fds[:], -1)
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("poll: %w", err)
	}
	return nil
}

func (q *tunQueue) Write(frame []byte) error {
	q.use.RLock()
	defer q.use.RUnlock()
	if q.closed.Load() {
		return ErrClosed
	}
	for {
		if _, err := unix.Write(q.fd, frame); err != unix.EINTR {
			return deviceError("write", err)
		}
	}
}

// maxPieces bounds the pieces of one written frame: a header and 64 KiB of payload in the
// smallest pieces the TCP stack makes of a bulk transfer. More are joined first.
const maxPieces = 64

func (q *tunQueue) writeVector(pieces [][]byte) error {
	var vector [maxPieces]unix.Iovec
	if len(pieces) > len(vector) {
		return q.Write(join(pieces))
	}
	used := 0
	for _, piece := range pieces {
		if len(piece) > 0 {
			vector[used].Base = unsafe.SliceData(piece)
			vector[used].SetLen(len(piece))
			used++
		}
	}
	q.use.RLock()
	defer q.use.RUnlock()
	if q.closed.Load() {
		return ErrClosed
	}
	for {
		_, _, errno := unix.Syscall(unix.SYS_WRITEV, uintptr(q.fd), uintptr(unsafe.Pointer(&vector[0])), uintptr(used))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return deviceError("write", errno)
		}
	}
}

func (q *tunQueue) close() error {
	if q.closed.Swap(true) {
		return nil
	}
	var one = [8]byte{1}
	if _, err := unix.Write(q.wake, one[:]); err != nil {
		return fmt.Errorf("wake reader: %w", err)
	}
	q.use.Lock() // until nobody is inside a system call
	defer q.use.Unlock()
	return errors.Join(unix.Close(q.fd), unix.Close(q.wake))
}

// deviceError tells a device that was removed from other failures.
func deviceError(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EBADFD), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return ErrDeviceGone
	}
	return fmt.Errorf("%s: %w", operation, err)
}

func join(pieces [][]byte) []byte {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	whole := make([]byte, 0, size)
	for _, piece := range pieces {
		whole = append(whole, piece...)
	}
	return whole
}
