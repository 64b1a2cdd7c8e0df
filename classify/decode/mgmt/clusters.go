package mgmt

// DCE/RPC (C706, MS-RPCE), and how the members of Consul and Serf clusters know of each other (the
// memberlist library).

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var clusters = []decode.Decoder{
	{Name: "DCE-RPC", Ports: []uint16{135, 593}, Client: first("\x05"), Server: first("\x05"), Stream: dceStream},
	{Name: "DCE-RPC", Ports: []uint16{135, 34964}, Client: first("\x04"), Server: first("\x04"), Datagram: dceDatagram},
	{Name: "CONSUL", Ports: []uint16{8301, 8302, 7946}, Client: decode.FirstRange(0, 13), Server: decode.FirstRange(0, 13), Datagram: memberlist},
}

// interfaces are those that have a name of their own, by the first eight bytes of their number as
// little-endian messages carry it. The last bytes of these families are the same for all.
var interfaces = map[[8]byte]string{
	{0x00, 0xdb, 0xf1, 0xa4, 0x47, 0xca, 0x67, 0x10}: "MAPI", // exchange_emsmdb
	{0x18, 0x5a, 0xcc, 0xf5, 0x64, 0x42, 0x1a, 0x10}: "MAPI", // nspi
	{0x99, 0xdc, 0x56, 0x95, 0x8c, 0x82, 0xcf, 0x11}: "WMI",  // IWbemServices
	{0x18, 0xad, 0x09, 0xf3, 0x6a, 0xd8, 0xd0, 0x11}: "WMI",  // IWbemLevel1Login
	{0x01, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11}: "PROFINET-IO",
	{0x02, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11}: "PROFINET-IO",
	{0x03, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11}: "PROFINET-IO",
	{0x04, 0x00, 0xa0, 0xde, 0x97, 0x6c, 0xd1, 0x11}: "PROFINET-IO",
}

// carry names the interface with the number at data, which is in the byte order given.
func carry(s *decode.Session, data []byte, little bool) {
	id := [8]byte(data[:8])
	if !little {
		id = [8]byte{data[3], data[2], data[1], data[0], data[5], data[4], data[7], data[6]}
	}
	if name := interfaces[id]; name != "" {
		s.Carries(name)
	}
}

// dceStream checks the common header: version 5, type, data representation, length of the fragment.
// A bind also names the interface.
func dceStream(s *decode.Session, client, server []byte) decode.Verdict {
	const bind, alter, abstract = 11, 14, 32
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		const header, types = 16, 20
		switch {
		case len(data) > 1 && data[1] > 1, len(data) > 2 && data[2] > types, len(data) > 7 && (data[4]&^0x11 != 0 || data[5] > 3 || data[6] != 0 || data[7] != 0):
			return decode.No
		case len(data) < header:
			return decode.More
		}
		little := data[4]&0x10 != 0
		length, auth := decode.Little16(data, 8), decode.Little16(data, 10)
		if !little {
			length, auth = decode.Uint16(data, 8), decode.Uint16(data, 10)
		}
		if length < header || auth > length {
			return decode.No
		}
		if from == decode.ToServer && (data[2] == bind || data[2] == alter) && int(length) >= abstract+16 {
			if len(data) < abstract+16 {
				return decode.MatchMore
			}
			carry(s, data[abstract:], little)
		}
		return decode.Match
	})
}

// dceDatagram checks the header of connectionless calls, whose length agrees with the datagram's.
func dceDatagram(s *decode.Session, data []byte) decode.Verdict {
	const header, types, object, iface = 80, 10, 8, 24
	if len(data) < header || data[1] > types || data[3]&^0x03 != 0 || data[4]&^0x11 != 0 || data[5] > 3 || data[6] != 0 {
		return decode.No
	}
	little := data[4]&0x10 != 0
	length := int(decode.Little16(data, 74))
	if !little {
		length = int(decode.Uint16(data, 74))
	}
	if header+length > len(data) || data[78] == 0 && header+length+8 < len(data) {
		return decode.No
	}
	carry(s, data[iface:], little)
	return decode.Match
}

// memberlist messages are a type, then a map in MessagePack; a check sum or other wrapping may
// come first.
func memberlist(_ *decode.Session, data []byte) decode.Verdict {
	const compound, checked = 7, 12
	if data[0] == checked && len(data) > 6 {
		data = data[5:]
	}
	if data[0] == compound && len(data) > 4 {
		start := 2 + 2*int(data[1])
		if data[1] == 0 || len(data) <= start {
			return decode.No
		}
		data = data[start:]
	}
	if len(data) < 10 || data[0] > checked || data[1] < 0x81 || data[1] > 0x8f {
		return decode.No
	}
	for _, key := range [...]string{"\xa5SeqNo", "\xa4Node", "\xa4Addr", "\xabIncarnation", "\xa4Algo", "\xa4From"} {
		if decode.Prefix(data[2:], key) == decode.Whole {
			return decode.Match
		}
	}
	return decode.No
}
