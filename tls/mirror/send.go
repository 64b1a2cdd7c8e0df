package mirror

import (
	"errors"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// closeTime is how long a port that is closed waits for its interface.
const closeTime = time.Second

func closeDeadline() time.Time { return time.Now().Add(closeTime) }

// batchSize bounds the frames of one system call.
const batchSize = 64

// message is the kernel's struct mmsghdr.
type message struct {
	header unix.Msghdr
	_      uint32 // how much of it was sent
}

// batch are frames that are sent with one system call.
type batch struct {
	messages [batchSize]message
	vectors  [batchSize]unix.Iovec
}

// send takes frames from the queue to the interface until the queue is closed.
func (p *Port) send() {
	defer close(p.done)
	var b batch
	for frames := range p.queue {
		p.sendBlock(&b, frames)
		p.queued.Add(-int64(len(frames.data)))
		frames.free()
	}
}

func (p *Port) sendBlock(b *batch, frames *block) {
	data, lengths := frames.data, frames.lengths
	for len(lengths) > 0 {
		sent, err := p.sendFrames(b, data, lengths[:min(len(lengths), batchSize)])
		for _, length := range lengths[:sent] {
			p.frames.Add(1)
			p.bytes.Add(uint64(length))
			data = data[length:]
		}
		lengths = lengths[sent:]
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed):
			p.drops.Add(uint64(len(lengths)))
			return
		default:
			// The kernel refused the first frame of the rest.
			p.refused.Add(1)
			data, lengths = data[lengths[0]:], lengths[1:]
			p.refresh(err)
		}
	}
}

// sendFrames sends some of the frames, waiting until the interface takes one. Without an error it
// sent at least one.
func (p *Port) sendFrames(b *batch, data []byte, lengths []int) (sent int, err error) {
	for i, length := range lengths {
		b.vectors[i].Base = &data[0]
		b.vectors[i].SetLen(length)
		b.messages[i].header.Iov = &b.vectors[i]
		b.messages[i].header.SetIovlen(1)
		data = data[length:]
	}
	write := func(fd uintptr) bool {
		for {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, fd, uintptr(unsafe.Pointer(&b.messages)), uintptr(len(lengths)), 0, 0, 0)
			switch errno {
			case 0:
				sent, err = int(n), nil
				return true
			case unix.EINTR:
			case unix.EAGAIN:
				return false
			default:
				err = errno
				return true
			}
		}
	}
	if waitErr := p.raw.Write(write); waitErr != nil {
		return 0, waitErr
	}
	return sent, err
}

// refresh finds the interface again after an error: it may have another MTU, or have been made
// anew. While it is down or gone its frames are counted as errors.
func (p *Port) refresh(err error) {
	if !errors.Is(err, unix.EMSGSIZE) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.ENODEV) {
		return
	}
	link, lookup := net.InterfaceByName(p.name)
	if lookup != nil || link.MTU < minMTU {
		return
	}
	p.mtu.Store(int32(min(link.MTU, maxMTU)))
	if !errors.Is(err, unix.EMSGSIZE) {
		_ = p.raw.Control(func(fd uintptr) {
			_ = unix.Bind(int(fd), &unix.SockaddrLinklayer{Ifindex: link.Index}) // the next frame tells
		})
	}
}
