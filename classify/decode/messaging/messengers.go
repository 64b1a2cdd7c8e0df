// Messengers and push services with protocols of their own, as documented by their makers or by the
// community: MTProto (core.telegram.org/mtproto), LOCO of KakaoTalk, mmtls of WeChat, Threema's chat
// protocol (Threema cryptography whitepaper), MiPush of Xiaomi, DingTalk, Notes, Alibaba Cloud's agents.

package messaging

import (
	"bytes"

	"sluice/classify/decode"
)

var messengers = []decode.Decoder{
	{Name: "TELEGRAM", Ports: []uint16{443, 80, 5222}, Stream: mtProto},
	{Name: "KAKAOTALK", Ports: []uint16{5242, 5243, 9282, 995}, Stream: loco},
	{Name: "WECHAT", Ports: []uint16{8080, 443, 80}, Client: decode.FirstBytes("\x16\x17\x19\x15"), Server: decode.FirstBytes("\x16\x17\x19\x15"), Stream: mmTLS},
	{Name: "MIPUSH", Ports: []uint16{5222}, Client: decode.FirstBytes("\xc2"), Server: decode.FirstBytes("\xc2"), Stream: miPush},
	{Name: "DINGTALK", Ports: []uint16{443}, Client: decode.FirstBytes("\x10"), Stream: dingTalk},
	{Name: "ALICLOUD", Ports: []uint16{8999}, Client: decode.FirstBytes("\xce"), Server: decode.FirstBytes("\xce"), Stream: aliCloud},
	{Name: "LOTUS-NOTES", Ports: []uint16{1352}, Stream: notes},
	{Name: "THREEMA", Ports: []uint16{5222}, PortsOnly: true, Stream: threema},
}

// mtProto knows the request for an authorisation key, in the transports that are not obfuscated:
// abridged, intermediate and full.
func mtProto(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	var at int
	switch {
	case client[0] == 0xef:
		at = 2
	case decode.Prefix(client, "\xee\xee\xee\xee") != decode.None, decode.Prefix(client, "\xdd\xdd\xdd\xdd") != decode.None:
		at = 8
	case len(client) >= 8 && client[1]|client[2]|client[3] == 0 && decode.Zero(client[4:8]):
		at = 8
	case len(client) < 8 && (len(client) < 2 || decode.Zero(client[1:])):
		return decode.More
	default:
		return decode.No
	}
	if len(client) > at && !decode.Zero(client[at:min(len(client), at+8)]) {
		return decode.No
	}
	if len(client) < at+24 {
		return decode.More
	}
	if length := decode.Little32(client, at+16); length < 20 || length > 64 {
		return decode.No
	}
	switch decode.Little32(client, at+20) {
	case 0x60469778, 0xbe7e8ef1, 0xd712e4be, 0xf5045f1f:
		return decode.Match
	}
	return decode.No
}

// loco checks the handshake of the encrypted form, or the header of a packet with its method.
func loco(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if len(client) < 22 {
		if len(client) >= 12 && !locoHandshake(client) && (client[6] < 'A' || client[6] > 'Z') {
			return decode.No
		}
		return decode.More
	}
	if locoHandshake(client) {
		return decode.Match
	}
	method := client[6:17]
	name := bytes.TrimRight(method, "\x00")
	for _, c := range name {
		if c < 'A' || c > 'Z' {
			return decode.No
		}
	}
	switch string(name) {
	case "BOOKING", "GETCONF", "CHECKIN", "LOGINLIST", "BUY", "PING":
		return decode.If(decode.Uint16(client, 4) == 0 && decode.Little32(client, 18) < 1<<20)
	}
	return decode.No
}

// locoHandshake says whether data is the exchange of a key of 256 bytes.
func locoHandshake(data []byte) bool {
	return string(data[:4]) == "\x00\x01\x00\x00" && (data[4] >= 12 && data[4] <= 16) && decode.Zero(data[5:8]) && data[8] >= 1 && data[8] <= 3 && decode.Zero(data[9:12])
}

// mmTLS checks a record: type, version F103 or F104, and a length; a second record after it must
// look the same.
func mmTLS(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	for range 2 {
		if len(data) >= 2 && data[1] != 0xf1 || len(data) >= 3 && data[2] != 3 && data[2] != 4 {
			return decode.No
		}
		if len(data) < 5 {
			return decode.More
		}
		length := int(decode.Uint16(data, 3))
		if length == 0 || length > 1<<14+256 || !bytes.Contains([]byte("\x15\x16\x17\x19"), data[:1]) {
			return decode.No
		}
		if len(data) <= 5+length {
			return decode.Match
		}
		data = data[5+length:]
	}
	return decode.Match
}

// miPush checks magic, version and length of a packet.
func miPush(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "\xc2\xfe\x00"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(data[3] <= 9 && decode.Uint32(data, 4) < 1<<20)
}

// dingTalk checks the head of the first packet of a connection.
func dingTalk(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 13 {
		if len(client) >= 2 && client[1] != 0x64 {
			return decode.No
		}
		return decode.More
	}
	return decode.If(client[1] == 0x64 && string(client[4:11]) == "\x01\x00\x01\x00\x02\x00\x02" && string(client[11:13]) == "dk")
}

// aliCloud checks the magic and the length of a block.
func aliCloud(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "\xce\xfa\xbe\xba"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(decode.Little32(data, 4) > 0 && decode.Little32(data, 4) < 1<<16)
}

// notes checks the constant bytes in the opening of a client of Notes.
func notes(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 7 {
		return decode.More
	}
	return decode.Magic(client[6:], "\x00\x00\x02\x00\x00\x40\x02\x0f")
}

// Lengths of the messages that open a chat: a key with a cookie, answered by a cookie with a sealed
// box.
const (
	threemaHello  = 48
	threemaAnswer = 80
)

// threema goes by the lengths of the opening messages on the usual port, as everything in them is
// random; it excludes what is text.
func threema(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > threemaHello && len(server) < threemaAnswer || len(client) > 0 && decode.Printable(client[:min(len(client), 8)]) && len(client) >= 8 {
		return decode.No
	}
	if len(client) < threemaHello || len(server) < threemaAnswer {
		if len(server) > 0 && len(client) < threemaHello {
			return decode.No
		}
		return decode.More
	}
	if len(client) == threemaHello && len(server) == threemaAnswer {
		return decode.Match
	}
	return decode.No
}
