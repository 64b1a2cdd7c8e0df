package p2p

// Older file sharing: eDonkey and Kademlia (the emule-project's protocol specification by Kulbak
// and Bickson), Gnutella 0.6 (its RFC draft), Soulseek (its community protocol documentation),
// Direct Connect (NMDC and ADC documents), AppleJuice.

import (
	"bytes"

	"sluice/classify/decode"
)

// eDonkey accepts a hello or a log-in, whose tags must be what its length says.
func eDonkey(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	if data[0] != 0xe3 && data[0] != 0xc5 {
		return decode.No
	}
	if len(data) < 6 {
		return decode.More
	}
	length, opcode := decode.Little32(data, 1), data[5]
	if length < 1 || length > 8192 {
		return decode.No
	}
	d := decode.ToServer
	if len(client) == 0 {
		d = decode.ToClient
	}
	if length < 16 || data[0] == 0xe3 && opcode != 0x01 && opcode != 0x4c && opcode != 0x38 && opcode != 0x40 ||
		data[0] == 0xc5 && opcode != 0x01 && opcode != 0x02 {
		return decode.No
	}
	if total := 5 + int(length); len(data) < total {
		s.Want(d, total)
		return decode.More
	}
	body := data[6 : 5+length]
	switch {
	case data[0] == 0xc5: // eMule information: version, protocol version, tags
		if len(body) >= 6 && tags(body[2:], false) {
			return decode.Match
		}
	case opcode == 0x01 && body[0] == 16 && len(body) > 27 && tags(body[23:], true),
		opcode == 0x01 && len(body) > 26 && tags(body[22:], false),
		opcode == 0x4c && len(body) > 26 && tags(body[22:], true):
		return decode.Match
	case opcode == 0x38 && len(body) == 2+int(decode.Little16(body, 0)) && decode.Printable(body[2:]): // server message
		return decode.Match
	}
	return decode.No
}

// tags says whether data is a list of eDonkey tags, with the server's address after it if tail.
func tags(data []byte, tail bool) bool {
	if len(data) < 4 {
		return false
	}
	count := decode.Little32(data, 0)
	if count == 0 || count > 32 {
		return false
	}
	at := 4
	for range count {
		if len(data) < at+3 {
			return false
		}
		kind := data[at]
		if kind&0x80 != 0 { // name of one byte
			kind, at = kind&0x7f, at+2
		} else {
			at += 3 + int(decode.Little16(data, at+1))
		}
		switch {
		case kind == 2:
			if len(data) < at+2 {
				return false
			}
			at += 2 + int(decode.Little16(data, at))
		case kind == 3 || kind == 4:
			at += 4
		case kind == 8:
			at += 2
		case kind == 9:
			at++
		case kind == 11:
			at += 8
		case kind >= 0x11 && kind <= 0x20:
			at += int(kind) - 0x10
		default:
			return false
		}
		if len(data) < at {
			return false
		}
	}
	if tail {
		return len(data)-at == 6 || len(data)-at == 10
	}
	return len(data) == at
}

// eDonkeyServer accepts the question for a server's state, and the answer with the same challenge.
func eDonkeyServer(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 6 || decode.Little32(data, 2)&0xffff0000 != 0x55aa0000 {
		return decode.No
	}
	if n := len(data); data[1] == 0x96 && n == 6 || data[1] == 0x97 && n >= 14 && n <= 46 {
		return decode.Match
	}
	return decode.No
}

// kademlia accepts the messages whose length is fixed or follows from a count.
func kademlia(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 2 || data[0] != 0xe4 {
		return decode.No
	}
	n, opcode := len(data), data[1]
	switch opcode {
	case 0x20, 0x21: // request: kind, target, receiver
		if kind := data[min(2, n-1)] & 0x1f; n == 35 && (kind == 2 || kind == 4 || kind == 11) {
			return decode.Match
		}
	case 0x28, 0x29: // response: target, count, contacts
		if n >= 19 && n == 19+25*int(data[18]) {
			return decode.Match
		}
	case 0x11, 0x19: // hello: identity, port, version, count of tags
		if n >= 22 && data[20] >= 1 && data[20] <= 12 && data[21] <= 8 && decode.Uint16(data, 18) != 0 {
			return decode.Match
		}
	case 0x10, 0x18:
		if n == 27 {
			return decode.Match
		}
	case 0x09: // bootstrap response
		if n >= 23 && n == 23+25*int(decode.Little16(data, 21)) {
			return decode.Match
		}
	case 0x01, 0x60: // bootstrap request, ping
		if n == 2 {
			return decode.More
		}
	case 0x61:
		if n == 4 && s.Index > 0 {
			return decode.Match
		}
	}
	return decode.No
}

func gnutella(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	for _, want := range [...]string{"GNUTELLA CONNECT/0.", "GNUTELLA/0.", "GNUTELLA OK"} {
		if v := decode.Prefix(data, want).Verdict(); v != decode.No {
			return v
		}
	}
	return decode.No
}

// gnutellaDatagram accepts a descriptor header whose length agrees, and the messages of its
// distributed hash table, which have the same header.
func gnutellaDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 23 {
		return decode.No
	}
	if decode.Prefix(data, "GND") == decode.Whole && data[3]&0xfc == 0 && data[6] > 0 && data[7] > 0 {
		s.Protocol("GNUTELLA2")
		return decode.Match
	}
	if int64(decode.Little32(data, 19)) != int64(len(data)-23) {
		return decode.No
	}
	ttl, hops := data[17], data[18]
	switch data[16] {
	case 0x00, 0x01, 0x02, 0x30, 0x31, 0x32, 0x40, 0x80, 0x81:
		if ttl <= 15 && hops <= 15 && (ttl|hops != 0) && !(len(data) == 23 && decode.Uint32(data, 0) == 0) {
			return decode.Match
		}
	case 0x44: // Mojito: version of the table where a descriptor has hops
		return decode.Match
	}
	return decode.No
}

// soulseek accepts a log-in (code 1: name, password, version, hash of both) and the first message
// between peers (name, one of the kinds P, F and D, token).
func soulseek(s *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(data) < 9 {
		if len(data) == 0 || len(data) >= 4 && (data[2] != 0 || data[3] != 0) {
			return decode.No
		}
		return decode.More
	}
	length := decode.Little32(data, 0)
	if length < 8 || length > 512 || data[4] != 1 {
		return decode.No
	}
	total := 4 + int(length)
	if len(data) < total {
		s.Want(decode.ToServer, total)
		return decode.More
	}
	if peer, ok := slskString(data[5:total]); ok {
		if kind, ok := slskString(peer); ok && len(kind) == 4 && len(peer) == 4+1+4 && bytes.IndexByte([]byte("PFD"), peer[4]) >= 0 {
			return decode.Match
		}
	}
	if decode.Uint24(data, 5) != 0 {
		return decode.No
	}
	rest, ok := slskString(data[8:total])
	if ok {
		rest, ok = slskString(rest)
	}
	if !ok || len(rest) < 4+4+32 || decode.Little32(rest, 0) > 1000 || decode.Little32(rest, 4) != 32 {
		return decode.No
	}
	return decode.Match
}

// slskString leaves out a printable string with its length before it.
func slskString(data []byte) (rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, false
	}
	n := decode.Little32(data, 0)
	if n == 0 || n > 128 || int(n) > len(data)-4 || bytes.IndexByte(data[4:4+n], 0) >= 0 {
		return nil, false
	}
	return data[4+n:], true
}

func directConnect(s *decode.Session, client, server []byte) decode.Verdict {
	verdict := decode.No
	for _, want := range [...]string{"$Lock ", "ISUP AD", "ISTA "} {
		if len(server) > 0 {
			verdict = max(verdict, decode.Prefix(server, want).Verdict())
		}
	}
	for _, want := range [...]string{"$MyNick ", "HSUP ADBA", "CSUP ADBA"} {
		if len(client) > 0 {
			verdict = max(verdict, decode.Prefix(client, want).Verdict())
		}
	}
	if len(server) == 0 && verdict == decode.No && client[0] == '$' {
		return decode.More
	}
	if first := decode.Either(client, server)[0]; first != '$' {
		s.Protocol("ADC")
	}
	return verdict
}

func directConnectDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if data[len(data)-1] != '|' {
		return decode.No
	}
	if decode.Prefix(data, "$SR ") == decode.Whole && bytes.IndexByte(data, 5) > 0 || decode.Prefix(data, "$Search ") == decode.Whole {
		return decode.Match
	}
	return decode.No
}

func appleJuice(_ *decode.Session, client, server []byte) decode.Verdict {
	return decode.Prefix(decode.Either(client, server), "ajprot\r\n").Verdict()
}
