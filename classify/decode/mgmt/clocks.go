package mgmt

// NTP (RFC 5905, and the control messages of RFC 9327), PTP (IEEE 1588), Roughtime, and the Time
// (RFC 868) and Daytime (RFC 867) protocols.

import (
	"bytes"

	"sluice/classify/decode"
)

var clocks = []decode.Decoder{
	{Name: "NTP", Ports: []uint16{123}, Datagram: ntp},
	{Name: "PTP", Ports: []uint16{319, 320}, Datagram: ptp},
	{Name: "ROUGHTIME", Ports: []uint16{2002}, Datagram: roughtime},
	{Name: "TIME", Ports: []uint16{37}, PortsOnly: true, Stream: timeStream, Datagram: timeDatagram},
	{Name: "DAYTIME", Ports: []uint16{13}, PortsOnly: true, Stream: daytimeStream, Datagram: daytimeDatagram},
}

// ntp has no magic: on its port the header must be plausible; elsewhere an answer must repeat the
// time stamp of the question.
func ntp(s *decode.Session, data []byte) decode.Verdict {
	const header, symmetric, client, server, broadcast, control, private = 48, 1, 3, 4, 5, 6, 7
	if len(data) < 8 {
		return decode.No
	}
	usual := s.Port(123)
	switch version, mode := data[0]>>3&7, data[0]&7; {
	case version == 0 || version > 4 || mode == 0:
		return decode.No
	case mode == control:
		if len(data) < 12 {
			return decode.No
		}
		count := int(decode.Uint16(data, 10))
		return yes(usual && data[0]>>6 == 0 && len(data) >= 12+count && len(data) <= 12+count+64 && data[1]&0x1f <= 12)
	case mode == private:
		return yes(usual && (data[2] == 0 || data[2] == 2 || data[2] == 3) && data[3] <= 45)
	case len(data) < header || data[1] > 16 || !ntpLength(len(data)-header):
		return decode.No
	case usual:
		if mode == server && data[1] > 0 && zero(data[40:48]) { // the server tells no time
			return decode.No
		}
		return decode.Match
	case mode == client || mode == symmetric:
		if zero(data[40:48]) {
			return decode.No
		}
		s.Remember([8]byte(data[40:48]))
		return decode.More
	case mode == server:
		if asked, ok := s.Memory().([8]byte); ok && asked == [8]byte(data[24:32]) {
			return decode.Match
		}
	}
	return decode.No
}

// ntpLength says whether what follows the header can be extension fields and an authenticator.
func ntpLength(rest int) bool { return rest%4 == 0 && rest <= 1024 }

// ptp checks the common header of version 2, or the fixed fields of version 1.
func ptp(s *decode.Session, data []byte) decode.Verdict {
	const header = 34
	if len(data) < header+10 {
		return decode.No
	}
	if data[0] == 0 && data[1] == 1 {
		return yes(data[2] == 0 && data[3] == 1 && data[4] == '_' && len(data) >= 124)
	}
	kind, length := data[0]&0x0f, int(decode.Uint16(data, 2))
	if data[1]&0x0f != 2 || length > len(data) || len(data) > length+4 {
		return decode.No
	}
	sizes := [16]int{0: 44, 1: 44, 2: 54, 3: 54, 8: 44, 9: 54, 10: 54, 11: 64, 12: 44, 13: 48}
	controls := [16]byte{0: 0, 1: 1, 8: 2, 9: 3, 13: 4}
	control := controls[kind]
	if kind > 1 && control == 0 {
		control = 5
	}
	if sizes[kind] == 0 || length < sizes[kind] {
		return decode.No
	}
	return yes(s.Port(319) || s.Port(320) || data[32] == control && zero(data[16:20]) && decode.Uint16(data, 28) != 0)
}

// roughtime messages are tags with offsets (draft-ietf-ntp-roughtime), in newer versions behind a
// magic number.
func roughtime(_ *decode.Session, data []byte) decode.Verdict {
	const magic = "ROUGHTIM"
	if len(data) < 24 {
		return decode.No
	}
	if string(data[:8]) == magic {
		return yes(int(decode.Little32(data, 8)) == len(data)-12)
	}
	tags := decode.Little32(data, 0)
	if tags < 2 || tags > 32 || len(data) < int(tags)*8 {
		return decode.No
	}
	n, last := int(tags), uint32(0)
	for i := 1; i < n; i++ {
		offset := decode.Little32(data, 4*i)
		if offset < last || offset%4 != 0 || int64(offset) > int64(len(data)-8*n) {
			return decode.No
		}
		last = offset
	}
	known := false
	for i := range n {
		tag := data[4*n+4*i:][:4]
		for _, want := range [...]string{"NONC", "SREP", "CERT"} {
			known = known || string(tag) == want
		}
		if tag[0] < 'A' || tag[0] > 'Z' {
			return decode.No
		}
	}
	return yes(known)
}

// plausibleTime says whether data is a time in seconds since 1900, after 2000.
func plausibleTime(data []byte) bool { return len(data) == 4 && decode.Uint32(data, 0) >= 0xbc17c200 }

func timeStream(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 || len(server) > 4 {
		return decode.No
	}
	if len(server) < 4 {
		return decode.More
	}
	return yes(plausibleTime(server))
}

func timeDatagram(s *decode.Session, data []byte) decode.Verdict {
	if s.Direction == decode.ToServer {
		return decode.More
	}
	return yes(plausibleTime(data))
}

func daytimeStream(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		return decode.No
	}
	return daytime(server)
}

func daytimeDatagram(s *decode.Session, data []byte) decode.Verdict {
	if s.Direction == decode.ToServer {
		return decode.More
	}
	return min(daytime(data), decode.Match)
}

// daytime looks for hours, minutes and seconds in a line.
func daytime(data []byte) decode.Verdict {
	const longest = 128
	if len(data) > longest || !decode.Printable(data) {
		return decode.No
	}
	for i := 2; i+5 < len(data); i++ {
		if data[i] == ':' && data[i+3] == ':' && isDigit(data[i-1]) && isDigit(data[i+1]) && isDigit(data[i+4]) && bytes.IndexByte(data, '\n') >= 0 {
			return decode.Match
		}
	}
	return decode.More
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
