// Package starttls follows the clear-text beginning of a mail session and tells when it turns to
// TLS: SMTP by STARTTLS (RFC 3207), IMAP by STARTTLS (RFC 9051 section 6.2.1), POP3 by STLS
// (RFC 2595 section 4).
package starttls

import (
	"bytes"
	"strings"
)

// Protocol is a mail protocol whose sessions can turn to TLS.
type Protocol uint8

// The protocols.
const (
	None Protocol = iota
	SMTP
	IMAP
	POP3
)

// String is the name as the guide writes it.
func (p Protocol) String() string { return [...]string{"", "SMTP", "IMAP", "POP3"}[p] }

// Recognise tells which protocol a server speaks by its first bytes. It needs few: more says that
// these are not enough yet.
func Recognise(greeting []byte) (p Protocol, more bool) {
	for _, g := range []struct {
		text     string
		protocol Protocol
	}{{"220 ", SMTP}, {"220-", SMTP}, {"* OK", IMAP}, {"+OK", POP3}} {
		switch {
		case bytes.HasPrefix(greeting, []byte(g.text)):
			return g.protocol, false
		case strings.HasPrefix(g.text, string(greeting)):
			more = true
		}
	}
	return None, more
}

// Event is what a part of a dialogue has led to.
type Event uint8

// The events.
const (
	Going    Event = iota // nothing yet
	Asked                 // the client asked for TLS: nothing more of it may pass before the server answered
	Agreed                // the server agreed: TLS begins, in both directions
	Refused               // the server refused: the dialogue goes on in the clear
	Hopeless              // this will not turn to TLS, or cannot be followed
)

// maxLine bounds a line; RFC 5321 section 4.5.3.1 and RFC 9051 allow less before authentication.
const maxLine = 8192

// Dialogue is a session before it turns to TLS. It is for one goroutine at a time.
type Dialogue struct {
	protocol Protocol
	part     [2][]byte // an unfinished line of the client and of the server
	expected []reply   // answers that the server owes, in order
	tag      string    // of the IMAP command that asked for TLS
	asked    bool
	offered  bool
}

// reply is an answer that the server owes.
type reply struct {
	upgrade bool // to the request for TLS
	list    bool // POP3: a list that ends with a line of a dot
	inList  bool
}

// New follows a session of p from its first byte. The server speaks first.
func New(p Protocol) *Dialogue {
	d := &Dialogue{protocol: p}
	if p != IMAP {
		d.expected = []reply{{}} // the greeting
	}
	return d
}

// Protocol is what the session speaks.
func (d *Dialogue) Protocol() Protocol { return d.protocol }

// Offered says whether the server has named TLS among what it can do.
func (d *Dialogue) Offered() bool { return d.offered }

// Client takes what the client sends. n bytes of it belong to the dialogue up to the event, which
// with Asked is the end of the request; a client that sends more before the answer breaks the
// protocol.
func (d *Dialogue) Client(data []byte) (n int, e Event) { return d.lines(0, data, d.command) }

// Server takes what the server sends, likewise.
func (d *Dialogue) Server(data []byte) (n int, e Event) { return d.lines(1, data, d.answer) }

// lines gives each whole line of one side to take until that tells something.
func (d *Dialogue) lines(side int, data []byte, take func(line string) Event) (n int, e Event) {
	for n < len(data) {
		end := bytes.IndexByte(data[n:], '\n')
		if end < 0 {
			if d.part[side] = append(d.part[side], data[n:]...); len(d.part[side]) > maxLine {
				return len(data), Hopeless
			}
			return len(data), Going
		}
		line := strings.TrimRight(string(d.part[side])+string(data[n:n+end]), "\r")
		d.part[side] = d.part[side][:0]
		n += end + 1
		if e := take(line); e != Going {
			return n, e
		}
	}
	return n, Going
}

// maxOwed bounds the answers that the server may owe.
const maxOwed = 64

// command takes a line of the client.
func (d *Dialogue) command(line string) Event {
	if d.asked || len(d.expected) > maxOwed {
		return Hopeless
	}
	tag, rest := "", line
	if d.protocol == IMAP {
		tag, rest, _ = strings.Cut(line, " ")
	}
	verb, argument, _ := strings.Cut(rest, " ")
	verb = strings.ToUpper(verb)
	switch d.protocol {
	case SMTP:
		if verb == "DATA" || verb == "BDAT" || verb == "AUTH" {
			return Hopeless
		}
	case IMAP:
		if strings.HasSuffix(line, "}") || verb == "AUTHENTICATE" || verb == "LOGIN" {
			return Hopeless
		}
	case POP3:
		if verb == "AUTH" {
			return Hopeless
		}
	}
	upgrade := d.protocol == POP3 && verb == "STLS" || d.protocol != POP3 && verb == "STARTTLS"
	if d.protocol != IMAP {
		list := verb == "CAPA" || verb == "RETR" || verb == "TOP" || argument == "" && (verb == "LIST" || verb == "UIDL")
		d.expected = append(d.expected, reply{upgrade: upgrade, list: d.protocol == POP3 && list})
	}
	if !upgrade {
		return Going
	}
	d.tag, d.asked = tag, true
	return Asked
}

// answer takes a line of the server.
func (d *Dialogue) answer(line string) Event {
	d.note(line)
	if d.protocol == IMAP {
		if tag, rest, _ := strings.Cut(line, " "); d.asked && tag == d.tag {
			return d.settle(strings.HasPrefix(strings.ToUpper(rest), "OK"))
		}
		return Going
	}
	if len(d.expected) == 0 {
		return Going // of its own accord, such as before it closes
	}
	first := &d.expected[0]
	positive := d.protocol == SMTP && strings.HasPrefix(line, "220") || d.protocol == POP3 && strings.HasPrefix(line, "+OK")
	switch {
	case d.protocol == SMTP && len(line) > 3 && line[3] == '-':
		return Going // a further line follows
	case first.inList && line != ".":
		return Going
	case first.list && !first.inList && positive:
		first.inList = true
		return Going
	}
	upgrade := first.upgrade
	d.expected = d.expected[1:]
	if upgrade {
		return d.settle(positive)
	}
	return Going
}

// note looks for TLS among what the server says it can do.
func (d *Dialogue) note(line string) {
	word := "STARTTLS"
	if d.protocol == POP3 {
		word = "STLS"
	}
	d.offered = d.offered || strings.Contains(strings.ToUpper(line), word)
}

// settle is the answer to the request for TLS.
func (d *Dialogue) settle(agreed bool) Event {
	d.asked = false
	if agreed {
		return Agreed
	}
	return Refused
}
