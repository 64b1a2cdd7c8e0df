// Package stack is the gateway's contact with packets: TUN devices that carry them, their parsing
// and rewriting, and the TCP stack that ends the sessions of stream services.
package stack

import (
	"errors"
	"fmt"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// VirtioHeaderLen is the length of the virtio_net_hdr in front of every frame.
const VirtioHeaderLen = 10

// MaxFrameLen is the length of the largest frame a queue delivers: a segment train fills one IP
// packet of 65,535 bytes at most.
const MaxFrameLen = VirtioHeaderLen + 65535

const (
	defaultQueues     = 2
	defaultMTU        = 1500
	transmitQueueLen  = 5000 // packets; the kernel's 500 overflows with a few fast uploads
	maximumQueues     = 256  // MAX_TAP_QUEUES of the kernel
	addrGenModeNone   = 1    // IN6_ADDR_GEN_MODE_NONE: no link-local address, no router solicitations
	minimumIPv6MTU    = 1280 // below it the kernel takes IPv6 from the device
	maximumDeviceName = unix.IFNAMSIZ - 1
)

var (
	// ErrClosed is returned by the queues of a device after its Close.
	ErrClosed = errors.New("device closed")
	// ErrDeviceGone is returned by the queues of a device that was removed by somebody else.
	ErrDeviceGone = errors.New("device removed from the system")
)

// Queue carries frames: a virtio_net_hdr (VirtioHeaderLen bytes, little endian, all zero when
// nothing is offloaded) followed by one IP packet. Write may be called by several goroutines at
// once, Read by one. Write does not keep frame, but may change it.
type Queue interface {
	// Read blocks for the next frame. frame should hold MaxFrameLen bytes; what does not fit is
	// lost. It returns ErrClosed after Close and ErrDeviceGone when the device was removed.
	Read(frame []byte) (n int, err error)
	// Write hands one frame to the kernel as a packet that arrived on the device.
	Write(frame []byte) error
}

// queue is what a Device needs of its own queues beyond Queue.
type queue interface {
	Queue
	// writeVector is Write of a frame that lies in pieces.
	writeVector(pieces [][]byte) error
	// close makes Read return ErrClosed and releases the descriptor when nobody uses it any more.
	close() error
}

// DeviceOptions say what OpenDevice opens.
type DeviceOptions struct {
	Name   string // of the Linux device, 1 to 15 characters; must not exist yet
	MTU    int    // bytes, 68 to 65535; 0 is 1500
	Queues int    // 1 to 256; 0 is 2. A flow stays on one queue
	Plain  bool   // without offloads, one packet per system call
}

// Device is a TUN device: the packets that the kernel routes into it are read from its queues,
// and what is written to a queue arrives in the kernel.
type Device struct {
	name    string
	mtu     int
	index   int
	offload bool
	queues  []queue

	mu      sync.Mutex
	closed  bool
	onClose []func()
}

// OpenDevice makes the TUN device, sets its MTU and transmit queue and brings it up. The kernel
// hands segment trains and unfinished checksums over and takes them back where it supports that
// (Offload); elsewhere, or when Plain is set, the device carries single packets. The device
// belongs to the network namespace of the calling thread and disappears with Close, or with the
// process.
func OpenDevice(opt DeviceOptions) (*Device, error) {
	if opt.MTU == 0 {
		opt.MTU = defaultMTU
	}
	if opt.Queues == 0 {
		opt.Queues = defaultQueues
	}
	switch {
	case opt.Name == "" || len(opt.Name) > maximumDeviceName:
		return nil, fmt.Errorf("device name %q: must have 1 to %d characters", opt.Name, maximumDeviceName)
	case opt.MTU < 68 || opt.MTU > 65535:
		return nil, fmt.Errorf("device %s: MTU %d is not in 68..65535", opt.Name, opt.MTU)
	case opt.Queues < 1 || opt.Queues > maximumQueues:
		return nil, fmt.Errorf("device %s: %d queues are not in 1..%d", opt.Name, opt.Queues, maximumQueues)
	}
	d := &Device{name: opt.Name, mtu: opt.MTU}
	var err error
	if !opt.Plain {
		d.queues, err = openTUN(opt.Name, opt.Queues)
		d.offload = err == nil
	}
	if opt.Plain || errors.Is(err, errNoOffload) {
		d.queues, err = openPlain(opt.Name, opt.Queues)
	}
	if err != nil {
		return nil, fmt.Errorf("open device %s: %w", opt.Name, err)
	}
	if err := d.configure(); err != nil {
		return nil, errors.Join(fmt.Errorf("configure device %s: %w", opt.Name, err), d.Close())
	}
	return d, nil
}

func (d *Device) configure() error {
	link, err := netlink.LinkByName(d.name)
	if err != nil {
		return err
	}
	d.index = link.Attrs().Index
	if err := netlink.LinkSetMTU(link, d.mtu); err != nil {
		return fmt.Errorf("MTU %d: %w", d.mtu, err)
	}
	if err := netlink.LinkSetTxQLen(link, transmitQueueLen); err != nil {
		return fmt.Errorf("transmit queue length: %w", err)
	}
	if d.mtu >= minimumIPv6MTU {
		err := netlink.LinkSetIP6AddrGenMode(link, addrGenModeNone)
		// A kernel started without IPv6 has nothing to set.
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) && !errors.Is(err, unix.EOPNOTSUPP) {
			return fmt.Errorf("IPv6 address generation: %w", err)
		}
	}
	return netlink.LinkSetUp(link)
}

// Name is the name of the Linux device.
func (d *Device) Name() string { return d.name }

// Index is the interface index of the Linux device.
func (d *Device) Index() int { return d.index }

// MTU is the largest packet on the wire, in bytes. Frames may be longer: see MaxFrameLen.
func (d *Device) MTU() int { return d.mtu }

// Offload reports whether the kernel does segmentation and checksums for the device. Without, the
// device works at a small part of the speed.
func (d *Device) Offload() bool { return d.offload }

// Queues returns the queues, each to be read by a goroutine of its own.
func (d *Device) Queues() []Queue {
	queues := make([]Queue, len(d.queues))
	for i, q := range d.queues {
		queues[i] = q
	}
	return queues
}

// Close removes the device. Readers return ErrClosed. It may be called more than once.
func (d *Device) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	hooks := d.onClose
	d.onClose = nil
	d.mu.Unlock()
	for _, hook := range hooks {
		hook()
	}
	var errs []error
	for _, q := range d.queues {
		errs = append(errs, q.close())
	}
	return errors.Join(errs...)
}

// beforeClose has hook called at the start of Close. It reports false when the device is closed.
func (d *Device) beforeClose(hook func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.onClose = append(d.onClose, hook)
	return true
}
