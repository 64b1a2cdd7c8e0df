package relay

import (
	"net"

	"golang.org/x/sys/unix"
)

// silence ends a relayed session without a word to either side: it stands still, as if the line were
// broken.
func (r *relay) silence() {
	silenceSocket(r.upstream)
	_ = r.upstream.SetDeadline(longAgo) // wakes what waits
	r.lift = r.client.Silence()
}

// silenceSocket makes the kernel neither answer what comes for a connection nor tell its other end
// when it is closed. What the socket refuses, as its connection has ended, is not needed.
func silenceSocket(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
		// A socket under repair is closed without FIN and RST (tcp(7)).
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_REPAIR, 1)
	})
}
