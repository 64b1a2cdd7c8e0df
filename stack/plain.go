package stack

import (
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/songgao/water"
	"golang.org/x/sys/unix"
)

// plainQueue is one queue of a TUN device without vnet headers, for kernels and containers that
// refuse offloads. Frames read have a zero header; frames written are finished in software.
type plainQueue struct {
	tun *water.Interface
}

func openPlain(name string, count int) (queues []queue, err error) {
	if _, err := net.InterfaceByName(name); err == nil {
		return nil, fmt.Errorf("plain mode: %w", unix.EBUSY) // never join a device that somebody else made
	}
	for range count {
		config := water.Config{DeviceType: water.TUN}
		config.Name = name
		config.MultiQueue = true
		tun, err := water.New(config)
		if err != nil {
			for _, q := range queues {
				err = errors.Join(err, q.close())
			}
			return nil, fmt.Errorf("plain mode: %w", err)
		}
		queues = append(queues, plainQueue{tun})
	}
	return queues, nil
}

func (q plainQueue) Read(frame []byte) (int, error) {
	if len(frame) <= VirtioHeaderLen {
		return 0, fmt.Errorf("read: frame of %d bytes has no room for a packet", len(frame))
	}
	clear(frame[:VirtioHeaderLen])
	n, err := q.tun.Read(frame[VirtioHeaderLen:])
	if err != nil {
		return 0, readError(q.tun.ReadWriteCloser, err)
	}
	return VirtioHeaderLen + n, nil
}

func (q plainQueue) Write(frame []byte) error {
	return finish(frame, func(packet []byte) error {
		_, err := q.tun.Write(packet)
		return deviceError("write", err)
	})
}

// joined holds the frames that writeVector puts together.
var joined = sync.Pool{New: func() any { return new([MaxFrameLen]byte) }}

func (q plainQueue) writeVector(pieces [][]byte) error {
	buffer := joined.Get().(*[MaxFrameLen]byte)
	defer joined.Put(buffer)
	frame := buffer[:0]
	for _, piece := range pieces {
		frame = append(frame, piece...)
	}
	return q.Write(frame)
}

func (q plainQueue) close() error { return q.tun.Close() }
