package sslproxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/internal/panics"
	"sluice/relay"
	tls "sluice/tls/stdtls"
)

func randomData(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // never fails
	return b
}

// expectEnd reads until the end, and says whether it was announced by a close_notify.
func (p peer) expectEnd(t *testing.T, want string) {
	t.Helper()
	got, err := io.ReadAll(p)
	if err != nil || string(got) != want {
		t.Errorf("read %q until error %v, want %q", got, err, want)
	}
}

func (p peer) expectData(t *testing.T, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(p, got); err != nil || string(got) != want {
		t.Errorf("read %q, error %v; want %q", got, err, want)
	}
}

func (p peer) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		t.Error(err)
	}
}

// expectReset reads until the peer is reset.
func (p peer) expectReset(t *testing.T) {
	t.Helper()
	_, err := io.Copy(io.Discard, p)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the session ended with %v, not a reset", err)
	}
}

// Every byte arrives, in both directions at once, and the inspector is shown each before it does.
func TestRelayCarriesEveryByte(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			w.maxVersion = version
			seen := make(map[bool]*bytes.Buffer)
			seen[true], seen[false] = new(bytes.Buffer), new(bytes.Buffer)
			w.inspect = func(fromClient bool, data []byte) relay.Verdict {
				seen[fromClient].Write(data)
				return relay.Continue
			}
			client, server := w.connect(t)
			up, down := randomData(1, 2_000_001), randomData(2, 6_000_003)
			var transfers sync.WaitGroup
			for from, data := range map[*peer][]byte{&client: up, &server: down} {
				transfers.Go(func() {
					if _, err := from.Write(data); err != nil {
						t.Error(err)
					}
					if err := from.CloseWrite(); err != nil {
						t.Error(err)
					}
				})
			}
			for to, data := range map[*peer][]byte{&server: up, &client: down} {
				transfers.Go(func() {
					got, err := io.ReadAll(to)
					if err != nil || !bytes.Equal(got, data) {
						t.Errorf("received %d bytes of %d, error %v", len(got), len(data), err)
					}
				})
			}
			transfers.Wait()
			result := <-w.results
			if result.Err != nil || result.FromClient != uint64(len(up)) || result.FromServer != uint64(len(down)) {
				t.Errorf("result %+v", result)
			}
			if !bytes.Equal(seen[true].Bytes(), up) || !bytes.Equal(seen[false].Bytes(), down) {
				t.Error("the inspector was shown something else")
			}
		}
	})
}

// A close_notify passes as one, without a FIN, while the other direction goes on.
func TestRelayHalfClose(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		client.send(t, "request")
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		server.expectEnd(t, "request")
		expectNoFIN(t, server.socket)
		server.send(t, "response")
		if err := server.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		client.expectEnd(t, "response")
		w.expect(t, relay.ClientFIN)
	})
}

// expectNoFIN fails if the socket's peer has ended its direction.
func expectNoFIN(t *testing.T, socket *net.TCPConn) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading below TLS gave %v, not a wait", err)
	}
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
}

// The FIN after a close_notify follows it, whenever it comes.
func TestRelayFINAfterCloseNotify(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		server.expectEnd(t, "")
		if err := client.socket.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := server.socket.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("below TLS the server read %d bytes, error %v", n, err)
		}
		server.send(t, "late")
		server.Close()
		client.expectEnd(t, "late")
		w.expect(t, relay.ClientFIN)
	})
}

// A FIN without a close_notify, by which data may have been cut off, is not made a regular end.
func TestRelayTruncation(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		// What the client is sent, down to the record layer, tells how it ended.
		client, server := w.connect(t)
		server.send(t, "cut off")
		if err := server.socket.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		client.expectData(t, "cut off")
		if n, err := client.socket.Read(make([]byte, 100)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the data the client was sent %d bytes, error %v", n, err)
		}
		client.send(t, "still heard")
		server.expectData(t, "still heard")
		if err := client.socket.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n, err := server.socket.Read(make([]byte, 100)); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("after the data the server was sent %d bytes, error %v", n, err)
		}
		w.expect(t, relay.ServerFIN)
	})
}

// A reset passes as a reset.
func TestRelayReset(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		client.send(t, "x")
		server.expectData(t, "x")
		_, _ = client.socket.SetLinger(0), client.socket.Close()
		server.expectReset(t)
		w.expect(t, relay.ClientRST)

		client, server = w.connect(t)
		client.send(t, "x")
		server.expectData(t, "x")
		_, _ = server.socket.SetLinger(0), server.socket.Close()
		client.expectReset(t)
		w.expect(t, relay.ServerRST)
	})
}

// A reset passes even while the other side takes no data.
func TestRelayResetOfStalledSession(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		for block := make([]byte, 1<<20); ; { // until nobody takes any more
			if err := server.socket.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if _, err := server.Write(block); err != nil {
				break
			}
		}
		_, _ = server.socket.SetLinger(0), server.socket.Close()
		w.expect(t, relay.ServerRST)
		client.expectReset(t)

		client, server = w.connect(t)
		for block := make([]byte, 1<<20); ; {
			if err := client.socket.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			if _, err := client.Write(block); err != nil {
				break
			}
		}
		_, _ = client.socket.SetLinger(0), client.socket.Close()
		w.expect(t, relay.ClientRST)
		server.expectReset(t)
	})
}

// The end of the context resets both sides.
func TestRelayStopped(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		w.stop()
		if result := w.expect(t, relay.Stopped); !errors.Is(result.Err, context.Canceled) {
			t.Errorf("error %v", result.Err)
		}
		client.expectReset(t)
		server.expectReset(t)
	})
}

// An inspector sees until it has seen enough, and stops what must not pass before it does.
func TestRelayInspector(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		var shown []string
		w.inspect = func(fromClient bool, data []byte) relay.Verdict {
			shown = append(shown, string(data))
			return relay.Seen
		}
		client, server := w.connect(t)
		client.send(t, "first")
		server.expectData(t, "first")
		server.send(t, "second")
		client.expectData(t, "second")
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		server.expectEnd(t, "")
		server.Close()
		client.expectEnd(t, "")
		w.expect(t, relay.ClientFIN)
		if !slices.Equal(shown, []string{"first"}) {
			t.Errorf("shown %q", shown)
		}

		w.inspect = func(fromClient bool, data []byte) relay.Verdict {
			if fromClient && strings.Contains(string(data), "evil") {
				return relay.Reset
			}
			return relay.Continue
		}
		client, server = w.connect(t)
		client.send(t, "good")
		server.expectData(t, "good")
		client.send(t, "evil")
		client.expectReset(t)
		server.expectReset(t)
		if result := w.expect(t, relay.Stopped); result.FromClient != 8 {
			t.Errorf("%d bytes from the client", result.FromClient)
		}

		w.inspect = func(fromClient bool, data []byte) relay.Verdict { return relay.Close }
		client, server = w.connect(t)
		client.send(t, "evil")
		client.expectEnd(t, "")
		server.expectReset(t)
		w.expect(t, relay.Stopped)
	})
}

// An inspector that panics, in whatever direction, breaks its own session, and its panic comes to the caller.
func TestRelayPanics(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.inspect = func(bool, []byte) relay.Verdict { panic("a bug") }
		for from := range 2 {
			client, server := w.connect(t)
			[]peer{client, server}[from].send(t, "poison")
			client.expectReset(t)
			server.expectReset(t)
			if p := (*panics.Panic)(nil); !errors.As(w.expect(t, relay.Stopped).Err, &p) || p.Value != "a bug" {
				t.Errorf("the caller caught %v", p)
			}
		}
	})
}

// What is not TLS, or a fatal alert, breaks the session, and it is known whose it was.
func TestRelayBrokenTLS(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		client, server := w.connect(t)
		if _, err := server.socket.Write(append([]byte{23, 3, 3, 0, 40}, make([]byte, 40)...)); err != nil {
			t.Fatal(err)
		}
		client.expectReset(t)
		w.expect(t, relay.ServerTLS)

		w.maxVersion = tls.VersionTLS12
		client, server = w.connect(t)
		if _, err := client.socket.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		server.expectReset(t)
		w.expect(t, relay.ClientTLS)
	})
}
