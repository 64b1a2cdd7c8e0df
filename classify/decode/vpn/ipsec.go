package vpn

// IKE: RFC 2408 and 2409 (version 1), RFC 7296 (version 2), RFC 3948 (in UDP beside ESP), RFC 9329
// (over TCP). ESP: RFC 4303.

import "sluice/classify/decode"

const ikeHeader = 28

// ikeMessage says whether data is one whole ISAKMP message.
func ikeMessage(data []byte) bool {
	if len(data) < ikeHeader || int64(decode.Uint32(data, 24)) != int64(len(data)) {
		return false
	}
	if decode.Uint32(data, 0) == 0 && decode.Uint32(data, 4) == 0 {
		return false
	}
	next, version, exchange, flags := data[16], data[17], data[18], data[19]
	switch version >> 4 {
	case 1:
		known := exchange >= 1 && exchange <= 6 || exchange >= 32 && exchange <= 35
		return known && flags&^7 == 0 && (next <= 23 || next >= 128) && version&15 == 0
	case 2:
		known := exchange >= 34 && exchange <= 44
		return known && flags&^0x38 == 0 && (next == 0 || next >= 33 && next <= 55) && version&15 == 0
	}
	return false
}

func ikeDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) >= 4 && decode.Uint32(data, 0) == 0 {
		data = data[4:] // the non-ESP marker
	}
	if ikeMessage(data) {
		return decode.Match
	}
	return decode.No
}

// ikeStream accepts the prefix that begins IKE over TCP.
func ikeStream(_ *decode.Session, client, _ []byte) decode.Verdict {
	switch decode.Prefix(client, "IKETCP") {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}

// espSeen is the last packet of each direction.
type espSeen struct {
	spi, sequence [2]uint32
}

// espDatagram accepts ESP on its port: two packets of one direction with one security association
// and consecutive numbers.
func espDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) == 1 && data[0] == 0xff {
		return decode.More // keepalive
	}
	if len(data) < 8+16 || decode.Uint32(data, 0) < 256 {
		return decode.No
	}
	spi, sequence := decode.Uint32(data, 0), decode.Uint32(data, 4)
	seen, _ := s.Memory().(*espSeen)
	if seen == nil {
		seen = &espSeen{}
		s.Remember(seen)
	}
	d := s.Direction
	if seen.spi[d] == spi && sequence > seen.sequence[d] && sequence-seen.sequence[d] < 16 {
		return decode.Match
	}
	if sequence == 0 {
		return decode.No
	}
	seen.spi[d], seen.sequence[d] = spi, sequence
	return decode.More
}

// ciscoVPN accepts IPsec over UDP of Cisco's concentrators.
func ciscoVPN(_ *decode.Session, data []byte) decode.Verdict {
	if decode.Prefix(data, "\xfe\x57\x7e\x2b") == decode.Whole {
		return decode.Match
	}
	return decode.No
}
