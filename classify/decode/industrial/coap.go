// CoAP (RFC 7252; over TCP RFC 8323), LwM2M over it (OMA LightweightM2M 1.2), and MQTT for sensor
// networks (MQTT-SN 1.2).

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

// coapOptions are the options that are registered and used.
const coapOptions = "\x01\x03\x04\x05\x06\x07\x08\x09\x0b\x0c\x0d\x0e\x0f\x10\x11\x13\x14\x15\x17\x1b\x1c\x23\x27\x3c"

// coap checks the header and that the options lead to the end or to a payload. Off the usual port
// a message must have a known option, or be an answer to a message that had.
func coap(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 || data[0]>>6 != 1 || data[0]&15 > 8 {
		return decode.No
	}
	code, at := data[1], 4+int(data[0]&15)
	if at > len(data) {
		return decode.No
	}
	usual := s.Port(5683) || s.Port(5682)
	if code == 0 { // ping, or a bare receipt
		switch {
		case len(data) != 4 || data[0]&15 != 0:
			return decode.No
		case usual:
			return decode.Match
		}
		return decode.More
	}
	if !coapCode(code) {
		return decode.No
	}
	known, unknown, register, lightweight := 0, false, false, false
	for number := 0; at < len(data); {
		if data[at] == 0xff {
			if at+1 == len(data) {
				return decode.No
			}
			break
		}
		delta, length, value, ok := coapOption(data, at)
		if !ok {
			return decode.No
		}
		number += delta
		option := data[value : value+length]
		switch {
		case number < 256 && among(byte(number), coapOptions):
			known++
		case number < 2048 && number != 258 && number != 252 && number != 292:
			unknown = true
		}
		switch number {
		case 11:
			register = register || string(option) == "rd" || string(option) == "bs"
		case 15:
			lightweight = lightweight || bytes.HasPrefix(option, []byte("lwm2m=")) || bytes.HasPrefix(option, []byte("ep="))
		}
		at = value + length
	}
	if register && lightweight {
		s.Application("LWM2M")
	}
	switch {
	case unknown && !usual:
		return decode.No
	case usual, known > 0 && code < 32 && len(data) > 6:
		return decode.Match
	case known > 0 || data[0]>>4&3 >= 2 && data[0]&15 > 0: // an answer
		if s.Index > 0 {
			return decode.Match
		}
		return decode.More
	}
	return decode.No
}

// coapCode says whether a code is a method or a response.
func coapCode(c byte) bool {
	class, detail := c>>5, c&31
	switch class {
	case 0:
		return detail <= 7
	case 2:
		return detail >= 1 && detail <= 5 || detail == 31
	case 4:
		return detail <= 15 || detail == 22 || detail == 29
	case 5:
		return detail <= 8
	}
	return false
}

// coapOption reads the head of an option: by how much its number grows, and where its value is.
func coapOption(data []byte, at int) (delta, length, value int, ok bool) {
	delta, length = int(data[at]>>4), int(data[at]&15)
	at++
	for _, n := range [...]*int{&delta, &length} {
		switch *n {
		case 13:
			if at+1 > len(data) {
				return 0, 0, 0, false
			}
			*n = 13 + int(data[at])
			at++
		case 14:
			if at+2 > len(data) {
				return 0, 0, 0, false
			}
			*n = 269 + int(decode.Uint16(data, at))
			at += 2
		case 15:
			return 0, 0, 0, false
		}
	}
	return delta, length, at, at+length <= len(data)
}

// coapStream knows the settings message with which both sides open a connection.
func coapStream(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 && !coapSettings(client) || len(server) > 0 && !coapSettings(server) {
		return decode.No
	}
	if len(client) < 2 || len(server) < 2 {
		if s.Port(5683) && (len(client) >= 2 || len(server) >= 2) {
			return decode.Maybe
		}
		return decode.More
	}
	return decode.Match
}

// coapSettings says whether data begins with code 7.01 and at most a few options.
func coapSettings(data []byte) bool {
	if data[0]&15 != 0 || data[0]>>4 > 12 {
		return false
	}
	if len(data) >= 2 && data[1] != 0xe1 {
		return false
	}
	return len(data) < 3 || data[0]>>4 == 0 || data[2]>>4 == 2 || data[2]>>4 == 4
}

// mqttSN checks the length and the shape of the messages that open a session.
func mqttSN(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 2 || int(data[0]) != len(data) {
		return decode.No
	}
	switch data[1] {
	case 0x04: // CONNECT: flags, protocol 1, duration, name
		return decode.If(len(data) > 6 && data[2]&^0x0c == 0 && data[3] == 1 && decode.Printable(data[6:]))
	case 0x00:
		return decode.If(len(data) == 5 && s.Port(1883))
	case 0x05, 0x01, 0x16, 0x17, 0x18:
		return decode.If(len(data) <= 3 && (s.Port(1883) || s.Port(1884)))
	case 0x0a, 0x0c, 0x12:
		return decode.If(len(data) > 7 && (s.Port(1883) || s.Port(1884)))
	}
	return decode.No
}
