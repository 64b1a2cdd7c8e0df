// Protocols of single makers of controllers, as far as published by them or by the community:
// FINS (Omron W421), SLMP/MELSEC (Mitsubishi SH-080008), GE-SRTP and Ethernet Global Data
// (GFK-2224), ADS/AMS (Beckhoff), CODESYS, ProConOS and PCWorx (Phoenix Contact), Crimson (Red
// Lion), TriStation, SAIA Ether-S-Bus and Ether-S-I/O, Koyo HAP, Fanuc FOCAS, Universal Robots RTDE.

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var controllers = []decode.Decoder{
	{Name: "FINS", Ports: []uint16{9600}, Client: decode.FirstBytes("F\x80\x81\xc0\xc1"), Server: decode.FirstBytes("F\x80\x81\xc0\xc1"), Stream: stream(finsTCP), Datagram: fins},
	{Name: "BECKHOFF-ADS", Ports: []uint16{48898, 48899}, Client: decode.FirstBytes("\x00\x03"), Server: decode.FirstBytes("\x00\x03"), Stream: stream(ads), Datagram: datagram(adsDiscovery)},
	{Name: "CODESYS", Ports: []uint16{11740, 1217}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: stream(codesys)},
	{Name: "GE-SRTP", Ports: []uint16{18245, 18246}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x01"), Stream: geSRTP},
	{Name: "PCWORX", Ports: []uint16{1962}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x81"), Stream: pcWorx},
	{Name: "ETHER-S-IO", Ports: []uint16{6060}, Client: decode.FirstBytes("E"), Server: decode.FirstBytes("E"), Datagram: etherSIO},
	{Name: "KOYO-HAP", Ports: []uint16{28784}, Client: decode.FirstBytes("H"), Server: decode.FirstBytes("H"), Datagram: koyo},
	{Name: "FANUC-FOCAS", Ports: []uint16{8193}, Client: decode.FirstBytes("\xa0"), Server: decode.FirstBytes("\xa0"), Stream: stream(focas)},
	{Name: "UR-RTDE", Ports: []uint16{30004}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: rtde},
	{Name: "MEWTOCOL", Ports: []uint16{9094}, Client: decode.FirstBytes("%<"), Server: decode.FirstBytes("%<"), Stream: stream(mewtocol)},
}

// weak are decoders with features so few that they need their usual port as well.
var weak = []decode.Decoder{
	{Name: "MELSEC", Ports: []uint16{5000, 5001, 5002, 5006, 5007, 61450}, Client: decode.FirstBytes("PT\xd0\xd45D"), Server: decode.FirstBytes("PT\xd0\xd45D"), Stream: stream(slmp), Datagram: datagram(slmp)},
	{Name: "EGD", Ports: []uint16{18246}, Client: decode.FirstBytes("\x0d"), Server: decode.FirstBytes("\x0d"), Datagram: egd},
	{Name: "CODESYS", Ports: []uint16{1200, 2455}, PortsOnly: true, Client: decode.FirstBytes("\xbb"), Server: decode.FirstBytes("\xbb"), Stream: stream(codesys2)},
	{Name: "PROCONOS", Ports: []uint16{20547}, PortsOnly: true, Client: decode.FirstBytes("\xcc"), Server: decode.FirstBytes("\xcc"), Stream: stream(proConOS)},
	{Name: "CRIMSON", Ports: []uint16{789}, PortsOnly: true, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: stream(crimson)},
	{Name: "TRISTATION", Ports: []uint16{1502}, PortsOnly: true, Client: decode.FirstBytes("\x01\x03\x05\x07\x09"), Server: decode.FirstBytes("\x02\x04\x06\x08\x0a\x0b"), Datagram: datagram(triStation)},
}

// finsTCP checks the frame of FINS over TCP.
func finsTCP(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "FINS"); v != decode.Match {
		return v
	}
	if len(data) < 12 {
		return decode.More
	}
	return decode.If(decode.Uint32(data, 4) >= 8 && decode.Uint32(data, 4) < 1<<16 && decode.Uint32(data, 8) <= 6)
}

// finsCommands are main and sub codes with the length of their requests, header included; 0 where
// it varies.
var finsCommands = [...]struct {
	code   uint16
	length int
}{
	{0x0101, 18}, {0x0102, 0}, {0x0103, 0}, {0x0104, 0}, {0x0105, 0}, {0x0201, 0}, {0x0202, 0},
	{0x0301, 0}, {0x0304, 0}, {0x0306, 0}, {0x0307, 0}, {0x0401, 0}, {0x0402, 12}, {0x0501, 13},
	{0x0502, 0}, {0x0601, 12}, {0x0620, 13}, {0x0701, 12}, {0x0702, 0}, {0x0801, 0}, {0x0920, 0},
	{0x0c01, 0}, {0x0c02, 0}, {0x0c03, 0}, {0x2101, 0}, {0x2102, 0}, {0x2140, 0}, {0x2201, 0},
	{0x2301, 0}, {0x2302, 12},
}

// fins checks the header of a command or response over UDP.
func fins(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12 || data[0]&0x3e != 0 || data[1] != 0 || data[2] > 7 || data[3] > 127 || data[6] > 127 {
		return decode.No
	}
	for _, c := range finsCommands {
		if c.code != decode.Uint16(data, 10) {
			continue
		}
		answer := data[0]&0x40 != 0
		return decode.If(s.Port(9600) || !answer && data[2] == 2 && (c.length == len(data) || c.length == 13 && len(data) == 12))
	}
	return decode.No
}

// slmp checks the subheader, the route and the length of 3E and 4E frames, binary or in ASCII, and
// the command of a request.
func slmp(data []byte, whole bool) decode.Verdict {
	if len(data) < 11 {
		return decode.More
	}
	at := 2
	switch {
	case (data[0] == 0x50 || data[0] == 0xd0) && data[1] == 0:
	case (data[0] == 0x54 || data[0] == 0xd4) && data[1] == 0 && data[4] == 0 && data[5] == 0:
		at = 6
	case string(data[:4]) == "5000" || string(data[:4]) == "D000":
		return slmpASCII(data, 8, whole)
	case string(data[:4]) == "5400" || string(data[:4]) == "D400":
		return slmpASCII(data, 16, whole)
	default:
		return decode.No
	}
	if len(data) < at+13 {
		return shortIf(whole, at+9 <= len(data) && int(decode.Little16(data, at+5)) == len(data)-at-7 && data[0]&0x80 != 0)
	}
	module, length := decode.Little16(data, at+2), int(decode.Little16(data, at+5))
	if module != 0x3ff && (module < 0x3d0 || module > 0x3e3) || length < 2 || length > 2048 || !fits(data, at+7+length, whole) {
		return decode.No
	}
	if data[0]&0x80 != 0 {
		return decode.Match
	}
	return decode.If(length >= 6 && slmpCommand(decode.Little16(data, at+9)) && decode.Little16(data, at+11)&^0xc3 == 0)
}

// shortIf is the verdict on a message that is shorter than most of its kind.
func shortIf(whole, ok bool) decode.Verdict {
	if whole {
		return decode.If(ok)
	}
	return decode.More
}

// slmpCommand says whether a request may carry a command.
func slmpCommand(c uint16) bool {
	switch c {
	case 0x0401, 0x1401, 0x0403, 0x1402, 0x0406, 0x1406, 0x0801, 0x0802, 0x0613, 0x1613, 0x0601, 0x1601,
		0x1001, 0x1002, 0x1003, 0x1005, 0x1006, 0x0101, 0x0619, 0x1617, 0x1630, 0x1631, 0x0e30, 0x0e31,
		0x1810, 0x1811, 0x1820, 0x1822, 0x1824, 0x1825, 0x1826, 0x1827, 0x1828, 0x1829, 0x182a, 0x0e70:
		return true
	}
	return false
}

// slmpASCII checks that all fields up to the length are hexadecimal digits, and the module at at.
func slmpASCII(data []byte, at int, whole bool) decode.Verdict {
	if len(data) < at+10 {
		return shortIf(whole, false)
	}
	for _, c := range data[:at+10] {
		if !hexadecimal(c) {
			return decode.No
		}
	}
	module := string(data[at : at+4])
	return decode.If(module == "03FF" || module[:3] == "03E" || module[:3] == "03D")
}

// ads checks the AMS/TCP header and the AMS header behind it.
func ads(data []byte, _ bool) decode.Verdict {
	if len(data) >= 2 && (data[0] != 0 || data[1] != 0) {
		return decode.No
	}
	if len(data) < 38 {
		return decode.More
	}
	length := decode.Little32(data, 2)
	command, state := decode.Little16(data, 22), decode.Little16(data, 24)
	return decode.If(length >= 32 && length == 32+decode.Little32(data, 26) && command <= 9 && state&4 != 0 && state < 0x200)
}

// adsDiscovery checks the magic number of the search for controllers.
func adsDiscovery(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 12 && string(data[:4]) == "\x03\x66\x14\x71")
}

// codesys checks the block header of the runtime system from version 3 on.
func codesys(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "\x00\x01\x17\xe8"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(decode.Little32(data, 4) >= 8 && decode.Little32(data, 4) < 1<<20)
}

// codesys2 is the same for version 2, in both byte orders.
func codesys2(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "\xbb\xbb"); v != decode.Match {
		return v
	}
	if len(data) < 6 {
		return decode.More
	}
	return decode.If(decode.Uint32(data, 2) < 1<<16 || decode.Little32(data, 2) < 1<<16)
}

func proConOS(data []byte, _ bool) decode.Verdict { return decode.Magic(data, "\xcc\x01\x00") }

// crimson checks that the length agrees with the first message and the register is that of the
// queries that are known.
func crimson(data []byte, _ bool) decode.Verdict {
	if len(data) < 4 {
		return decode.More
	}
	length := int(decode.Uint16(data, 0))
	if length < 4 || length > 2048 || data[2] > 1 {
		return decode.No
	}
	if len(data) < length+2 {
		return decode.More
	}
	return decode.If(len(data) == length+2)
}

// triStation checks type and length of a message between engineering station and safety system.
func triStation(data []byte, _ bool) decode.Verdict {
	if len(data) < 6 || data[0] > 11 || data[1] > 7 {
		return decode.No
	}
	return decode.If(int(decode.Little16(data, 2))+6 == len(data))
}

// geSRTP knows the opening: 56 empty bytes, answered by the same with a one in front.
func geSRTP(s *decode.Session, client, server []byte) decode.Verdict {
	const mailbox = 56
	if !decode.Zero(client[:min(len(client), mailbox)]) || len(server) > 0 && (server[0] != 1 || !decode.Zero(server[1:min(len(server), mailbox)])) {
		return decode.No
	}
	if len(client) < mailbox || len(server) < mailbox {
		return decode.More
	}
	return decode.Match
}

// pcWorx checks the opening of the client and the name in it.
func pcWorx(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := decode.Magic(client, "\x01\x01\x00\x1a\x00\x00\x00\x00"); v != decode.Match {
		return v
	}
	if len(client) < 26 {
		return decode.More
	}
	return decode.If(bytes.Contains(client[:26], []byte("IBETH01")))
}

// egd checks a production of data: version, an origin that is the sender's own address, empty
// reserved bytes.
func egd(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 32 || data[0] != 0x0d || data[1] != 1 || !decode.Zero(data[28:32]) {
		return decode.No
	}
	if from := s.Client.Addr().Unmap(); from.Is4() {
		if a := from.As4(); string(data[4:8]) == string(a[:]) {
			return decode.Match
		}
	}
	return decode.If(s.Port(18246))
}

func etherSIO(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 12 && string(data[:4]) == "ESIO")
}

// etherSBus checks length, version and the checksum over all of the telegram.
func etherSBus(data []byte, _ bool) decode.Verdict {
	n := len(data)
	if n < 11 || int(decode.Uint32(data, 0)) != n || data[4] > 1 || data[5] > 1 || data[8] > 2 {
		return decode.No
	}
	return decode.If(crcForward(data[:n-2], 0) == decode.Uint16(data, n-2))
}

// koyo checks the length in the header of the host automation products.
func koyo(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 9 && string(data[:3]) == "HAP" && int(decode.Little16(data, 7))+9 == len(data))
}

// focas checks the header of requests and responses of numerical controls.
func focas(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "\xa0\xa0\xa0\xa0\x00"); v != decode.Match {
		return v
	}
	if len(data) < 10 {
		return decode.More
	}
	return decode.If(data[5] <= 4 && among(data[6], "\x01\x02\x21") && data[7] <= 2)
}

// rtde knows the request for a protocol version, with its answer.
func rtde(_ *decode.Session, client, server []byte) decode.Verdict {
	if v := decode.Magic(client, "\x00\x05V\x00"); v != decode.Match {
		return v
	}
	if v := decode.Magic(server, "\x00\x04V"); v != decode.Match {
		return v
	}
	return decode.Match
}

// mewtocol checks a message in ASCII: station, direction and the carriage return at its end.
func mewtocol(data []byte, _ bool) decode.Verdict {
	if len(data) < 9 {
		return decode.More
	}
	if !hexadecimal(data[1]) || !hexadecimal(data[2]) || !among(data[3], "#$!") {
		return decode.No
	}
	end := bytes.IndexByte(data[:min(len(data), 512)], '\r')
	if end < 0 {
		if len(data) > 512 || !decode.Printable(data) {
			return decode.No
		}
		return decode.More
	}
	const shortest = len("%01#**") // of a message before its carriage return
	if end < shortest || !decode.Printable(data[:end]) {
		return decode.No
	}
	check := byte(0)
	for _, c := range data[:end-2] {
		check ^= c
	}
	const digits = "0123456789ABCDEF"
	stated := string(data[end-2 : end])
	return decode.If(stated == "**" || stated[0] == digits[check>>4] && stated[1] == digits[check&15])
}

// hexadecimal says whether c is a hexadecimal digit in upper case.
func hexadecimal(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }
