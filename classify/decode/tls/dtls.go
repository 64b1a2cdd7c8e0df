package tls

// DTLS: RFC 4347 (1.0), RFC 6347 (1.2), RFC 9147 (1.3). Version 0x0100 is that of OpenSSL before
// DTLS was a standard, which some VPN clients still speak.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/internal/pieces"
)

const (
	datagramRecordHeader  = 13
	datagramMessageHeader = 12
)

// assembly is what is remembered of a session: the fragments of the message that is being put
// together. nil fragments mean that the protocol is certain and no fragment is held.
type assembly struct {
	kind     byte
	sequence uint16
	length   int
	from     decode.Direction
	message  pieces.Message
}

// datagram recognises DTLS by records that fill a datagram exactly.
func datagram(s *decode.Session, data []byte) decode.Verdict {
	known, _ := s.Memory().(*assembly)
	verdict := decode.No
	for rest := data; len(rest) > 0; {
		r, ok := nextRecord(rest)
		if !ok {
			// Records of DTLS 1.3 and those with a connection identifier have other headers.
			if known != nil || verdict != decode.No && (rest[0]&0xe0 == 0x20 || rest[0] == typeCID) {
				break
			}
			return decode.No
		}
		rest = rest[datagramRecordHeader+len(r.body):]
		v := r.judge(s)
		if v == decode.No {
			return decode.No
		}
		if v == decode.Match || verdict == decode.No {
			verdict = v
		}
	}
	if verdict == decode.No || s.Memory() == nil {
		if verdict == decode.No {
			verdict = decode.MatchMore
		}
		if verdict == decode.MatchMore {
			s.Remember(&assembly{})
		}
	}
	return verdict
}

// datagramRecord is one record.
type datagramRecord struct {
	kind  byte
	epoch uint16
	body  []byte
}

// nextRecord reads the record at the start of data.
func nextRecord(data []byte) (r datagramRecord, ok bool) {
	if len(data) < datagramRecordHeader || data[0] < typeChangeCipher || data[0] > typeAck || data[0] == typeCID {
		return r, false
	}
	if !helloVersion(decode.Uint16(data, 1), true) {
		return r, false
	}
	length := int(decode.Uint16(data, 11))
	if length == 0 || length > len(data)-datagramRecordHeader {
		return r, false
	}
	return datagramRecord{data[0], decode.Uint16(data, 3), data[datagramRecordHeader : datagramRecordHeader+length]}, true
}

// judge says what a record shows.
func (r *datagramRecord) judge(s *decode.Session) decode.Verdict {
	switch {
	case r.kind == typeHandshake && r.epoch == 0:
		return r.handshake(s)
	case r.kind == typeChangeCipher && (len(r.body) == 1 || len(r.body) == 3), // three bytes in version 0x0100
		r.kind == typeApplication && r.epoch > 0 && len(r.body) >= 9,
		r.kind == typeAlert && (len(r.body) == 2 || r.epoch > 0),
		r.kind == typeHeartbeat && r.epoch > 0,
		r.kind == typeHandshake && len(r.body) >= datagramMessageHeader:
		return decode.Match
	}
	return decode.No
}

// handshake looks at the messages of a record in the clear.
func (r *datagramRecord) handshake(s *decode.Session) decode.Verdict {
	verdict := decode.No
	for rest := r.body; len(rest) > 0; {
		if len(rest) < datagramMessageHeader {
			return decode.No
		}
		kind, length, sequence := rest[0], int(decode.Uint24(rest, 1)), decode.Uint16(rest, 4)
		offset, n := int(decode.Uint24(rest, 6)), int(decode.Uint24(rest, 9))
		rest = rest[datagramMessageHeader:]
		if kind > messageStatus+2 || length > maxMessage || offset+n > length || n > len(rest) {
			return decode.No
		}
		fragment := rest[:n]
		rest = rest[n:]
		if kind == messageClientHello && s.Direction == decode.ToClient && s.Guessed {
			return decode.No // the engine turns the session round
		}
		v := decode.MatchMore
		if n == length {
			v = tellMessage(s, kind, fragment, length)
		} else if kind == messageClientHello || kind == messageCertificate {
			v = assemble(s, kind, sequence, length, offset, fragment)
		}
		if v == decode.No || v == decode.Match {
			return v
		}
		verdict = v
	}
	return verdict
}

// assemble adds a fragment to those held, and looks at what there is of the message.
func assemble(s *decode.Session, kind byte, sequence uint16, length, offset int, fragment []byte) decode.Verdict {
	a, _ := s.Memory().(*assembly)
	if a == nil || a.kind != kind || a.sequence != sequence || a.length != length || a.from != s.Direction {
		a = &assembly{kind: kind, sequence: sequence, length: length, from: s.Direction}
		s.Remember(a)
	}
	a.message.Add(offset, fragment)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	*buf = a.message.Join((*buf)[:0])
	if len(*buf) == 0 {
		return decode.MatchMore
	}
	return tellMessage(s, kind, *buf, length)
}

// tellMessage tells what there is of a message.
func tellMessage(s *decode.Session, kind byte, body []byte, length int) decode.Verdict {
	switch kind {
	case messageClientHello:
		h, part := ParseHello(body, length, true)
		if part == decode.None {
			return decode.No
		}
		h.Tell(s, decode.SSLServerName, OverDTLS, part)
		carried(s, h.ALPN)
	case messageServerHello:
		if length < 38 || len(body) < 2 || !helloVersion(decode.Uint16(body, 0), true) {
			return decode.No
		}
		m := message{kind: kind, length: length, body: body}
		answer := parseServerHello(&m, true)
		if protocol, _, ok := NextALPN(answer.alpn); ok {
			s.Value(decode.SSLALPN, protocol)
			carried(s, answer.alpn)
		}
		if answer.encrypted {
			return decode.Match
		}
	case messageVerifyRequest:
		if length < 3 || len(body) < 3 || !helloVersion(decode.Uint16(body, 0), true) || int(body[2]) != length-3 {
			return decode.No
		}
	case messageCertificate:
		if tellCertificate(s, body) == 0 {
			return decode.Match
		}
	case messageServerDone:
		return decode.Match
	}
	return decode.MatchMore
}
