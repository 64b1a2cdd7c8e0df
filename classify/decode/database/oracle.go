// Oracle's Transparent Network Substrate (Oracle Net Services reference, as known by the
// community), DRDA (The Open Group, version 5) of DB2 and Derby, Firebird's wire protocol, Informix,
// Cubrid and ClickHouse's native protocol.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

// Packet types of TNS.
const (
	tnsConnect  = 1
	tnsAccept   = 2
	tnsRefuse   = 4
	tnsRedirect = 5
	tnsData     = 6
	tnsMarker   = 12
	tnsHeader   = 8
)

// oracle checks the header of the first packet, the versions of a connect, and its text.
func oracle(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < tnsHeader+2 {
		if len(data) >= 4 && (data[2] != 0 || data[3] != 0) {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Uint16(data, 0))
	if decode.Uint16(data, 2) != 0 || data[5]&^0x2c != 0 || data[6]|data[7] != 0 || length < 10 {
		return decode.No
	}
	switch data[4] {
	case tnsConnect:
		if length < 58 {
			return decode.No
		}
		if len(data) < 28 {
			return decode.More
		}
		version, compatible := decode.Uint16(data, 8), decode.Uint16(data, 10)
		text := int(decode.Uint16(data, 26))
		if version < 300 || version > 330 || compatible < 200 || compatible > version || text < 26 || text > length && text != length {
			return decode.No
		}
		if text < min(length, len(data)) {
			s.Value(decode.DatabaseName, data[text:min(length, len(data))])
		}
		return decode.Match
	case tnsRefuse, tnsRedirect:
		return tnsText(data, length)
	case tnsData, tnsMarker: // the middle of a session
		if !s.Port(1521) {
			return decode.No
		}
		return decode.If(data[4] == tnsMarker && length == 11 || data[4] == tnsData && data[8]&^0x60 == 0 && (length <= len(data) || length <= 8192))
	case tnsAccept:
		version := decode.Uint16(data, 8)
		return decode.If(length >= 24 && length <= 64 && version >= 300 && version <= 330)
	}
	return decode.No
}

// tnsText looks for the description in parentheses that a refusal or a redirection has.
func tnsText(data []byte, length int) decode.Verdict {
	head := data[tnsHeader:min(len(data), length, tnsHeader+12)]
	if bytes.Contains(head, []byte("(D")) || bytes.Contains(head, []byte("(A")) {
		return decode.Match
	}
	if len(data) < min(length, tnsHeader+12) {
		return decode.More
	}
	return decode.No
}

// drda checks the header of a data stream structure and the code point of the object in it.
func drda(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) >= 3 && data[2] != 0xd0 {
		return decode.No
	}
	if len(data) < 10 {
		return decode.More
	}
	length := int(decode.Uint16(data, 0))
	if data[3]&0x0f == 0 || data[3]&0x0f > 5 || data[3]&0x80 != 0 || int(decode.Uint16(data, 6)) != length-6 || length < 10 {
		return decode.No
	}
	switch point := decode.Uint16(data, 8); point >> 8 {
	case 0x10, 0x11, 0x12, 0x14, 0x18, 0x20, 0x21, 0x22, 0x24:
		return decode.Match
	}
	return decode.No
}

// firebird checks the request to connect: operation, version and architecture, or the answer.
func firebird(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := decode.Magic(client, "\x00\x00\x00\x01\x00\x00\x00"); v != decode.Match {
		return v
	}
	if len(client) < 24 {
		return decode.More
	}
	operation, version, machine := client[7], decode.Uint32(client, 8), decode.Uint32(client, 12)
	return decode.If((operation == 0x13 || operation == 0x14 || operation == 0) && version >= 1 && version <= 4 && machine <= 50 &&
		decode.Uint32(client, 16) < 1024)

}

// informix checks the mark and the name of the service that every connection begins with.
func informix(_ *decode.Session, client, _ []byte) decode.Verdict {
	if decode.Prefix(client, "sq") == decode.None {
		return decode.No
	}
	if len(client) < 24 {
		return decode.More
	}
	return decode.If(bytes.Contains(client[:24], []byte("sqlexec")) || bytes.Contains(client[:24], []byte("PQAA")))
}

func cubrid(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "CUBRK"); v != decode.Match {
		return v
	}
	if len(client) < 10 {
		return decode.More
	}
	return decode.Match
}

// clickHouse checks the greeting of the client, or of the server: a packet of type 0 with a name.
func clickHouse(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.Magic(server, "\x00\x0aClickHouse")
	}
	if len(client) < 3 {
		return decode.More
	}
	if client[0] != 0 || client[1] < 10 || client[1] > 100 {
		return decode.No
	}
	end := 2 + int(client[1])
	name := client[2:min(len(client), end)]
	switch {
	case decode.Prefix(name, "ClickHouse") != decode.None:
		if len(name) < 10 {
			return decode.More
		}
		return decode.Match
	case !decode.Printable(name):
		return decode.No
	case len(server) >= 12:
		return decode.Magic(server, "\x00\x0aClickHouse")
	}
	return decode.More
}
