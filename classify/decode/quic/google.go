package quic

// Google's versions of QUIC with a hello of their own: "QUIC Crypto" (Langley, Chang) and "QUIC:
// Wire Layout Specification" (Hamilton and others), versions Q024 to Q050.

import (
	"bytes"

	"sluice/classify/decode"
)

// Flags of the public header of the versions up to Q043.
const (
	flagVersion      = 0x01
	flagConnectionID = 0x08
)

// helloWithin is how far behind the header a hello begins at most: behind a hash, and a frame's
// header or two.
const helloWithin = 96

// publicHeader judges a datagram with the header of the versions up to Q043.
func publicHeader(s *decode.Session, data []byte) decode.Verdict {
	const identifier = 8
	if data[0]&flagConnectionID == 0 || len(data) < 1+identifier+4+1+12 {
		return decode.No
	}
	if data[0]&flagVersion == 0 {
		return rejection(s, data[1+identifier:])
	}
	version := decode.Uint32(data, 1+identifier)
	if !google(version) || version>>24 != 'Q' || version >= q050 {
		return decode.No
	}
	return plainHello(s, data[1+identifier+4:])
}

// rejection judges the first answer of a server whose client was not seen: a rejection or a hello
// in the clear.
func rejection(s *decode.Session, data []byte) decode.Verdict {
	data, at := data[:min(len(data), 2048)], -1
	for _, kind := range [...]string{"REJ\x00", "SHLO"} {
		if at = bytes.Index(data[:min(len(data), helloWithin)], []byte(kind)); at >= 0 {
			break
		}
	}
	if at < 0 || !readTags(data[at:], func(string, []byte) {}) {
		return decode.No
	}
	s.Protocol("GQUIC")
	return decode.Match
}

// plainHello looks for a hello in the clear behind the header of a known version.
func plainHello(s *decode.Session, data []byte) decode.Verdict {
	s.Protocol("GQUIC")
	at := bytes.Index(data[:min(len(data), helloWithin)], []byte("CHLO"))
	if at >= 0 && tellTags(s, data[at:]) {
		return decode.Match
	}
	return waiting(s)
}

// tellTags tells what a hello of the client says. ok means that there was one.
func tellTags(s *decode.Session, message []byte) (ok bool) {
	if decode.Prefix(message, "CHLO") != decode.Whole {
		return false
	}
	return readTags(message, func(tag string, value []byte) {
		switch tag {
		case "SNI\x00":
			s.Host(decode.QUICServerName, value)
		case "UAID":
			s.Value(decode.QUICUserAgent, value)
		}
	})
}

// readTags calls f for the values of a message: its kind, the number of its tags, and for each
// tag where its value ends, in rising order. Values that the datagram cuts off are left out.
func readTags(message []byte, f func(tag string, value []byte)) (ok bool) {
	const header, entry = 8, 8
	if len(message) < header {
		return false
	}
	n := int(decode.Little16(message, 4))
	values := header + n*entry
	if n == 0 || n > 128 || decode.Little16(message, 6) != 0 || values > len(message) {
		return false
	}
	start := uint32(0)
	for i := range n {
		at := header + i*entry
		end := decode.Little32(message, at+4)
		if end < start || end > 1<<16 {
			return false
		}
		if values+int(end) <= len(message) {
			f(string(message[at:at+4]), message[values+int(start):values+int(end)])
		}
		start = end
	}
	return true
}
