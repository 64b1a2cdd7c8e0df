package sslproxy

import (
	"errors"
	"net"
	"sync"
	"time"

	"sluice/internal/panics"
	"sluice/stack"
	"sluice/tls/starttls"
)

// mailEnd says what the clear-text beginning of a session has led to.
type mailEnd uint8

const (
	mailPlain    mailEnd = iota // it does not turn to TLS: what it sends passes
	mailAgreed                  // TLS begins now
	mailViolated                // somebody does not keep to the protocol, as an attacker would (RFC 3207 section 6)
)

// mailLimits is how long a session may go on in the clear until it is left alone.
type mailLimits struct{ bytes, packets int }

// mailResult is what became of the clear-text beginning of a session.
type mailResult struct {
	protocol starttls.Protocol // None: it is no mail session
	end      mailEnd
	offered  bool   // the server named TLS among what it can do
	asked    bool   // the client asked for TLS
	pending  []byte // of the client, not passed on yet
}

// mail relays a session that began in the clear, until both sides have agreed on TLS, or it is clear that
// they will not.
type mail struct {
	client *stack.Stream
	server *net.TCPConn
	seen   func(fromServer bool, data []byte) (refused bool)
	limits mailLimits

	answers chan starttls.Event // of the server, to the request for TLS; closed when it says nothing more

	mu       sync.Mutex         // guards what follows
	greeting []byte             // what the server has sent, until it is decided what that is
	early    []byte             // what the client has sent by then
	decided  bool               // what the server speaks is known
	dialogue *starttls.Dialogue // nil until then, and where it is no mail protocol
	violated bool
}

// run follows the session. early is what the client has sent already, and what was shown. What is taken
// from either side has gone on to the other, but for the pending bytes.
func (m *mail) run(early []byte) (r mailResult, err error) {
	m.answers = make(chan starttls.Event, 1)
	m.early = early
	if _, err := m.server.Write(early); err != nil {
		return r, err
	}
	over := make(chan error, 1)
	go func() {
		var err error
		defer func() { over <- err }()
		defer panics.Catch(func(p *panics.Panic) { err = p })
		err = m.fromServer()
	}()
	err = m.fromClient(&r)
	if r.end != mailAgreed {
		_ = m.server.SetReadDeadline(longAgo)
	}
	err = errors.Join(err, <-over, m.server.SetReadDeadline(time.Time{}), m.client.SetReadDeadline(time.Time{}))
	if p := (*panics.Panic)(nil); errors.As(err, &p) {
		panic(p) // it is the caller's to deal with
	}
	if m.violated {
		r.end = mailViolated
	}
	if m.dialogue != nil {
		r.protocol, r.offered = m.dialogue.Protocol(), m.dialogue.Offered()
	}
	return r, err
}

// read reads from a side. When nothing more comes of it, or its reading was ended, the relay that follows
// finds the same end again, and why.
func read(from net.Conn, b []byte) (n int, ended bool) {
	n, err := from.Read(b)
	return n, n == 0 && err != nil
}

// pass shows bytes and sends them on.
func (m *mail) pass(fromServer bool, data []byte) error {
	if m.seen(fromServer, data) {
		return errRefused
	}
	to := net.Conn(m.server)
	if fromServer {
		to = m.client
	}
	_, err := to.Write(data)
	return err
}

// fromServer passes the server's bytes on until TLS begins, there is nothing to follow, or its reading is
// ended. It ends the reading of the client unless TLS begins.
func (m *mail) fromServer() (err error) {
	agreed := false
	defer close(m.answers) // a client who waits for one gets none
	defer func() {
		if !agreed {
			_ = m.client.SetReadDeadline(longAgo)
		}
	}()
	b := make([]byte, 4096)
	for {
		n, ended := read(m.server, b)
		if ended {
			return nil
		}
		for rest := b[:n]; len(rest) > 0; {
			used, event := m.heard(rest)
			if err := m.pass(true, rest[:used]); err != nil {
				return err
			}
			rest = rest[used:]
			switch event {
			case starttls.Hopeless:
				return nil
			case starttls.Agreed:
				if len(rest) > 0 { // bytes that would pass for some under TLS
					m.violated = true
					return nil
				}
				agreed = true
				m.answers <- event
				return nil
			case starttls.Refused:
				m.answers <- event
			}
		}
	}
}

// heard takes what the server sends. Its first bytes tell what it speaks; a client who has asked for TLS
// before it heard them does not keep to the protocol.
func (m *mail) heard(data []byte) (used int, e starttls.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.decided {
		if m.dialogue == nil {
			return len(data), starttls.Hopeless
		}
		return m.dialogue.Server(data)
	}
	before := m.greeting
	m.greeting = append(m.greeting, data...)
	p, more := starttls.Recognise(m.greeting)
	if more {
		return len(data), starttls.Going
	}
	m.decided = true
	if p == starttls.None {
		return len(data), starttls.Hopeless
	}
	m.dialogue = starttls.New(p)
	m.dialogue.Server(before)
	used, _ = m.dialogue.Server(data)
	if _, e := m.dialogue.Client(m.early); e != starttls.Going {
		if m.violated = e == starttls.Asked; m.violated {
			used = 0
		}
		return used, starttls.Hopeless
	}
	return used, starttls.Going
}

// agreeTime bounds the wait for the server's answer to the request for TLS.
const agreeTime = 5 * time.Minute

// fromClient passes the client's bytes on until TLS begins, or it is clear that it will not.
func (m *mail) fromClient(r *mailResult) error {
	bytes, packets := len(m.early), min(len(m.early), 1)
	b := make([]byte, 4096)
	for {
		n, ended := read(m.client, b)
		if ended {
			return nil
		}
		used, event := m.said(b[:n])
		bytes, packets = bytes+n, packets+1
		switch {
		case event == starttls.Asked && used < n:
			r.end = mailViolated
			return nil
		case event == starttls.Hopeless, event == starttls.Going && (bytes > m.limits.bytes || packets > m.limits.packets):
			r.pending = b[:n]
			return nil
		}
		if err := m.pass(false, b[:n]); err != nil {
			return err
		}
		if event == starttls.Asked {
			r.asked = true
			select {
			case answer, ok := <-m.answers:
				if answer == starttls.Agreed {
					r.end = mailAgreed
				}
				if answer == starttls.Agreed || !ok {
					return nil
				}
			case <-time.After(agreeTime):
				return nil
			}
		}
	}
}

// said takes what the client sends.
func (m *mail) said(data []byte) (used int, e starttls.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !m.decided:
		m.early = append(m.early, data...)
		return len(data), starttls.Going
	case m.dialogue == nil:
		return len(data), starttls.Hopeless
	}
	return m.dialogue.Client(data)
}
