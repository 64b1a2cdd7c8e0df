// Protocols of the power grid and of meters: DNP3 (IEEE 1815), IEC 60870-5-104, synchrophasors
// (IEEE C37.118.2), DLMS/COSEM (IEC 62056-46 and -47), ANSI C12.22 and routable GOOSE
// (IEC 61850-90-5).

package industrial

import "sluice/classify/decode"

// checksummed are the decoders that prove their answer by a checksum.
var checksummed = []decode.Decoder{
	{Name: "DNP3", Ports: []uint16{20000}, Client: decode.FirstBytes("\x05"), Server: decode.FirstBytes("\x05"), Stream: stream(dnp3), Datagram: datagram(dnp3)},
	{Name: "IEEE-C37118", Ports: []uint16{4712, 4713}, Client: decode.FirstBytes("\xaa"), Server: decode.FirstBytes("\xaa"), Stream: stream(synchrophasor), Datagram: datagram(synchrophasor)},
	{Name: "DLMS-COSEM", Ports: []uint16{4059}, Client: decode.FirstBytes("\x00\x7e"), Server: decode.FirstBytes("\x00\x7e"), Stream: stream(dlms), Datagram: datagram(dlms)},
	{Name: "TRDP", Ports: []uint16{17224, 17225}, Stream: stream(trdp), Datagram: datagram(trdp)},
	{Name: "ETHER-S-BUS", Ports: []uint16{5050}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: datagram(etherSBus)},
	{Name: "NMEA-0183", Ports: []uint16{10110}, Client: decode.FirstBytes("$!"), Server: decode.FirstBytes("$!"), Stream: stream(nmea), Datagram: datagram(nmea)},
}

// dnp3 checks the ten bytes of a link header, with their checksum.
func dnp3(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "\x05\x64"); v != decode.Match {
		return v
	}
	if len(data) < 10 {
		return decode.More
	}
	return decode.If(data[2] >= 5 && crcDNP3(data[:8]) == decode.Little16(data, 8))
}

// synchrophasor checks a frame, its type, version and checksum.
func synchrophasor(data []byte, whole bool) decode.Verdict {
	if len(data) < 4 {
		return decode.More
	}
	size := int(decode.Uint16(data, 2))
	if data[0] != 0xaa || data[1]&0x80 != 0 || data[1]>>4 > 5 || data[1]&15 == 0 || data[1]&15 > 3 || size < 16 || !fits(data, size, whole) {
		return decode.No
	}
	if len(data) < size {
		return decode.More
	}
	return decode.If(crcForward(data[:size-2], 0xffff) == decode.Uint16(data, size-2))
}

// dlms knows the wrapper of TCP and UDP, and HDLC frames sent as they are.
func dlms(data []byte, whole bool) decode.Verdict {
	if len(data) < 9 {
		return decode.More
	}
	if data[0] == 0x7e {
		size := int(decode.Uint16(data, 1)&0x7ff) + 2
		switch {
		case data[1]>>4 != 10 || size < 9 || size > 2049:
			return decode.No
		case len(data) < size:
			return decode.More
		}
		return decode.If(data[size-1] == 0x7e && crcHDLC(data[1:size-3]) == decode.Little16(data, size-3))
	}
	source, target := decode.Uint16(data, 2), decode.Uint16(data, 4)
	length := int(decode.Uint16(data, 6))
	if decode.Uint16(data, 0) != 1 || !fits(data, length+8, whole) || length > 2048 || length < 2 || source == 0 && target == 0 {
		return decode.No
	}
	switch tag := data[8]; tag {
	case 0x60, 0x61: // association: the length follows, then the application context
		if len(data) < 11 {
			return decode.More
		}
		return decode.If(int(data[9]) == length-2 && (data[10] == 0xa1 || data[10] == 0x80))
	case 0xc0, 0xc1, 0xc3, 0xc4, 0xc5, 0xc7: // get, set and action, with their choice
		return decode.If(len(data) > 9 && data[9] >= 1 && data[9] <= 7)
	case 0xc2, 0x0f, 0xc8, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd8, 0xdb, 0xdc, 0xdd, 0xe0:
		return decode.If(source < 0x200 && target < 0x200)
	}
	return decode.No
}

// gridFramed are the decoders of this file that rely on fixed fields and lengths.
var gridFramed = []decode.Decoder{
	{Name: "IEC-60870-5-104", Ports: []uint16{2404}, Client: decode.FirstBytes("h"), Server: decode.FirstBytes("h"), Stream: stream(iec104)},
	{Name: "ANSI-C1222", Ports: []uint16{1153}, Client: decode.FirstBytes("\x60"), Server: decode.FirstBytes("\x60"), Stream: stream(c1222), Datagram: datagram(c1222)},
	{Name: "R-GOOSE", Ports: []uint16{102}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Datagram: datagram(routableGOOSE)},
}

// iec104 checks the first frame: a control function, a receipt, or an ASDU with plausible type and
// cause of transmission.
func iec104(data []byte, _ bool) decode.Verdict {
	if len(data) < 6 {
		return decode.More
	}
	length := int(data[1])
	if data[0] != 0x68 || length < 4 || length > 253 {
		return decode.No
	}
	switch {
	case data[2]&3 == 3:
		return decode.If(length == 4 && among(data[2], "\x07\x0b\x13\x23\x43\x83") && decode.Zero(data[3:6]))
	case data[2]&3 == 1:
		if length != 4 || data[2] != 1 || data[3] != 0 || data[4]&1 != 0 {
			return decode.No
		}
		if len(data) < 9 { // a receipt alone is little to go by
			return decode.Maybe
		}
		return decode.If(data[6] == 0x68 && data[7] >= 4)
	}
	if data[4]&1 != 0 || length < 10 {
		return decode.No
	}
	if len(data) < 12 {
		return decode.More
	}
	kind, cause := data[6], data[8]&0x3f
	return decode.If(kind >= 1 && kind <= 127 && data[7]&0x7f > 0 && cause >= 1 && cause <= 47 && (length >= 13 || kind == 100))
}

// c1222 walks the elements of an ACSE message, which ends with user information.
func c1222(data []byte, whole bool) decode.Verdict {
	if len(data) < 4 {
		return decode.More
	}
	length, at := berLength(data, 1)
	if data[0] != 0x60 || length < 8 || length > 2048 || !fits(data, at+length, whole) || data[at] < 0xa1 || data[at] > 0xa8 {
		return decode.No
	}
	if len(data) < at+length {
		return decode.More
	}
	data = data[:at+length]
	for at < len(data)-2 {
		tag := data[at]
		if !among(tag, "\xa1\xa2\xa3\xa4\xa6\xa7\xa8\xab\xac\xbe\x8b") {
			return decode.No
		}
		length, at = berLength(data, at+1)
		if length < 0 || at+length > len(data) {
			return decode.No
		}
		if tag == 0xbe {
			return decode.If(at+length == len(data) && length > 2 && (data[at] == 0x28 || data[at] == 0x81))
		}
		at += length
	}
	return decode.No
}

// berLength reads a definite length of at most two bytes at at, and says where the content begins;
// -1 when there is none.
func berLength(data []byte, at int) (length, content int) {
	switch {
	case at >= len(data):
	case data[at] < 0x80:
		return int(data[at]), at + 1
	case data[at] == 0x81 && at+1 < len(data):
		return int(data[at+1]), at + 2
	case data[at] == 0x82 && at+2 < len(data):
		return int(decode.Uint16(data, at+1)), at + 3
	}
	return -1, at
}

// routableGOOSE knows a session header with GOOSE, sampled values, a tunnel or management, on the
// connectionless transport.
func routableGOOSE(data []byte, _ bool) decode.Verdict {
	if len(data) < 16 {
		return decode.No
	}
	return decode.If(data[0] == 1 && data[1] == 0x40 && data[2] >= 0xa0 && data[2] <= 0xa3 && data[4] == 0x80 && data[3] == data[5]+2)
}
