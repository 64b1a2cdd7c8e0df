package sslproxy

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"sluice/internal/nstest"
	"sluice/internal/panics"
	"sluice/stack"
)

// mailWorld makes mail sessions that begin in the clear.
type mailWorld struct {
	client, server net.Conn
	mail           *mail
}

func newMailWorld(t *testing.T, open func() (*net.TCPConn, net.Conn, error)) mailWorld {
	t.Helper()
	client, from, err := open()
	if err != nil {
		t.Fatal(err)
	}
	to, server, err := openSocket(t)()
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []net.Conn{client, server, to} {
		t.Cleanup(func() { end.Close() })
		if err := end.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
	}
	return mailWorld{client, server, &mail{
		client: from.(*stack.Stream), server: to, seen: func(bool, []byte) bool { return false }, limits: mailLimits{100_000, 100},
	}}
}

// pass sends a text from one end to the other.
func pass(t *testing.T, from, to net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(from, text); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
		t.Fatalf("%q did not arrive: %v", text, err)
	}
}

// The beginning of a mail session ends with its server, also while the client waits for TLS, and with a
// panic, which comes to the caller.
func TestMailEnds(t *testing.T) {
	if !nstest.Isolate(t) {
		return
	}
	open := openStream(t)
	t.Run("server gone", func(t *testing.T) {
		w := newMailWorld(t, open)
		ended := make(chan mailResult, 1)
		go func() {
			r, _ := w.mail.run(nil)
			ended <- r
		}()
		pass(t, w.server, w.client, "220 mail.example ESMTP\r\n")
		pass(t, w.client, w.server, "EHLO client.example\r\n")
		pass(t, w.server, w.client, "250-mail.example\r\n250 STARTTLS\r\n")
		pass(t, w.client, w.server, "STARTTLS\r\n")
		w.server.Close()
		select {
		case r := <-ended:
			if r.end != mailPlain || !r.asked || !r.offered {
				t.Errorf("the session ended as %+v", r)
			}
		case <-time.After(patience):
			t.Error("the session goes on without its server")
		}
	})
	t.Run("panic", func(t *testing.T) {
		w := newMailWorld(t, open)
		w.mail.seen = func(fromServer bool, _ []byte) bool {
			if fromServer {
				panic("a bug")
			}
			return false
		}
		caught := make(chan error, 1)
		go func() {
			defer panics.Catch(func(p *panics.Panic) { caught <- p })
			_, err := w.mail.run(nil)
			caught <- err
		}()
		if _, err := io.WriteString(w.server, "220 mail.example ESMTP\r\n"); err != nil {
			t.Fatal(err)
		}
		if p := (*panics.Panic)(nil); !errors.As(<-caught, &p) || p.Value != "a bug" {
			t.Errorf("the caller caught %v", p)
		}
	})
}
