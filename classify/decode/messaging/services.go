package messaging

// Messages of providers, libraries and markets: the Universal Computer Protocol and CIMD 2 of short
// message centres, SIP2 of libraries (3M), SoupBinTCP (Nasdaq), ISO 8583 of payment; and the chats
// Hotline and Paltalk.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var services = []decode.Decoder{
	{Name: "UCP", Ports: []uint16{3700}, Client: decode.FirstBytes("\x02"), Server: decode.FirstBytes("\x02"), Stream: ucp},
	{Name: "CIMD", Ports: []uint16{9971}, Client: decode.FirstBytes("\x02"), Server: decode.FirstBytes("\x02C"), Stream: cimd},
	{Name: "SIP2", Ports: []uint16{6001}, Client: decode.FirstBytes("9"), Stream: sip2},
	{Name: "SOUPBINTCP", Client: decode.FirstBytes("\x00"), Stream: soupBin},
	{Name: "ISO8583", Client: decode.FirstRange(0, 3), Stream: iso8583},
	{Name: "HOTLINE", Ports: []uint16{5500}, Client: decode.FirstBytes("T"), Server: decode.FirstBytes("T"), Stream: hotline},
	{Name: "PALTALK", Stream: paltalk},
}

// follows says whether data follows a pattern, in which 9 stands for a digit, or may yet.
func follows(data []byte, pattern string) decode.Verdict {
	for i := range min(len(data), len(pattern)) {
		digit := data[i] >= '0' && data[i] <= '9'
		if pattern[i] == '9' && !digit || pattern[i] != '9' && data[i] != pattern[i] {
			return decode.No
		}
	}
	if len(data) < len(pattern) {
		return decode.More
	}
	return decode.Match
}

// ucp checks the numbers and the kind that a message begins with.
func ucp(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	return max(follows(data, "\x0299/99999/O/99/"), follows(data, "\x0299/99999/R/99/"))
}

// cimd checks the kind and the number of a message.
func cimd(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.Magic(server, "CIMD2-")
	}
	return follows(client, "\x0299:999\t")
}

// sip2 checks a log-on, or the status that a terminal reports.
func sip2(_ *decode.Session, client, _ []byte) decode.Verdict {
	return max(text.Begins(client, "9300CN"), follows(client, "9909992.00"), follows(client, "9909991.00"))
}

// soupBin checks a log-on: its length, and fields of text filled with spaces.
func soupBin(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "\x00\x2fL"); v != decode.Match {
		return v
	}
	if len(client) < 49 {
		return decode.More
	}
	fields := client[3:49]
	for _, c := range fields[26:] { // the number to begin with
		if c != ' ' && (c < '0' || c > '9') {
			return decode.No
		}
	}
	return decode.If(decode.Printable(fields))
}

// iso8583 checks the length, an optional header of transport, and the kind of message: its version,
// class, function and origin, with a map of the fields.
func iso8583(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 22 {
		return decode.More
	}
	switch end := int(decode.Uint16(client, 0)) + 2; {
	case end < 22 || end > 1024 || end < len(client):
		return decode.No
	case end > len(client):
		return decode.More
	}
	body := client[2:]
	if kind, bits := body[:4], body[4:20]; kind[0] >= '0' && kind[0] <= '2' && kind[1] >= '1' && kind[1] <= '8' && kind[2] >= '0' && kind[2] <= '4' && kind[3] >= '0' && kind[3] <= '5' {
		return decode.If(len(bytes.Trim(bits, "0123456789ABCDEFabcdef")) == 0)
	}
	const transport = 0x60
	if body[0] != transport {
		return decode.No
	}
	class, function := body[5], body[6]
	return decode.If(class >= 1 && class <= 8 && function>>4 <= 4 && function&15 <= 5 && !decode.Zero(body[7:15]))
}

// hotline checks the greeting of either side.
func hotline(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.Magic(server, "TRTP\x00\x00\x00")
	}
	return decode.Magic(client, "TRTPHOTL\x00\x01")
}

// paltalk knows the two messages with which clients begin, by their lengths and constants.
func paltalk(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	switch n := len(data); {
	case n == 22:
		return decode.If(string(data[2:6]) == "\x24\xc2\xe8\x0b" && string(data[17:21]) == "\x5b\x73\x2b\x00")
	case n >= 6 && string(data[2:6]) == "\x24\xc2\xe8\x0b" && n < 22:
		return decode.More
	case n > 22:
		return decode.No
	case n >= 12 && string(data[8:12]) != "\x00\x02\x00\x01":
		return decode.No
	case n == 20:
		return decode.If(string(data[16:20]) == "\x5a\xfd\xff\xff")
	case n > 20:
		return decode.No
	}
	return decode.More
}
