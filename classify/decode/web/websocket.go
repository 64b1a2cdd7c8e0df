package web

// Frames of a WebSocket (RFC 6455 section 5) in a session whose beginning was not seen.

import (
	"unicode/utf8"

	"sluice/classify/decode"
)

// Opcodes, with the bit of a message's last frame.
const (
	wsText, wsBinary, wsClose, wsPing, wsPong = 0x81, 0x82, 0x88, 0x89, 0x8a
	wsMasked                                  = 0x80
)

var wsBytes = decode.FirstBytes("\x81\x82\x88\x89\x8a")

// websocket needs a whole frame of both sides: the client's masked, the server's not, and text that
// is text in one of them.
func websocket(_ *decode.Session, client, server []byte) decode.Verdict {
	asked, text1 := wsFrame(client, true)
	answered, text2 := wsFrame(server, false)
	switch {
	case asked == decode.None || answered == decode.None:
		return decode.No
	case asked == decode.Partly || answered == decode.Partly:
		return decode.More
	}
	return decode.If(text1 || text2)
}

// wsFrame says whether data begins with a frame, which ends with data or before another one, and
// whether it is one of text.
func wsFrame(data []byte, masked bool) (part decode.Part, text bool) {
	if len(data) < 2 {
		return decode.Partly, false
	}
	length, at := int(data[1]&^wsMasked), 2
	if !wsBytes.Has(data[0]) || (data[1]&wsMasked != 0) != masked || data[0] >= wsClose && length > 125 {
		return decode.None, false
	}
	switch length {
	case 126:
		if len(data) < 4 {
			return decode.Partly, false
		}
		if length, at = int(decode.Uint16(data, 2)), 4; length < 126 {
			return decode.None, false
		}
	case 127: // more than is looked at
		return decode.None, false
	}
	var mask [4]byte
	if masked {
		if len(data) < at+4 {
			return decode.Partly, false
		}
		mask = [4]byte(data[at:])
		at += 4
	}
	if len(data) < at+length {
		return decode.Partly, false
	}
	if rest := data[at+length:]; len(rest) > 0 && !wsBytes.Has(rest[0]) {
		return decode.None, false
	}
	if data[0] != wsText {
		return decode.Whole, false
	}
	var plain [125]byte
	n := copy(plain[:], data[at:at+length])
	for i := range n {
		plain[i] ^= mask[i&3]
	}
	if n < len(plain) && !utf8.Valid(plain[:n]) || !decode.Printable(plain[:min(n, 1)]) {
		return decode.None, false
	}
	return decode.Whole, n > 0
}
