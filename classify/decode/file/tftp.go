package file

// TFTP (RFC 1350) and its options (RFC 2347 to 2349).

import (
	"bytes"

	"sluice/classify/decode"
)

// Operations.
const (
	tftpRead = iota + 1
	tftpWrite
	tftpData
	tftpAck
	tftpError
	tftpOptions
)

// tftp recognises a request by itself. The answer comes from another port, so that the transfer
// is a session of its own: that is expected, and also recognised by a first block and its
// acknowledgement.
func tftp(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 || data[0] != 0 {
		return decode.No
	}
	switch data[1] {
	case tftpRead, tftpWrite:
		return tftpRequest(s, data[2:])
	case tftpOptions:
		if pairs, ok := tftpPairs(data[2:]); ok && pairs > 0 {
			return decode.Match
		}
	case tftpError:
		message := data[4:]
		if data[2] == 0 && data[3] <= 8 && len(message) > 1 && message[len(message)-1] == 0 && decode.Printable(message[:len(message)-1]) {
			if s.Index > 0 {
				return decode.Match
			}
			return decode.Maybe
		}
	case tftpData, tftpAck:
		return tftpBlock(s, data)
	}
	return decode.No
}

// TFTPRequest says whether a datagram asks for a transfer.
func TFTPRequest(data []byte) bool {
	if len(data) < 4 || data[0] != 0 || data[1] != tftpRead && data[1] != tftpWrite {
		return false
	}
	_, _, ok := tftpAsked(data[2:])
	return ok
}

// tftpAsked reads the name of a request, and leaves its options.
func tftpAsked(request []byte) (name, options []byte, ok bool) {
	name, rest, ok := cString(request)
	if !ok || len(name) == 0 {
		return nil, nil, false
	}
	mode, rest, ok := cString(rest)
	return name, rest, ok && (bytes.EqualFold(mode, []byte("octet")) || bytes.EqualFold(mode, []byte("netascii")) || bytes.EqualFold(mode, []byte("mail")))
}

func tftpRequest(s *decode.Session, rest []byte) decode.Verdict {
	name, rest, ok := tftpAsked(rest)
	if !ok {
		return decode.No
	}
	if _, ok := tftpPairs(rest); !ok && len(rest) > 0 && !s.Port(69) {
		return decode.No
	}
	s.Value(decode.FTPFileName, name)
	s.Expect(decode.Expected{Addr: s.Client.Addr(), Port: s.Client.Port(), Protocol: decode.UDP, Name: "TFTP"})
	return decode.Match
}

// tftpPairs counts the options at the end of a packet, each a name and a value.
func tftpPairs(rest []byte) (pairs int, ok bool) {
	for len(rest) > 0 {
		name, after, whole := cString(rest)
		value, after, alsoWhole := cString(after)
		if !whole || !alsoWhole || len(name) == 0 || len(value) == 0 {
			return pairs, false
		}
		rest, pairs = after, pairs+1
	}
	return pairs, true
}

// tftpStart is the block that began a transfer.
type tftpStart struct {
	from  decode.Direction
	data  bool
	block uint16
}

// tftpBlock recognises a transfer by its first block and the acknowledgement from the other side,
// in either order (a write begins with the acknowledgement of block 0).
func tftpBlock(s *decode.Session, data []byte) decode.Verdict {
	now := tftpStart{s.Direction, data[1] == tftpData, decode.Uint16(data, 2)}
	if !now.data && len(data) != 4 || now.data && len(data) > 4+65464 {
		return decode.No
	}
	before, known := s.Memory().(tftpStart)
	switch {
	case !known && (now.data && now.block == 1 || !now.data && now.block <= 1):
		s.Remember(now)
		return decode.More
	case known && before.from != now.from && before.data != now.data &&
		(now.data && now.block == before.block+1 || !now.data && now.block == before.block):
		return decode.Match
	case known && before == now: // sent again
		return decode.More
	}
	return decode.No
}

// cString cuts a printable string that ends with a zero byte off data.
func cString(data []byte) (value, rest []byte, ok bool) {
	end := bytes.IndexByte(data, 0)
	if end < 0 || !decode.Printable(data[:end]) {
		return nil, data, false
	}
	return data[:end], data[end+1:], true
}
