package stack

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"sluice/internal/nstest"
)

func TestPending(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	requests := make(chan *Pending)
	answered := make(chan struct{})
	w := newTestTerminator(t, false, TerminatorOptions{MaxPendingPerClient: 2, Accept: func(p *Pending) {
		requests <- p
		<-answered
	}})
	dialAsync := func() <-chan error {
		result := make(chan error, 1)
		go func() {
			conn, err := net.DialTimeout("tcp", servers["IPv4"].String(), 8*time.Second)
			if err == nil {
				conn.Close()
			}
			result <- err
		}()
		return result
	}
	t.Run("refuse", func(t *testing.T) {
		result := dialAsync()
		p := <-requests
		p.Refuse()
		if err := <-result; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("client got %v", err)
		}
		if _, err := p.Accept(); !errors.Is(err, ErrAnswered) {
			t.Errorf("accept after refuse: %v", err)
		}
		answered <- struct{}{}
	})
	t.Run("repeated SYN", func(t *testing.T) {
		w.syns.Store(0)
		result := dialAsync()
		p := <-requests
		select {
		case <-requests:
			t.Fatal("a repeated SYN is a request of its own")
		case err := <-result:
			t.Fatalf("client got %v without an answer", err)
		case <-until(func() bool { return w.syns.Load() >= 2 }):
		}
		if waiting := w.Stats().Pending; waiting != 1 {
			t.Errorf("%d requests wait, want 1", waiting)
		}
		s, err := p.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := <-result; err != nil {
			t.Errorf("client got %v", err)
		}
		s.Close()
		answered <- struct{}{}
	})
	t.Run("limit of a client", func(t *testing.T) {
		before := w.Stats().Ignored
		var results []<-chan error
		for range 3 {
			results = append(results, dialAsync())
		}
		first, second := <-requests, <-requests
		waitFor(t, "the third to be ignored", func() bool { return w.Stats().Ignored > before })
		first.Refuse()
		second.Drop()
		answered <- struct{}{}
		answered <- struct{}{}
		// The repeated SYNs of the third and of the dropped one come later.
		for range 2 {
			p := <-requests
			p.Refuse()
			answered <- struct{}{}
		}
		for _, result := range results {
			if err := <-result; !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("client got %v", err)
			}
		}
	})
	t.Run("client withdraws", func(t *testing.T) {
		result := dialAsync()
		p := <-requests
		syn := w.syn.Load()
		w.port.Inject(NewReset(syn.Key, syn.V6, syn.Seq+2, 0, TCPRst))
		if p.Context().Err() != nil {
			t.Error("a RST outside the window withdraws the request")
		}
		w.port.Inject(NewReset(syn.Key, syn.V6, syn.Seq+1, 0, TCPRst))
		<-p.Context().Done()
		if cause := context.Cause(p.Context()); !errors.Is(cause, ErrClientGone) {
			t.Errorf("context ended with %v", cause)
		}
		if _, err := p.Accept(); !errors.Is(err, ErrClientGone) {
			t.Errorf("accept: %v", err)
		}
		answered <- struct{}{}
		p = <-requests // this client knows nothing of its RST
		p.Refuse()
		answered <- struct{}{}
		<-result
	})
	if waiting := w.Stats().Pending; waiting != 0 {
		t.Errorf("%d requests wait after all were answered", waiting)
	}
}

// until closes the channel when condition holds.
func until(condition func() bool) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		for !condition() {
			time.Sleep(5 * time.Millisecond)
		}
		close(done)
	}()
	return done
}

func TestInjectDropsCorruptSegments(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	for family, server := range servers {
		t.Run(family, func(t *testing.T) {
			requests := make(chan netip.AddrPort, 2)
			w := newTestTerminator(t, false, TerminatorOptions{Accept: func(p *Pending) { requests <- p.Client() }})
			source := netip.MustParseAddrPort("192.0.2.9:4000")
			if server.Addr().Is6() {
				source = netip.MustParseAddrPort("[2001:db8:1::9]:4000")
			}
			syn := NewReset(NewKey(source, server, protoTCP), server.Addr().Is6(), 1, 0, TCPSyn)
			corrupt := append([]byte(nil), syn...)
			corrupt[len(corrupt)-1]++
			binary.BigEndian.PutUint16(corrupt[len(corrupt)-20:], 4001)
			w.port.Inject(corrupt)
			w.port.Inject(syn)
			if got := <-requests; got != source {
				t.Errorf("request from %s, want only the one from %s", got, source)
			}
			w.port.Inject(nil)
			w.port.Inject(make([]byte, VirtioHeaderLen+20))
		})
	}
}

func TestTerminatorOptionsRefused(t *testing.T) {
	if w, err := NewTerminator(TerminatorOptions{Buffer: 1 << 20, MaxBuffer: 1 << 10}); err == nil {
		w.Close()
		t.Error("a buffer larger than its maximum is accepted")
	}
}

// A client may use its port again at once when the gateway's side closed first, as the TIME-WAIT
// is then the gateway's (RFC 9293 section 3.6.1).
func TestPortIsUsedAgain(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	w := newTestTerminator(t, false, serve(t, func(s *Stream) { s.Close() }))
	for name, server := range servers {
		local := net.TCPAddr{}
		atOnce := 0 // connections whose first SYN was enough; that of a machine that stands still is repeated, too
		const rounds, slow = 5, 5
		for range rounds + slow {
			w.syns.Store(0)
			d := net.Dialer{LocalAddr: &local, Timeout: 10 * time.Second}
			conn, err := d.Dial("tcp", server.String())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			local = *conn.LocalAddr().(*net.TCPAddr)
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			conn.Close()
			waitFor(t, "the connection to close", func() bool {
				for _, e := range w.stack.RegisteredEndpoints() {
					if tcp.EndpointState(e.(tcpip.Endpoint).State()) != tcp.StateTimeWait {
						return false
					}
				}
				return true
			})
			if w.syns.Load() == 1 {
				atOnce++
			}
			if atOnce == rounds {
				break
			}
		}
		if atOnce < rounds {
			t.Errorf("%s: the SYNs of %d connections, of %d, had to be repeated", name, rounds+slow-atOnce, rounds+slow)
		}
	}
}
