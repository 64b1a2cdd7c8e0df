// Objects that call each other, and messages of trade: CORBA's GIOP and MIOP (OMG), Java RMI (JRMP),
// JSON-RPC 2.0 (over TCP), FIX (FIX Trading Community) and SMPP 5.0.

package messaging

import (
	"bytes"

	"sluice/classify/decode"
)

var objects = []decode.Decoder{
	{Name: "CORBA", Ports: []uint16{683, 2809}, Client: decode.FirstBytes("GZM"), Server: decode.FirstBytes("GZM"), Stream: giop, Datagram: miop},
	{Name: "JRMI", Ports: []uint16{1099}, Client: decode.FirstBytes("J"), Stream: jrmi},
	{Name: "JSON-RPC", Client: decode.FirstBytes("{["), Server: decode.FirstBytes("{["), Stream: jsonRPC, Datagram: jsonRPCDatagram},
	{Name: "FIX", Client: decode.FirstBytes("8"), Server: decode.FirstBytes("8"), Stream: fix},
	{Name: "SMPP", Ports: []uint16{2775}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: smpp},
}

// giop checks the magic, version and type of a message; ZIOP is the same compressed.
func giop(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 8 {
		if decode.Prefix(data, "GIOP") == decode.None && decode.Prefix(data, "ZIOP") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If((string(data[:4]) == "GIOP" || string(data[:4]) == "ZIOP") && data[4] == 1 && data[5] <= 3 && data[7] <= 7)
}

// miop checks a packet of a multicast message.
func miop(_ *decode.Session, data []byte) decode.Verdict {
	switch {
	case len(data) >= 12 && string(data[:4]) == "GIOP":
		return decode.If(data[4] == 1 && data[5] <= 3 && data[7] <= 7)
	case len(data) >= 16 && string(data[:4]) == "MIOP":
		return decode.If(data[4] == 0x10)
	}
	return decode.No
}

// jrmi checks magic, version and protocol.
func jrmi(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := decode.Magic(client, "JRMI"); v != decode.Match {
		return v
	}
	if len(client) < 7 {
		return decode.More
	}
	return decode.If(client[4] == 0 && client[5] <= 2 && client[6] >= 0x4b && client[6] <= 0x4d)
}

// jsonRPC looks for the member that names the version.
func jsonRPC(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	head := data[:min(len(data), 256)]
	switch at := bytes.Index(head, []byte(`"jsonrpc"`)); {
	case at >= 0: // other protocols are made of this one
		return decode.Maybe
	case !decode.Printable(head[:min(len(head), 16)]):
		return decode.No
	case len(head) == 256, bytes.IndexByte(head, '}') >= 0:
		return decode.No
	}
	return decode.More
}

func jsonRPCDatagram(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(bytes.Contains(data[:min(len(data), 256)], []byte(`"jsonrpc"`)))
}

// fix checks the first three fields, whose order is fixed: version, length and type.
func fix(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 20 {
		if decode.Prefix(data, "8=FIX") == decode.None && decode.Prefix(data, "8=O\x01") == decode.None {
			return decode.No
		}
		if len(data) < 12 {
			return decode.More
		}
	}
	switch {
	case decode.Prefix(data, "8=FIX.") == decode.Whole, decode.Prefix(data, "8=FIXT.") == decode.Whole:
		at := bytes.IndexByte(data[:min(len(data), 20)], 1)
		switch {
		case at < 0 && len(data) < 20, at >= 0 && len(data) < at+3:
			return decode.More
		}
		return decode.If(at > 0 && data[at+1] == '9' && data[at+2] == '=')
	case decode.Prefix(data, "8=O\x019=") == decode.Whole:
		return decode.Match
	}
	return decode.No
}

// smpp checks the length, the operation, and that a request has no status.
func smpp(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		if len(data) >= 8 && (data[0]|data[5] != 0 || data[6] > 1 || data[4]&0x7f != 0) {
			return decode.No
		}
		return decode.More
	}
	length, operation := decode.Uint32(data, 0), decode.Uint32(data, 4)
	if length < 16 || length > 1<<16 {
		return decode.No
	}
	if sequence := decode.Uint32(data, 12); sequence == 0 || sequence > 0x7fffffff {
		return decode.No
	}
	answer := operation>>31 != 0
	if !answer && decode.Uint32(data, 8) != 0 || decode.Uint32(data, 8) > 0x600 {
		return decode.No
	}
	switch operation & 0x7fffffff {
	case 1, 2, 9: // binding: the name of the system
		if length < 23 {
			return decode.If(answer)
		}
		if len(data) < 18 {
			return decode.More
		}
		return decode.If(data[16] == 0 || decode.Printable(data[16:17]))
	case 3, 4, 5, 7, 8, 0x0b, 0x21, 0x102, 0x103, 0x111, 0x112, 0x113:
		return decode.If(answer || length > 20)
	case 6, 0x15:
		return decode.If(length == 16)
	}
	return decode.No
}
