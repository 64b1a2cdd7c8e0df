package scenario

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/lab"
)

// A client sees of a server that cannot be reached what it would see without a gateway.
func TestServerThatCannotBeReached(t *testing.T) {
	t.Parallel() // it mostly waits
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		for _, c := range []struct {
			name, address string
			want          error
		}{
			{"nobody listens", "203.0.113.7:7999", syscall.ECONNREFUSED},
			{"nobody listens, IPv6", "[2001:db8:f::7]:7999", syscall.ECONNREFUSED},
			{"host unreachable", lab.UnreachableAddr4 + ":80", syscall.EHOSTUNREACH},
			// Linux answers an IPv6 "unreachable" route with "no route", which clients call network unreachable.
			{"host unreachable, IPv6", "[" + lab.UnreachableAddr6 + "]:80", syscall.ENETUNREACH},
		} {
			if _, err := w.dial(w.Client, "tcp", c.address); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		var probes sync.WaitGroup
		for _, address := range []string{lab.DeadAddr4, lab.DeadAddr6} {
			probes.Go(func() {
				if out, err := w.try(w.Client, "curl", "-sS", "-m2", "http://"+net.JoinHostPort(address, "80")+"/"); err == nil || !strings.Contains(out, "timed out") {
					t.Errorf("dead address %s: %q", address, out)
				}
			})
			probes.Go(func() {
				if out, err := w.try(w.Client, "ping", "-c1", "-W1", address); err == nil || strings.Contains(out, "nreachable") {
					t.Errorf("ping of the dead address %s: %q", address, out)
				}
			})
		}
		probes.Wait()
	})
}

// FIN travels by itself: the other direction stays open for as long as its sender likes.
func TestHalfClose(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		payload := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB

		t.Run("client first", func(t *testing.T) {
			w.listen(w.Echo, ":8001", func(c *net.TCPConn) {
				if n, err := io.Copy(io.Discard, c); err != nil || n != int64(len(payload)) {
					return
				}
				_, _ = c.Write(payload) // seen or missed by the client
			})
			c := w.connect("203.0.113.7:8001")
			if _, err := c.Write(payload); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, payload) {
				t.Errorf("after the client's FIN %d of %d bytes came back, %v", len(got), len(payload), err)
			}
		})
		t.Run("server first", func(t *testing.T) {
			received := make(chan int64, 1)
			w.listen(w.Echo, ":8002", func(c *net.TCPConn) {
				_, _ = c.Write([]byte("bye"))
				_ = c.CloseWrite()
				n, _ := io.Copy(io.Discard, c)
				received <- n
			})
			c := w.connect("203.0.113.7:8002")
			if got, err := io.ReadAll(c); err != nil || string(got) != "bye" {
				t.Fatalf("the server's last words are %q, %v", got, err)
			}
			if _, err := c.Write(payload); err != nil {
				t.Fatal(err)
			}
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if n := <-received; n != int64(len(payload)) {
				t.Errorf("after its own FIN the server received %d of %d bytes", n, len(payload))
			}
		})
	})
}

// RST travels through, whoever sends it.
func TestReset(t *testing.T) {
	t.Parallel() // it mostly waits
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		t.Run("by the server", func(t *testing.T) {
			c := w.connect("203.0.113.7:7002")
			if _, err := c.Write([]byte{'x'}); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the client sees %v, want a reset", err)
			}
		})
		t.Run("by the client", func(t *testing.T) {
			ended := make(chan error, 1)
			w.listen(w.Echo, ":8003", func(c *net.TCPConn) {
				_, err := io.Copy(io.Discard, c)
				ended <- err
			})
			c := w.connect("203.0.113.7:8003")
			if _, err := c.Write([]byte{'x'}); err != nil {
				t.Fatal(err)
			}
			if err := c.SetLinger(0); err != nil {
				t.Fatal(err)
			}
			c.Close()
			select {
			case err := <-ended:
				if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the server sees %v, want a reset", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the server does not see the reset")
			}
		})
		w.eventually("the sessions of both connections are gone", func() bool {
			return !strings.Contains(w.show("show security flow session destination-prefix "+lab.EchoAddr4), "Session ID")
		})
	})
}

// A server that speaks first is heard, before the client says anything.
func TestServerSpeaksFirst(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		c := w.connect("203.0.113.7:7004")
		text, err := io.ReadAll(c)
		if err != nil || strings.TrimSpace(string(text)) != c.LocalAddr().String() {
			t.Errorf("the server says %q (%v), want the client's address %v", text, err, c.LocalAddr())
		}
	})
}

// A client that never reads slows its own session down and nothing else; a server that never
// answers keeps its session and nothing else.
func TestOneStalledSessionStallsNoOther(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		w.listen(w.Echo, ":8004", func(c *net.TCPConn) {
			block := make([]byte, 64<<10)
			for {
				if _, err := c.Write(block); err != nil {
					return
				}
			}
		})
		stalled := w.connect("203.0.113.7:8004") // never read
		silent := w.connect("203.0.113.7:7003")
		if _, err := silent.Write([]byte("anybody?")); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.do(w.Client, "curl", "-sS", "-m20", "-o/dev/null", "http://"+lab.WebAddr4+"/download")
		}
		// What waits for the reader is bounded: the largest buffers of both legs.
		const bound = 256 << 20
		if memory, err := w.gw.Memory(); err != nil || memory > bound {
			t.Errorf("the gateway holds %d bytes (%v), at most %d are expected", memory, err, bound)
		}
		if n, err := io.ReadAtLeast(stalled, make([]byte, 1<<20), 1<<20); err != nil {
			t.Errorf("the stalled session gave %d bytes after it was read again: %v", n, err)
		}
	})
}
