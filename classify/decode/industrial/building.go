// Protocols of buildings and stages: KNXnet/IP (ISO 22510), LonTalk over IP (ANSI/CEA-852),
// Niagara Fox, streaming ACN (ANSI E1.31), Crestron's CIP, tank gauges (Veeder-Root
// 576013-635), and messages of the navigation bus (NMEA 0183).

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var building = []decode.Decoder{
	{Name: "KNXNET-IP", Ports: []uint16{3671}, Client: decode.FirstBytes("\x06"), Server: decode.FirstBytes("\x06"), Stream: stream(knx), Datagram: datagram(knx)},
	{Name: "CN-IP", Ports: []uint16{1628, 1629}, Client: decode.FirstRange(0, 5), Server: decode.FirstRange(0, 5), Datagram: datagram(cnIP)},
	{Name: "NIAGARA-FOX", Ports: []uint16{1911, 4911}, Client: decode.FirstBytes("f"), Server: decode.FirstBytes("f"), Stream: stream(fox)},
	{Name: "SACN", Ports: []uint16{5568}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: datagram(sacn)},
	{Name: "CRESTRON-CIP", Ports: []uint16{41794}, Client: decode.FirstBytes("\x01\x0a\x0d"), Server: decode.FirstBytes("\x0f"), Stream: crestron},
	{Name: "ATG", Ports: []uint16{10001}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01\x0a9"), Stream: tankGauge},
}

// knx checks the header, and that the service is one of its families.
func knx(data []byte, whole bool) decode.Verdict {
	if len(data) < 6 {
		return decode.More
	}
	length := int(decode.Uint16(data, 4))
	if data[0] != 6 || data[1] != 0x10 && data[1] != 0x20 || length < 6 || length > 1024 || !fits(data, length, whole) {
		return decode.No
	}
	low := data[3]
	switch data[2] {
	case 0x02:
		return decode.If(low >= 1 && low <= 0x12)
	case 0x03:
		return decode.If(low >= 0x10 && low <= 0x13)
	case 0x04:
		return decode.If(low >= 0x20 && low <= 0x25)
	case 0x05:
		return decode.If(low >= 0x30 && low <= 0x33)
	case 0x06, 0x07, 0x08:
		return decode.If(low >= 0x40 && low <= 0x48 || data[2] == 6 && low <= 9)
	case 0x09:
		return decode.If(low >= 0x50 && low <= 0x57)
	}
	return decode.No
}

// cnIP checks the common header: length, version, type, and no extension of a vendor.
func cnIP(data []byte, _ bool) decode.Verdict {
	if len(data) < 20 || int(decode.Uint16(data, 0)) != len(data) || data[2] != 1 || data[4] > 16 || data[6] != 0 || data[7] != 0 {
		return decode.No
	}
	return decode.If(among(data[3], "\x01\x03\x04\x06\x07\x08\x60\x63\x64\x66\x67\x68\x70\x71\x72\x7f"))
}

// fox checks the first line of a message.
func fox(data []byte, _ bool) decode.Verdict { return decode.Magic(data, "fox a ") }

// sacn checks preamble and identifier of the root layer.
func sacn(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 38 && string(data[:16]) == "\x00\x10\x00\x00ASC-E1.17\x00\x00\x00")
}

// crestron knows the question of the control system who is there, which it asks at once.
func crestron(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return decode.Magic(server, "\x0f\x00\x01\x02")
}

// tankGauge checks a request: start of header, a letter and five digits. What the gauge answers
// repeats the request, or says that it does not know it.
func tankGauge(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) < 7 {
		for i, c := range client {
			if i > 1 && !hexadecimal(c) {
				return decode.No
			}
		}
		return decode.More
	}
	if client[0] != 1 || !among(client[1], "IiSs") {
		return decode.No
	}
	for _, c := range client[2:7] {
		if !hexadecimal(c) {
			return decode.No
		}
	}
	if len(server) == 0 {
		return decode.Maybe
	}
	at := bytes.Index(server[:min(len(server), 16)], client[1:7])
	switch {
	case at >= 0, bytes.Contains(server[:min(len(server), 16)], []byte("9999FF")):
		return decode.Match
	case len(server) < 16:
		return decode.Maybe
	}
	return decode.No
}

// nmea checks a sentence: five letters, fields, and the checksum behind the asterisk.
func nmea(data []byte, _ bool) decode.Verdict {
	if len(data) < 10 {
		return decode.More
	}
	for _, c := range data[1:6] {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return decode.No
		}
	}
	if data[6] != ',' {
		return decode.No
	}
	data = data[:min(len(data), 100)]
	star := bytes.IndexByte(data, '*')
	switch {
	case star < 0 && (len(data) == 100 || !decode.Printable(data)):
		return decode.No
	case star < 0 || star+3 > len(data):
		return decode.More
	}
	if !decode.Printable(data[:star]) {
		return decode.No
	}
	check := byte(0)
	for _, c := range data[1:star] {
		check ^= c
	}
	const digits = "0123456789ABCDEF"
	return decode.If(data[star+1] == digits[check>>4] && data[star+2] == digits[check&15])
}
