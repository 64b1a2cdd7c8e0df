package lab

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// netnsDir is where named namespaces live (ip-netns(8)).
const netnsDir = "/run/netns"

// etcDir holds files that "ip netns exec" binds over those in /etc.
const etcDir = "/etc/netns"

// Host is one machine of the lab: a network namespace.
type Host struct {
	Role      string     // "client", "gw", "web", …
	Namespace string     // name under /run/netns
	Addr4     netip.Addr // its first IPv4 address, invalid for a host without addresses
	Addr6     netip.Addr // its first IPv6 address
	lab       *Lab
}

// newHost makes the namespace of role, with its loopback up, forwarding off and no duplicate
// address detection (addresses work at once).
func (l *Lab) newHost(role string) (*Host, error) {
	h := &Host{Role: role, Namespace: l.prefix + "-" + role, lab: l}
	if err := addNamespace(h.Namespace); err != nil {
		return nil, err
	}
	l.hosts = append(l.hosts, h)
	for _, s := range []string{"all", "default"} {
		for key, value := range map[string]string{"accept_dad": "0", "accept_ra": "0", "router_solicitations": "0"} {
			if err := h.Sysctl("net/ipv6/conf/"+s+"/"+key, value); err != nil {
				return nil, err
			}
		}
		if err := h.Sysctl("net/ipv4/conf/"+s+"/rp_filter", "0"); err != nil {
			return nil, err
		}
	}
	return h, h.IP("link set lo up")
}

// resolver makes server the name server of programs on h.
func (h *Host) resolver(server netip.Addr) error {
	dir := filepath.Join(etcDir, h.Namespace)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text := fmt.Sprintf("nameserver %s\noptions timeout:2 attempts:2\n", server)
	return os.WriteFile(filepath.Join(dir, "resolv.conf"), []byte(text), 0o644)
}

// Command prepares a program to run on h. Its process id is the program's own.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", h.Namespace, name}, args...)...)
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// Run runs a program on h to its end and returns what it printed, both streams together. The
// error says how it ended and what it printed.
func (h *Host) Run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := h.Command(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("%s: %s %s: %w: %s", h.Role, name, strings.Join(args, " "), err, strings.TrimSpace(out.String()))
	}
	return out.String(), err
}

// IP runs ip(8) commands in h, one a line, until one fails.
func (h *Host) IP(commands ...string) error {
	cmd := exec.Command("ip", "-n", h.Namespace, "-batch", "-")
	batch := strings.Join(commands, "\n")
	cmd.Stdin = strings.NewReader(batch + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip in %s: %w: %s in:\n%s", h.Role, err, strings.TrimSpace(string(out)), batch)
	}
	return nil
}

// Sysctl writes a kernel parameter of h; key is its path below /proc/sys.
func (h *Host) Sysctl(key, value string) error {
	return h.Do(func() error { return os.WriteFile("/proc/sys/"+key, []byte(value), 0o644) })
}

// Do calls f with the calling thread inside h's namespace. Sockets that f opens stay there for
// their lifetime; goroutines that f starts are outside.
func (h *Host) Do(f func() error) error {
	return withinNamespace(h.Namespace, f)
}

// withinNamespace runs f on a thread of its own inside the named namespace. The thread is thrown
// away where it cannot be led back.
func withinNamespace(name string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		done <- func() error {
			home, err := netns.Get()
			if err != nil {
				return err
			}
			defer home.Close()
			target, err := netns.GetFromName(name)
			if err != nil {
				return fmt.Errorf("namespace %s: %w", name, err)
			}
			defer target.Close()
			if err := netns.Set(target); err != nil {
				return fmt.Errorf("entering namespace %s: %w", name, err)
			}
			err = f()
			if netns.Set(home) == nil {
				runtime.UnlockOSThread()
			}
			return err
		}()
	}()
	return <-done
}

// addNamespace makes a named network namespace, as "ip netns add" does.
func addNamespace(name string) error {
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		return fmt.Errorf("ip netns add %s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// removeNamespace ends every process inside the named namespace and removes it with its devices.
func removeNamespace(name string) error {
	pids, err := namespacePids(name)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		// The process may end by itself in the meantime, which is as good.
		_ = unix.Kill(pid, unix.SIGKILL)
	}
	if err := os.RemoveAll(filepath.Join(etcDir, name)); err != nil {
		return err
	}
	_ = os.Remove(etcDir) // only succeeds when it is empty
	if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
		if _, gone := os.Stat(filepath.Join(netnsDir, name)); os.IsNotExist(gone) {
			return nil
		}
		return fmt.Errorf("ip netns del %s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}
