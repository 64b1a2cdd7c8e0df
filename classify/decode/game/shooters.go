// Shooters and what descends from them: the queries and connections of Valve's Source engine
// (Valve developer wiki, "Server queries"), of the Quake, Doom and Half-Life families, and games with
// protocols of their own, as documented by their sources or the community.

package game

import (
	"bytes"

	"sluice/classify/decode"
)

var shooters = []decode.Decoder{
	{Name: "SOURCE-ENGINE", Ports: []uint16{27015, 27016, 27005}, Client: decode.FirstBytes("\xff\xfe"), Server: decode.FirstBytes("\xff\xfe"), Datagram: sourceEngine},
	{Name: "QUAKE", Ports: []uint16{26000, 27500, 27910, 27960, 30120}, Client: decode.FirstBytes("\x80\xff"), Server: decode.FirstBytes("\x80\xff"), Datagram: quake},
	{Name: "DOOM3", Ports: []uint16{27666, 27733}, Client: decode.FirstBytes("\xff"), Server: decode.FirstBytes("\xff"), Datagram: doom3},
	{Name: "TEEWORLDS", Ports: []uint16{8303, 8300}, Client: decode.FirstBytes("\xffx"), Server: decode.FirstBytes("\xffx"), Datagram: teeworlds},
	{Name: "CROSSFIRE", Client: decode.FirstBytes("\xc7"), Datagram: prefix("\xc7\xd9\x19\x99\x02\x00")},
	{Name: "BZFLAG", Ports: []uint16{5154}, Client: decode.FirstBytes("B"), Server: decode.FirstBytes("B"), Stream: decode.Starts("BZFLAG\r\n\r\n", "BZFS0", "BZFS1")},
	{Name: "ARMAGETRON", Ports: []uint16{4533, 4534, 4535, 4536, 4537, 4538, 4539, 4540}, PortsOnly: true, Client: decode.FirstBytes("\x00\x01"), Datagram: armagetron},
}

// connectionless is in front of all messages of these engines outside of a connection.
const connectionless = "\xff\xff\xff\xff"

// sourceEngine checks questions and answers by their letter, and by the length where it is fixed.
func sourceEngine(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 5 {
		return decode.No
	}
	if begins(data, "\xfe\xff\xff\xff") { // a part of a long answer: its number and their count
		return decode.If(len(data) > 100 && (data[9] < 16 && data[8] <= 16 && data[8] > 0 || data[8]&15 > 0 && data[8]>>4 < data[8]&15))
	}
	if !begins(data, connectionless) {
		return decode.No
	}
	body := data[4:]
	switch body[0] {
	case 'T':
		return decode.If(begins(body, "TSource Engine Query\x00"))
	case 'U', 'V', 'A':
		return decode.If(len(body) == 5)
	case 'W':
		return decode.If(len(body) == 1 || len(body) == 5)
	case 'i', 'j':
		return decode.If(len(body) == 1 || len(body) > 5 && decode.Zero(body[len(body)-1:]))
	case 'I', 'm': // information: a version or an address, then names that end in zero
		return decode.If(len(body) > 20 && bytes.Count(body, []byte{0}) >= 4)
	case 'D', 'E':
		return decode.If(len(body) > 2)
	case 'q':
		return decode.If(len(body) >= 9 && len(body) < 64 || begins(body, "qconnect"))
	}
	return decode.No
}

// quakeWords begin messages without a connection of the descendants of Quake 2 and 3.
var quakeWords = [...]string{
	"getinfo", "getstatus", "getchallenge", "getservers", "infoResponse\n", "statusResponse\n", "challengeResponse",
	"connectResponse", "connect ", "disconnect", "heartbeat ", "getserversResponse", "print\n", "status", "info ", "ping",
	"client_connect", "rcon ", "getKeyAuthorize", "ipAuthorize", "keyAuthorize", "master",
}

// quake checks the words, or the control messages of the first Quake.
func quake(_ *decode.Session, data []byte) decode.Verdict {
	if data[0] == 0x80 {
		if len(data) < 6 || data[1] != 0 || int(decode.Uint16(data, 2)) != len(data) {
			return decode.No
		}
		return decode.If(len(data) >= 12 && (data[4] == 1 || data[4] == 2) && begins(data[5:], "QUAKE\x00") || data[4] == 0x81 && len(data) == 9)
	}
	if !begins(data, connectionless) {
		return decode.No
	}
	for _, word := range quakeWords {
		if begins(data[4:], word) {
			return decode.Match
		}
	}
	return decode.No
}

// doom3 checks the words of messages without a connection, which have a shorter mark.
func doom3(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || data[1] != 0xff || data[2] == 0xff {
		return decode.No
	}
	for _, word := range [...]string{"getInfo\x00", "getChallenge\x00", "challengeResponse\x00", "connect\x00", "infoResponse\x00", "getServers\x00", "heartbeat\x00", "getInfoEx\x00", "infoExResponse\x00"} {
		if begins(data[2:], word) {
			return decode.Match
		}
	}
	return decode.No
}

// teeworlds checks the mark and the word of a message to or from the list of servers.
func teeworlds(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 14 || !begins(data[10:14], "\xff\xff\xff\xff") && !begins(data[6:10], "\xff\xff\xff\xff") {
		return decode.No
	}
	for _, at := range [...]int{10, 14} {
		if len(data) < at+4 {
			continue
		}
		switch string(data[at : at+4]) {
		case "gie3", "inf3", "iext", "iex+", "fstd", "siff", "inf6", "dtsf", "bea2", "req2", "lis2", "cou2", "siz2":
			return decode.Match
		}
	}
	return decode.No
}

// armagetron walks the messages of a datagram: a type, a number and a length in words each, and the
// sender at the end.
func armagetron(_ *decode.Session, data []byte) decode.Verdict {
	at := 0
	for at+8 <= len(data) {
		if kind := decode.Uint16(data, at); kind == 0 || kind > 500 {
			return decode.No
		}
		at += 6 + 2*int(decode.Uint16(data, at+4))
	}
	return decode.If(at > 0 && at+2 == len(data))
}
