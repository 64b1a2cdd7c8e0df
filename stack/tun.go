package stack

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
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

// tunQueue is one queue of a TUN device with vnet headers. Readers wait in the runtime's poller:
// a session behind the reader is then woken faster than from a blocking system call, and close
// wakes readers.
type tunQueue struct {
	file   *os.File
	fd     int          // of file, for writes beside each other
	use    sync.RWMutex // held for reading while a write uses fd, so that it is not closed and reused under it
	closed bool
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
		queues = append(queues, &tunQueue{file: os.NewFile(uintptr(fd), name), fd: fd})
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
	n, err := q.file.Read(frame)
	if err != nil {
		return 0, readError(q.file, err)
	}
	return n, nil
}

func (q *tunQueue) Write(frame []byte) error {
	vector := unix.Iovec{Base: unsafe.SliceData(frame)}
	vector.SetLen(len(frame))
	return q.send(&vector, 1)
}

// send writes a frame that lies in count pieces. The device takes it or refuses it, without waiting, which
// is why the runtime is not told of the system call: on a busy gateway it would have a thread more take
// over what else there is to do, and wake it for that.
func (q *tunQueue) send(vector *unix.Iovec, count int) error {
	q.use.RLock()
	defer q.use.RUnlock()
	if q.closed {
		return ErrClosed
	}
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(q.fd), uintptr(unsafe.Pointer(vector)), uintptr(count))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return deviceError("write", errno)
		}
	}
}

// maxPieces bounds the pieces of one written frame: a header and 64 KiB of payload in the
// smallest pieces the TCP stack makes of a bulk transfer. More are joined first.
const maxPieces = 64

func (q *tunQueue) writeVector(pieces [][]byte) error {
	var vector [maxPieces]unix.Iovec
	if len(pieces) > len(vector) {
		return q.Write(slices.Concat(pieces...))
	}
	used := 0
	for _, piece := range pieces {
		if len(piece) > 0 {
			vector[used].Base = unsafe.SliceData(piece)
			vector[used].SetLen(len(piece))
			used++
		}
	}
	return q.send(&vector[0], used)
}

func (q *tunQueue) close() error {
	q.use.Lock()
	closed := q.closed
	q.closed = true
	q.use.Unlock()
	if closed {
		return nil
	}
	return q.file.Close()
}

// readError is what a reader of a device is told of err. Of a device that goes while the runtime waits for it,
// the runtime says only that it cannot wait; the device itself tells pollers that it goes, before it refuses
// readers.
func readError(device io.Reader, err error) error {
	gone := false
	if file, ok := device.(*os.File); ok {
		if raw, failure := file.SyscallConn(); failure == nil {
			_ = raw.Control(func(fd uintptr) { // fails where it is closed, as err says
				state := []unix.PollFd{{Fd: int32(fd)}}
				n, _ := unix.Poll(state, 0)
				gone = n > 0 && state[0].Revents&unix.POLLERR != 0
			})
		}
	}
	if gone {
		return ErrDeviceGone
	}
	return deviceError("read", err)
}

// deviceError tells a closed and a removed device from other failures.
func deviceError(operation string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrClosed):
		return ErrClosed
	case errors.Is(err, unix.EBADFD), errors.Is(err, unix.ENODEV):
		return ErrDeviceGone
	}
	return fmt.Errorf("%s: %w", operation, err)
}
