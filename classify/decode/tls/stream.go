package tls

// TLS over TCP: RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2) and before, RFC 6101 (SSL 3.0).

import "sluice/classify/decode"

// What one side has shown itself to be.
type role uint8

const (
	noTLS     role = iota
	nothing        // has not sent anything
	short          // too short to say
	client         // began with a ClientHello
	server         // began with a ServerHello
	within         // began in the middle: records whose lengths agree
	perhaps        // began in the middle, and is too short to be sure
	oldClient      // began with a ClientHello in the form of SSL 2.0
	oldServer      // began with a ServerHello of SSL 2.0
)

// side is one direction of a session.
type side struct {
	role role
	from decode.Direction
	flight
	stream []byte
}

// stream recognises TLS by the ClientHello or the ServerHello, or, where the start was not seen,
// by records that follow each other.
func stream(s *decode.Session, toServer, toClient []byte) decode.Verdict {
	one := buffers.Get().(*[]byte)
	other := buffers.Get().(*[]byte)
	defer buffers.Put(one)
	defer buffers.Put(other)
	a, b := look(toServer, one), look(toClient, other)
	if a.early && a.role != nothing && !s.Guessed {
		a.role = short // its hello is still to come
	}
	b.from = decode.ToClient
	if a.role == server || b.role == client {
		if s.Guessed {
			return decode.No // the engine turns the session round
		}
		a, b = b, a // who calls is not always the client of TLS
	}
	switch {
	case a.role == oldClient && a.version2():
		if b.role == noTLS {
			return decode.No
		}
		return match(s) // the lengths of the hello agree; that is proof
	case a.role == oldClient, a.role == client:
		return hello(s, &a, &b)
	case a.role == noTLS || b.role == noTLS:
		return decode.No
	case b.role == oldServer:
		return match(s)
	case b.role == server:
		return answered(s, &b, Hello{})
	}
	return middle(s, &a, &b)
}

// look finds out what one side is.
func look(data []byte, scratch *[]byte) side {
	if len(data) == 0 {
		return side{role: nothing}
	}
	if data[0] >= 0x80 {
		return side{role: oldRole(data), stream: data}
	}
	d := side{flight: readFlight(data, scratch), stream: data}
	switch {
	case d.part == decode.None:
		// Something that is not a record after a whole handshake message is none of our business.
		if d.records == 0 || len(d.handshake) == 0 {
			return d
		}
	case d.part == decode.Partly:
		d.role = short
		return d
	}
	if !d.opaque {
		if d.role = d.handshakeRole(); d.role != within {
			return d
		}
	}
	d.role = d.middleRole()
	return d
}

// handshakeRole is the role of a side whose first record is one of a handshake, within when its
// first message is none of those that come first.
func (d *side) handshakeRole() role {
	m, _, ok := nextMessage(d.handshake)
	if !ok {
		if len(d.handshake) > 0 && d.handshake[0] > messageStatus+2 {
			return within
		}
		return short
	}
	switch m.kind {
	case messageClientHello:
		if m.length < minHello || m.length > maxMessage {
			return within
		}
		if len(m.body) < 2 {
			return short
		}
		if m.body[0] != 3 || m.body[1] > 4 {
			return noTLS
		}
		if _, part := ParseHello(m.body, m.length, false); part == decode.None && m.length != d.firstBody-messageHeader {
			return noTLS
		}
		return client // also with nonsense inside, when both lengths agree
	case messageServerHello:
		if m.length < 38 || m.length > maxMessage {
			return within
		}
		if len(m.body) < 2 {
			return short
		}
		if m.body[0] != 3 || m.body[1] > 4 {
			return noTLS
		}
		if len(m.body) > 34 && m.body[34] > 32 {
			return noTLS
		}
		return server
	}
	return within
}

// middleRole is the role of a side whose start was not seen. One record proves little unless it
// ends with the stream; two do.
func (d *side) middleRole() role {
	switch {
	case d.part == decode.None:
		return noTLS
	case d.records >= 2:
		return within
	case d.records == 1 && d.exact && plausible(d.first, d.firstBody):
		return within
	case d.records == 1 && !d.exact && d.cutHeader():
		return short
	}
	return perhaps
}

// cutHeader says whether the stream ends within the header of the second record.
func (d *side) cutHeader() bool {
	return len(d.stream) < recordHeader+d.firstBody+recordHeader
}

// plausible says whether a record of a type may have a body of that length.
func plausible(kind byte, length int) bool {
	switch kind {
	case typeChangeCipher:
		return length == 1
	case typeAlert:
		return length == 2 || length >= 18 && length <= 80
	case typeHandshake:
		return length >= 4
	case typeApplication:
		return length >= 17
	}
	return length >= 19
}

// hello tells what the ClientHello says, and goes on with the answer.
func hello(s *decode.Session, a, b *side) decode.Verdict {
	var h Hello
	part := decode.Whole
	if a.role == client {
		m, _, _ := nextMessage(a.handshake)
		h, part = ParseHello(m.body, m.length, false)
		if part != decode.None {
			h.Tell(s, decode.SSLServerName, OverTCP, part)
			carried(s, h.ALPN)
		}
	}
	if part == decode.None {
		return match(s)
	}
	name(s)
	switch b.role {
	case server:
		return answered(s, b, h)
	case nothing, short:
		if part == decode.Partly {
			// The server name usually comes early.
			s.Want(a.from, a.needs)
			s.Insist()
		}
		if b.role == nothing && part == decode.Whole && a.role == client {
			return alone(s, a)
		}
		return decode.MatchMore
	}
	return decode.Match // an alert, or an answer that is none
}

// alone goes on with a client of whose server nothing was seen: it may show a certificate.
func alone(s *decode.Session, a *side) decode.Verdict {
	_, rest, _ := nextMessage(a.handshake)
	certificates(s, rest)
	if !a.cut && a.records > 1 {
		return decode.Match
	}
	return decode.MatchMore
}

// answered tells what the server says, up to TLS 1.2 with its certificate.
func answered(s *decode.Session, b *side, h Hello) decode.Verdict {
	name(s)
	m, rest, _ := nextMessage(b.handshake)
	answer := parseServerHello(&m, false)
	if protocol, _, ok := NextALPN(answer.alpn); ok {
		s.Value(decode.SSLALPN, protocol)
		carried(s, answer.alpn)
	}
	if m.whole() && answer.encrypted {
		return decode.Match
	}
	missing := certificates(s, rest)
	if missing == 0 || !b.cut {
		return decode.Match
	}
	// Names come one after the other; the limit may come before the last.
	const step = 64
	s.Want(b.from, len(b.stream)+min(missing, step))
	return decode.MatchMore
}

// certificates tells of the certificate among handshake messages. missing is how many bytes at
// least must come before there is more to tell, 0 when there will be nothing more.
func certificates(s *decode.Session, data []byte) (missing int) {
	for {
		m, rest, ok := nextMessage(data)
		if !ok {
			return messageHeader - len(data)
		}
		switch m.kind {
		case messageCertificate:
			return tellCertificate(s, m.body)
		case messageStatus, messageServerHello:
		default:
			return 0
		}
		if !m.whole() {
			return m.length - len(m.body)
		}
		data = rest
	}
}

// middle answers for a session whose start was not seen.
func middle(s *decode.Session, a, b *side) decode.Verdict {
	if carried(s, nil); push(s.Server) {
		s.Protocol("APPLE-PUSH") // nothing else will name what the session is
	}
	for _, d := range [...]*side{a, b} {
		if d.role == within {
			certificates(s, d.handshake)
		}
	}
	switch {
	case a.role == within || b.role == within:
		return match(s)
	case a.role == perhaps && b.role == perhaps:
		return match(s)
	case a.role == short || b.role == short:
		return decode.More
	}
	for _, d := range [...]*side{a, b} {
		if d.needs > 0 {
			s.Want(d.from, d.needs)
		}
	}
	name(s)
	return decode.Maybe
}

func match(s *decode.Session) decode.Verdict {
	name(s)
	return decode.Match
}
