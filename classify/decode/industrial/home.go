// Protocols of things at home, as far as their makers or the community have published them:
// TP-Link smart home, Tuya, LIFX, Xiaomi miIO, Broadlink, LED controllers, WiZ, Govee, ESPHome,
// the robots of iRobot, Weave of Nest; and gateways of LoRaWAN (Semtech packet forwarder).

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var home = []decode.Decoder{
	{Name: "TPLINK-SHP", Ports: []uint16{9999}, Client: decode.FirstBytes("\x00\xd0"), Server: decode.FirstBytes("\x00\xd0"), Stream: stream(tpLinkStream), Datagram: datagram(tpLink)},
	{Name: "TUYA-LP", Ports: []uint16{6666, 6667, 6668}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: stream(tuya), Datagram: datagram(tuya)},
	{Name: "LIFX", Ports: []uint16{56700}, Datagram: datagram(lifx)},
	{Name: "MIIO", Ports: []uint16{54321}, Client: decode.FirstBytes("!"), Server: decode.FirstBytes("!"), Datagram: datagram(miio)},
	{Name: "BROADLINK", Ports: []uint16{80}, Client: decode.FirstBytes("\x5a"), Server: decode.FirstBytes("\x5a"), Datagram: datagram(broadlink)},
	{Name: "LEDNET", Ports: []uint16{48899}, Client: decode.FirstBytes("H"), Server: decode.FirstBytes("H"), Datagram: datagram(ledNet)},
	{Name: "WIZ", Ports: []uint16{38899, 38900}, Client: decode.FirstBytes("{"), Server: decode.FirstBytes("{"), Datagram: datagram(wiz)},
	{Name: "GOVEE", Ports: []uint16{4001, 4002, 4003}, Client: decode.FirstBytes("{"), Server: decode.FirstBytes("{"), Datagram: datagram(govee)},
	{Name: "ESPHOME", Ports: []uint16{6053}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: stream(espHome)},
	{Name: "IROBOT", Ports: []uint16{5678}, Client: decode.FirstBytes("i"), Server: decode.FirstBytes("i"), Datagram: datagram(iRobot)},
	{Name: "WEAVE", Ports: []uint16{11095}, Stream: stream(weave)},
	{Name: "LORAWAN-GATEWAY", Ports: []uint16{1700}, Client: decode.FirstBytes("\x01\x02"), Server: decode.FirstBytes("\x01\x02"), Datagram: loRaWAN},
	{Name: "COAP", Ports: []uint16{5683}, Stream: coapStream, Datagram: coap},
	{Name: "MQTT-SN", Ports: []uint16{1883, 1884, 10000}, Datagram: mqttSN},
}

// tpLink undoes the chained exclusive or, whose first key is 171, and expects an object of JSON.
func tpLink(data []byte, whole bool) decode.Verdict {
	if len(data) < 4 {
		if whole {
			return decode.No
		}
		return decode.More
	}
	key := byte(171)
	for i, c := range data[:min(len(data), 32)] {
		plain := c ^ key
		key = c
		switch {
		case i == 0 && plain != '{', i == 1 && plain != '"' && plain != '}', i > 1 && (plain < ' ' || plain > '~') && plain != '\n':
			return decode.No
		}
	}
	if !whole && len(data) < 12 {
		return decode.More
	}
	return decode.Match
}

// tpLinkStream is tpLink after the length of the message.
func tpLinkStream(data []byte, _ bool) decode.Verdict {
	if len(data) < 5 {
		return decode.More
	}
	if length := decode.Uint32(data, 0); length < 2 || length > 1<<16 {
		return decode.No
	}
	return tpLink(data[4:], false)
}

// tuya checks the prefix and the length, and the suffix of a datagram.
func tuya(data []byte, whole bool) decode.Verdict {
	old, recent := decode.Magic(data, "\x00\x00\x55\xaa"), decode.Magic(data, "\x00\x00\x66\x99")
	if old == decode.No && recent == decode.No {
		return decode.No
	}
	if len(data) < 18 {
		return decode.More
	}
	length := decode.Uint32(data, 12)
	if recent == decode.Match {
		length = decode.Uint32(data, 14)
	}
	if length < 8 || length > 1<<16 {
		return decode.No
	}
	if !whole {
		return decode.Match
	}
	end := decode.Uint32(data, len(data)-4)
	return decode.If(old == decode.Match && end == 0xaa55 && int(length)+16 == len(data) || recent == decode.Match && end == 0x9966)
}

// lifx checks the length and the constant bits of the header.
func lifx(data []byte, _ bool) decode.Verdict {
	if len(data) < 36 || int(decode.Little16(data, 0)) != len(data) {
		return decode.No
	}
	return decode.If(data[2] == 0 && data[3]&0x1f == 0x14 && decode.Little16(data, 32) < 1000 && data[34]|data[35] == 0)
}

// miio checks the magic and the length, which is that of the datagram.
func miio(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 32 && data[0] == 0x21 && data[1] == 0x31 && int(decode.Uint16(data, 2)) == len(data))
}

func broadlink(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 48 && string(data[:8]) == "\x5a\xa5\xaa\x55\x5a\xa5\xaa\x55")
}

func ledNet(data []byte, _ bool) decode.Verdict { return decode.Magic(data, "HF-A11ASSISTHREAD") }

// wiz checks that a short object names one of the methods of these lamps.
func wiz(data []byte, _ bool) decode.Verdict {
	head := data[:min(len(data), 64)]
	at := bytes.Index(head, []byte(`"method":"`))
	if at < 0 {
		return decode.No
	}
	for _, method := range [...]string{"getPilot", "setPilot", "registration", "syncPilot", "firstBeat", "getSystemConfig", "getModelConfig", "setState"} {
		if decode.Prefix(head[at+10:], method) == decode.Whole {
			return decode.Match
		}
	}
	return decode.No
}

func govee(data []byte, _ bool) decode.Verdict { return decode.Magic(data, `{"msg":{"cmd":"`) }

// espHome checks a greeting: an empty mark, the length, type 1, and the name of the client.
func espHome(data []byte, _ bool) decode.Verdict {
	if len(data) < 6 {
		if len(data) >= 3 && (data[0] != 0 || data[2] != 1) {
			return decode.No
		}
		return decode.More
	}
	if data[0] != 0 || data[1] < 3 || data[1] > 127 || data[2] != 1 || data[3] != 0x0a || int(data[4])+2 > int(data[1]) || data[4] == 0 {
		return decode.No
	}
	end := 5 + int(data[4])
	if !decode.Printable(data[5:min(end, len(data))]) {
		return decode.No
	}
	if len(data) < end {
		return decode.More
	}
	return decode.Match
}

func iRobot(data []byte, _ bool) decode.Verdict { return decode.Magic(data, "irobotmcs") }

// loRaWAN checks the messages between a gateway and its network server, of versions 1 and 2.
func loRaWAN(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 {
		return decode.No
	}
	switch data[3] {
	case 0: // what was received, and statistics
		return decode.If(len(data) > 16 && data[12] == '{' && (bytes.Contains(data[:24], []byte(`"rxpk"`)) || bytes.Contains(data[:24], []byte(`"stat"`))))
	case 3: // what is to be sent
		return decode.If(len(data) > 14 && bytes.Contains(data[4:min(len(data), 16)], []byte(`"txpk"`)))
	case 2: // keep-alive with the identifier of the gateway
		return decode.If(len(data) == 12 && s.Port(1700))
	case 1, 4:
		return decode.If(len(data) == 4 && s.Port(1700))
	}
	return decode.No
}

// weave checks a message of Nest's Weave over TCP: its length, version 1 with both identifiers, one
// of which is of Nest's own range (18-B4-30).
func weave(data []byte, _ bool) decode.Verdict {
	if len(data) < 24 {
		if len(data) >= 4 && data[3] != 0x13 {
			return decode.No
		}
		return decode.More
	}
	const nest = "\x30\xb4\x18"
	return decode.If(data[3] == 0x13 && decode.Little16(data, 0) >= 20 && (string(data[13:16]) == nest || string(data[21:24]) == nest))
}
