package route

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kinds of failure of Dial, for errors.Is. The client of a session is told the same.
var (
	// ErrRefused says that the server, or a firewall, answered with a RST.
	ErrRefused = errors.New("connection refused")
	// ErrUnreachable says that there is no way to the server: ErrNetUnreachable or ErrHostUnreachable.
	ErrUnreachable = errors.New("unreachable")
	// ErrNetUnreachable says that there is no route, here or further on.
	ErrNetUnreachable = fmt.Errorf("network %w", ErrUnreachable)
	// ErrHostUnreachable says that the last router cannot reach the server.
	ErrHostUnreachable = fmt.Errorf("host %w", ErrUnreachable)
	// ErrTimeout says that nothing answered.
	ErrTimeout = errors.New("no answer")
	// ErrPortBusy says that a connection between the same addresses and ports still exists.
	ErrPortBusy = errors.New("addresses and ports in use")
)

// DialOptions say where Dial connects to, and as whom.
type DialOptions struct {
	// Source is the client that the server shall see, usually not an address of this host. Port 0
	// lets the kernel choose one.
	Source netip.AddrPort
	// Local is the address of this host that the server shall see where Source is not set. The
	// zero value leaves it to the routes.
	Local       netip.Addr
	Destination netip.AddrPort
	Mark        uint32 // firewall mark of the packets; 0 for none
	CodePoint   uint8  // of differentiated services, that the packets are marked with; 0 to 63
	Priority    uint32 // of the packets, that leads them to a queue of their link (SO_PRIORITY); 0 for none
	Interface   string // Linux device that the packets must use; empty for what the routes say
}

// Dial connects to a server. It ends with an error when ctx ends, or when the kernel gives up.
func Dial(ctx context.Context, opt DialOptions) (*net.TCPConn, error) {
	opt.Source = unmap(opt.Source)
	opt.Destination = unmap(opt.Destination)
	opt.Local = opt.Local.Unmap()
	dialer := net.Dialer{
		KeepAlive: -1, // sessions have timeouts of their own
		Control: func(_, _ string, socket syscall.RawConn) error {
			var err error
			control := socket.Control(func(fd uintptr) { err = opt.prepare(int(fd)) })
			return errors.Join(control, err)
		},
	}
	network := "tcp4"
	if opt.Destination.Addr().Is6() {
		network = "tcp6"
	}
	local := opt.Source
	if !local.IsValid() && opt.Local.IsValid() {
		local = netip.AddrPortFrom(opt.Local, 0)
	}
	conn, err := dialer.DialTCP(ctx, network, local, opt.Destination)
	if err != nil {
		return nil, classify(ctx, opt.Destination, err)
	}
	return conn, nil
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// prepare sets the options of a socket that is neither bound nor connected yet.
func (o *DialOptions) prepare(fd int) error {
	set := func(name string, level, option, value int) error {
		if err := unix.SetsockoptInt(fd, level, option, value); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	if o.Source.IsValid() {
		level, option := unix.SOL_IP, unix.IP_TRANSPARENT
		if o.Source.Addr().Is6() {
			level, option = unix.SOL_IPV6, unix.IPV6_TRANSPARENT
		}
		if err := set("transparent source address", level, option, 1); err != nil {
			return err
		}
		// A client port may be connected to several servers, and come back to one quickly.
		if err := set("shared source port", unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
	}
	if o.Source.Port() == 0 && (o.Source.IsValid() || o.Local.IsValid()) {
		// The port is chosen on connect, where it only has to differ from those to the same server.
		if err := set("late choice of port", unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return err
		}
	}
	if o.Mark != 0 {
		if err := set("mark", unix.SOL_SOCKET, unix.SO_MARK, int(o.Mark)); err != nil {
			return err
		}
	}
	if o.CodePoint != 0 || o.Priority != 0 {
		if err := mark(fd, o.Destination.Addr().Is6(), o.CodePoint, o.Priority); err != nil {
			return err
		}
	}
	if o.Interface != "" {
		if err := unix.BindToDevice(fd, o.Interface); err != nil {
			return fmt.Errorf("bind to device %s: %w", o.Interface, err)
		}
	}
	return nil
}

// classify gives an error of connect its kind.
func classify(ctx context.Context, to netip.AddrPort, err error) error {
	var kind error
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		kind = context.Cause(ctx)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		kind = ErrRefused
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ENONET):
		kind = ErrNetUnreachable
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		kind = ErrHostUnreachable
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		kind = ErrTimeout
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EADDRINUSE):
		kind = ErrPortBusy
	default:
		return fmt.Errorf("connect to %s: %w", to, err)
	}
	return fmt.Errorf("connect to %s: %w", to, kind)
}
