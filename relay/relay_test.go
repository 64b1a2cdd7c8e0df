package relay

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"golang.org/x/sys/unix"

	"sluice/internal/nstest"
	"sluice/internal/panics"
	"sluice/route"
	"sluice/stack"
)

// relayWorld has clients whose sessions are terminated and relayed to one server.
type relayWorld struct {
	server  net.Listener
	results chan Result
	inspect Inspector
	stop    context.CancelFunc
	stack   *stack.Terminator
}

// relayTarget is the address that clients connect to.
var relayTarget = map[string]string{"IPv4": "198.51.100.7:80", "IPv6": "[2001:db8:2::7]:80"}

// newRelayWorld makes the world; inspect, if not nil, is shown what passes.
func newRelayWorld(t *testing.T, plain bool, inspect Inspector) *relayWorld {
	t.Helper()
	device, err := stack.OpenDevice(stack.DeviceOptions{Name: "slt0", Plain: plain})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"192.0.2.1/24", "2001:db8:1::1/64"} {
		nstest.Address(t, "slt0", netip.MustParsePrefix(address))
	}
	for _, network := range []string{"198.51.100.0/24", "2001:db8:2::/64"} {
		nstest.Route(t, "slt0", netip.MustParsePrefix(network))
	}
	w := &relayWorld{results: make(chan Result, 4096), inspect: inspect}
	if w.server, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.stack, err = stack.NewTerminator(stack.TerminatorOptions{Accept: func(p *stack.Pending) { w.accept(ctx, p) }})
	if err != nil {
		t.Fatal(err)
	}
	port, err := w.stack.Attach(device)
	if err != nil {
		t.Fatal(err)
	}
	nstest.Pump(t, device.Queues(), stack.MaxFrameLen, port.Inject, func() {
		stop()
		w.server.Close()
		w.stack.Close()
		device.Close()
	}, stack.ErrClosed)
	return w
}

func (w *relayWorld) accept(ctx context.Context, p *stack.Pending) {
	upstream, err := route.Dial(ctx, route.DialOptions{Destination: w.server.Addr().(*net.TCPAddr).AddrPort()})
	if err != nil {
		if errors.Is(err, route.ErrRefused) {
			p.Refuse()
		}
		return
	}
	defer upstream.Close()
	client, err := p.Accept()
	if err != nil { // reset during the handshake
		upstream.SetLinger(0)
		w.results <- Result{End: ClientRST, Err: err}
		return
	}
	defer panics.Catch(func(p *panics.Panic) { w.results <- Result{Err: p} })
	result := Run(ctx, client, upstream, w.inspect, nil)
	lifted := make(chan struct{})
	if lift := result.Lift; lift != nil {
		result.Lift = func() { lift(); close(lifted) }
		defer func() { <-lifted }()
	}
	w.results <- result
}

// connect returns both ends of a relayed session.
func (w *relayWorld) connect(t *testing.T, family string) (client, server *net.TCPConn) {
	t.Helper()
	c, err := net.DialTimeout("tcp", relayTarget[family], 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.server.(*net.TCPListener).SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	s, err := w.server.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

func (w *relayWorld) expect(t *testing.T, end End) Result {
	t.Helper()
	select {
	case result := <-w.results:
		if result.End != end || (result.Err != nil) != (end != ClientFIN && end != ServerFIN) {
			t.Errorf("relay ended with %v, %v; want %v", result.End, result.Err, end)
		}
		return result
	case <-time.After(10 * time.Second):
		t.Fatalf("the relay did not end, want %v", end)
	}
	return Result{}
}

func relayModes(t *testing.T, test func(t *testing.T, plain bool)) {
	t.Run("offload", func(t *testing.T) { test(t, false) })
	t.Run("plain", func(t *testing.T) { test(t, true) })
}

func relayData(seed byte, length int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), length)
}

func digest(r io.Reader) (sum [32]byte, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	return [32]byte(h.Sum(nil)), n, err
}

func TestRelayCarriesEveryByte(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	relayModes(t, func(t *testing.T, plain bool) {
		length := 64 << 20
		if plain {
			length = 16 << 20 // a packet for each system call takes its time
		}
		for family := range relayTarget {
			t.Run(family, func(t *testing.T) {
				w := newRelayWorld(t, plain, nil)
				client, server := w.connect(t, family)
				received := make(chan error, 2)
				for i, ends := range [][2]*net.TCPConn{{client, server}, {server, client}} {
					seed, n := byte(i), int64(length>>i)
					go func() {
						io.Copy(ends[0], relayData(seed, n))
						ends[0].CloseWrite()
					}()
					go func() {
						want, _, _ := digest(relayData(seed, n))
						got, m, err := digest(ends[1])
						if err == nil && (got != want || m != n) {
							err = errors.New("bytes were changed or lost")
						}
						received <- err
					}()
				}
				for range 2 {
					if err := <-received; err != nil {
						t.Error(err)
					}
				}
				result := <-w.results
				if result.FromClient != uint64(length) || result.FromServer != uint64(length/2) || result.Err != nil {
					t.Errorf("result %+v", result)
				}
			})
		}
	})
}

func TestRelayEndings(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	relayModes(t, func(t *testing.T, plain bool) {
		w := newRelayWorld(t, plain, nil)
		readString := func(t *testing.T, c *net.TCPConn, want string) {
			t.Helper()
			b := make([]byte, len(want))
			if _, err := io.ReadFull(c, b); err != nil || string(b) != want {
				t.Errorf("read %q, %v; want %q", b, err, want)
			}
		}
		readError := func(t *testing.T, c *net.TCPConn, want error) {
			t.Helper()
			if n, err := c.Read(make([]byte, 1)); !errors.Is(err, want) {
				t.Errorf("read %d bytes, %v; want %v", n, err, want)
			}
		}
		for name, clientFirst := range map[string]bool{"client half-closes": true, "server half-closes": false} {
			t.Run(name, func(t *testing.T) {
				client, server := w.connect(t, "IPv4")
				first, second, end := client, server, ClientFIN
				if !clientFirst {
					first, second, end = server, client, ServerFIN
				}
				io.WriteString(first, "question")
				first.CloseWrite()
				readString(t, second, "question")
				readError(t, second, io.EOF)
				io.WriteString(second, "answer")
				readString(t, first, "answer")
				second.Close()
				readError(t, first, io.EOF)
				w.expect(t, end)
			})
		}
		for name, fromClient := range map[string]bool{"client resets": true, "server resets": false} {
			for name, prepare := range map[string]func(*net.TCPConn, *net.TCPConn){
				name + " while idle":        func(_, _ *net.TCPConn) {},
				name + " after half-close":  func(_, other *net.TCPConn) { other.CloseWrite() },
				name + " after own data":    func(own, _ *net.TCPConn) { io.WriteString(own, "data") },
				name + " with unread data ": func(_, other *net.TCPConn) { io.WriteString(other, "data") },
			} {
				t.Run(name, func(t *testing.T) {
					own, other := w.connect(t, "IPv4")
					end := ClientRST
					if !fromClient {
						own, other, end = other, own, ServerRST
					}
					prepare(own, other)
					own.SetLinger(0)
					own.Close()
					if _, err := io.ReadAll(other); !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("other side got %v", err)
					}
					w.expect(t, end)
				})
			}
		}
		t.Run("server takes nothing, client resets", func(t *testing.T) {
			client, _ := w.connect(t, "IPv4")
			fill(t, client)
			client.SetLinger(0)
			client.Close()
			w.expect(t, ClientRST)
		})
		t.Run("client takes nothing, server resets", func(t *testing.T) {
			_, server := w.connect(t, "IPv4")
			fill(t, server)
			server.SetLinger(0)
			server.Close()
			w.expect(t, ServerRST)
		})
		t.Run("stalled side delays nobody else", func(t *testing.T) {
			stalled, _ := w.connect(t, "IPv4")
			fill(t, stalled)
			client, server := w.connect(t, "IPv4")
			io.WriteString(client, "question")
			readString(t, server, "question")
			io.WriteString(server, "answer")
			readString(t, client, "answer")
			client.Close()
			readError(t, server, io.EOF)
			server.Close()
			w.expect(t, ClientFIN)
			stalled.SetLinger(0)
			stalled.Close()
			w.expect(t, ClientRST)
		})
		t.Run("stopped", func(t *testing.T) {
			client, server := w.connect(t, "IPv4")
			w.stop()
			readError(t, client, syscall.ECONNRESET)
			readError(t, server, syscall.ECONNRESET)
			w.expect(t, Stopped)
		})
	})
}

// fill writes until nothing is taken any more, and nothing is on the way: a RST sent behind segments
// that a closed window refused would stand outside the window itself, and be ignored (RFC 5961).
func fill(t *testing.T, c *net.TCPConn) {
	t.Helper()
	chunk := make([]byte, 1<<20)
	for sent := 0; ; {
		c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := c.Write(chunk)
		sent += n
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && n == 0 && inFlight(t, c) == 0:
			return
		case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal(err)
		case sent > 64<<20:
			t.Fatal("a session whose other side takes nothing took 64 MiB")
		}
	}
}

// inFlight is the number of segments sent and not acknowledged.
func inFlight(t *testing.T, c *net.TCPConn) (segments uint32) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			t.Error(err)
			return
		}
		segments = info.Unacked
	}); err != nil {
		t.Fatal(err)
	}
	return segments
}

func TestRelayRefused(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	w := newRelayWorld(t, false, nil)
	w.server.Close()
	for _, target := range relayTarget {
		if _, err := net.DialTimeout("tcp", target, 10*time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v, want refused", target, err)
		}
	}
}

// Thousands of sessions, a third of them reset, leave nothing behind.
func TestRelaysLeaveNothing(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	const sessions, parallel = 2000, 20
	w := newRelayWorld(t, false, nil)
	go func() {
		for {
			c, err := w.server.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				// Plain copying: the pipes of splice would stay open.
				io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
			}()
		}
	}()
	before := openFiles(t)
	ignore := goleak.IgnoreCurrent()
	failures := make(chan error, parallel)
	for range parallel {
		go func() { failures <- exchanges(sessions / parallel) }()
	}
	for range parallel {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	goleak.VerifyNone(t, ignore)
	if after := openFiles(t); after > before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
	for end := time.Now().Add(10 * time.Second); w.stack.Stats().Established != 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", w.stack.Stats().Established)
		}
	}
}

func exchanges(count int) error {
	for i := range count {
		conn, err := net.Dial("tcp", relayTarget["IPv4"])
		if err != nil {
			return err
		}
		io.WriteString(conn, "hello")
		if i%3 == 0 {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
			continue
		}
		conn.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || string(got) != "hello" {
			return errors.Join(err, errors.New("got "+string(got)))
		}
	}
	return nil
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// An inspector sees every byte once and in order before it passes, and can stop the session.
func TestRelayShowsWhatPasses(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	var mu sync.Mutex
	var seen [2]strings.Builder
	const poison = "poison"
	w := newRelayWorld(t, false, func(fromClient bool, data []byte) Verdict {
		from := 1
		if fromClient {
			from = 0
		}
		mu.Lock()
		defer mu.Unlock()
		seen[from].Write(data)
		if strings.Contains(seen[from].String(), poison) {
			return Reset
		}
		return Continue
	})
	client, server := w.connect(t, "IPv4")
	up, down := strings.Repeat("question ", 40_000), strings.Repeat("answer ", 40_000)
	exchange(t, client, server, up)
	exchange(t, server, client, down)
	mu.Lock()
	if seen[0].String() != up || seen[1].String() != down {
		t.Errorf("saw %d bytes up and %d down, not what passed (%d, %d)", seen[0].Len(), seen[1].Len(), len(up), len(down))
	}
	mu.Unlock()
	if _, err := client.Write([]byte(poison)); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(server)
	if len(rest) > 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the server got %q, %v, want a reset and no byte of what stopped the session", rest, err)
	}
	if result := <-w.results; result.End != Stopped {
		t.Errorf("ended by %v", result.End)
	}
}

// An inspector that silences a session leaves both sides waiting: no byte, no FIN, no RST, whatever they
// send.
func TestRelayIsSilenced(t *testing.T) { // UP-17, FW-23
	if !nstest.Isolate(t) {
		return
	}
	for _, family := range []string{"IPv4", "IPv6"} {
		t.Run(family, func(t *testing.T) {
			const poison = "poison"
			w := newRelayWorld(t, false, func(_ bool, data []byte) Verdict {
				if strings.Contains(string(data), poison) {
					return Drop
				}
				return Continue
			})
			client, server := w.connect(t, family)
			exchange(t, client, server, "question")
			if _, err := client.Write([]byte(poison)); err != nil {
				t.Fatal(err)
			}
			result := <-w.results
			if result.End != Stopped || result.Lift == nil {
				t.Fatalf("ended by %v, to be lifted: %v", result.End, result.Lift != nil)
			}
			defer result.Lift()
			if _, err := server.Write([]byte("answer")); err != nil {
				t.Fatal(err)
			}
			for name, side := range map[string]net.Conn{"client": client, "server": server} {
				if err := side.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(side)
				if len(got) > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("the %s got %q, %v, want silence", name, got, err)
				}
			}
		})
	}
}

// An inspector that panics, in whatever direction, breaks its own session, and its panic comes to the caller.
func TestRelayPanics(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	w := newRelayWorld(t, false, func(_ bool, data []byte) Verdict {
		if string(data) == "poison" {
			panic("a bug")
		}
		return Continue
	})
	for from := range 2 {
		client, server := w.connect(t, "IPv4")
		ends := []net.Conn{client, server}
		exchange(t, client, server, "question")
		if _, err := ends[from].Write([]byte("poison")); err != nil {
			t.Fatal(err)
		}
		for name, end := range map[string]net.Conn{"client": client, "server": server} {
			if rest, err := io.ReadAll(end); len(rest) > 0 || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the %s got %q, %v, want a reset", name, rest, err)
			}
		}
		if p := (*panics.Panic)(nil); !errors.As((<-w.results).Err, &p) || p.Value != "a bug" {
			t.Errorf("the caller caught %v", p)
		}
	}
}

// An inspector that has seen enough is not called again.
func TestRelayStopsShowing(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	var calls atomic.Int32
	w := newRelayWorld(t, false, func(bool, []byte) Verdict {
		calls.Add(1)
		return Seen
	})
	client, server := w.connect(t, "IPv6")
	exchange(t, client, server, "first")
	exchange(t, client, server, "second")
	exchange(t, server, client, "third")
	if n := calls.Load(); n != 1 {
		t.Errorf("called %d times", n)
	}
	client.Close()
	server.Close()
	<-w.results
}

// exchange sends text from one end to the other.
func exchange(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(from, text)
		sent <- err
	}()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
		t.Fatalf("%d bytes did not pass: %v", len(text), err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}
