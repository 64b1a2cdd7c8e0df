package route

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// Mark gives what a connection sends from now on a code point of differentiated services (RFC 2474),
// 0 to 63, and a priority in the queues of its link (SO_PRIORITY), 0 for the kernel's own choice. It
// fails for a connection that has ended.
func Mark(c *net.TCPConn, codePoint uint8, priority uint32) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	remote, _ := c.RemoteAddr().(*net.TCPAddr)
	v6 := remote != nil && remote.IP.To4() == nil
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = mark(int(fd), v6, codePoint, priority) }); err != nil {
		return err
	}
	return failed
}

// mark sets a socket's code point, and its priority if it is not 0. An IPv6 socket takes the option of
// IPv4, too, and then marks nothing.
func mark(fd int, v6 bool, codePoint uint8, priority uint32) error {
	level, option := unix.SOL_IP, unix.IP_TOS
	if v6 {
		level, option = unix.SOL_IPV6, unix.IPV6_TCLASS
	}
	if err := unix.SetsockoptInt(fd, level, option, int(codePoint)<<2); err != nil {
		return fmt.Errorf("code point: %w", err)
	}
	if priority != 0 { // after the code point, which the kernel makes a priority of
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, int(priority)); err != nil {
			return fmt.Errorf("priority: %w", err)
		}
	}
	return nil
}
