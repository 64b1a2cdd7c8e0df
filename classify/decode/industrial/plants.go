// Machines of plants: HSMS of semiconductor works (SEMI E37), readers of labels (EPC LLRP), drilling
// (WITS level 0), Foundation Fieldbus HSE, EtherCAT over UDP, broadcasting consoles (Ember+ over S101),
// solar inverters (SMA Speedwire, SolarmanV5), ships (IEC 61162-450), aircraft and radar (SBS-1,
// Eurocontrol ASTERIX) and simulations (IEEE 1278, DIS).

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var plants = []decode.Decoder{
	{Name: "SMA-SPEEDWIRE", Ports: []uint16{9522}, Client: decode.FirstBytes("S"), Server: decode.FirstBytes("S"), Datagram: datagram(speedwire)},
	{Name: "IEC61162-450", Ports: []uint16{60001, 60002, 60003}, Client: decode.FirstBytes("UR"), Datagram: datagram(ship)},
	{Name: "SOLARMAN", Ports: []uint16{8899}, Client: decode.FirstBytes("\xa5"), Server: decode.FirstBytes("\xa5"), Stream: stream(solarman)},
	{Name: "SECS-HSMS", Ports: []uint16{5000}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: stream(hsms)},
	{Name: "EPCIS-LLRP", Ports: []uint16{5084}, Server: decode.FirstBytes("\x04\x08"), Stream: llrp},
	{Name: "WITS", Client: decode.FirstBytes("&"), Server: decode.FirstBytes("&"), Stream: stream(wits)},
	{Name: "EMBERPLUS", Ports: []uint16{9000}, Client: decode.FirstBytes("\xfe"), Server: decode.FirstBytes("\xfe"), Stream: stream(emberPlus)},
	{Name: "FOUNDATION-FIELDBUS", Ports: []uint16{1089, 1090, 1091, 3622}, PortsOnly: true, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: stream(fieldbus), Datagram: datagram(fieldbus)},
	{Name: "ETHERCAT", Ports: []uint16{34980}, PortsOnly: true, Datagram: datagram(etherCAT)},
	{Name: "ADS-B", Ports: []uint16{30003}, Server: decode.FirstBytes("M"), Stream: baseStation},
	{Name: "ASTERIX", Ports: []uint16{8600, 21112}, Client: decode.FirstBytes(asterixCategories), Server: decode.FirstBytes(asterixCategories), Datagram: datagram(asterix)},
	{Name: "DIS", Ports: []uint16{3000, 6993}, Client: decode.FirstRange(4, 7), Datagram: datagram(simulation)},
}

func speedwire(data []byte, _ bool) decode.Verdict {
	return decode.If(len(data) >= 18 && string(data[:8]) == "SMA\x00\x00\x04\x02\xa0")
}

// ship knows the marks of sentences, files and their retransmission.
func ship(data []byte, _ bool) decode.Verdict {
	if len(data) < 8 {
		return decode.No
	}
	switch string(data[:6]) {
	case "UdPbC\x00", "RaUdP\x00", "RrUdP\x00":
		return decode.Match
	}
	return decode.No
}

// solarman checks length, end and sum of a frame.
func solarman(data []byte, _ bool) decode.Verdict {
	const around = 13
	if len(data) < around {
		if len(data) > 4 && data[3] != 0x10 {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Little16(data, 1)) + around
	if data[3] != 0x10 || data[4]>>4 != 1 && data[4]>>4 != 4 || length > 1024 {
		return decode.No
	}
	if len(data) < length {
		return decode.More
	}
	sum := byte(0)
	for _, c := range data[1 : length-2] {
		sum += c
	}
	return decode.If(data[length-1] == 0x15 && data[length-2] == sum)
}

// hsms checks a message of control: to select, to end, or to test the link.
func hsms(data []byte, _ bool) decode.Verdict {
	if len(data) < 14 {
		if decode.Prefix(data, "\x00\x00\x00\x0a") == decode.None {
			return decode.No
		}
		return decode.More
	}
	kind := data[9]
	return decode.If(string(data[:4]) == "\x00\x00\x00\x0a" && data[6] == 0 && data[8] == 0 && kind >= 1 && kind <= 9 && kind != 8 &&
		(data[4] == 0xff && data[5] == 0xff || data[4]&0x80 == 0) && data[7] <= 4 && !decode.Zero(data[10:14]))
}

// llrp checks that the reader greets with its event, in which the time comes first.
func llrp(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) < 18 {
		if len(server) > 1 && server[1] != 0x3f {
			return decode.No
		}
		return decode.More
	}
	return decode.If(server[1] == 0x3f && decode.Uint32(server, 2) < 1024 && decode.Uint16(server, 10) == 246 && (decode.Uint16(server, 14) == 128 || decode.Uint16(server, 14) == 129))
}

// wits checks the beginning of a record, and the four digits of its first item.
func wits(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "&&\r\n"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	for _, c := range data[4:8] {
		if c < '0' || c > '9' {
			return decode.No
		}
	}
	return decode.Match
}

// emberPlus checks a frame: its mark, slot 0, the kind of message, a command and its version.
func emberPlus(data []byte, _ bool) decode.Verdict {
	if v := decode.Magic(data, "\xfe\x00\x0e"); v != decode.Match {
		return v
	}
	if len(data) < 5 {
		return decode.More
	}
	return decode.If(data[3] <= 2 && data[4] == 1)
}

// fieldbus checks version, protocol and length of a message.
func fieldbus(data []byte, whole bool) decode.Verdict {
	if len(data) < 12 {
		return decode.More
	}
	length := int(decode.Uint32(data, 8))
	return decode.If(data[2]>>2 >= 1 && data[2]>>2 <= 4 && length >= 12 && length <= 4096 && fits(data, length, whole))
}

// etherCAT checks the length of a frame, its kind, and the command of its first datagram.
func etherCAT(data []byte, _ bool) decode.Verdict {
	if len(data) < 14 {
		return decode.No
	}
	head := decode.Little16(data, 0)
	return decode.If(head>>12 == 1 && int(head&0x7ff) <= len(data)-2 && head&0x7ff >= 12 && data[2] <= 14)
}

// baseStation checks a line of a receiver: its kind, and that commas part its fields.
func baseStation(_ *decode.Session, _, server []byte) decode.Verdict {
	if v := decode.Magic(server, "MSG,"); v != decode.Match {
		return v
	}
	const longest = 256
	line, _, ok := decode.Line(server[:min(len(server), longest)])
	switch {
	case len(server) > 4 && (server[4] < '1' || server[4] > '8'), len(server) >= longest && !ok:
		return decode.No
	case !ok:
		return decode.More
	}
	return decode.If(bytes.Count(line, []byte(",")) == 21)
}

// asterixCategories are those in use.
const asterixCategories = "\x01\x02\x08\x0a\x0b\x13\x14\x15\x17\x22\x30\x3e\x3f\x41\xf0\xf7"

// asterix walks the blocks of a datagram, each with a category that is in use and its length.
func asterix(data []byte, _ bool) decode.Verdict {
	for at := 0; at < len(data); {
		if at+6 > len(data) {
			return decode.No
		}
		length := int(decode.Uint16(data, at+1))
		// What a record holds begins with the items that identify its sender.
		if !among(data[at], asterixCategories) || length < 6 || data[at+3]&0x80 == 0 {
			return decode.No
		}
		at += length
		if at > len(data) {
			return decode.No
		}
	}
	return decode.Match
}

// families of the kinds of messages of simulations, by kind (IEEE 1278.1, table of PDU types).
const families = "\x00\x01\x02\x02\x01\x03\x03\x03\x03\x03\x03\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x05\x06\x06\x04\x04\x04"

// simulation checks version, kind with its family, and length of a message.
func simulation(data []byte, _ bool) decode.Verdict {
	if len(data) < 28 || data[2] == 0 || int(data[2]) >= len(families) {
		return decode.No
	}
	return decode.If(data[3] == families[data[2]] && int(decode.Uint16(data, 8)) == len(data) && data[11] == 0)
}
