// BACnet/IP (ASHRAE 135, annex J) and BACnet/IPv6 (annex U).

package industrial

import "sluice/classify/decode"

// bacnetMicros names the confirmed services, by their numbers.
var bacnetMicros = [...]string{
	"BACNET-ACKNOWLEDGE-ALARM", "BACNET-CONFIRMED-COV-NOTIFICATION", "BACNET-CONFIRMED-EVENT-NOTIFICATION",
	"BACNET-GET-ALARM-SUMMARY", "BACNET-GET-ENROLLMENT-SUMMARY", "BACNET-SUBSCRIBE-COV",
	"BACNET-ATOMIC-READ-FILE", "BACNET-ATOMIC-WRITE-FILE", "BACNET-ADD-LIST-ELEMENT",
	"BACNET-REMOVE-LIST-ELEMENT", "BACNET-CREATE-OBJECT", "BACNET-DELETE-OBJECT",
	"BACNET-READ-PROPERTY", "BACNET-READ-PROP-CONDITIONAL", "BACNET-READ-PROP-MULTIPLE",
	"BACNET-WRITE-PROPERTY", "BACNET-WRITE-PROP-MULTIPLE", "BACNET-DEVICE-COMM-CONTROL",
	"BACNET-CONFIRMED-PRIVATE-XFER", "BACNET-CONFIRMED-TEXT-MESSAGE", "BACNET-REINITIALIZE-DEVICE",
	"BACNET-VT-OPEN", "BACNET-VT-CLOSE", "BACNET-VT-DATA", "BACNET-AUTHENTICATE",
	"BACNET-REQUEST-KEY", "BACNET-READ-RANGE", "BACNET-LIFE-SAFETY-OPERATION",
	"BACNET-SUBSCRIBE-COV-PROPERTY", "BACNET-GET-EVENT-INFORMATION",
}

// bacnet checks the virtual link header, whose length is that of the datagram, and the version of
// the network layer where there is one.
func bacnet(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 || int(decode.Uint16(data, 2)) != len(data) || data[1] > 12 {
		return decode.No
	}
	npdu := -1
	if data[0] == 0x81 {
		switch data[1] {
		case 0, 6: // result, read a foreign device table
			return decode.If(len(data) == 6-2*int(data[1]/6))
		case 4: // forwarded: the address of the origin comes first
			npdu = 10
		case 9, 10, 11:
			npdu = 4
		}
	} else {
		switch data[1] {
		case 1: // unicast: two virtual addresses
			npdu = 10
		case 2:
			npdu = 7
		case 8:
			npdu = 25
		}
	}
	if npdu < 0 {
		return decode.If(len(data) < 600)
	}
	if len(data) < npdu+2 || data[npdu] != 1 {
		return decode.No
	}
	service := bacnetService(data[npdu:])
	if service < 0 || service >= len(bacnetMicros) {
		return decode.Match
	}
	s.Micro(bacnetMicros[service])
	s.Transaction(s.Direction, 0)
	return decode.Match
}

// bacnetService is the confirmed service that a network PDU asks for, or -1.
func bacnetService(npdu []byte) int {
	control, at := npdu[1], 2
	if control&0x80 != 0 {
		return -1
	}
	for _, present := range [...]byte{0x20, 0x08} { // destination, source
		if control&present != 0 {
			if at+3 > len(npdu) {
				return -1
			}
			at += 3 + int(npdu[at+2])
		}
	}
	if control&0x20 != 0 { // hop count
		at++
	}
	if at+4 > len(npdu) || npdu[at]>>4 != 0 {
		return -1
	}
	if npdu[at]&8 != 0 { // a segment: sequence and window
		if at+6 > len(npdu) {
			return -1
		}
		return int(npdu[at+5])
	}
	return int(npdu[at+3])
}
