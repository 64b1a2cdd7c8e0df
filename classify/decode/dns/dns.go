// Package dns recognises name resolution: DNS over UDP and TCP, multicast DNS and LLMNR.
package dns

import (
	"bytes"
	"net/netip"
	"time"

	"sluice/classify/decode"
)

// Decoders of this family.
var Decoders = []decode.Decoder{
	{Name: "DNS", Ports: []uint16{portDNS, portMDNS, portLLMNR}, Stream: stream, Datagram: datagram},
	{Name: "DNSCRYPT", Ports: []uint16{443, portMDNS}, Datagram: dnsCrypt},
}

// Ports that tell the variants apart, as all have the same message format (RFC 1035, RFC 6762
// section 18, RFC 4795 section 2.1).
const (
	portDNS   = 53
	portMDNS  = 5353
	portLLMNR = 5355
)

// datagram recognises one message. A response is awaited, as it tells addresses.
func datagram(s *decode.Session, data []byte) decode.Verdict {
	known := s.Port(portDNS) || s.Port(portMDNS) || s.Port(portLLMNR)
	m, ok := parse(s, data)
	if !ok || m.rest > 0 && !known {
		return decode.No
	}
	switch {
	case m.certificate || m.asksCertificate && !s.Port(portDNS):
		s.Protocol("DNSCRYPT")
		s.Host(decode.DNSQuery, m.question)
		return decode.Match
	case s.Port(portMDNS):
		s.Protocol("MDNS")
		return decode.Match
	case s.Port(portLLMNR):
		s.Protocol("LLMNR")
		return decode.Match
	case m.response || s.Index > 0:
		return decode.Match
	}
	return decode.MatchMore
}

// stream recognises messages behind their lengths (RFC 1035 section 4.2.2).
func stream(s *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 {
		s.Side(decode.ToClient)
		if v := framed(s, server); v != decode.More {
			return v
		}
	}
	v := decode.More
	if len(client) > 0 {
		s.Side(decode.ToServer)
		v = framed(s, client)
	}
	if v == decode.Match {
		return decode.MatchMore
	}
	return v
}

func framed(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 2 {
		return decode.More
	}
	length := int(decode.Uint16(data, 0))
	if length < headerLen {
		return decode.No
	}
	if len(data) >= 2+headerLen && !plausible(data[2:]) {
		return decode.No
	}
	if len(data) < 2+length {
		return decode.More
	}
	if m, ok := parse(s, data[2:2+length]); !ok || m.rest > 0 {
		return decode.No
	}
	return decode.Match
}

const headerLen = 12

// message is what matters of a parsed message.
type message struct {
	response bool
	question []byte // the first name asked for
	rest     int    // bytes behind the last record
	// asksCertificate is set when the question has the form of one for a DNSCrypt certificate,
	// certificate when it surely is one or the answer is one.
	asksCertificate, certificate bool
}

// plausible looks at the header alone.
func plausible(data []byte) bool {
	flags := decode.Uint16(data, 2)
	opcode, response := flags>>11&15, flags&0x8000 != 0
	questions, answers := decode.Uint16(data, 4), decode.Uint16(data, 6)
	authority, additional := decode.Uint16(data, 8), decode.Uint16(data, 10)
	switch {
	case opcode == 3 || opcode > 6, flags&0x0040 != 0: // unassigned opcodes; the bit that must be zero
		return false
	case questions > 64 || answers > 512 || authority > 512 || additional > 512:
		return false
	case !response && flags&0x000f != 0: // a query has no response code
		return false
	}
	return questions+answers+authority > 0
}

// Record types (IANA DNS parameters).
const (
	typeA     = 1
	typeCNAME = 5
	typeTXT   = 16
	typeAAAA  = 28
	typeSVCB  = 64
	typeHTTPS = 65

	// Of NetBIOS, which has the same message format and is recognised elsewhere (RFC 1002).
	typeNB     = 32
	typeNBSTAT = 33 // the number is also that of SRV, the form of the name tells
)

// parse walks over a message and tells the names asked for and the addresses answered.
func parse(s *decode.Session, data []byte) (m message, ok bool) {
	if len(data) < headerLen || !plausible(data) {
		return m, false
	}
	m.response = data[2]&0x80 != 0
	scratch := s.Scratch()
	at := headerLen
	for i := range int(decode.Uint16(data, 4)) {
		name, after, good := readName(scratch, data, at)
		if !good || after+4 > len(data) || !goodClass(decode.Uint16(data, after+2)) {
			return m, false
		}
		kind := decode.Uint16(data, after)
		if (kind == typeNB || kind == typeNBSTAT) && netbiosName(name) && !s.Port(portDNS) {
			return m, false
		}
		if i == 0 {
			m.question, scratch = name, scratch[maxName:maxName]
			m.asksCertificate = kind == typeTXT && bytes.HasPrefix(name, []byte("2."))
			m.certificate = m.asksCertificate && bytes.HasPrefix(name, []byte("2.dnscrypt-cert."))
			s.Value(decode.DNSQuery, name)
		}
		at = after + 4
	}
	records := int(decode.Uint16(data, 6)) + int(decode.Uint16(data, 8)) + int(decode.Uint16(data, 10))
	for range records {
		var buf [maxName]byte
		_, after, good := readName(buf[:0], data, at)
		if !good || after+10 > len(data) {
			return m, m.response && len(m.question) > 0 && good // cut short, as servers do
		}
		kind, length := decode.Uint16(data, after), int(decode.Uint16(data, after+8))
		at = after + 10 + length
		if at > len(data) {
			return m, m.response && len(m.question) > 0
		}
		m.certificate = m.certificate || kind == typeTXT && length > 5 && string(data[at-length+1:at-length+5]) == "DNSC"
		if m.response && len(m.question) > 0 {
			ttl := time.Duration(decode.Uint32(data, after+4)) * time.Second
			tellRecord(s, m.question, kind, ttl, data, after+10, at)
		}
	}
	m.rest = len(data) - at
	return m, true
}

// tellRecord tells the address or the other name that a record at data[from:to] gives to name.
func tellRecord(s *decode.Session, name []byte, kind uint16, ttl time.Duration, data []byte, from, to int) {
	value := data[from:to]
	switch kind {
	case typeA, typeAAAA:
		if addr, ok := netip.AddrFromSlice(value); ok {
			s.Resolved(name, addr, ttl)
		}
	case typeCNAME:
		if target, _, ok := readName(s.Scratch()[maxName:maxName], data, from); ok {
			s.Value(decode.DNSAnswer, target)
		}
	case typeSVCB, typeHTTPS:
		tellHints(s, name, ttl, value)
	}
}

// tellHints tells the addresses in a SVCB or HTTPS record (RFC 9460 section 7.3).
func tellHints(s *decode.Session, name []byte, ttl time.Duration, value []byte) {
	const ipv4hint, ipv6hint = 4, 6
	if len(value) < 3 {
		return
	}
	target := 2
	for target < len(value) && value[target] != 0 {
		target += 1 + int(value[target])
	}
	for at := target + 1; at+4 <= len(value); {
		key, length := decode.Uint16(value, at), int(decode.Uint16(value, at+2))
		at += 4
		if at+length > len(value) {
			return
		}
		size := 0
		switch key {
		case ipv4hint:
			size = 4
		case ipv6hint:
			size = 16
		}
		for hint := value[at : at+length]; size > 0 && len(hint) >= size; hint = hint[size:] {
			if addr, ok := netip.AddrFromSlice(hint[:size]); ok {
				s.Resolved(name, addr, ttl)
			}
		}
		at += length
	}
}

// netbiosName says whether a name begins with a NetBIOS name: 32 letters from A to P, each of which
// stands for half a byte (RFC 1001 section 14.1).
func netbiosName(name []byte) bool {
	const length = 32
	if len(name) < length || len(name) > length && name[length] != '.' {
		return false
	}
	for _, c := range name[:length] {
		if c < 'A' || c > 'P' {
			return false
		}
	}
	return true
}

// goodClass says whether a class may be asked for; the top bit is that of multicast DNS.
func goodClass(class uint16) bool {
	class &= 0x7fff
	return class == 1 || class == 3 || class == 4 || class == 254 || class == 255
}

// maxName is the longest name, as text.
const maxName = 255

// readName reads the name at data[at:] into buf, as text without the last dot. after is where the
// name ends in the message.
func readName(buf, data []byte, at int) (name []byte, after int, ok bool) {
	const maxPointers = 16
	pointers := 0
	for {
		if at >= len(data) {
			return nil, 0, false
		}
		length := int(data[at])
		switch length >> 6 {
		case 0:
			if length == 0 {
				if pointers == 0 {
					after = at + 1
				}
				return bytes.TrimSuffix(buf, []byte{'.'}), after, true
			}
			if at+1+length > len(data) || len(buf)+length+1 > maxName {
				return nil, 0, false
			}
			buf = append(append(buf, data[at+1:at+1+length]...), '.')
			at += 1 + length
		case 3:
			if at+1 >= len(data) || pointers == maxPointers {
				return nil, 0, false
			}
			if pointers == 0 {
				after = at + 2
			}
			pointers++
			at = int(decode.Uint16(data, at) & 0x3fff)
		default:
			return nil, 0, false
		}
	}
}
