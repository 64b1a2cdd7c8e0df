package sslproxy

import (
	"errors"
	"net"
	"sync"
	"time"

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

// mail relays a session whose server spoke first, until both sides have agreed on TLS, or it is
// clear that they will not.
type mail struct {
	client *stack.Stream
	server *net.TCPConn
	seen   func(fromServer bool, data []byte) (refused bool)
	limits mailLimits

	mu       sync.Mutex // guards dialogue
	dialogue *starttls.Dialogue
	answers  chan starttls.Event // of the server, to the request for TLS
}

// run follows the session. What it has taken from either side has gone on to the other but for the
// pending bytes.
func (m *mail) run() (r mailResult, err error) {
	if r.protocol, err = m.greeting(); err != nil || r.protocol == starttls.None {
		return r, err
	}
	m.answers = make(chan starttls.Event, 1)
	over := make(chan error, 1)
	go func() { over <- m.fromServer() }()
	err = m.fromClient(&r)
	if r.end != mailAgreed {
		_ = m.server.SetReadDeadline(longAgo)
	}
	err = errors.Join(err, <-over, m.server.SetReadDeadline(time.Time{}), m.client.SetReadDeadline(time.Time{}))
	r.offered = m.dialogue.Offered()
	return r, err
}

// maxGreeting is more than it takes to recognise a protocol.
const maxGreeting = 512

// greeting passes the server's first bytes on until they tell its protocol.
func (m *mail) greeting() (starttls.Protocol, error) {
	var text []byte
	b := make([]byte, maxGreeting)
	for {
		n, ended := read(m.server, b)
		if ended {
			return starttls.None, nil
		}
		if err := m.pass(true, b[:n]); err != nil {
			return starttls.None, err
		}
		text = append(text, b[:n]...)
		p, more := starttls.Recognise(text)
		if more {
			continue
		}
		if p != starttls.None {
			m.dialogue = starttls.New(p)
			m.dialogue.Server(text)
		}
		return p, nil
	}
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

// fromServer passes the server's bytes on until TLS begins or its reading is ended. It ends the
// reading of the client when nothing more comes.
func (m *mail) fromServer() error {
	b := make([]byte, 4096)
	for {
		n, ended := read(m.server, b)
		if ended {
			_ = m.client.SetReadDeadline(longAgo)
			return nil
		}
		for rest := b[:n]; len(rest) > 0; {
			m.mu.Lock()
			used, event := m.dialogue.Server(rest)
			m.mu.Unlock()
			if err := m.pass(true, rest[:used]); err != nil {
				_ = m.client.SetReadDeadline(longAgo)
				return err
			}
			rest = rest[used:]
			switch {
			case event == starttls.Agreed && len(rest) > 0:
				m.answers <- starttls.Hopeless // bytes that would pass for some under TLS
				return nil
			case event == starttls.Agreed:
				m.answers <- event
				return nil
			case event == starttls.Refused:
				m.answers <- event
			}
		}
	}
}

// agreeTime bounds the wait for the server's answer to the request for TLS.
const agreeTime = 5 * time.Minute

// fromClient passes the client's bytes on until TLS begins, or it is clear that it will not.
func (m *mail) fromClient(r *mailResult) error {
	bytes, packets := 0, 0
	b := make([]byte, 4096)
	for {
		n, ended := read(m.client, b)
		if ended {
			return nil
		}
		m.mu.Lock()
		used, event := m.dialogue.Client(b[:n])
		m.mu.Unlock()
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
			case answer := <-m.answers:
				switch answer {
				case starttls.Agreed:
					r.end = mailAgreed
					return nil
				case starttls.Hopeless:
					r.end = mailViolated
					return nil
				}
			case <-time.After(agreeTime):
				return nil
			}
		}
	}
}
