package voip

// Telephones and what watches them: the New Office Environment of Alcatel-Lucent (UA over UDP, as
// Wireshark documents it), VHUA, the Homer Encapsulation Protocol (HEP3), BFCP
// over TCP (RFC 8855); and media of studios and
// homes: Open Sound Control 1.0, Dante (as the community documents it) and HDHomeRun (its
// library).

import (
	"bytes"
	"hash/crc32"

	"sluice/classify/decode"
)

var phones = []decode.Decoder{
	{Name: "HEP", Ports: []uint16{9060, 9061}, Client: decode.FirstBytes("H\x02"), Stream: hepStream, Datagram: hep},
	{Name: "NOE", Ports: []uint16{32000, 32512, 32513, 32514, 32640}, Client: decode.FirstBytes("\x04\x05\x07"), Server: decode.FirstBytes("\x04\x05\x07"), Datagram: noe},
	{Name: "VHUA", Ports: []uint16{58267}, Client: decode.FirstBytes("\x05"), Server: decode.FirstBytes("\x05"), Datagram: vhua},
	{Name: "MEETING-BFCP", Client: decode.FirstBytes("\x20"), Server: decode.FirstBytes("\x20"), Stream: bfcpStream},
	{Name: "OSC", Ports: []uint16{8000, 9000, 57120}, Client: decode.FirstBytes("/#"), Server: decode.FirstBytes("/#"), Datagram: openSound},
	{Name: "DANTE", Ports: []uint16{4440, 4455, 8700, 8702, 8708}, Client: decode.FirstBytes("\xff\x27\x28"), Server: decode.FirstBytes("\xff\x27\x28"), Datagram: dante},
	{Name: "HDHOMERUN", Ports: []uint16{65001}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: hdHomeRun},
}

// hep checks that chunks, the first of which tells the IP version, fill a message of version 3; or
// the fixed head of version 2.
func hep(_ *decode.Session, data []byte) decode.Verdict {
	if data[0] == 2 {
		return decode.If(len(data) > 28 && data[1] == 16 && data[2] == 2 && (data[3] == 6 || data[3] == 17))
	}
	if len(data) < 12 || string(data[:4]) != "HEP3" || int(decode.Uint16(data, 4)) != len(data) {
		return decode.No
	}
	at := 6
	for at+6 <= len(data) {
		size := int(decode.Uint16(data, at+4))
		if size < 6 {
			return decode.No
		}
		at += size
	}
	return decode.If(at == len(data))
}

// hepStream checks the first chunk of a message.
func hepStream(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "HEP3"); v != decode.Match {
		return v
	}
	if len(client) < 12 {
		return decode.More
	}
	length, size := decode.Uint16(client, 4), decode.Uint16(client, 10)
	return decode.If(decode.Uint16(client, 6) == 0 && size >= 6 && size+6 <= length)
}

// noe checks the messages between a telephone and its exchange: signs of life of a byte, which the
// other side answers with the next number, and receipts and data with the numbers of both sides.
// The signs are too little to go by elsewhere than on the usual ports until both have been seen.
func noe(s *decode.Session, data []byte) decode.Verdict {
	const alive, answer, numbered = 4, 5, 7
	usual := s.Port(32000) || s.Port(32512) || s.Port(32513) || s.Port(32514) || s.Port(32640)
	switch {
	case len(data) == 1 && data[0] == alive:
		if usual {
			return decode.Match
		}
		s.Remember(s.Direction)
		return decode.More
	case len(data) == 1 && data[0] == answer:
		from, asked := s.Memory().(decode.Direction)
		return decode.If(usual || asked && from != s.Direction)
	case len(data) >= 5 && data[0] == numbered && data[1] == 0 && data[3] == 0 && data[2] != 0:
		return decode.If(usual && (len(data) == 5 || len(data) > 7))
	}
	return decode.No
}

// bfcpStream checks the first message, as bfcp does.
func bfcpStream(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 12 {
		if len(data) > 3 && (data[1] == 0 || data[1] > 18 || data[2] != 0) {
			return decode.No
		}
		return decode.More
	}
	length := 12 + 4*int(decode.Uint16(data, 2))
	switch {
	case length > 512:
		return decode.No
	case len(data) < length:
		return decode.More
	}
	return bfcp(s, data[:length])
}

// vhua knows what its messages begin with.
func vhua(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(decode.Prefix(data, "\x05\x14\x3a\x05\x08\xf8\xa1\xb1\x03") == decode.Whole)
}

// openSound checks a bundle, or a message: an address and types, both filled to four bytes with
// zeros.
func openSound(_ *decode.Session, data []byte) decode.Verdict {
	if len(data)%4 != 0 || len(data) < 8 {
		return decode.No
	}
	if data[0] == '#' {
		return decode.If(len(data) >= 20 && string(data[:8]) == "#bundle\x00" && int(decode.Uint32(data, 16))+20 <= len(data) && decode.Uint32(data, 16)%4 == 0)
	}
	end := bytes.IndexByte(data, 0)
	if end < 2 || !decode.Printable(data[:end]) {
		return decode.No
	}
	types := end&^3 + 4
	if types >= len(data) || !decode.Zero(data[end:types]) || data[types] != ',' {
		return decode.No
	}
	for _, c := range data[types+1:] {
		if c == 0 {
			return decode.Match
		}
		if bytes.IndexByte([]byte("ifsbhtdScrmTFNI[]"), c) < 0 {
			return decode.No
		}
	}
	return decode.No
}

// hdHomeRun checks kind, length and checksum of a message.
func hdHomeRun(_ *decode.Session, data []byte) decode.Verdict {
	n := len(data)
	if n < 8 || int(decode.Uint16(data, 2))+8 != n || data[1] < 2 || data[1] > 7 {
		return decode.No
	}
	return decode.If(crc32.ChecksumIEEE(data[:n-4]) == decode.Little32(data, n-4))
}

// dante checks length and maker of a message to all, or the length of one of control on its ports.
func dante(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 10 || int(decode.Uint16(data, 2)) != len(data) {
		return decode.No
	}
	if data[0] == 0xff {
		return decode.If(len(data) >= 32 && data[1] >= 0xfe && string(data[16:24]) == "Audinate")
	}
	return decode.If(s.Port(4440) || s.Port(4455))
}
