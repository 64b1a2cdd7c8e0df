package voip

// What surrounds calls and live media: MSRP (RFC 4975), ZRTP (RFC 6189), SAP (RFC 2974), the
// managers of Asterisk and FreeSWITCH (their greetings), MPD (its greeting), Art-Net 4, Kodi's event
// server (its packet format).

import (
	"bytes"

	"sluice/classify/decode"
)

// msrp accepts the first line, "MSRP transaction METHOD" or "MSRP transaction 200 OK".
func msrp(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	switch decode.Prefix(data, "MSRP ") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	line, _, whole := decode.Line(data)
	switch {
	case len(line) > longestLine, !whole && len(data) > longestLine+2:
		return decode.No
	case !whole:
		return decode.More
	}
	fields := bytes.SplitN(line, []byte(" "), 4)
	if len(fields) < 3 || len(fields[1]) < 4 || len(fields[2]) < 3 {
		return decode.No
	}
	return decode.Match
}

// zrtp accepts a packet with its magic cookie, whose message begins with the preamble and a length
// that agrees.
func zrtp(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12+12+4 || string(data[4:8]) != "ZRTP" || decode.Uint16(data, 12) != 0x505a {
		return decode.No
	}
	if 12+4*int(decode.Uint16(data, 14))+4 != len(data) {
		return decode.No
	}
	return decode.Match
}

// sap accepts an announcement of a session: version 1, and a description in SDP.
func sap(_ *decode.Session, data []byte) decode.Verdict {
	at := 8
	if data[0]&0x10 != 0 { // IPv6
		at = 20
	}
	if len(data) < 8 || data[0]&0x03 != 0 || decode.Uint16(data, 2) == 0 {
		return decode.No
	}
	at += 4 * int(data[1])
	if len(data) < at+8 {
		return decode.No
	}
	if rest := data[at:]; bytes.HasPrefix(rest, []byte("application/sdp\x00")) || bytes.HasPrefix(rest, []byte("v=0\r\no=")) || bytes.HasPrefix(rest, []byte("v=0\no=")) {
		return decode.Match
	}
	return decode.No
}

func asteriskManager(_ *decode.Session, _, server []byte) decode.Verdict {
	return decode.Prefix(server, "Asterisk Call Manager/").Verdict()
}

func freeSwitch(_ *decode.Session, _, server []byte) decode.Verdict {
	return decode.Prefix(server, "Content-Type: auth/request\n").Verdict()
}

func musicPlayer(_ *decode.Session, _, server []byte) decode.Verdict {
	return decode.Prefix(server, "OK MPD 0.").Verdict()
}

func artNet(_ *decode.Session, data []byte) decode.Verdict {
	if decode.Prefix(data, "Art-Net\x00") == decode.Whole && len(data) >= 12 {
		return decode.Match
	}
	return decode.No
}

// kodi accepts an event: "XBMC", version 2, a kind from HELO to ACTION.
func kodi(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) >= 32 && decode.Prefix(data, "XBMC\x02") == decode.Whole && data[6] == 0 && data[7] >= 1 && data[7] <= 0x0a {
		return decode.Match
	}
	return decode.No
}
