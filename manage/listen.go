package manage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen opens the control socket at path, for root and for the members of group ("" for root
// alone). A socket that a dead gateway left behind is replaced; that of a running one is not.
func Listen(path, group string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	// The socket must never be open to all, not even between bind and chmod.
	old := syscall.Umask(0o177)
	l, err := net.Listen("unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if group == "" {
		return l, nil
	}
	if err := giveTo(path, group); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes the socket at path when nobody listens on it.
func removeStale(path string) error {
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("control socket %s: a gateway is running already", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("control socket: %w", err)
		}
	}
	return nil
}

// giveTo opens the socket to the members of group.
func giveTo(path, group string) error {
	g, err := user.LookupGroup(group)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	gid, err := strconv.Atoi(g.Gid)
	if err != nil {
		return fmt.Errorf("control socket: group %s has the id %q", group, g.Gid)
	}
	if err := os.Chown(path, -1, gid); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

// peer is who is at the other end of the socket, as the kernel says.
type peer struct {
	User string
	PID  int32
}

type peerKey struct{}

// withPeer keeps the peer of a new connection in its context.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, peerKey{}, peerCredentials(c))
}

// peerOf is the peer of the connection that a request came by.
func peerOf(ctx context.Context) peer {
	p, _ := ctx.Value(peerKey{}).(peer)
	return p
}

// peerCredentials asks the kernel for the user of a Unix connection.
func peerCredentials(c net.Conn) peer {
	unknown := peer{User: "unknown"}
	conn, ok := c.(*net.UnixConn)
	if !ok {
		return unknown
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return unknown
	}
	var cred *unix.Ucred
	if err := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil || cred == nil {
		return unknown
	}
	uid := strconv.FormatUint(uint64(cred.Uid), 10)
	u, err := user.LookupId(uid)
	if err != nil {
		return peer{User: "uid-" + uid, PID: cred.Pid}
	}
	return peer{User: u.Username, PID: cred.Pid}
}

// machineName is the name of the machine, for gateways without a configured one.
func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return "sluice"
	}
	return name
}
