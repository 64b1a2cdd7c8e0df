// PostgreSQL's frontend/backend protocol (PostgreSQL documentation, chapter 55), and Vertica,
// which descends from it.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

var relational = []decode.Decoder{
	{Name: "POSTGRESQL", Ports: []uint16{5432, 5433, 6432, 26257}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("SNREGv"), Stream: postgreSQL},
	{Name: "MYSQL", Ports: []uint16{3306, 3307}, Stream: mySQL},
	{Name: "MYSQL-X", Ports: []uint16{33060}, PortsOnly: true, Server: decode.FirstBytes("\x05"), Stream: mySQLX},
	{Name: "TDS", Ports: []uint16{1433}, Client: decode.FirstBytes("\x01\x02\x03\x0e\x0f\x10\x12"), Server: decode.FirstBytes("\x04\x12"), Stream: tds},
	{Name: "MSSQL-BROWSER", Ports: []uint16{1434}, PortsOnly: true, Client: decode.FirstBytes("\x02\x03\x04\x0f"), Server: decode.FirstBytes("\x05"), Datagram: sqlBrowser},
	{Name: "ORACLE", Ports: []uint16{1521, 1522, 1526, 2483}, Client: decode.FirstRange(0, 31), Server: decode.FirstRange(0, 31), Stream: oracle},
	{Name: "DRDA", Ports: []uint16{446, 50000, 60000, 1527}, Client: decode.FirstRange(0, 15), Server: decode.FirstRange(0, 15), Stream: drda},
	{Name: "FIREBIRD", Ports: []uint16{3050}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: firebird},
	{Name: "INFORMIX", Ports: []uint16{1526, 9088}, Client: decode.FirstBytes("s"), Stream: informix},
	{Name: "SAP-HANA", Ports: []uint16{30013, 30015}, Client: decode.FirstBytes("\xff"), Server: decode.FirstBytes("\x00"), Stream: hana},
	{Name: "SAP", Ports: sapPorts(), Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: sap},
	{Name: "CUBRID", Ports: []uint16{33000, 30000}, Client: decode.FirstBytes("C"), Stream: cubrid},
	{Name: "CLICKHOUSE", Ports: []uint16{9000}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00\x02"), Stream: clickHouse},
}

// Requests of PostgreSQL that come in place of a protocol version.
const (
	pgCancel  = 80877102
	pgTLS     = 80877103
	pgGSSAPI  = 80877104
	pgStartup = 3
)

// postgreSQL knows the startup message, and the requests for encryption with their answer.
func postgreSQL(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return pgServer(server)
	}
	if len(client) < 8 {
		return decode.More
	}
	length, version := int(decode.Uint32(client, 0)), decode.Uint32(client, 4)
	switch {
	case version == pgTLS && length == 8:
		switch {
		case len(server) == 0:
			return decode.MatchMore
		case server[0] == 'S':
			s.Upgrade(8, 1)
		}
		return decode.Match
	case version == pgGSSAPI && length == 8, version == pgCancel && length >= 16 && length <= 268:
		return decode.Match
	case version>>16 != pgStartup || version&0xffff > 100 || length < 9 || length > 4096:
		return decode.No
	}
	if len(client) < 12 {
		return decode.More
	}
	name := client[8:min(len(client), length)]
	if end := bytes.IndexByte(name, 0); end >= 0 {
		name = name[:end]
	} else if len(client) < length && len(name) < 64 {
		return decode.More
	}
	if len(name) == 0 || !decode.Printable(name) {
		return decode.No
	}
	if bytes.Contains(client[:min(len(client), length)], []byte("binary_data_protocol\x00")) {
		s.Protocol("VERTICA")
	}
	if len(client) < length {
		s.Want(decode.ToServer, length)
		return decode.MatchMore
	}
	pgNames(s, client[8:length])
	return decode.Match
}

// pgNames tells user and database of a startup message, which is a row of names and values.
func pgNames(s *decode.Session, data []byte) {
	for len(data) > 1 {
		name, rest, ok := bytes.Cut(data, []byte{0})
		if !ok {
			return
		}
		value, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok {
			return
		}
		if string(name) == "database" {
			s.Value(decode.DatabaseName, value)
		}
		data = rest
	}
}

// pgServer knows the request for authentication, when the client was not seen.
func pgServer(server []byte) decode.Verdict {
	if len(server) < 9 {
		if server[0] == 'R' {
			return decode.More
		}
		return decode.No
	}
	return decode.If(server[0] == 'R' && decode.Uint32(server, 1) >= 8 && decode.Uint32(server, 1) < 100 && decode.Uint32(server, 5) <= 12)
}
