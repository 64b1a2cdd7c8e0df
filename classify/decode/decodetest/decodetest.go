// Package decodetest runs single decoders over bytes and records what they tell, for the tests
// and fuzz targets of the decoder families.
package decodetest

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/classify/decode"
)

// Outcome is what a table of decoders made of a session: the verdict and name of the decoder that
// answered, and everything it told.
type Outcome struct {
	Verdict     decode.Verdict
	Name        string   // the protocol, "" when none matched
	Application string   // told by Session.Application
	Micro       string   // told last by Session.Micro
	Carries     string   // told by Session.Carries
	Values      []string // "context=value" of Host and Value, each once, in order
	Tunnel      *[2]int  // offsets told by Tunnel or Upgrade
	Upgrade     bool
	Inner       []byte // told by TunnelDatagram
	Expected    []decode.Expected
	Resolved    []string // "host=address"
}

// Value is the first value told for a context, or "".
func (o *Outcome) Value(c decode.Context) string {
	for _, v := range o.Values {
		if value, ok := strings.CutPrefix(v, c.String()+"="); ok {
			return value
		}
	}
	return ""
}

// Message is one message of a scripted session.
type Message struct {
	From decode.Direction
	Data []byte
}

// Client and Server make messages.
func Client(data string) Message { return Message{decode.ToServer, []byte(data)} }

// Server is a message of the server.
func Server(data string) Message { return Message{decode.ToClient, []byte(data)} }

// Hex makes bytes of hexadecimal digits; spaces are for the reader.
func Hex(t testing.TB, text string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Salt is n bytes of which few are alike.
func Salt(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*167 + 13)
	}
	return string(b)
}

// TCP is a TCP session from a documentation address to port of another.
func TCP(port uint16) decode.Meta { return meta(decode.TCP, port) }

// UDP is the same over UDP.
func UDP(port uint16) decode.Meta { return meta(decode.UDP, port) }

func meta(protocol uint8, port uint16) decode.Meta {
	return decode.Meta{
		Client:   netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), 50123),
		Server:   netip.AddrPortFrom(netip.MustParseAddr("198.51.100.20"), port),
		Protocol: protocol,
	}
}

// Run shows the messages to each decoder of the table in turn, in order, until one matches. For
// TCP, messages become two growing prefixes; for others each is a datagram.
func Run(table []decode.Decoder, meta decode.Meta, messages ...Message) Outcome {
	best := Outcome{}
	for i := range table {
		d := &table[i]
		if !suits(d, &meta, messages) {
			continue
		}
		o := runOne(d, &meta, messages)
		if o.Verdict >= decode.Match {
			return o
		}
		if o.Verdict > best.Verdict {
			best = o
		}
	}
	return best
}

// Split cuts every message into pieces of n bytes.
func Split(n int, messages ...Message) []Message {
	var pieces []Message
	for _, m := range messages {
		for rest := m.Data; len(rest) > 0; {
			k := min(n, len(rest))
			pieces = append(pieces, Message{m.From, rest[:k]})
			rest = rest[k:]
		}
	}
	return pieces
}

// Stream checks that a table recognises a TCP session as name, whole and cut into pieces of 1 to
// 7 bytes, and returns the outcome.
func Stream(t testing.TB, table []decode.Decoder, port uint16, name string, messages ...Message) Outcome {
	t.Helper()
	whole := Run(table, TCP(port), messages...)
	if got := whole.recognised(); got != name {
		t.Errorf("recognised %q (%v), want %q", got, whole.Verdict, name)
	}
	for n := 1; n <= 7; n++ {
		cut := Run(table, TCP(port), Split(n, messages...)...)
		if got := cut.recognised(); got != name {
			t.Errorf("in pieces of %d bytes recognised %q (%v), want %q", n, got, cut.Verdict, name)
		}
	}
	return whole
}

// Datagrams checks that a table recognises a UDP session as name, and returns the outcome.
func Datagrams(t testing.TB, table []decode.Decoder, port uint16, name string, messages ...Message) Outcome {
	t.Helper()
	o := Run(table, UDP(port), messages...)
	if got := o.recognised(); got != name {
		t.Errorf("recognised %q (%v), want %q", got, o.Verdict, name)
	}
	return o
}

// recognised is the name of the protocol, with "?" when the verdict is only Maybe.
func (o *Outcome) recognised() string {
	switch {
	case o.Verdict >= decode.Match:
		return o.Name
	case o.Verdict == decode.Maybe:
		return o.Name + "?"
	}
	return ""
}

// Fuzz feeds arbitrary bytes to every decoder of a table, as streams of each side in two cuts and as
// datagrams. It fails when a decoder panics, or when what is a Match as a whole is none in pieces.
func Fuzz(f *testing.F, table []decode.Decoder, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s, []byte{}, uint16(80))
		f.Add([]byte{}, s, uint16(443))
	}
	f.Fuzz(func(t *testing.T, client, server []byte, port uint16) {
		messages := []Message{{decode.ToServer, client}, {decode.ToClient, server}}
		for i := range table {
			d := &table[i]
			whole := TCP(port)
			Run(table[i:i+1], whole, messages...)
			for side, m := range messages {
				if d.Stream == nil || len(m.Data) == 0 {
					continue
				}
				alone := messages[side : side+1]
				early := runOne(d, &whole, alone)
				late := runOne(d, &whole, Split(max(1, len(m.Data)/3), alone...))
				if early.Verdict == decode.Match && late.Verdict == decode.No {
					t.Errorf("%s: Match as a whole, No in pieces, %v", d.Name, m.From)
				}
			}
			datagrams := UDP(port)
			Run(table[i:i+1], datagrams, messages...)
			swapped := UDP(port)
			swapped.Client, swapped.Server = swapped.Server, swapped.Client
			Run(table[i:i+1], swapped, messages...)
		}
	})
}

// suits applies the conditions under which the engine asks a decoder.
func suits(d *decode.Decoder, meta *decode.Meta, messages []Message) bool {
	if d.PortsOnly {
		found := false
		for _, p := range d.Ports {
			found = found || meta.Port(p)
		}
		if !found {
			return false
		}
	}
	var seen [2]bool
	for _, m := range messages {
		if len(m.Data) == 0 || seen[m.From] {
			continue
		}
		seen[m.From] = true
		set := &d.Client
		if m.From == decode.ToClient {
			set = &d.Server
		}
		if !set.Has(m.Data[0]) {
			return false
		}
		if meta.Protocol != decode.TCP {
			return true
		}
	}
	return true
}

// awaits says whether the decoder wants the side that has not spoken yet.
func awaits(d *decode.Decoder, prefix [2][]byte) bool {
	return !d.Client.Any() && d.Server.Any() && len(prefix[decode.ToServer]) == 0 ||
		!d.Server.Any() && d.Client.Any() && len(prefix[decode.ToClient]) == 0
}

func runOne(d *decode.Decoder, meta *decode.Meta, messages []Message) Outcome {
	r := &recorder{}
	s := decode.NewSession(meta, r)
	var prefix [2][]byte
	var memory any
	var claimed *Outcome
	for _, m := range messages {
		if len(m.Data) == 0 {
			continue
		}
		s.Direction = m.From
		s.Ready(memory)
		v := decode.No
		switch {
		case meta.Protocol == decode.TCP && d.Stream != nil:
			prefix[m.From] = append(prefix[m.From], m.Data...)
			if awaits(d, prefix) {
				continue
			}
			v = d.Stream(&s, prefix[decode.ToServer], prefix[decode.ToClient])
		case meta.Protocol == decode.UDP && d.Datagram != nil:
			v = d.Datagram(&s, m.Data)
			s.Index++
		case meta.Protocol == decode.SCTP && d.SCTP != nil:
			v = d.SCTP(&s, m.Data)
			s.Index++
		}
		memory = s.Memory()
		r.Verdict = v
		switch {
		case v == decode.No && claimed != nil:
			return *claimed
		case v == decode.No:
			return Outcome{}
		case r.Name == "":
			r.Name = d.Name
		}
		if v == decode.Match {
			return r.Outcome
		}
		if v == decode.MatchMore {
			o := r.Outcome
			claimed = &o
		}
	}
	if r.Verdict < decode.Maybe {
		r.Name = ""
	}
	return r.Outcome
}

// recorder is a Sink that writes everything down.
type recorder struct{ Outcome }

func (r *recorder) Host(c decode.Context, name []byte)   { r.value(c, name) }
func (r *recorder) Value(c decode.Context, value []byte) { r.value(c, value) }

func (r *recorder) value(c decode.Context, value []byte) {
	v := c.String() + "=" + string(value)
	for _, known := range r.Values {
		if known == v {
			return
		}
	}
	r.Values = append(r.Values, v)
}

func (r *recorder) Protocol(name string)    { r.Name = name }
func (r *recorder) Application(name string) { r.Outcome.Application = name }
func (r *recorder) Micro(name string)       { r.Outcome.Micro = name }
func (r *recorder) Carries(name string)     { r.Outcome.Carries = name }

func (r *recorder) Tunnel(client, server int, upgrade bool) {
	r.Outcome.Tunnel, r.Outcome.Upgrade = &[2]int{client, server}, upgrade
}

func (r *recorder) TunnelDatagram(data []byte) { r.Inner = append([]byte(nil), data...) }

func (r *recorder) Expect(e decode.Expected) { r.Expected = append(r.Expected, e) }

// Wants says no: decoders are shown to stop as early as they can.
func (r *recorder) Wants(c decode.Context, d decode.Direction) bool { return false }

func (r *recorder) Resolved(host []byte, addr netip.Addr, ttl time.Duration) {
	r.Outcome.Resolved = append(r.Outcome.Resolved, fmt.Sprintf("%s=%s", host, addr))
}
