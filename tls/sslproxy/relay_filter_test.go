package sslproxy

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"sluice/relay"
)

// turns is a filter that lets a client say a line only after the server has answered the last one, answers
// lines that begin with "?" itself, and ends the session with one that begins with "!".
type turns struct {
	mu     sync.Mutex
	moved  *sync.Cond
	asked  bool // the server owes an answer
	due    []byte
	closed bool
}

func newTurns() *turns {
	f := new(turns)
	f.moved = sync.NewCond(&f.mu)
	return f
}

func (f *turns) Pass(fromClient bool, data []byte, on [][]byte) (taken int, _ [][]byte, _ relay.Verdict) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.moved.Broadcast()
	if !fromClient {
		f.asked = false
		return len(data), append(on, data), relay.Continue
	}
	for taken < len(data) && !f.asked {
		line, _, _ := bytes.Cut(data[taken:], []byte("\n"))
		n := min(len(line)+1, len(data)-taken)
		line = data[taken : taken+n]
		taken += n
		switch line[0] {
		case '?':
			f.due = append(f.due, "here: "+string(line)...)
			return taken, on, relay.Tell
		case '!':
			f.due = append(f.due, "over\n"...)
			return taken, on, relay.Close
		case '.':
			return taken, append(on, line), relay.Seen
		}
		f.asked = true
		on = append(on, line)
	}
	return taken, on, relay.Continue
}

func (f *turns) Due(toClient bool, on [][]byte) [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !toClient || len(f.due) == 0 {
		return on
	}
	on, f.due = append(on, f.due), nil
	return on
}

func (f *turns) Wait(bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.asked && !f.closed {
		f.moved.Wait()
	}
}

func (f *turns) End(fromClient bool, on [][]byte) [][]byte {
	if fromClient {
		on = append(on, []byte("end\n"))
	}
	return on
}

func (f *turns) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.moved.Broadcast()
}

// A filter holds what one side says until the other has spoken, speaks itself, and says when it has seen
// enough; what it holds at the end of a side goes on before that.
func TestFilter(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.filter = newTurns()
		client, server := w.connect(t)
		client.send(t, "one\ntwo\n?three\nfour\n")
		for _, text := range []string{"one\n", "two\n"} {
			server.expectData(t, text)
			server.send(t, strings.ToUpper(text))
			client.expectData(t, strings.ToUpper(text))
		}
		client.expectData(t, "here: ?three\n")
		server.expectData(t, "four\n")
		server.send(t, "FOUR\n")
		client.expectData(t, "FOUR\n")
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		server.expectEnd(t, "end\n")
		if err := server.Close(); err != nil {
			t.Fatal(err)
		}
		client.expectEnd(t, "")
		w.expect(t, relay.ClientFIN)

		w.filter = newTurns()
		client, server = w.connect(t)
		client.send(t, ".\n")
		server.expectData(t, ".\n")
		client.send(t, "one\ntwo\n!three\n") // as it is, from now on
		server.expectData(t, "one\ntwo\n!three\n")
		if err := client.socket.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = client.socket.Close()
		server.expectReset(t)
		w.expect(t, relay.ClientRST)
	})
}

// A session that its filter ends closes for the client, which was told, and is reset for the server; one
// in which a side waits ends with its sides.
func TestFilterEnds(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *world) {
		w.filter = newTurns()
		client, server := w.connect(t)
		client.send(t, "one\n")
		server.expectData(t, "one\n")
		server.send(t, "ONE\n")
		client.expectData(t, "ONE\n")
		client.send(t, "!two\n")
		client.expectEnd(t, "over\n")
		server.expectReset(t)
		w.expect(t, relay.Stopped)

		w.filter = newTurns()
		client, server = w.connect(t)
		client.send(t, "one\ntwo\n") // and waits for an answer to the first
		server.expectData(t, "one\n")
		if err := server.socket.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = server.socket.Close()
		client.expectReset(t)
		w.expect(t, relay.ServerRST)
	})
}
