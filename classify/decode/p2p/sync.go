package p2p

// Synchronisation and messaging between peers: Resilio's discovery, libp2p's multistream-select
// 1.0, Secure Scuttlebutt's announcement, ZeroNet's handshake, Tox (its specification, "DHT
// Packet").

import (
	"bytes"

	"sluice/classify/decode"
)

func resilio(_ *decode.Session, data []byte) decode.Verdict {
	if decode.Prefix(data, "BSYNC\x00d") == decode.Whole {
		return decode.Match
	}
	return decode.No
}

func libp2p(_ *decode.Session, client, server []byte) decode.Verdict {
	return decode.Prefix(decode.Either(client, server), "\x13/multistream/1.0.0\n").Verdict()
}

func scuttlebutt(_ *decode.Session, data []byte) decode.Verdict {
	if (bytes.HasPrefix(data, []byte("net:")) || bytes.HasPrefix(data, []byte("ws:"))) && bytes.Contains(data, []byte("~shs:")) {
		return decode.Match
	}
	return decode.No
}

// zeroNet accepts the MessagePack map {"cmd": "handshake", …}, with its first three keys in any
// order.
func zeroNet(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 20 {
		return decode.More
	}
	const longest = 600
	begins := false
	for _, key := range [...]string{"\xa3cmd\xa9handshake", "\xa6req_id", "\xa6params"} {
		begins = begins || decode.Prefix(client[1:], key) == decode.Whole
	}
	head := client[:min(len(client), longest)]
	switch {
	case !begins:
		return decode.No
	case bytes.Contains(head, []byte("\xa3cmd\xa9handshake")) && bytes.Contains(head, []byte("req_id")):
		return decode.Match
	case len(client) < longest:
		return decode.More
	}
	return decode.No
}

// toxSeen is the key that the last packet of each direction named, and the nonce it had.
type toxSeen struct {
	known [2]bool
	key   [2][32]byte
	nonce [2][8]byte
}

// random says whether data, of 24 bytes or more, looks like a key: few values come twice.
func random(data []byte) bool {
	var seen [4]uint64
	distinct := 0
	for _, c := range data {
		if seen[c>>6]&(1<<(c&63)) == 0 {
			distinct++
			seen[c>>6] |= 1 << (c & 63)
		}
	}
	return distinct >= len(data)-len(data)/4
}

// tox accepts two packets of known kinds and lengths with the same sender's key, which is in clear.
func tox(s *decode.Session, data []byte) decode.Verdict {
	n := len(data)
	switch data[0] {
	case 0x00, 0x01:
		if n != 82 {
			return decode.No
		}
	case 0x02:
		if n != 113 {
			return decode.No
		}
	case 0x04:
		if n < 82 || n > 300 {
			return decode.No
		}
	case 0x20, 0x21:
		if n < 82 {
			return decode.No
		}
	default:
		return decode.No
	}
	seen, _ := s.Memory().(*toxSeen)
	if seen == nil {
		seen = &toxSeen{}
		s.Remember(seen)
	}
	d, key, nonce := s.Direction, [32]byte(data[1:33]), [8]byte(data[33:41])
	if !random(data[1:33]) || !random(data[33:57]) {
		return decode.No
	}
	if seen.known[d] {
		if seen.key[d] == key && seen.nonce[d] != nonce {
			return decode.Match
		}
		return decode.No
	}
	seen.known[d], seen.key[d], seen.nonce[d] = true, key, nonce
	return decode.More
}
