package mgmt

// Log-on and directories: Kerberos (RFC 4120) with password changes (RFC 3244), LDAP (RFC 4511) and
// its connectionless form, RADIUS (RFC 2865), Diameter (RFC 6733), TACACS+ (RFC 8907).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var security = []decode.Decoder{
	{Name: "KERBEROS", Ports: []uint16{88}, Client: first("\x00").Or(decode.FirstRange(0x6a, 0x7e)), Server: first("\x00").Or(decode.FirstRange(0x6a, 0x7e)), Stream: kerberosStream, Datagram: kerberosDatagram},
	{Name: "KPASSWD", Ports: []uint16{464}, Client: decode.FirstRange(0, 0x3f), Server: decode.FirstRange(0, 0x3f), Stream: kpasswdStream, Datagram: kpasswdDatagram},
	{Name: "LDAP", Ports: []uint16{389, 3268}, Client: first("\x30"), Server: first("\x30"), Stream: ldapStream},
	{Name: "CLDAP", Ports: []uint16{389}, Client: first("\x30"), Server: first("\x30"), Datagram: cldap},
	{Name: "RADIUS", Ports: []uint16{1812, 1813, 1645, 1646, 3799}, Client: decode.FirstRange(1, 52), Server: decode.FirstRange(1, 52), Datagram: radius},
	{Name: "DIAMETER", Ports: []uint16{3868}, Client: first("\x01"), Server: first("\x01"), Stream: diameterStream, SCTP: diameterMessage},
	{Name: "TACACS", Ports: []uint16{49}, Client: first("\xc0\xc1"), Server: first("\xc0\xc1"), Stream: tacacs},
}

// kerberos checks a message: an application tag, a sequence, the version 5 and the message type,
// which is the number of the tag.
func kerberos(data []byte) (size int, verdict decode.Verdict) {
	if len(data) == 0 {
		return 0, decode.More
	}
	const application, number = 0x60, 0x1f
	kind := int(data[0] & number)
	if data[0]&^number != application || (kind < 10 || kind > 15) && (kind < 20 || kind > 22) && kind != 30 {
		return 0, decode.No
	}
	outer, part := readElement(data)
	if part != decode.Whole {
		return 0, verdictOf(part)
	}
	size = len(data) - len(outer.rest) + outer.length - len(outer.content)
	sequence, part := readElement(outer.content)
	switch {
	case part != decode.Whole && !outer.whole():
		return 0, verdictOf(part)
	case part != decode.Whole || sequence.tag != tagSequence:
		return 0, decode.No
	}
	tag := byte(0xa0)
	if kind == 10 || kind == 12 { // requests count from 1
		tag = 0xa1
	}
	head := [10]byte{tag, 3, tagInteger, 1, 5, tag + 1, 3, tagInteger, 1, byte(kind)}
	n := min(len(head), len(sequence.content))
	switch {
	case !bytes.Equal(sequence.content[:n], head[:n]):
		return 0, decode.No
	case n < len(head) && sequence.whole():
		return 0, decode.No
	case n < len(head):
		return 0, decode.More
	}
	return size, decode.Match
}

// verdictOf is what a part means for a stream.
func verdictOf(part decode.Part) decode.Verdict {
	switch part {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}

func kerberosDatagram(_ *decode.Session, data []byte) decode.Verdict {
	size, verdict := kerberos(data)
	return yes(verdict == decode.Match && size == len(data))
}

func kerberosStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if data[0] != 0 {
			return decode.No
		}
		if len(data) < 5 {
			return decode.More
		}
		size, verdict := kerberos(data[4:])
		if verdict == decode.Match && size != int(decode.Uint32(data, 0)) {
			return decode.No
		}
		return verdict
	})
}

// kpasswd checks a request or reply: length, version, length of the ticket, ticket.
func kpasswd(data []byte, whole bool) decode.Verdict {
	const header = 6
	if len(data) < header {
		return decode.More
	}
	length, version, ticket := int(decode.Uint16(data, 0)), decode.Uint16(data, 2), int(decode.Uint16(data, 4))
	if version != 1 && version != 0xff80 || ticket+header > length || whole && length != len(data) || length < header {
		return decode.No
	}
	if ticket == 0 {
		return yes(whole && len(data) > header && data[header] == 0x7e)
	}
	_, verdict := kerberos(data[header:])
	return verdict
}

func kpasswdDatagram(_ *decode.Session, data []byte) decode.Verdict {
	return yes(kpasswd(data, true) == decode.Match)
}

func kpasswdStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		switch {
		case data[0] != 0:
			return decode.No
		case len(data) < 4:
			return decode.More
		}
		return kpasswd(data[4:], false)
	})
}

// ldapFirst is the first tag inside an operation, by the operation's tag; 0 where there is none to
// check.
var ldapFirst = [256]byte{
	0x60: tagInteger, 0x61: tagEnum, 0x63: tagOctets, 0x64: tagOctets, 0x65: tagEnum, 0x66: tagOctets, 0x67: tagEnum,
	0x68: tagOctets, 0x69: tagEnum, 0x6b: tagEnum, 0x6c: tagOctets, 0x6d: tagEnum, 0x6e: tagOctets, 0x6f: tagEnum,
	0x73: tagOctets, 0x77: 0x80, 0x78: tagEnum,
}

const (
	ldapBind     = 0x60
	ldapExtended = 0x77
	startTLS     = "1.3.6.1.4.1.1466.20037"
)

// ldap checks a message: a sequence, the identifier, the operation and the start of its content.
// size is how long the message is.
func ldap(data []byte) (operation element, size int, verdict decode.Verdict) {
	message, part := readElement(data)
	switch {
	case len(data) > 0 && data[0] != tagSequence, part == decode.None:
		return operation, 0, decode.No
	case part == decode.Partly:
		return operation, 0, decode.More
	}
	size = len(data) - len(message.rest) + message.length - len(message.content)
	missing := decode.More
	if message.whole() {
		missing = decode.No
	}
	_, rest, part := integer(message.content)
	switch part {
	case decode.None:
		return operation, 0, decode.No
	case decode.Partly:
		return operation, 0, missing
	}
	operation, part = readElement(rest)
	if len(rest) > 0 && ldapFirst[rest[0]] == 0 || part == decode.None {
		return operation, 0, decode.No
	}
	if part == decode.Partly || len(operation.content) < 3 {
		return operation, 0, missing
	}
	if operation.content[0] != ldapFirst[operation.tag] || operation.length > message.length {
		return operation, 0, decode.No
	}
	if operation.tag == ldapBind && (operation.content[1] != 1 || operation.content[2] < 2 || operation.content[2] > 3) {
		return operation, 0, decode.No
	}
	return operation, size, decode.Match
}

func ldapStream(s *decode.Session, client, server []byte) decode.Verdict {
	verdict := text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if v := ldapUnbind(data); v != decode.No {
			return v
		}
		_, _, verdict := ldap(data)
		return verdict
	})
	if verdict != decode.Match || len(client) == 0 {
		return verdict
	}
	operation, size, own := ldap(client)
	if own != decode.Match || operation.tag != ldapExtended {
		return decode.Match
	}
	if !operation.whole() {
		return decode.MatchMore
	}
	if !bytes.Contains(operation.content, []byte(startTLS)) {
		return decode.Match
	}
	// TLS begins behind the answer.
	_, answer, replied := ldap(server)
	switch {
	case len(client) < size+2 || replied == decode.More && len(server) > 0:
		return decode.MatchMore
	case client[size] == 0x16 && client[size+1] == 3:
		s.Protocol("LDAPS")
		s.Upgrade(size, min(answer, len(server)))
	}
	return decode.Match
}

// ldapUnbind recognises the whole of a session that ends before anything was asked.
func ldapUnbind(data []byte) decode.Verdict {
	const opening, ending = "\x30\x05\x02\x01", "\x42\x00"
	at := len(opening) + 1
	switch v := decode.Magic(data, opening); {
	case v != decode.Match || len(data) < at:
		return min(v, decode.More)
	default:
		return decode.Magic(data[at:], ending)
	}
}

func cldap(_ *decode.Session, data []byte) decode.Verdict {
	_, size, verdict := ldap(data)
	return yes(verdict == decode.Match && size <= len(data))
}

// radius checks code and length, and that the attributes fill the packet.
func radius(s *decode.Session, data []byte) decode.Verdict {
	const header, code = 20, "\x01\x02\x03\x04\x05\x0b\x0c\x0d\x28\x29\x2a\x2b\x2c\x2d"
	if len(data) < header || bytes.IndexByte([]byte(code), data[0]) < 0 {
		return decode.No
	}
	length := int(decode.Uint16(data, 2))
	if length < header || length > len(data) || length > 4096 {
		return decode.No
	}
	usual := s.Port(1812) || s.Port(1813) || s.Port(1645) || s.Port(1646) || s.Port(3799)
	attributes := 0
	for rest := data[header:length]; len(rest) > 0; attributes++ {
		if len(rest) < 2 || rest[1] < 3 || int(rest[1]) > len(rest) || rest[0] == 0 {
			return yes(usual && attributes > 0)
		}
		rest = rest[rest[1]:]
	}
	return yes(usual || attributes >= 2 && length == len(data))
}

// diameter checks the header: version, length, flags, and the first attribute, which every message
// has.
func diameter(data []byte) decode.Verdict {
	const header, version = 20, 1
	if data[0] != version || len(data) > 4 && data[4]&0x0f != 0 {
		return decode.No
	}
	if len(data) < header+8 {
		return decode.More
	}
	length, attribute := decode.Uint24(data, 1), decode.Uint24(data, header+5)
	if length < header+8 || length%4 != 0 || attribute < 8 || attribute > length-header || data[header+4]&0x1f != 0 {
		return decode.No
	}
	const sessionID, resultCode, originHost, originRealm, errorMessage = 263, 268, 264, 296, 281
	switch decode.Uint32(data, header) {
	case sessionID, resultCode, originHost, originRealm, errorMessage:
		return decode.Match
	}
	return decode.No
}

func diameterStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict { return diameter(data) })
}

func diameterMessage(_ *decode.Session, data []byte) decode.Verdict {
	return yes(diameter(data) == decode.Match)
}

// tacacs checks the header of either side. Off its port both must have spoken, of one session.
func tacacs(s *decode.Session, client, server []byte) decode.Verdict {
	const header = 12
	check := func(data []byte, from decode.Direction) decode.Verdict {
		switch {
		case data[0] != 0xc0 && data[0] != 0xc1, len(data) > 1 && (data[1] == 0 || data[1] > 3), len(data) > 2 && data[2] != 1+byte(from), len(data) > 3 && data[3]&^5 != 0:
			return decode.No
		case len(data) < header:
			return decode.More
		case decode.Uint32(data, 8) > 1<<14 || decode.Uint32(data, 8) < 5:
			return decode.No
		}
		return decode.Match
	}
	verdict := text.Either(client, server, check)
	if verdict == decode.Match && !s.Port(49) {
		if len(client) < header || len(server) < header {
			return decode.More
		}
		return yes(decode.Uint32(client, 4) == decode.Uint32(server, 4))
	}
	return verdict
}
