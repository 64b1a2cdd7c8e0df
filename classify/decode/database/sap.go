// SAP: the network interface (NI) with the router (SAP help, "SAProuter"), the dialogue protocol
// (DIAG), the message server and remote function calls over it, and HANA's SQL command network
// protocol.

package database

import "sluice/classify/decode"

// sapPorts are those of dispatchers, gateways, message servers and the router.
func sapPorts() []uint16 {
	ports := []uint16{3299}
	for instance := range uint16(99) {
		ports = append(ports, 3200+instance, 3300+instance, 3600+instance)
	}
	return ports
}

// sap checks the length in front of a message, and what the message is.
func sap(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 8 {
		return decode.More
	}
	length, body := int(decode.Uint32(data, 0)), data[4:]
	if length < 2 || length > 1<<16 {
		return decode.No
	}
	if decode.Prefix(body, "NI_") == decode.Whole {
		return decode.If(length >= 8)
	}
	if len(body) < 12 {
		return decode.More
	}
	switch {
	case string(body[:12]) == "**MESSAGE**\x00":
		return decode.Match
	case length >= 200 && string(body[:4]) == "\xff\xff\xff\xff" && body[4] == 0x0a: // DP header of a new DIAG session
		return decode.Match
	case length == 64 && body[0] == 2 && body[1] == 3 && decode.Zero(body[6:10]): // a normal client of the gateway
		return decode.Match
	}
	return decode.No
}

// hana checks the initialisation request, whose answer has eight bytes.
func hana(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return decode.Magic(client, "\xff\xff\xff\xff\x04\x20\x00\x04\x01\x00\x00\x01\x01\x01")
}
