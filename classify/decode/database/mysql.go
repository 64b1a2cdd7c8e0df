// MySQL and MariaDB client/server protocol (MySQL internals manual, "Connection Phase"), and the X
// protocol of MySQL.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

const (
	mysqlHeader = 4
	mysqlTLS    = 0x0800 // capability: encryption follows
)

// mySQL knows the greeting of the server, with its version in letters, or its refusal.
func mySQL(s *decode.Session, client, server []byte) decode.Verdict {
	if len(server) == 0 {
		if len(client) > 36 {
			return mysqlLogin(client)
		}
		return decode.More
	}
	if len(server) >= 4 && (server[2] != 0 || server[3] != 0) || len(server) >= 5 && server[4] != 10 && server[4] != 0xff {
		return decode.No
	}
	if len(server) < mysqlHeader+3 {
		return decode.More
	}
	length := int(decode.Little16(server, 0))
	if server[4] == 0xff {
		code := decode.Little16(server, 5)
		if code < 1000 || code > 4000 || length < 9 || length > 600 {
			return decode.No
		}
		if len(server) < mysqlHeader+length {
			return decode.More
		}
		return decode.If(decode.Printable(server[7 : mysqlHeader+length]))
	}
	if length < 20 || length > 400 {
		return decode.No
	}
	version := server[5:min(len(server), mysqlHeader+length)]
	end := bytes.IndexByte(version, 0)
	switch {
	case end < 0 && len(server) < mysqlHeader+length:
		return decode.More
	case end < 3 || !decode.Printable(version[:end]):
		return decode.No
	}
	// Thread, eight bytes of salt and an empty one follow.
	if len(version) < end+14 {
		if len(server) < mysqlHeader+length {
			return decode.More
		}
		return decode.No
	}
	if version[end+13] != 0 {
		return decode.No
	}
	const request = mysqlHeader + 32
	switch {
	case len(client) < 6:
		return decode.MatchMore
	case decode.Little16(client, mysqlHeader)&mysqlTLS == 0, len(client) >= 3 && client[0] != 32:
		return decode.Match
	case len(client) < request:
		return decode.MatchMore
	}
	s.Upgrade(request, mysqlHeader+length)
	return decode.Match
}

// mysqlLogin checks a log-on whose greeting was not seen: a second packet, protocol 4.1, 23 empty
// bytes and a name.
func mysqlLogin(client []byte) decode.Verdict {
	length := int(decode.Little16(client, 0))
	if client[2] != 0 || client[3] != 1 || length < 33 || client[5]&2 == 0 || client[12] == 0 {
		return decode.No
	}
	return decode.If(decode.Zero(client[13:36]) && decode.Printable(client[36:37]))
}

// mySQLX knows the notice with which a server of the X protocol greets.
func mySQLX(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return decode.Magic(server, "\x05\x00\x00\x00\x0b\x08\x05\x1a")
}
