package database

// Databases of analysts: kdb+ (its interprocess protocol), MonetDB (mapi), Teradata, and Hive and
// Impala (Thrift under SASL).

import (
	"bytes"

	"sluice/classify/decode"
)

var analytics = []decode.Decoder{
	{Name: "MONETDB", Ports: []uint16{50000}, Stream: monetDB},
	{Name: "HIVE", Ports: []uint16{10000, 21050}, Client: decode.FirstBytes("\x01"), Stream: hive},
	{Name: "TERADATA", Ports: []uint16{1025}, Client: decode.FirstBytes("\x03"), Stream: teradata},
	{Name: "KDB", Ports: []uint16{5000, 5001, 5010}, Client: decode.FirstRange('0', 'z'), Stream: kdb},
}

// monetDB checks the challenge of the server: the length of a block that is the last, and the kind
// and version of the server among its fields.
func monetDB(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) < 4 {
		if len(client) > 0 {
			return decode.No
		}
		return decode.More
	}
	head := decode.Little16(server, 0)
	if length := int(head >> 1); head&1 == 0 || length < 16 || length > 256 || !decode.Printable(server[2:]) {
		return decode.No
	}
	if bytes.Contains(server, []byte(":mserver:9:")) || bytes.Contains(server, []byte(":merovingian:9:")) {
		return decode.Match
	}
	if len(server) < int(head>>1)+2 {
		return decode.More
	}
	return decode.No
}

// hive checks the start of a negotiation: its status, and the name of the mechanism.
func hive(s *decode.Session, client, _ []byte) decode.Verdict {
	best := decode.No
	for _, mechanism := range [...]string{"\x01\x00\x00\x00\x05PLAIN", "\x01\x00\x00\x00\x06GSSAPI", "\x01\x00\x00\x00\x0aDIGEST-MD5"} {
		best = max(best, decode.Magic(client, mechanism))
	}
	if best == decode.Match && s.Port(21050) {
		s.Protocol("IMPALA")
	}
	return best
}

// teradata checks the head of a request: version, class, kind, and the length of what follows.
func teradata(_ *decode.Session, client, _ []byte) decode.Verdict {
	const head = 52
	if len(client) < head {
		if len(client) > 1 && client[1] != 1 || len(client) > 2 && client[2] != 0x0a && client[2] != 0x0b {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Uint16(client, 8))
	switch {
	case client[1] != 1 || client[2] != 0x0a && client[2] != 0x0b || length == 0 || length > 4096:
		return decode.No
	case len(client) > head+length:
		return decode.No
	case len(client) < head+length:
		return decode.More
	}
	return decode.Match
}

// kdb checks the names of the user and the secret, the number of abilities behind them, and the
// single byte with which the server answers.
func kdb(_ *decode.Session, client, server []byte) decode.Verdict {
	end := bytes.IndexByte(client, 0)
	switch {
	case end < 0 && len(client) < 128 && decode.Printable(client[:max(len(client)-1, 0)]):
		return decode.More
	case end < 2 || end+1 != len(client) && len(server) == 0 || end > 128:
		return decode.No
	}
	most := client[end-1]
	if most == 0 || most > 6 || !decode.Printable(client[:end-1]) || bytes.IndexByte(client[:end], ':') < 0 {
		return decode.No
	}
	if len(server) == 0 {
		return decode.More
	}
	return decode.If(server[0] <= most && (len(server) == 1 || len(client) > end+9))
}
