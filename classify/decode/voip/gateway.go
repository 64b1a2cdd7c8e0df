package voip

// What drives gateways and telephones: MGCP (RFC 3435), Megaco (RFC 3525, text form), H.323
// (H.225.0: call signalling in TPKT and Q.931, RAS), Skinny (Wireshark's documentation of Cisco's
// SCCP), IAX2 (RFC 5456), BFCP (RFC 8855).

import (
	"bytes"

	"sluice/classify/decode"
)

var mgcpVerbs = [...]string{"EPCF", "CRCX", "MDCX", "DLCX", "RQNT", "NTFY", "AUEP", "AUCX", "RSIP", "MESG"}

// mgcpBytes begin a verb or a response code.
var mgcpBytes = decode.FirstBytes("ECMDRNA0123456789ecmdrna")

// mgcp accepts a command, and a response to one.
func mgcp(s *decode.Session, data []byte) decode.Verdict {
	line, rest, whole := decode.Line(data)
	if !whole {
		line = data
	}
	if len(line) < 5 {
		return decode.No
	}
	if line[0] >= '0' && line[0] <= '9' {
		// "200 1201 OK": an answer whose command was not seen decides only where MGCP is usual.
		if len(line) < 7 || line[3] != ' ' || line[4] < '0' || line[4] > '9' || !decode.Printable(data) {
			return decode.No
		}
		if s.Port(2427) || s.Port(2727) {
			return decode.Match
		}
		return decode.More
	}
	for _, verb := range mgcpVerbs {
		if decode.PrefixFold(line, verb) == decode.Whole && line[4] == ' ' && mgcpVersion(line) {
			if _, body, ok := bytes.Cut(rest, []byte("\r\n\r\n")); ok {
				sdp(s, body)
			}
			return decode.Match
		}
	}
	return decode.No
}

// mgcpVersion says whether a command line names the protocol behind transaction and endpoint. A
// profile may follow.
func mgcpVersion(line []byte) bool {
	_, version, ok := bytes.Cut(line, []byte(" MGCP "))
	return ok && len(version) >= 3 && (version[0] == '0' || version[0] == '1') && version[1] == '.'
}

// megaco judges the text form: "MEGACO/1 [192.0.2.1]:2944" or "!/1 <mg>".
func megaco(data []byte) decode.Verdict {
	for _, want := range [...]string{"MEGACO/", "!/"} {
		switch decode.Prefix(data, want) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			rest := data[len(want):]
			if len(rest) < 3 {
				return decode.More
			}
			if rest[0] < '1' || rest[0] > '4' || rest[1] != ' ' && rest[1] != '\t' && rest[1] != '\r' && rest[1] != '\n' {
				return decode.No
			}
			if want == "!/" && rest[2] != '[' && rest[2] != '<' && (rest[2]|0x20 < 'a' || rest[2]|0x20 > 'z') {
				return decode.No
			}
			return decode.Match
		}
	}
	return decode.No
}

func megacoDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if megaco(data) == decode.Match {
		return decode.Match
	}
	return decode.No
}

func megacoStream(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	if data[0] == 3 { // TPKT
		if len(data) < 5 {
			return decode.More
		}
		data = data[4:]
	}
	return megaco(data)
}

// q931 accepts a Q.931 message in TPKT with a user-user element for H.225.
func q931(s *decode.Session, client, server []byte) decode.Verdict {
	data, d := client, decode.ToServer
	if len(data) == 0 {
		data, d = server, decode.ToClient
	}
	if len(data) >= 2 && data[1] != 0 || len(data) >= 5 && data[4] != 0x08 {
		return decode.No
	}
	if len(data) < 9 {
		return decode.More
	}
	length := int(decode.Uint16(data, 2))
	if length < 9 || data[5] != 2 {
		return decode.No
	}
	switch data[8] {
	case 0x01, 0x02, 0x03, 0x05, 0x07, 0x0d, 0x0f, 0x5a, 0x62, 0x6e, 0x7b, 0x7d:
	default:
		return decode.No
	}
	const enough = 400 // bytes before which the element that tells stands
	if length = min(length, enough); len(data) < length {
		s.Want(d, length)
		return decode.More
	}
	for at := 9; at+5 <= length; {
		element := data[at]
		switch {
		case element == 0x7e: // user-user, coded by ASN.1
			if data[at+3] == 5 {
				return decode.Match
			}
			return decode.No
		case element&0x80 != 0:
			at++
		default:
			at += 2 + int(data[at+1])
		}
	}
	return decode.No
}

// ras accepts a message that names the protocol, itu-t(0) recommendation(0) h(8) 2250 version(0).
func ras(_ *decode.Session, data []byte) decode.Verdict {
	if at := bytes.Index(data[:min(len(data), 24)], []byte{0x06, 0x00, 0x08, 0x91, 0x4a, 0x00}); at >= 2 {
		return decode.Match
	}
	return decode.No
}

// skinny follows the frames of both sides: length, header version, message. One must be a
// registration or its answer.
func skinny(s *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(data) == 0 {
		return decode.No
	}
	const registration = 1
	for n := 0; ; n++ {
		if len(data) < 12 {
			if n > 1 {
				return decode.Match
			}
			if len(data) >= 4 && (data[2] != 0 || data[3] != 0) {
				return decode.No
			}
			return decode.More
		}
		length, version, message := decode.Little32(data, 0), decode.Little32(data, 4), decode.Little32(data, 8)
		if length < 4 || length > 4096 || version > 0x20 || message > 0x160 || version != 0 && version < 0x0a {
			return decode.No
		}
		if message == registration && length >= 36 {
			if len(data) < 12+16 {
				return decode.More
			}
			name, _, _ := bytes.Cut(data[12:28], []byte{0})
			if len(name) >= 6 && len(name) < 16 && decode.Printable(name) {
				return decode.Match
			}
			return decode.No
		}
		if message > 0x4f && n == 0 || n == 4 {
			return decode.No
		}
		if len(data) < 8+int(length) {
			return decode.More
		}
		data = data[8+length:]
		if n == 0 && message == 0 && len(data) == 0 && !s.Port(2000) {
			return decode.More
		}
	}
}

// iax2 accepts a full frame that controls a call and whose elements end with the datagram.
func iax2(_ *decode.Session, data []byte) decode.Verdict {
	const control, commands = 6, 0x28
	if len(data) < 12 || data[10] != control || data[11] == 0 || data[11] > commands {
		return decode.No
	}
	elements := 0
	for at := 12; at < len(data); elements++ {
		if len(data) < at+2 || data[at] == 0 || data[at] > 0x38 {
			return decode.No
		}
		at += 2 + int(data[at+1])
		if at > len(data) {
			return decode.No
		}
	}
	// Without elements there is little to go by: the sequence numbers must be those of a start.
	if elements == 0 && (data[8] > 2 || data[9] > 2 || decode.Uint32(data, 4) > 1<<24 || decode.Uint16(data, 0) == 0x8000) {
		return decode.No
	}
	return decode.Match
}

// bfcp accepts a message whose length agrees and whose attributes follow each other to its end.
func bfcp(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12 || data[1] < 1 || data[1] > 18 || data[0]&7 != 0 || 12+4*int(decode.Uint16(data, 2)) != len(data) {
		return decode.No
	}
	attributes := 0
	for at := 12; at < len(data); attributes++ {
		if len(data) < at+2 {
			return decode.No
		}
		kind, length := data[at]>>1, int(data[at+1])
		if kind == 0 || kind > 20 || length < 2 {
			return decode.No
		}
		at += (length + 3) &^ 3
		if at > len(data) {
			return decode.No
		}
	}
	if attributes == 0 && (data[1] < 11 || decode.Uint32(data, 4) == 0) {
		return decode.No
	}
	return decode.Match
}
