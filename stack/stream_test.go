package stack

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"weak"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"

	"sluice/internal/nstest"
)

// servers are addresses that only the terminator answers for.
var servers = map[string]netip.AddrPort{
	"IPv4": netip.MustParseAddrPort("198.51.100.7:80"),
	"IPv6": netip.MustParseAddrPort("[2001:db8:2::7]:80"),
}

// testTerminator ends the sessions of the clients of this namespace.
type testTerminator struct {
	*Terminator
	device *Device
	port   *Port
	syns   atomic.Int32 // SYNs that arrived
	syn    atomic.Pointer[Packet]
}

func newTestTerminator(t *testing.T, plain bool, opt TerminatorOptions) *testTerminator {
	t.Helper()
	d := testDevice(t, plain)
	terminator, err := NewTerminator(opt)
	if err != nil {
		t.Fatal(err)
	}
	port, err := terminator.Attach(d)
	if err != nil {
		t.Fatal(err)
	}
	w := &testTerminator{Terminator: terminator, device: d, port: port}
	nstest.Pump(t, d.Queues(), MaxFrameLen, func(frame []byte) {
		var p Packet
		if p.Parse(frame) == nil && p.Key.Proto == protoTCP && p.TCPFlags&(TCPSyn|TCPAck) == TCPSyn {
			w.syn.Store(&Packet{Key: p.Key, Seq: p.Seq, V6: p.V6})
			w.syns.Add(1)
		}
		port.Inject(frame)
	}, func() {
		terminator.Close()
		d.Close()
	}, ErrClosed, ErrDeviceGone)
	return w
}

// serve hands every accepted stream to handler.
func serve(t *testing.T, handler func(*Stream)) TerminatorOptions {
	return TerminatorOptions{Accept: func(p *Pending) {
		s, err := p.Accept()
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		handler(s)
	}}
}

func dial(t *testing.T, server netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", server.String(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

// transferLen is long enough to fill all buffers and windows many times.
const transferLen = 24 << 20

func TestStreamCarriesEveryByte(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		for family, server := range servers {
			t.Run(family, func(t *testing.T) {
				received := make(chan [32]byte, 1)
				newTestTerminator(t, plain, serve(t, func(s *Stream) {
					defer s.Close()
					if s.Server() != server || s.Client().Addr().Is4() != server.Addr().Is4() {
						t.Errorf("stream from %s to %s", s.Client(), s.Server())
					}
					sum := sha256.New()
					if n, err := s.WriteTo(sum); n != transferLen || err != nil {
						t.Errorf("received %d bytes, %v", n, err)
					}
					received <- [32]byte(sum.Sum(nil))
					// The client has sent its FIN and still gets its answer.
					if n, err := io.Copy(s, testData(2)); n != transferLen || err != nil {
						t.Errorf("sent %d bytes, %v", n, err)
					}
					if stats := s.Stats(); stats.Received != transferLen || stats.Sent != transferLen {
						t.Errorf("counted %+v", stats)
					}
				}))
				conn := dial(t, server)
				sum := sha256.New()
				if _, err := io.Copy(io.MultiWriter(conn, sum), testData(1)); err != nil {
					t.Fatal(err)
				}
				conn.CloseWrite()
				if <-received != [32]byte(sum.Sum(nil)) {
					t.Error("the client's bytes were changed")
				}
				got, want := sha256.New(), sha256.New()
				if n, err := io.Copy(got, conn); n != transferLen || err != nil {
					t.Errorf("client received %d bytes, %v", n, err)
				}
				io.Copy(want, testData(2))
				if [32]byte(got.Sum(nil)) != [32]byte(want.Sum(nil)) {
					t.Error("the server's bytes were changed")
				}
			})
		}
	})
}

// testData is transferLen pseudo-random bytes.
func testData(seed byte) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{seed}), transferLen)
}

func TestStreamEndings(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		streams := make(chan *Stream, 1)
		newTestTerminator(t, plain, serve(t, func(s *Stream) { streams <- s }))
		connect := func(t *testing.T) (*net.TCPConn, *Stream) {
			conn := dial(t, servers["IPv4"])
			s := <-streams
			t.Cleanup(func() { s.Close() })
			return conn, s
		}
		buffer := make([]byte, 16)

		t.Run("client resets", func(t *testing.T) {
			conn, s := connect(t)
			hungUp := make(chan struct{}, 4)
			s.OnHangUp(func() { hungUp <- struct{}{} })
			conn.SetLinger(0)
			conn.Close()
			<-hungUp
			for range 2 { // the reason stays
				if _, err := s.Read(buffer); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("read: %v", err)
				}
				if _, err := s.Write(buffer); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("write: %v", err)
				}
				if !errors.Is(s.Err(), syscall.ECONNRESET) {
					t.Errorf("Err: %v", s.Err())
				}
			}
		})
		t.Run("reset after data", func(t *testing.T) {
			conn, s := connect(t)
			conn.Write([]byte("last words"))
			waitFor(t, "data", func() bool { return s.awaitData() == nil })
			conn.SetLinger(0)
			conn.Close()
			waitFor(t, "reset", func() bool { return s.Err() != nil })
			if n, err := s.Read(buffer); string(buffer[:n]) != "last words" || err != nil {
				t.Errorf("read %q, %v", buffer[:n], err)
			}
			if _, err := s.Read(buffer); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("read: %v", err)
			}
		})
		t.Run("abort", func(t *testing.T) {
			conn, s := connect(t)
			s.Abort()
			if _, err := conn.Read(buffer); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("client read: %v", err)
			}
			if _, err := s.Read(buffer); !errors.Is(err, net.ErrClosed) {
				t.Errorf("read after abort: %v", err)
			}
			if err := s.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("second end: %v", err)
			}
		})
		t.Run("close lets go of what would hear of a hang-up", func(t *testing.T) {
			_, s := connect(t)
			held := func() weak.Pointer[[1 << 10]byte] {
				session := new([1 << 10]byte)
				s.OnHangUp(func() { clear(session[:]) })
				return weak.Make(session)
			}()
			s.Close()
			waitFor(t, "nothing to hold it", func() bool { runtime.GC(); return held.Value() == nil })
			runtime.KeepAlive(s)
		})
		t.Run("close wakes reader and writer", func(t *testing.T) {
			_, s := connect(t)
			ended := make(chan error, 2)
			go func() { _, err := s.Read(make([]byte, 1)); ended <- err }()
			go func() { _, err := s.Write(make([]byte, 64<<20)); ended <- err }()
			waitFor(t, "the send buffer to fill", func() bool { return s.Stats().Sent > 0 })
			s.Close()
			for range 2 {
				if err := <-ended; !errors.Is(err, net.ErrClosed) {
					t.Errorf("ended with %v", err)
				}
			}
		})
		t.Run("deadlines", func(t *testing.T) {
			conn, s := connect(t)
			s.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := s.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
			s.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := s.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("write: %v", err)
			}
			s.SetDeadline(time.Time{})
			conn.Write([]byte("still here"))
			if n, err := s.Read(buffer); string(buffer[:n]) != "still here" || err != nil {
				t.Errorf("read %q, %v", buffer[:n], err)
			}
			// A deadline that is set while a read waits ends it.
			ended := make(chan error, 1)
			go func() { _, err := s.Read(make([]byte, 1)); ended <- err }()
			s.SetReadDeadline(time.Unix(1, 0))
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read: %v", err)
			}
		})
		t.Run("drain takes what is accepted", func(t *testing.T) {
			conn, s := connect(t)
			conn.Write([]byte("0123456789"))
			waitFor(t, "data", func() bool { return s.awaitData() == nil })
			full := errors.New("full")
			n, err := s.Drain(func(pieces [][]byte) (int, error) { return 4, full })
			if n != 4 || !errors.Is(err, full) {
				t.Errorf("drained %d, %v", n, err)
			}
			if n, err := s.Read(buffer); string(buffer[:n]) != "456789" || err != nil {
				t.Errorf("read %q, %v", buffer[:n], err)
			}
			if _, err := s.Drain(nil); !errors.Is(err, ErrWouldBlock) {
				t.Errorf("drained nothing: %v", err)
			}
		})
	})
}

// The device disappears under a session, and the session can still be ended.
// A client that is still sending when the gateway has said its last word comes to the end of that.
func TestStreamLingers(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		answer := strings.Repeat("no ", 20000)
		newTestTerminator(t, plain, serve(t, func(s *Stream) {
			if _, err := s.Read(make([]byte, 1)); err != nil {
				t.Errorf("read: %v", err)
			}
			if _, err := io.WriteString(s, answer); err != nil {
				t.Errorf("write: %v", err)
			}
			if err := s.Linger(); err != nil {
				t.Errorf("linger: %v", err)
			}
			if err := s.Close(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("close after it: %v", err)
			}
		}))
		conn := dial(t, servers["IPv4"])
		for range 20 { // much of it after the answer
			if _, err := conn.Write(make([]byte, 5000)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != answer {
			t.Errorf("read %d bytes of %d, %v", len(got), len(answer), err)
		}
	})
}

func TestStreamSurvivesItsDevice(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	eachMode(t, func(t *testing.T, plain bool) {
		streams := make(chan *Stream, 1)
		w := newTestTerminator(t, plain, serve(t, func(s *Stream) { streams <- s }))
		dial(t, servers["IPv4"])
		s := <-streams
		link, err := netlink.LinkByName("slt0")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkDel(link); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(make([]byte, 1<<10)); err != nil {
			t.Errorf("write: %v", err)
		}
		w.device.Close()
		w.port.Inject(NewReset(w.syn.Load().Key, false, 1, 0, TCPRst))
		s.Write(make([]byte, 1<<10)) // must not crash
		if err := s.Abort(); err != nil {
			t.Errorf("abort: %v", err)
		}
		waitFor(t, "the stack to forget the connection", func() bool { return len(w.stack.RegisteredEndpoints()) == 0 })
	})
}

// Thousands of sessions leave neither goroutine, descriptor nor connection behind.
func TestStreamsLeaveNothing(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	const sessions, parallel = 3000, 50
	before := descriptors(t)
	w := newTestTerminator(t, false, TerminatorOptions{Accept: func(p *Pending) {
		s, err := p.Accept()
		if err != nil { // the client's reset came before its stream was here
			return
		}
		defer s.Close()
		io.Copy(s, s)
	}})
	working := goleak.IgnoreCurrent()
	results := make(chan error, parallel)
	for range parallel {
		go func() {
			for i := range sessions / parallel {
				if err := exchange(i%3 == 0); err != nil {
					results <- err
					return
				}
			}
			results <- nil
		}()
	}
	for range parallel {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	waitFor(t, "the stack to forget its connections", func() bool {
		return w.Stats().Established == 0 && len(w.stack.RegisteredEndpoints()) == 0
	})
	goleak.VerifyNone(t, working)
	if after := descriptors(t); after > before+2*len(w.device.Queues()) {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}

// exchange is one session that sends and receives a little, and ends by FIN or RST.
func exchange(reset bool) error {
	conn, err := net.Dial("tcp", servers["IPv4"].String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	if reset {
		return conn.(*net.TCPConn).SetLinger(0)
	}
	conn.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(conn)
	if err == nil && string(got) != "hello" {
		err = errors.New("got " + string(got))
	}
	return err
}
