// Protocols of vehicles, robots and cameras of machines: SOME/IP (AUTOSAR PRS), DoIP (ISO 13400-2),
// V2G transfer protocol (ISO 15118-2), TRDP of trains (IEC 61375-2-3), CAN over Ethernet, MAVLink,
// GigE Vision control, and DDS (OMG RTPS 2.5).

package industrial

import (
	"hash/crc32"

	"sluice/classify/decode"
)

var vehicles = []decode.Decoder{
	{Name: "RTPS", Ports: []uint16{7400, 7410, 7411}, Client: decode.FirstBytes("R"), Server: decode.FirstBytes("R"), Stream: stream(rtps), Datagram: datagram(rtps)},
	{Name: "SOMEIP", Ports: []uint16{30490, 30491, 30501}, Stream: someIPStream, Datagram: someIP},
	{Name: "DOIP", Ports: []uint16{13400, 3496}, Client: decode.FirstBytes("\x01\x02\x03\x04\xff"), Server: decode.FirstBytes("\x01\x02\x03\x04\xff"), Stream: stream(doip), Datagram: datagram(doip)},
	{Name: "V2GTP", Ports: []uint16{15118}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: stream(v2g), Datagram: datagram(v2g)},
	{Name: "CAN-ETHERNET", Ports: []uint16{1918}, Client: decode.FirstBytes("I"), Server: decode.FirstBytes("I"), Datagram: datagram(canEthernet)},
	{Name: "MAVLINK", Ports: []uint16{14550, 14540}, Client: decode.FirstBytes("\xfd\xfe"), Server: decode.FirstBytes("\xfd\xfe"), Datagram: mavlink},
	{Name: "GVCP", Ports: []uint16{3956}, Client: decode.FirstBytes("\x42"), Server: decode.FirstBytes("\x00\x42"), Datagram: datagram(gvcp)},
}

// rtps checks the magic and a version; RTPX is that of one vendor.
func rtps(data []byte, _ bool) decode.Verdict {
	if len(data) < 8 {
		if decode.Prefix(data, "RTPS") == decode.None && decode.Prefix(data, "RTPX") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If((string(data[:4]) == "RTPS" || string(data[:4]) == "RTPX") && data[4] <= 3 && data[4] > 0)
}

// someIPHeader says whether data begins with a message, and how long it is.
func someIPHeader(data []byte) (length int, ok bool) {
	size := decode.Uint32(data, 4)
	if size < 8 || size > 1<<20 || data[12] != 1 || data[15] > 0x5e {
		return 0, false
	}
	if string(data[:4]) == "\xff\xff\x00\x00" || string(data[:4]) == "\xff\xff\x80\x00" { // magic cookie
		return int(size) + 8, size == 8
	}
	if data[0]|data[1] == 0 {
		return 0, false
	}
	switch data[14] &^ 0x20 {
	case 0, 1, 2, 0x40, 0x41, 0x42:
		return int(size) + 8, data[15] == 0
	case 0x80, 0x81, 0xc0, 0xc1:
		return int(size) + 8, true
	}
	return 0, false
}

// someIP checks that the datagram is a row of whole messages.
func someIP(s *decode.Session, data []byte) decode.Verdict {
	strong := s.Port(30490) || len(data) >= 16 && string(data[:4]) == "\xff\xff\x81\x00"
	for at, seen := 0, 0; ; seen++ {
		if at == len(data) {
			if seen > 1 || strong || data[14] != 0 || len(data) > 16 || s.Index > 0 {
				return decode.Match
			}
			return decode.More // a request without content is little to go by
		}
		if at+16 > len(data) {
			return decode.No
		}
		length, ok := someIPHeader(data[at:])
		if !ok || at+length > len(data) {
			return decode.No
		}
		at += length
	}
}

func someIPStream(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		return decode.More
	}
	length, ok := someIPHeader(data)
	if !ok {
		return decode.No
	}
	if len(data) >= length+16 {
		_, ok = someIPHeader(data[length:])
		return decode.If(ok)
	}
	if len(data) > length {
		return decode.More
	}
	return decode.Match
}

// doipLengths are the types of messages whose lengths are fixed, with one or two lengths each.
var doipLengths = [...]struct {
	kind          uint16
	length, other uint32
}{
	{0, 1, 1}, {1, 0, 0}, {2, 6, 6}, {3, 17, 17}, {4, 32, 33}, {5, 7, 11}, {6, 9, 13}, {7, 0, 0}, {8, 2, 2},
	{0x4001, 0, 0}, {0x4002, 3, 7}, {0x4003, 0, 0}, {0x4004, 1, 1},
}

// doip checks a version with its inverse, the payload type and the length.
func doip(data []byte, whole bool) decode.Verdict {
	if len(data) < 8 {
		if len(data) >= 2 && data[0]^data[1] != 0xff {
			return decode.No
		}
		return decode.More
	}
	length := decode.Uint32(data, 4)
	if data[0]^data[1] != 0xff || length > 1<<20 || whole && int(length)+8 != len(data) {
		return decode.No
	}
	kind := decode.Uint16(data, 2)
	if data[0] == 0xff && (kind == 0 || kind > 3) { // any version, for the search only
		return decode.No
	}
	if kind >= 0x8001 && kind <= 0x8003 {
		return decode.If(length >= 4)
	}
	for _, known := range doipLengths {
		if known.kind == kind && (known.length == length || known.other == length) {
			return decode.Match
		}
	}
	return decode.No
}

// v2g checks the header of messages between a car and its charging point.
func v2g(data []byte, whole bool) decode.Verdict {
	if len(data) < 10 {
		if decode.Prefix(data, "\x01\xfe") == decode.None {
			return decode.No
		}
		return shortIf(whole, false)
	}
	length := decode.Uint32(data, 4)
	if string(data[:2]) != "\x01\xfe" || length == 0 || length > 1<<16 || whole && int(length)+8 != len(data) {
		return decode.No
	}
	switch decode.Uint16(data, 2) {
	case 0x9000:
		return decode.If(length == 2)
	case 0x9001:
		return decode.If(length == 20)
	case 0x8001: // an EXI document
		return decode.If(data[8] == 0x80)
	case 0x8002, 0x8003, 0x8004, 0x8101:
		return decode.If(data[8] == 0x80)
	}
	return decode.No
}

// Lengths of the headers of TRDP, checksum included.
const (
	trdpProcessHeader = 40
	trdpMessageHeader = 116
)

// trdp checks the checksum at the end of a header of process or message data.
func trdp(data []byte, _ bool) decode.Verdict {
	if len(data) >= 5 && data[4] != 1 || len(data) >= 7 && data[6] != 'P' && data[6] != 'M' {
		return decode.No
	}
	if len(data) < 8 {
		return decode.More
	}
	length := trdpProcessHeader
	if data[6] == 'M' {
		length = trdpMessageHeader
	}
	if !among(data[7], "dprecmnq") {
		return decode.No
	}
	if len(data) < length {
		return decode.More
	}
	return decode.If(crc32.ChecksumIEEE(data[:length-4]) == decode.Little32(data, length-4))
}

func canEthernet(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 10 && string(data[:8]) == "ISO11898")
}

// mavlink checks that the datagram is a row of whole packets, which is not a matter of chance from
// two on, or that it is a heartbeat.
func mavlink(s *decode.Session, data []byte) decode.Verdict {
	seen := 0
	for at := 0; at < len(data); seen++ {
		if at+8 > len(data) {
			return decode.No
		}
		length := int(data[at+1]) + 8
		heartbeat := data[at+1] == 9 && data[at+5] == 0
		if data[at] == 0xfd {
			if at+12 > len(data) || data[at+2]&^1 != 0 || data[at+9] > 1 {
				return decode.No
			}
			heartbeat = data[at+1] == 9 && string(data[at+7:at+10]) == "\x00\x00\x00"
			length = int(data[at+1]) + 12 + 13*int(data[at+2]&1)
		} else if data[at] != 0xfe {
			return decode.No
		}
		if at+length > len(data) {
			return decode.No
		}
		if heartbeat && at+length == len(data) && among(data[at+length-3], "\x02\x03") {
			return decode.Match
		}
		at += length
	}
	return decode.If(seen > 1 || s.Port(14550))
}

// gvcp checks a command to a camera, or an answer to one.
func gvcp(data []byte, _ bool) decode.Verdict {
	if len(data) < 8 || int(decode.Uint16(data, 4))+8 != len(data) {
		return decode.No
	}
	command := decode.Uint16(data, 2)
	switch {
	case data[0] == 0x42 && command&1 == 0: // a command
	case data[0] == 0 && data[1] == 0 && command&1 == 1: // a successful answer
		return decode.If(command == 3 && len(data) == 256)
	default:
		return decode.No
	}
	switch command {
	case 0x02, 0x04, 0x40, 0x80, 0x82, 0x84, 0x86, 0xc0, 0xc2:
		return decode.If(decode.Uint16(data, 6) != 0)
	}
	return decode.No
}
