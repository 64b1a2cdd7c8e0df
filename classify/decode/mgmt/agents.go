package mgmt

// Agents that report to the network of their maker: Avast and the devices of
// Cisco Meraki; and how devices of Samsung find each other;
// and the access points of Aruba, which speak PAPI to their controller.

import "sluice/classify/decode"

var agents = []decode.Decoder{
	{Name: "AVAST", Client: first("N"), Stream: avast},
	{Name: "MERAKI", Ports: []uint16{7351}, Client: first("\xfe"), Server: first("\xfe"), Datagram: meraki},
	{Name: "SAMSUNG-SDP", Ports: []uint16{15600}, Client: first("S"), Datagram: samsung},
	{Name: "ARUBA-PAPI", Ports: []uint16{8211}, Client: first("\x49"), Server: first("\x49"), Datagram: papi},
}

// avast checks the mark, and the length of the first message.
func avast(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "NOSA"); v != decode.Match {
		return v
	}
	if len(client) < 6 {
		return decode.More
	}
	length := int(decode.Uint16(client, 4))
	switch {
	case length < 6 || len(client) > length:
		return decode.No
	case len(client) < length:
		return decode.More
	}
	return decode.Match
}

// meraki knows the mark of messages between a device and the cloud.
func meraki(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) > 16 && decode.Prefix(data, "\xfe\xf7\x28\x91") == decode.Whole)
}

func samsung(_ *decode.Session, data []byte) decode.Verdict {
	return decode.Known(decode.Magic(data, "SEARCH BSDP/"))
}

// papi checks the mark and the version of a message on the usual port.
func papi(s *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 76 && data[1] == 0x72 && data[2] == 0 && data[3] > 0 && data[3] <= 8 && s.Port(8211))
}
