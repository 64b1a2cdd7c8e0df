// Databases of documents, graphs and columns: MongoDB's wire protocol, Cassandra's CQL binary
// protocol (versions 3 to 5), Neo4j's Bolt, Elasticsearch's transport, Aerospike, RethinkDB,
// ArangoDB's VelocyStream, Tarantool and FoundationDB.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

var documents = []decode.Decoder{
	{Name: "MONGODB", Ports: []uint16{27017, 27018}, Stream: mongoDB},
	{Name: "CASSANDRA", Ports: []uint16{9042}, Client: decode.FirstRange(1, 5), Server: decode.FirstRange(0x81, 0x85), Stream: cassandra},
	{Name: "CASSANDRA", Ports: []uint16{7000}, Client: decode.FirstBytes("\xca"), Stream: cassandraNode},
	{Name: "BOLT", Ports: []uint16{7687}, Client: decode.FirstBytes("\x60"), Server: decode.FirstBytes("\x00"), Stream: bolt},
	{Name: "ELASTICSEARCH", Ports: []uint16{9300}, Client: decode.FirstBytes("E"), Server: decode.FirstBytes("E"), Stream: elasticsearch},
	{Name: "AEROSPIKE", Ports: []uint16{3000}, Client: decode.FirstBytes("\x02"), Server: decode.FirstBytes("\x02"), Stream: aerospike},
	{Name: "RETHINKDB", Ports: []uint16{28015}, Client: decode.FirstBytes("\x20\x3e\xf9\xc3"), Stream: rethinkDB},
	{Name: "ARANGODB", Ports: []uint16{8529}, Client: decode.FirstBytes("V"), Stream: arangoDB},
	{Name: "TARANTOOL", Ports: []uint16{3301}, Server: decode.FirstBytes("T"), Stream: tarantool},
	{Name: "FOUNDATIONDB", Ports: []uint16{4500, 4689}, Stream: foundationDB},
}

// mongoDB checks the header of a message, and of its kind the fields that are fixed.
func mongoDB(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		if len(data) >= 4 && data[3] > 3 {
			return decode.No
		}
		return decode.More
	}
	length, code := decode.Little32(data, 0), decode.Little32(data, 12)
	if length < 21 || length > 48<<20 {
		return decode.No
	}
	if len(data) < 30 && int(length) > len(data) {
		if !mongoCode(code) {
			return decode.No
		}
		return decode.More
	}
	switch code {
	case 2013: // flags, then the first section: a document
		if decode.Little32(data, 16)&^0x10003 != 0 || data[20] > 1 {
			return decode.No
		}
		return decode.If(length >= 25 && decode.Little32(data, 21) <= length)
	case 2004: // flags, then the name of a collection
		name := data[20:min(len(data), int(length), 84)]
		dot := bytes.IndexByte(name, '.')
		if dot < 0 && len(name) < 64 && len(data) < int(length) && decode.Printable(name) {
			return decode.More
		}
		return decode.If(decode.Little32(data, 16) < 256 && dot > 0 && decode.Printable(name[:dot]))
	case 1:
		return decode.If(decode.Little32(data, 16) < 16 && decode.Little32(data, 8) != 0)
	case 2012:
		return decode.If(length >= 25 && mongoCode(decode.Little32(data, 16)) && data[24] <= 3)
	case 2001, 2002, 2005, 2006, 2007, 2010, 2011:
		return decode.If(decode.Little32(data, 16) < 256)
	}
	return decode.No
}

func mongoCode(code uint32) bool {
	return code == 1 || code >= 2001 && code <= 2013 && code != 2003 && code != 2008 && code != 2009
}

// cassandra checks the frame: version, operation and length, and the text in a STARTUP.
func cassandra(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	answers := data[0]&0x80 != 0
	header := 9
	if data[0]&0x7f < 3 {
		header = 8
	}
	if len(data) < header {
		if len(data) >= 2 && data[1] > 0x1f {
			return decode.No
		}
		return decode.More
	}
	operation, length := data[header-5], decode.Uint32(data, header-4)
	if data[1] > 0x1f || length > 1<<20 {
		return decode.No
	}
	body := data[header:]
	switch {
	case answers && (operation == 0x00 || operation == 0x06 || operation == 0x03 || operation == 0x02): // error, supported, authenticate, ready
		switch {
		case operation == 0x02:
			return decode.If(length == 0)
		case len(body) < 8:
			return decode.More
		case operation == 0x00: // a code, then a text
			return decode.If(body[0]|body[1] == 0 && length >= 6 && uint32(decode.Uint16(body, 4))+6 <= length)
		case operation == 0x03:
			return decode.If(uint32(decode.Uint16(body, 0))+2 == length && decode.Printable(body[2:8]))
		}
		return decode.If(body[0] == 0 && body[2] == 0 && decode.Printable(body[4:8]))
	case answers:
		return decode.No
	case operation == 0x05: // OPTIONS
		if length != 0 || len(data) > header && len(server) == 0 && data[header] != data[0] {
			return decode.No
		}
		if len(server) == 0 {
			return decode.Maybe
		}
		return decode.If(server[0] == data[0]|0x80 || server[0]&0x80 != 0 && server[0]&0x7f <= 5)
	case operation == 0x01: // STARTUP
		if len(body) < 4 {
			return decode.More
		}
		if body[0] != 0 || body[1] == 0 || body[1] > 10 {
			return decode.No
		}
		if len(body) < 8 {
			return decode.More
		}
		return decode.If(body[2] == 0 && decode.Printable(body[4:8]))
	case operation == 0x07 || operation == 0x0a: // a query in words
		if len(body) < 8 {
			return decode.More
		}
		return decode.If(decode.Uint32(body, 0) < length && decode.Printable(body[4:8]))
	case operation == 0x0b:
		if len(body) < 8 {
			return decode.More
		}
		return decode.If(body[0] == 0 && body[1] < 8 && decode.Printable(body[4:8]))
	}
	return decode.No
}

// cassandraNode checks the magic with which nodes of a cluster open connections to each other.
func cassandraNode(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return decode.Magic(client, "\xca\x55\x2d\xfa")
}

// bolt checks the magic preamble.
func bolt(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return decode.Magic(client, "\x60\x60\xb0\x17")
}

// elasticsearch checks the mark, the length, and the version after them.
func elasticsearch(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "ES"); v != decode.Match {
		return v
	}
	if len(data) < 6 {
		return decode.More
	}
	length := decode.Uint32(data, 2)
	if length == 0xffffffff { // a ping
		return decode.Match
	}
	if length < 13 || length > 1<<28 {
		return decode.No
	}
	if len(data) < 19 {
		return decode.More
	}
	return decode.If(data[14] <= 0x1f && data[15] == 0 && data[6] == 0)
}

// aerospike checks the protocol header, and the head of a message or the words of a question.
func aerospike(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 8 {
		if len(data) >= 4 && (data[1] > 4 || data[2]|data[3] != 0) {
			return decode.No
		}
		return decode.More
	}
	if data[1] == 0 || data[1] > 4 || data[2]|data[3] != 0 || decode.Uint32(data, 4) > 1<<27 {
		return decode.No
	}
	if len(data) < 12 {
		if data[1] == 1 && decode.Uint32(data, 4) == 0 && len(data) == 8 {
			return decode.Maybe
		}
		return decode.More
	}
	switch data[1] {
	case 1:
		return decode.If(decode.Printable(data[8:12]))
	case 2:
		return decode.If(decode.Uint32(data, 4) >= 16 && data[8] == 0 && data[10] <= 20)
	case 3, 4:
		return decode.If(data[8] == 22)
	}
	return decode.No
}

// rethinkDB checks the number of the version of the handshake.
func rethinkDB(_ *decode.Session, client, _ []byte) decode.Verdict {
	for _, version := range [...]string{"\xc3\xbd\xc2\x34", "\x20\x2d\x0c\x40", "\x3e\xe8\x75\x5f", "\xf9\xf4\x1d\x72"} {
		if v := decode.Magic(client, version); v != decode.No {
			return v
		}
	}
	return decode.No
}

func arangoDB(_ *decode.Session, client, _ []byte) decode.Verdict {
	return decode.Magic(client, "VST/1.")
}

// tarantool checks the greeting of the server.
func tarantool(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return decode.Magic(server, "Tarantool ")
}

// foundationDB checks the version in a connect packet, whose upper bytes are 0F DB 00.
func foundationDB(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 12 {
		if len(data) >= 4 && (data[1]|data[2]|data[3] != 0 || data[0] < 16) {
			return decode.No
		}
		return decode.More
	}
	length := decode.Little32(data, 0)
	return decode.If(length >= 16 && length < 128 && decode.Little32(data, 8)>>8 == 0x0fdb00)
}
