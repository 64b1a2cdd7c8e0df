// Protocols with which control systems talk to controllers: OPC UA (OPC 10000-6), EtherNet/IP and
// CIP (ODVA, volumes 1 and 2), HART-IP (HCF_SPEC-085), BACnet/IP (ASHRAE 135, annexes J and U) and
// HiSLIP (IVI-6.1) of laboratory instruments.

package industrial

import "sluice/classify/decode"

// framed are decoders that rely on magic numbers, fixed fields and lengths.
var framed = append([]decode.Decoder{
	{Name: "OPC-UA", Ports: []uint16{4840}, Client: decode.FirstBytes("HOMCR"), Server: decode.FirstBytes("AOMCER"), Stream: stream(opcUA)},
	{Name: "ETHERNET-IP", Ports: []uint16{44818}, Client: decode.FirstBytes("\x01\x04cdefrsop"), Server: decode.FirstBytes("\x01\x04cdefrsop"), Stream: etherNetIP, Datagram: etherNetIPDatagram},
	{Name: "CIP", Ports: []uint16{2222}, Client: decode.FirstBytes("\x02"), Server: decode.FirstBytes("\x02"), Datagram: datagram(cipIO)},
	{Name: "HART-IP", Ports: []uint16{5094}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: hartStream, Datagram: hartDatagram},
	{Name: "BACNET", Ports: []uint16{47808}, Client: decode.FirstBytes("\x81\x82"), Server: decode.FirstBytes("\x81\x82"), Datagram: bacnet},
	{Name: "HISLIP", Ports: []uint16{4880}, Client: decode.FirstBytes("H"), Server: decode.FirstBytes("H"), Stream: stream(hislip)},
	{Name: "MODBUS", Ports: []uint16{502}, Stream: modbus},
}, gridFramed...)

// opcUA checks message type, chunk type and size, and the version of a hello.
func opcUA(data []byte, _ bool) decode.Verdict {
	if len(data) < 8 {
		if len(data) >= 4 && !opcUAType(data) {
			return decode.No
		}
		return decode.More
	}
	size := decode.Little32(data, 4)
	if !opcUAType(data) || size < 8 || size > 1<<26 {
		return decode.No
	}
	if data[0] == 'H' {
		if len(data) < 12 {
			return decode.More
		}
		return decode.If(size >= 32 && size <= 32+4096 && decode.Little32(data, 8) < 16)
	}
	return decode.Match
}

func opcUAType(data []byte) bool {
	switch string(data[:4]) {
	case "HELF", "ACKF", "ERRF", "RHEF", "OPNF", "MSGF", "MSGC", "MSGA", "CLOF":
		return true
	}
	return false
}

// Commands of the EtherNet/IP encapsulation.
const (
	enipListServices    = 0x04
	enipListIdentity    = 0x63
	enipListInterfaces  = 0x64
	enipRegister        = 0x65
	enipUnregister      = 0x66
	enipSendRRData      = 0x6f
	enipSendUnitData    = 0x70
	enipHeader          = 24
	enipSenderContextAt = 12
)

func etherNetIP(s *decode.Session, client, server []byte) decode.Verdict {
	return enip(s, decode.Opening(client, server), false)
}

func etherNetIPDatagram(s *decode.Session, data []byte) decode.Verdict {
	return decode.Known(enip(s, data, true))
}

// enip checks a header of the encapsulation, with the fields that its command leaves empty.
func enip(s *decode.Session, data []byte, whole bool) decode.Verdict {
	if len(data) < enipHeader {
		if len(data) >= 2 && data[1] != 0 {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Little16(data, 2))
	status := decode.Little32(data, 8)
	if data[1] != 0 || !fits(data, enipHeader+length, whole) || decode.Little32(data, 20) != 0 || status > 3 && (status < 0x64 || status > 0x6a) {
		return decode.No
	}
	session := decode.Little32(data, 4)
	switch data[0] {
	case enipListIdentity, enipListInterfaces, enipListServices:
		if decode.Zero(data[enipSenderContextAt:20]) && length == 0 {
			return decode.If(s.Port(44818) || data[0] != enipListServices)
		}
		return decode.If(length < 600)
	case enipRegister:
		if length != 4 {
			return decode.No
		}
		if len(data) < enipHeader+4 {
			return decode.More
		}
		return decode.If(decode.Little32(data, enipHeader) == 1)
	case enipUnregister:
		return decode.If(length == 0 && session != 0)
	case enipSendRRData, enipSendUnitData:
		if length < 8 {
			return decode.If(length == 0 && status != 0)
		}
		if len(data) < enipHeader+8 {
			return decode.More
		}
		return decode.If(decode.Little32(data, enipHeader) == 0 && data[enipHeader+6] <= 4 && data[enipHeader+7] == 0)
	}
	return decode.No
}

// cipIO checks the two items of implicit messages: a sequenced address and connected data.
func cipIO(data []byte, _ bool) decode.Verdict {
	if len(data) < 18 {
		return decode.No
	}
	address, items := data[2], decode.Little16(data, 0)
	at := 6 + int(decode.Little16(data, 4))
	if items < 2 || items > 4 || data[3] != 0x80 || (address != 0x02 || at != 14) && (address != 0x01 || at != 10) {
		return decode.No
	}
	return decode.If(data[at] == 0xb1 && data[at+1] == 0 && at+4+int(decode.Little16(data, at+2)) <= len(data))
}

func hartStream(s *decode.Session, client, server []byte) decode.Verdict {
	return hart(s, decode.Opening(client, server), false)
}

func hartDatagram(s *decode.Session, data []byte) decode.Verdict {
	return decode.Known(hart(s, data, true))
}

// hart checks the header; the opening of a session is recognised on any port, other messages only
// with the usual port or after the HART frame inside was checked.
func hart(s *decode.Session, data []byte, whole bool) decode.Verdict {
	const header = 8
	if len(data) < header {
		return decode.More
	}
	kind, id, length := data[1], data[2], int(decode.Uint16(data, 6))
	if data[0] != 1 || kind > 3 && kind != 15 || id > 5 && id != 128 || length < header || length > 512 || !fits(data, length, whole) {
		return decode.No
	}
	if s.Port(5094) && (!decode.Zero(data[1:8]) || length > header) {
		return decode.Match
	}
	switch {
	case len(data) < length:
		return decode.More
	case id == 0 && length == header+5: // master type, inactivity close time
		return decode.If(data[8] <= 1)
	case id == 3 && length > header+5: // a frame with its parity
		parity := byte(0)
		for _, c := range data[header:length] {
			parity ^= c
		}
		return decode.If(parity == 0 && among(data[8]&7, "\x01\x02\x06"))
	}
	return decode.No
}

// hislip checks the prologue, message type and length of a message.
func hislip(data []byte, _ bool) decode.Verdict {
	if len(data) < 16 {
		if decode.Prefix(data, "HS") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(decode.Prefix(data, "HS") == decode.Whole && data[2] < 40 && decode.Zero(data[8:12]) && decode.Uint32(data, 12) < 1<<28)
}
