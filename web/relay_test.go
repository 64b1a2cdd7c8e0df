package web

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"
)

// script is a Service that a test writes.
type script struct {
	mu       sync.Mutex
	asked    []string // "METHOD authority target"
	answered []int    // statuses of responses
	refused  []string
	judge    func(*Exchange, *Head) Verdict
	end      bool // with the first response
}

func (s *script) Request(x *Exchange, h *Head) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, x.Method+" "+x.Authority+" "+x.Target)
	if s.judge != nil {
		return s.judge(x, h)
	}
	return Verdict{}
}

func (s *script) Response(x *Exchange, _ *Head) (end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = append(s.answered, x.Status)
	return s.end
}

func (s *script) Refused(v *Violation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, v.Reason)
}

func (s *script) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// relay carries a connection of two sockets, as a gateway does.
type relay struct {
	conn  *Conn
	ends  [2]*net.TCPConn
	turns [2]sync.Mutex // to write to an end
	size  int           // of reads
}

// carry relays until both directions are over.
func (r *relay) carry() {
	var done sync.WaitGroup
	for _, from := range []Side{Client, Server} {
		done.Go(func() { r.direction(from) })
	}
	done.Wait()
	// A client that is still sending when it is refused would otherwise meet a reset before its answer.
	_ = r.ends[Client].SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.Copy(io.Discard, r.ends[Client])
	for _, end := range r.ends {
		end.Close()
	}
}

func (r *relay) direction(from Side) {
	buffer := make([]byte, r.size)
	for {
		n, err := r.ends[from].Read(buffer)
		for data := buffer[:n]; len(data) > 0; {
			taken, next := r.step(from, data)
			switch next {
			case Tell:
				r.tell(from)
			case Stream:
				r.write(1-from, [][]byte{data[taken:]})
				taken = len(data)
			case Close, Abort:
				r.tell(Client)
				r.conn.Close()
				for _, end := range r.ends {
					_ = end.CloseWrite()
					_ = end.SetReadDeadline(time.Now())
				}
				return
			}
			if data = data[taken:]; len(data) > 0 {
				r.conn.Wait(from)
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				r.write(1-from, r.conn.End(from, nil))
				_ = r.ends[1-from].CloseWrite()
			} else {
				r.conn.Close()
				r.ends[1-from].Close()
			}
			return
		}
	}
}

func (r *relay) step(from Side, data []byte) (int, Next) {
	r.turns[1-from].Lock()
	defer r.turns[1-from].Unlock()
	taken, on, next := r.conn.Pass(from, data, nil)
	r.write(1-from, on)
	return taken, next
}

func (r *relay) tell(to Side) {
	r.turns[to].Lock()
	defer r.turns[to].Unlock()
	r.write(to, r.conn.Due(to, nil))
}

func (r *relay) write(to Side, pieces [][]byte) {
	for _, piece := range pieces {
		_, _ = r.ends[to].Write(piece)
	}
}

// through listens for connections that are relayed to a server in pieces of at most size bytes.
func through(t *testing.T, server string, protocol string, size int, service Service) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		relays.Wait()
	})
	relays.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", server)
			if err != nil {
				client.Close()
				continue
			}
			r := &relay{conn: New(protocol, service), size: size, ends: [2]*net.TCPConn{client.(*net.TCPConn), upstream.(*net.TCPConn)}}
			relays.Go(r.carry)
		}
	})
	return listener.Addr().String()
}

// said is what became of a conversation.
type said struct {
	onward [2][]byte // from each side
	told   []byte    // to the client, in the server's place
	next   Next
}

// converse passes what the two sides say one after another, each text in pieces of at most size bytes.
func converse(c *Conn, size int, lines ...line) (s said) {
	var waiting [2][]byte
	pass := func(from Side) {
		for data := waiting[from]; len(data) > 0 && s.next < Close; data = waiting[from] {
			piece := slices.Clone(data[:min(size, len(data))])
			if s.next == Stream {
				s.onward[from] = append(s.onward[from], piece...)
				waiting[from] = data[len(piece):]
				continue
			}
			taken, on, next := c.Pass(from, piece, nil)
			for _, p := range on {
				s.onward[from] = append(s.onward[from], p...)
			}
			for _, p := range c.Due(Client, nil) {
				s.told = append(s.told, p...)
			}
			waiting[from] = data[taken:]
			if s.next = next; next == Continue && taken < len(piece) {
				return
			}
		}
	}
	for _, l := range lines {
		waiting[l.from] = append(waiting[l.from], l.text...)
		pass(l.from)
		pass(1 - l.from)
		pass(l.from)
	}
	return s
}

// line is what a side says.
type line struct {
	from Side
	text string
}

// whole is all that each side says.
func whole(lines []line) (text [2]string) {
	for _, l := range lines {
		text[l.from] += l.text
	}
	return text
}

func client(text string) line { return line{Client, text} }
func server(text string) line { return line{Server, text} }
