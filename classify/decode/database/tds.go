// Tabular Data Stream of SQL Server ([MS-TDS]) and of Sybase (TDS 5.0), and the SQL Server Browser
// ([MC-SQLR]).

package database

import (
	"bytes"

	"sluice/classify/decode"
)

// Packet types of TDS.
const (
	tdsBatch    = 0x01
	tdsLogin5   = 0x02
	tdsRPC      = 0x03
	tdsTabular  = 0x04
	tdsLogin7   = 0x10
	tdsPrelogin = 0x12
	tdsHeader   = 8
)

// tds checks the header and, of the packets that open a session, what is in them.
func tds(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < tdsHeader {
		if len(data) >= 2 && data[1] > 31 {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Uint16(data, 2))
	if data[1] > 31 || length < tdsHeader || length > 32767 || data[7] != 0 {
		return decode.No
	}
	switch data[0] {
	case tdsPrelogin:
		return tdsOptions(data, length)
	case tdsLogin7:
		if len(data) < tdsHeader+8 {
			return decode.More
		}
		version := data[tdsHeader+7] // little-endian: 0x74000004, or big-endian in old ones
		return decode.If(data[4]|data[5] == 0 && (version>>4 == 7 || data[tdsHeader+4]>>4 == 7) && int(decode.Little32(data, tdsHeader)) >= 86)
	case tdsLogin5:
		if length != 512 || !decode.Zero(data[4:8]) {
			return decode.No
		}
		if len(data) < tdsHeader+31 {
			return decode.More
		}
		s.Protocol("SYBASE")
		return decode.If(data[tdsHeader+30] <= 30)
	case tdsBatch, tdsRPC, 0x0e, 0x0f:
		// The middle of a session: the answer must be tabular, or the headers in front of the
		// request as MS-TDS wants them.
		if len(data) < tdsHeader+12 {
			return decode.More
		}
		all, first := decode.Little32(data, tdsHeader), decode.Little32(data, tdsHeader+4)
		if all >= 22 && all < 512 && first == 18 && decode.Little16(data, tdsHeader+8) == 2 || all == first+4 && first >= 14 && first < 256 {
			return decode.Match
		}
		if data[1]&^0x19 == 0 && data[4]|data[5] == 0 && data[6] == 1 && tdsOld(data) {
			return decode.Match
		}
		if len(server) < tdsHeader {
			return decode.More
		}
		return decode.If(tdsAnswer(server) && s.Port(1433))
	case tdsTabular:
		return decode.If(tdsAnswer(data) && s.Port(1433))
	}
	return decode.No
}

// tdsOld says whether a request of versions before 7.2 follows the header at once: the name of a
// procedure or its number, or the text of a batch, in characters of two bytes.
func tdsOld(data []byte) bool {
	text := data[tdsHeader : tdsHeader+12]
	if data[0] == tdsRPC {
		if text[0] == 0xff && text[1] == 0xff {
			return text[2] >= 1 && text[2] <= 15 && text[3] == 0 && text[5] == 0
		}
		if text[0] < 2 || text[0] > 200 || text[1] != 0 {
			return false
		}
		text = text[2 : 2+min(10, 2*int(text[0]))]
	}
	for i := 0; i+1 < len(text); i += 2 {
		if text[i] < ' ' && text[i] != '\r' && text[i] != '\n' && text[i] != '\t' || text[i] > '~' || text[i+1] != 0 {
			return false
		}
	}
	return true
}

// tdsAnswer says whether data begins with a tabular response.
func tdsAnswer(data []byte) bool {
	if len(data) < tdsHeader {
		return false
	}
	length := int(decode.Uint16(data, 2))
	return data[0] == tdsTabular && data[1] <= 1 && length > tdsHeader && data[7] == 0 && (data[1] == 0 || length == len(data))
}

// tdsOptions walks the option tokens of a prelogin: their offsets follow each other.
func tdsOptions(data []byte, length int) decode.Verdict {
	body := data[tdsHeader:]
	next := -1
	for at := 0; at < 60; at += 5 {
		if at >= len(body) {
			return decode.More
		}
		if body[at] == 0xff {
			return decode.If(at > 0)
		}
		if at+5 > len(body) {
			return decode.More
		}
		offset, size := int(decode.Uint16(body, at+1)), int(decode.Uint16(body, at+3))
		if body[at] > 9 || at == 0 && body[0] != 0 || offset+size+tdsHeader > length || next >= 0 && offset != next {
			return decode.No
		}
		next = offset + size
	}
	return decode.No
}

// sqlBrowser checks the questions for instances, and the answer to them.
func sqlBrowser(_ *decode.Session, data []byte) decode.Verdict {
	switch data[0] {
	case 2, 3:
		return decode.If(len(data) == 1)
	case 4, 15:
		return decode.If(len(data) > 2 && len(data) < 40 && bytes.IndexByte(data, 0) >= len(data)-1 && decode.Printable(data[1:len(data)-1]))
	case 5:
		return decode.If(len(data) > 3 && int(decode.Little16(data, 1))+3 == len(data))
	}
	return decode.No
}
