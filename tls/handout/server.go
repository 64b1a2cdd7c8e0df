// Package handout is the page that clients of the network get the gateway's root certificates from.
//
// It is plain HTTP, as a client that trusts the gateway's certificates would not need it; the
// fingerprints on the page are there to be compared with those that the administrator knows. It hands
// out certificates, never a key.
package handout

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sys/unix"

	"sluice/tls/pki"
)

// Port is that of the system service http.
const Port = 80

// Limits of the server.
const (
	maxConnections = 256 // of each address
	maxHeader      = 8 << 10
	requestTime    = 10 * time.Second
	retryTime      = 5 * time.Second // until an address that could not be listened on is tried again
)

// Options are what the page shows and where.
type Options struct {
	Certificates func() []*pki.Local // asked at each request; those without certificate are left out
	Port         uint16              // 0: [Port]
	Logger       *slog.Logger
}

// Server serves the page on addresses of the gateway.
type Server struct {
	options Options
	http    *http.Server
	stop    context.CancelFunc
	done    sync.WaitGroup

	mu        sync.Mutex // guards what follows
	wanted    []netip.Addr
	listeners map[netip.Addr]net.Listener
	faults    map[netip.Addr]error
}

// New makes a server that listens nowhere yet.
func New(o Options) *Server {
	if o.Port == 0 {
		o.Port = Port
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{options: o, stop: stop, listeners: map[netip.Addr]net.Listener{}, faults: map[netip.Addr]error{}}
	s.http = &http.Server{
		Handler: Handler(o.Certificates), ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: requestTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(o.Logger.Handler(), slog.LevelDebug),
	}
	s.done.Go(func() { s.retry(ctx) })
	return s
}

// Set has the page served on these addresses only. One that cannot be listened on is tried again, and
// Faults reports it.
func (s *Server) Set(addresses []netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wanted = slices.Clone(addresses)
	for addr, l := range s.listeners {
		if !slices.Contains(s.wanted, addr) {
			_ = l.Close() // nothing is lost with it
			delete(s.listeners, addr)
		}
	}
	maps.DeleteFunc(s.faults, func(addr netip.Addr, _ error) bool { return !slices.Contains(s.wanted, addr) })
	s.listen()
}

// Faults say which addresses cannot be listened on, and why.
func (s *Server) Faults() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []error
	for _, addr := range slices.SortedFunc(maps.Keys(s.faults), netip.Addr.Compare) {
		list = append(list, fmt.Errorf("page of root certificates on %s: %w", addr, s.faults[addr]))
	}
	return list
}

// Close ends the server and its connections.
func (s *Server) Close() error {
	s.stop()
	s.done.Wait()
	s.Set(nil)
	return s.http.Close()
}

// listen opens what is wanted and not open; s.mu is held.
func (s *Server) listen() {
	for _, addr := range s.wanted {
		if s.listeners[addr] != nil {
			continue
		}
		l, err := open(netip.AddrPortFrom(addr, s.options.Port))
		if err != nil {
			if s.faults[addr] == nil {
				s.options.Logger.Error("page of root certificates", "address", addr, "error", err)
			}
			s.faults[addr] = err
			continue
		}
		delete(s.faults, addr)
		s.listeners[addr] = l
		go func() { _ = s.http.Serve(netutil.LimitListener(l, maxConnections)) }() // ends with its listener
	}
}

// retry tries again what failed.
func (s *Server) retry(ctx context.Context) {
	tick := time.NewTicker(retryTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			s.listen()
			s.mu.Unlock()
		}
	}
}

// open listens on an address, which the gateway need not have yet.
func open(at netip.AddrPort) (net.Listener, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			if at.Addr().Is4() {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_FREEBIND, 1)
			} else {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_FREEBIND, 1)
			}
		})
		if err == nil {
			err = failed
		}
		return err
	}}
	return config.Listen(context.Background(), "tcp", at.String())
}
