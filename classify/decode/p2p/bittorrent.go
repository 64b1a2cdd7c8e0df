package p2p

// BitTorrent: BEP 3 (peer wire), BEP 5 (DHT), BEP 14 (local discovery), BEP 15 (UDP trackers),
// BEP 29 (uTP).

import (
	"bytes"

	"sluice/classify/decode"
)

const btHandshake = "\x13BitTorrent protocol"

// btDatagrams are the bytes a datagram may begin with: bencoding, uTP version 1 types and their
// tracker's magic, "BT-SEARCH".
var btDatagrams = decode.FirstBytes("dB\x00\x01\x11\x21\x31\x41")

func btPeer(_ *decode.Session, client, server []byte) decode.Verdict {
	return decode.Prefix(decode.Either(client, server), btHandshake).Verdict()
}

func btDatagram(s *decode.Session, data []byte) decode.Verdict {
	switch {
	case data[0] == 'd':
		if dht(data) {
			s.Protocol("BITTORRENT-DHT")
			return decode.Match
		}
	case data[0] == 'B':
		if decode.Prefix(data, "BT-SEARCH * HTTP/1.1\r\n") == decode.Whole {
			s.Protocol("BITTORRENT-LSD")
			return decode.Match
		}
	case len(data) >= 16 && decode.Uint32(data, 0) == 0x00000417 && decode.Uint32(data, 4) == 0x27101980 && decode.Uint32(data, 8) == 0:
		s.Protocol("BITTORRENT-TRACKER")
		return decode.Match
	case len(data) >= 20:
		v := utp(s, data)
		if v == decode.Match {
			s.Protocol("BITTORRENT-UTP")
		}
		return v
	}
	return decode.No
}

// dht says whether data is a dictionary with a message type, and is whole as far as its last byte
// tells.
func dht(data []byte) bool {
	if len(data) < 20 || data[len(data)-1] != 'e' {
		return false
	}
	key := data[1:min(len(data), 12)]
	switch {
	case bytes.HasPrefix(key, []byte("1:ad2:id20:")), bytes.HasPrefix(key, []byte("1:rd2:id20:")):
		return true
	case bytes.HasPrefix(key, []byte("1:")), bytes.HasPrefix(key, []byte("2:ip")):
		for _, kind := range [...]string{"1:y1:q", "1:y1:r", "1:y1:e"} {
			if bytes.Contains(data, []byte(kind)) {
				return true
			}
		}
	}
	return false
}

// utpSeen is the last header of each direction.
type utpSeen struct {
	known      [2]bool
	connection [2]uint16
	sequence   [2]uint16
}

// utp types.
const (
	utpData = iota
	utpFin
	utpState
	utpReset
	utpSyn
)

// utpHeader checks version, type and the chain of extensions, and gives the size of all of it.
func utpHeader(data []byte) (size int, ok bool) {
	if len(data) < 20 || data[0]&15 != 1 || data[0]>>4 > utpSyn {
		return 0, false
	}
	size = 20
	for extension, n := data[1], 0; extension != 0; n++ {
		if extension > 4 || n == 4 || len(data) < size+2 {
			return 0, false
		}
		length := int(data[size+1])
		extension = data[size]
		size += 2 + length
		if len(data) < size {
			return 0, false
		}
	}
	return size, true
}

// utp accepts a SYN, whose fields are fixed, and otherwise two packets that belong together:
// answering each other with connection numbers one apart, or following each other.
func utp(s *decode.Session, data []byte) decode.Verdict {
	size, ok := utpHeader(data)
	if !ok {
		return decode.No
	}
	kind := data[0] >> 4
	connection, sequence, ack := decode.Uint16(data, 2), decode.Uint16(data, 16), decode.Uint16(data, 18)
	if (kind == utpState || kind == utpSyn) && len(data) != size || kind == utpData && len(data) == size {
		return decode.No
	}
	if kind == utpSyn {
		if decode.Uint32(data, 8) != 0 || ack != 0 || decode.Uint32(data, 4) == 0 {
			return decode.No
		}
		return decode.Match
	}
	if bytes.HasPrefix(data[size:], []byte(btHandshake)) {
		return decode.Match
	}
	if decode.Uint32(data, 12) > 1<<27 { // window
		return decode.No
	}
	seen, _ := s.Memory().(*utpSeen)
	if seen == nil {
		seen = &utpSeen{}
		s.Remember(seen)
	}
	d, other := s.Direction, s.Direction.Reverse()
	if seen.known[other] {
		apart := connection - seen.connection[other]
		acknowledges := ack - seen.sequence[other]
		if (apart == 1 || apart == 0xffff) && (acknowledges < 64 || acknowledges > 0xfff0) {
			return decode.Match
		}
		return decode.No
	}
	if seen.known[d] {
		if seen.connection[d] != connection {
			return decode.No
		}
		if next := sequence - seen.sequence[d]; next < 16 && (next > 0 || kind == utpState) {
			return decode.Match
		}
		return decode.No
	}
	seen.known[d], seen.connection[d], seen.sequence[d] = true, connection, sequence
	return decode.More
}
