package web

import (
	"bytes"
	"errors"
	"slices"
	"sync"

	"golang.org/x/net/http2"
)

// Conn is an HTTP connection. Each direction is passed by one goroutine.
type Conn struct {
	mu      sync.Mutex
	moved   sync.Cond // what a side waits for may have come
	service Service
	codec   codec     // nil while it is not known what the connection speaks
	opening []byte    // of the client, until then
	named   bool      // both sides have agreed to speak HTTP/1
	due     [2][]byte // what a side is to be told in the other's place
	next    Next
	err     error
	last    bool // nobody asks for messages any more
	closing bool // the client is to be told the last of it
	closed  bool
}

// codec is how a version of HTTP tells messages apart.
type codec interface {
	// pass takes what from has sent, and appends to on what goes on. It takes less than all while it
	// waits for the other side.
	pass(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, err error)
	// waits says whether from may not go on before the other side has.
	waits(from Side) bool
	// end is told that from has sent its last byte.
	end(from Side)
	// between says whether what goes to a side stands between two messages, or frames.
	between(to Side) bool
	// settled says whether the connection may go on as a stream of bytes: it is no HTTP any more, or
	// this was the last message that anybody asks for, and nothing depends on the messages.
	settled(last bool) bool
	// apology is what the client is told when a violation ends the connection; nil where it is
	// in the middle of something.
	apology(*Violation) []byte
}

// New is a connection at its first byte. protocol is what both sides have agreed to speak, as ALPN names
// it (RFC 7301): "h2", "http/1.1", or "" where that is to be found out.
func New(protocol string, service Service) *Conn {
	c := &Conn{service: service, named: protocol == "http/1.1"}
	c.moved.L = &c.mu
	if protocol == http2.NextProtoTLS {
		c.codec = newHTTP2(c)
	}
	return c
}

// Pass takes what a side has sent and appends to on what of it goes on to the other side, in pieces that
// hold as long as data does. Where less is taken than there is, the rest is to be passed after [Conn.Wait].
func (c *Conn) Pass(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, next Next) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.moved.Broadcast()
	on = c.takeDue(1-from, on)
	if c.closing && from == Client {
		return 0, on, c.next
	}
	for n := 1; n > 0 && taken < len(data) && c.next == Continue; taken += n {
		var err error
		if c.codec == nil {
			n, on, err = c.recognise(from, data, on)
		} else {
			n, on, err = c.codec.pass(from, data[taken:], on)
		}
		if err != nil {
			c.fail(err)
		}
	}
	if c.closing && c.next == Continue && len(c.due[Client]) == 0 {
		c.next = Close
	}
	if c.next != Continue || c.closing {
		return taken, on, c.next
	}
	switch {
	case len(c.due[from]) > 0:
		return taken, on, Tell
	case c.codec != nil && len(c.due[1-from]) == 0 && c.codec.settled(c.last):
		c.next = Stream
	}
	return taken, on, c.next
}

// join appends a piece, to the last one where it comes right behind that.
func join(on [][]byte, piece []byte) [][]byte {
	if len(piece) == 0 {
		return on
	}
	if n := len(on) - 1; n >= 0 {
		if last := on[n]; cap(last) >= len(last)+len(piece) && &last[:len(last)+1][len(last)] == &piece[0] {
			on[n] = last[:len(last)+len(piece)]
			return on
		}
	}
	return append(on, piece)
}

// Due appends to on what a side is to be told in the other's place, as soon as that may be: not in the
// middle of something that the other has begun to say.
func (c *Conn) Due(to Side, on [][]byte) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeDue(to, on)
}

func (c *Conn) takeDue(to Side, on [][]byte) [][]byte {
	due := c.due[to]
	if len(due) == 0 || c.codec != nil && !c.codec.between(to) {
		return on
	}
	c.due[to] = nil
	return append(on, due)
}

// Wait returns when Pass may take more of a side than it did, or after [Conn.Close].
func (c *Conn) Wait(from Side) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.closed && c.next == Continue && c.codec != nil && (c.codec.waits(from) || c.closing && from == Client) {
		c.moved.Wait()
	}
}

// End notes that a side has sent its last byte, and appends to on what was held of it.
func (c *Conn) End(from Side, on [][]byte) [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.codec != nil {
		c.codec.end(from)
	} else if from == Client && len(c.opening) > 0 {
		on = append(on, c.opening)
		c.opening, c.next = nil, Stream
	}
	c.moved.Broadcast()
	return on
}

// Close wakes whoever waits.
func (c *Conn) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.moved.Broadcast()
}

// Err is the violation that ended the connection; nil where none did.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// What ends a connection by the word of its service: at once, or when the client has its answer.
var (
	errEnded    = errors.New("ended by a service")
	errAnswered = errors.New("answered by a service")
)

// fail ends the connection.
func (c *Conn) fail(err error) {
	switch {
	case errors.Is(err, errEnded):
		c.next = Abort
		return
	case errors.Is(err, errAnswered):
		if c.closing = !c.codec.between(Client); !c.closing {
			c.next = Close
		}
		return
	}
	c.next, c.err = Abort, err
	if v := (*Violation)(nil); errors.As(err, &v) && c.codec != nil {
		if told := c.codec.apology(v); told != nil {
			c.due[Client], c.next = append(c.due[Client], told...), Close
		}
	}
}

// ask offers a request to the service.
func (c *Conn) ask(x *Exchange, h *Head) Verdict {
	if c.last {
		return Verdict{}
	}
	v := c.service.Request(x, h)
	c.last = v.Last
	return v
}

// tell offers a response.
func (c *Conn) tell(x *Exchange, h *Head) error {
	if !c.last && c.service.Response(x, h) {
		return errEnded
	}
	return nil
}

// recognise finds out what a connection speaks by its first bytes, which are held until that is known.
// What is not HTTP is a stream of bytes.
func (c *Conn) recognise(from Side, data []byte, on [][]byte) (taken int, _ [][]byte, err error) {
	held := c.opening
	if from == Server { // it speaks first, as no server of HTTP does
		c.next, c.opening, c.due[Server] = Stream, nil, held
		return 0, on, nil
	}
	if len(held) > 0 {
		data = slices.Concat(held, data)
	}
	switch begins(data, c.named) {
	case undecided:
		c.opening = slices.Clone(data)
		return len(data) - len(held), on, nil
	case preface:
		c.codec = newHTTP2(c)
	case request:
		c.codec = newHTTP1(c)
	case otherwise:
		c.next, c.opening = Stream, nil
		return len(data) - len(held), append(on, data), nil
	}
	c.opening = nil
	taken, on, err = c.codec.pass(from, data, on)
	return max(taken-len(held), 0), on, err // what was held is taken, unless the connection ends
}

// beginning is what the first bytes of a client look like.
type beginning uint8

const (
	undecided beginning = iota
	request
	preface
	otherwise
)

// longestMethod bounds the methods that a connection may begin with; the longest registered one is
// UPDATEREDIRECTREF (RFC 4437).
const longestMethod = 24

// longestLine bounds the first line that is waited for while it is not certain that it is a request.
const longestLine = 16 << 10

// begins says what b begins with: the preface of HTTP/2, a request of HTTP/1, or something else.
func begins(b []byte, named bool) beginning {
	p := []byte(http2.ClientPreface)
	if n := min(len(b), len(p)); bytes.Equal(b[:n], p[:n]) && n > len("PRI") {
		if n == len(p) {
			return preface
		}
		return undecided
	}
	blank := 0
	if named && bytes.HasPrefix(b, []byte("\r\n")) {
		blank = 2
	}
	line := b[blank:]
	end := bytes.IndexByte(line, '\n')
	if end >= 0 {
		line = line[:end]
	}
	space := bytes.IndexByte(line[:min(len(line), longestMethod+1)], ' ')
	switch method := line[:max(space, 0)]; {
	case space < 0 && (end >= 0 || len(line) > longestMethod || !isMethod(line)):
		return otherwise
	case space < 0:
		return undecided
	case space == 0, !isMethod(method):
		return otherwise
	case named && len(line) > longestLine:
		return request
	case len(line) > longestLine, !named && !isText(bytes.TrimSuffix(line, []byte("\r"))):
		return otherwise
	case end < 0:
		return undecided
	case !bytes.Contains(line[space:], []byte(" HTTP/1.")):
		return otherwise
	}
	return request
}
