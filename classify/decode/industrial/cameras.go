// Protocols of surveillance cameras and their recorders, as described by the community: Sofia
// (Xiongmai DVRIP), Dahua, Baichuan (Reolink), SADP (Hikvision), and the peer-to-peer sessions of
// CS2 (PPPP).

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var cameras = []decode.Decoder{
	{Name: "DVRIP", Ports: []uint16{34567}, Client: decode.FirstBytes("\xff"), Server: decode.FirstBytes("\xff"), Stream: stream(sofia), Datagram: datagram(sofia)},
	{Name: "DAHUA", Ports: []uint16{37777, 37778, 37810}, Client: decode.FirstBytes("\x20\xa0\xa3\xf4"), Server: decode.FirstBytes("\x20\xb0\xb3\xf4"), Stream: stream(dahua), Datagram: datagram(dahua)},
	{Name: "BAICHUAN", Ports: []uint16{9000}, Client: decode.FirstBytes("\xf0"), Server: decode.FirstBytes("\xf0"), Stream: stream(baichuan)},
	{Name: "HIKVISION-SADP", Ports: []uint16{37020}, Client: decode.FirstBytes("<"), Server: decode.FirstBytes("<"), Datagram: datagram(sadp)},
	{Name: "PPPP", Ports: []uint16{32100, 32108}, Client: decode.FirstBytes("\xf1"), Server: decode.FirstBytes("\xf1"), Datagram: datagram(pppp)},
}

// sofia checks the header of a message: the mark, the number and the length.
func sofia(data []byte, whole bool) decode.Verdict {
	if len(data) < 20 {
		if len(data) >= 4 && (data[1] > 1 || data[2]|data[3] != 0) {
			return decode.No
		}
		return decode.More
	}
	message, length := decode.Little16(data, 14), decode.Little32(data, 16)
	if data[0] != 0xff || data[1] > 1 || data[2]|data[3] != 0 || message < 999 || message > 3000 || length > 1<<20 || whole && int(length)+20 != len(data) {
		return decode.No
	}
	return decode.If(length == 0 || len(data) == 20 || data[20] == '{' || data[20] == 0xff)
}

// dahua knows the newer header with its name, and the log-on of the older.
func dahua(data []byte, _ bool) decode.Verdict {
	if len(data) < 8 {
		return decode.More
	}
	if string(data[:8]) == "\x20\x00\x00\x00DHIP" {
		return decode.Match
	}
	if len(data) < 32 {
		return decode.More
	}
	switch {
	case data[0] == 0xa0 && (data[1] <= 5) && data[2] == 0 && data[3] == 0x60,
		data[0] == 0xb0 && data[1] == 0 && data[2] == 0 && (data[3] == 0x58 || data[3] == 0x68 || data[3] == 0x78):
		return decode.If(decode.Little32(data, 4) < 1<<16)
	}
	return decode.No
}

func baichuan(data []byte, _ bool) decode.Verdict { return decode.Magic(data, "\xf0\xde\xbc\x0a") }

// sadp checks a question or answer in XML that names its types and its identifier.
func sadp(data []byte, _ bool) decode.Verdict {
	head := data[:min(len(data), 160)]
	return decode.If(bytes.HasPrefix(head, []byte("<?xml")) && bytes.Contains(head, []byte("<Probe")) && bytes.Contains(head, []byte("<Uuid>")))
}

// pppp checks the type of a message and its length.
func pppp(data []byte, _ bool) decode.Verdict {
	if len(data) < 4 || data[0] != 0xf1 || int(decode.Uint16(data, 2))+4 != len(data) {
		return decode.No
	}
	switch data[1] {
	case 0x00, 0x02, 0xe0, 0xe1, 0xf0, 0x30, 0x32, 0x60:
		return decode.If(len(data) == 4)
	case 0x01, 0x10, 0x11, 0x12, 0x13, 0x20, 0x21, 0x31, 0x40, 0x41, 0x42, 0x43, 0x68, 0x69:
		return decode.If(len(data) > 4 && len(data) < 200)
	case 0xd0:
		return decode.If(len(data) >= 8 && data[4] == 0xd1)
	case 0xd1:
		return decode.If(len(data) >= 8 && data[4] == 0xd2)
	}
	return decode.No
}
