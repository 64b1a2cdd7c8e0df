package tls

// The record layer: RFC 8446 section 5.1, RFC 5246 section 6.2.1.

import (
	"sync"

	"sluice/classify/decode"
)

// Content types of records.
const (
	typeChangeCipher = 20
	typeAlert        = 21
	typeHandshake    = 22
	typeApplication  = 23
	typeHeartbeat    = 24
	typeCID          = 25 // RFC 9146, DTLS only
	typeAck          = 26 // RFC 9147, DTLS only
)

// Types of handshake messages.
const (
	messageClientHello       = 1
	messageServerHello       = 2
	messageVerifyRequest     = 3 // DTLS: HelloVerifyRequest
	messageCertificate       = 11
	messageServerKeyExchange = 12
	messageCertificateAsk    = 13
	messageServerDone        = 14
	messageStatus            = 22
)

const (
	recordHeader = 5
	// maxRecord is the longest record body: a full fragment and what compression and encryption
	// may add.
	maxRecord     = 1<<14 + 2048
	messageHeader = 4
	// maxMessage is the longest handshake message that anybody sends.
	maxMessage = 1 << 17
)

// flight is what one side has sent, as records.
type flight struct {
	part      decode.Part // None: not TLS; Partly: the first record header is not whole; Whole
	handshake []byte      // the handshake messages in the clear at the start, joined
	cut       bool        // more of handshake may follow
	needs     int         // how many bytes of the stream will complete the last record
	records   int         // whole records
	opaque    bool        // the first record is not one of a handshake
	first     byte        // type of the first record
	firstBody int         // length of its body
	exact     bool        // the stream ends with a record
	early     bool        // nothing but what servers pass over before a hello: warnings and empty records
}

// buffers hold handshake messages that several records share.
var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 16<<10)
	return &b
}}

// readFlight walks the records of a stream. scratch is where messages from more than one record
// are joined; it is grown when needed.
func readFlight(data []byte, scratch *[]byte) flight {
	f := flight{exact: true}
	joined, pieces := (*scratch)[:0], 0
	clear := true // nothing but handshake records yet
	f.early = true
	for at := 0; at < len(data); {
		rest := data[at:]
		part, length := header(rest)
		switch {
		case part == decode.None && f.records == 0:
			return flight{}
		case part == decode.None:
			// A stream that goes wrong after whole records: something else was inserted.
			f.part = decode.None
			return f
		case part == decode.Partly:
			f.exact = false
			f.needs = at + recordHeader
			f.cut = clear
			if at > 0 {
				f.part = decode.Whole
			} else {
				f.part = decode.Partly
			}
			return f
		}
		f.part = decode.Whole
		handshake := rest[0] == typeHandshake
		if at == 0 || f.early && handshake {
			f.first, f.firstBody, f.opaque = rest[0], length, !handshake
		}
		f.early = f.early && (handshake && length == 0 || rest[0] == typeAlert && length == 2)
		body := rest[recordHeader:]
		whole := len(body) >= length
		if whole {
			body = body[:length]
			f.records++
		} else {
			f.needs, f.exact = at+recordHeader+length, false
		}
		switch {
		case f.early:
		case !handshake:
			clear = false
		case clear:
			switch pieces++; pieces {
			case 1:
				f.handshake = body
			case 2:
				joined = append(joined, f.handshake...)
				fallthrough
			default:
				joined = append(joined, body...)
				f.handshake = joined
			}
		}
		at += recordHeader + length
	}
	f.cut = clear
	*scratch = joined
	return f
}

// header reads a record header.
func header(data []byte) (part decode.Part, length int) {
	if data[0] < typeChangeCipher || data[0] > typeHeartbeat {
		return decode.None, 0
	}
	if len(data) > 1 && data[1] != 3 || len(data) > 2 && data[2] > 4 {
		return decode.None, 0
	}
	if len(data) < recordHeader {
		return decode.Partly, 0
	}
	length = int(decode.Uint16(data, 3))
	if length == 0 && data[0] != typeApplication && data[0] != typeHandshake || length > maxRecord {
		return decode.None, 0
	}
	return decode.Whole, length
}

// message is one handshake message.
type message struct {
	kind   byte
	length int    // as its header says
	body   []byte // what there is of it
}

// nextMessage cuts a message off the front of a flight's handshake bytes. ok is false when not
// even its header is whole.
func nextMessage(data []byte) (m message, rest []byte, ok bool) {
	if len(data) < messageHeader {
		return m, nil, false
	}
	m.kind, m.length = data[0], int(decode.Uint24(data, 1))
	rest = data[messageHeader:]
	m.body = rest[:min(m.length, len(rest))]
	return m, rest[len(m.body):], true
}

// whole says whether all of the message is there.
func (m *message) whole() bool { return len(m.body) == m.length }
