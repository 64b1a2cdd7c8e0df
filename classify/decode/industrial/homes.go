// Homes by open standards: Matter (message layer of the core specification), ECHONET Lite, and the
// weather stations of Fine Offset (Ecowitt, EasyWeather).

package industrial

import "sluice/classify/decode"

var homes = []decode.Decoder{
	{Name: "ECHONET-LITE", Ports: []uint16{3610}, Client: decode.FirstBytes("\x10"), Server: decode.FirstBytes("\x10"), Datagram: datagram(echonet)},
	{Name: "MATTER", Ports: []uint16{5540}, Client: decode.FirstBytes("\x01\x04"), Server: decode.FirstBytes("\x01\x04"), Datagram: datagram(matter)},
	{Name: "EASYWEATHER", Ports: []uint16{45000, 46000, 59387}, Client: decode.FirstBytes("\xff"), Server: decode.FirstBytes("\xff"), Datagram: datagram(weather)},
}

// echonet checks that properties, as many as told, fill a message.
func echonet(data []byte, _ bool) decode.Verdict {
	const head = 12
	if len(data) < head+2 || data[1] != 0x81 || !among(data[10], "\x50\x51\x52\x53\x5e\x60\x61\x62\x63\x6e\x71\x72\x73\x74\x7a\x7e") || data[11] == 0 {
		return decode.No
	}
	at, lists := head, 1
	if among(data[10], "\x5e\x6e\x7e") { // to set and to get
		lists = 2
	}
	count := int(data[11])
	for {
		for range count {
			if at+2 > len(data) {
				return decode.No
			}
			at += 2 + int(data[at+1])
		}
		if lists--; lists == 0 {
			return decode.If(at == len(data))
		}
		if at >= len(data) {
			return decode.No
		}
		count = int(data[at])
		at++
	}
}

// matter checks a message of a session that is still to be made: no session and no security, the
// sender or the receiver, and a step of the secure channel's protocol with its first element.
func matter(data []byte, _ bool) decode.Verdict {
	const head = 16
	if len(data) < head+6 || !decode.Zero(data[1:4]) {
		return decode.No
	}
	exchange := data[head:]
	if exchange[0]&0xe0 != 0 || exchange[0]&4 == 0 || decode.Little16(exchange, 4) != 0 {
		return decode.No
	}
	body := exchange[6:]
	if exchange[0]&2 != 0 { // with the number that is acknowledged
		body = body[min(len(body), 4):]
	}
	switch exchange[1] {
	case 0x20, 0x21, 0x22, 0x23, 0x24, 0x30, 0x31, 0x32, 0x33:
		const structure = 0x15
		return decode.If(len(body) > 4 && body[0] == structure && body[len(body)-1] == 0x18)
	case 0x40: // a report
		return decode.If(len(body) >= 8)
	}
	return decode.No
}

// weather checks a message: its mark, a command, its length and its sum.
func weather(data []byte, _ bool) decode.Verdict {
	n := len(data)
	if n < 5 || data[1] != 0xff {
		return decode.No
	}
	length := int(data[3])
	if data[2] == 0x12 || data[2] == 0x27 || data[2] == 0x24 { // commands with long answers
		length = int(decode.Uint16(data, 3))
	}
	sum := byte(0)
	for _, c := range data[2 : n-1] {
		sum += c
	}
	return decode.If((length+2 == n || int(data[3])+2 == n) && sum == data[n-1])
}
