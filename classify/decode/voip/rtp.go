package voip

// RTP: RFC 3550, RFC 3551 (payload types), RFC 4571 (over TCP). RTCP: RFC 3550, 3611, 4585, RFC
// 3711 (SRTCP), RFC 5506 (reduced size).

import "sluice/classify/decode"

// rtpPacket is the fixed part of a header.
type rtpPacket struct {
	kind      byte
	sequence  uint16
	timestamp uint32
	source    uint32
}

// parseRTP reads the header of a packet and checks that its parts fit.
func parseRTP(data []byte) (p rtpPacket, ok bool) {
	const header = 12
	if len(data) < header || data[0]>>6 != 2 {
		return p, false
	}
	p = rtpPacket{data[1] & 0x7f, decode.Uint16(data, 2), decode.Uint32(data, 4), decode.Uint32(data, 8)}
	if data[1] >= 192 && data[1] <= 223 { // RTCP has these
		return p, false
	}
	at := header + 4*int(data[0]&15)
	if data[0]&0x10 != 0 {
		if len(data) < at+4 {
			return p, false
		}
		at += 4 + 4*int(decode.Uint16(data, at+2))
	}
	return p, len(data) >= at
}

// rtpSeen is the last packet of each direction and how many followed one another.
type rtpSeen struct {
	last [2]rtpPacket
	run  [2]uint8
	ends [2]bool // the timestamp has moved
}

// rtpRun is how many packets in a row make a stream.
const rtpRun = 3

// rtpOpening is the longest datagram of another sort that may open the way for a stream (RFC 6263).
const rtpOpening = 20

// follows says whether b can be the packet after a of one source.
func (a rtpPacket) follows(b rtpPacket) bool {
	step, moved := b.sequence-a.sequence, b.timestamp-a.timestamp
	return a.source == b.source && step >= 1 && step <= 16 && moved < 1<<22
}

func rtpDatagram(s *decode.Session, data []byte) decode.Verdict {
	seen, _ := s.Memory().(*rtpSeen)
	p, ok := parseRTP(data)
	switch {
	case !ok && seen == nil && s.Index == 0 && len(data) <= rtpOpening:
		return decode.More
	case !ok && seen == nil:
		return decode.No
	case !ok: // RTCP, STUN or silence in between
		return decode.More
	case seen == nil:
		seen = &rtpSeen{}
		s.Remember(seen)
	}
	d := s.Direction
	if last := seen.last[d]; seen.run[d] > 0 && last.follows(p) {
		seen.run[d]++
		seen.ends[d] = seen.ends[d] || p.timestamp != last.timestamp
	} else if seen.run[d] > 0 && last.source == p.source && last.sequence == p.sequence {
		return decode.More // sent twice
	} else {
		seen.run[d], seen.ends[d] = 1, false
	}
	seen.last[d] = p
	switch {
	case seen.run[d] >= rtpRun && (seen.ends[d] && p.source != 0 || seen.run[d] > rtpRun+1):
		return decode.Match
	case s.Index > 8:
		return decode.No
	}
	return decode.More
}

// rtcpKinds are the packet types: reports, description, goodbye, application, feedback, extended.
const (
	rtcpFirst, rtcpLast             = 192, 211
	rtcpSender, rtcpReceiver        = 200, 201
	rtcpDescription, rtcpGoodbye    = 202, 203
	rtcpApplication, rtcpExtended   = 204, 207
	rtcpTransport, rtcpPayload      = 205, 206
	srtcpTrailer                    = 4 + 10 // index and tag of the usual profiles
	srtcpTrailerShort, srtcpIndices = 4 + 4, 1 << 16
)

// rtcpSeen is what an undecided packet looked like.
type rtcpSeen struct {
	kind   byte
	source uint32
}

// rtcpDatagram accepts a compound packet whose parts end with the datagram, and the encrypted form
// by the index at its end.
func rtcpDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 8 || data[0]>>6 != 2 || data[1] < rtcpSender || data[1] > rtcpExtended {
		return decode.No
	}
	parts, sound := 0, true
	at := 0
	for at+4 <= len(data) {
		kind, words, count := data[at+1], int(decode.Uint16(data, at+2)), int(data[at]&0x1f)
		if data[at]>>6 != 2 || kind < rtcpFirst || kind > rtcpLast || at+4*(words+1) > len(data) {
			break
		}
		switch kind {
		case rtcpSender:
			sound = sound && words >= 6+6*count
		case rtcpReceiver:
			sound = sound && words >= 1+6*count
		case rtcpGoodbye:
			sound = sound && words >= count
		case rtcpApplication:
			if words >= 2 && string(data[at+8:at+12]) == "RIST" {
				s.Protocol("RIST")
			}
		case rtcpTransport, rtcpPayload:
			sound = sound && words >= 2
		case rtcpDescription:
			sound = sound && (words >= 2 || count == 0)
		}
		parts++
		at += 4 * (words + 1)
	}
	if !sound || parts == 0 {
		return decode.No
	}
	if at != len(data) {
		return srtcp(data, at)
	}
	// The first report alone may be exact by chance: then a second must come from the source.
	source := decode.Uint32(data, 4)
	if parts > 1 || data[1] == rtcpSender && len(data) == 28+24*int(data[0]&0x1f) && data[0]&0x1f > 0 {
		return decode.Match
	}
	if seen, ok := s.Memory().(*rtcpSeen); ok && (seen.source == source || seen.kind != 0) {
		return decode.Match
	}
	s.Remember(&rtcpSeen{data[1], source})
	return decode.Maybe
}

// srtcp looks for the flag and index of an encrypted packet behind its parts.
func srtcp(data []byte, at int) decode.Verdict {
	for _, trailer := range [...]int{srtcpTrailer, srtcpTrailerShort, 4 + 16, 4} {
		i := len(data) - trailer
		if i < 8 {
			continue
		}
		if index := decode.Uint32(data, i); index&0x80000000 != 0 && index&^0x80000000 < srtcpIndices && at <= i {
			return decode.Match
		}
	}
	return decode.No
}

// rtpStream accepts packets framed by their length, three in a row of one source.
func rtpStream(s *decode.Session, client, server []byte) decode.Verdict {
	data, d := client, decode.ToServer
	if len(data) == 0 {
		data, d = server, decode.ToClient
	}
	var last rtpPacket
	for run, at := 0, 0; ; run++ {
		if run == rtpRun {
			return decode.Match
		}
		if len(data) < at+14 {
			if len(data) >= at+3 && data[at+2]>>6 != 2 {
				return decode.No
			}
			return decode.More
		}
		length := int(decode.Uint16(data, at))
		p, ok := parseRTP(data[at+2 : min(len(data), at+2+length)])
		if length < 12 || length > 1500 || !ok && len(data) >= at+2+length || run > 0 && !last.follows(p) {
			return decode.No
		}
		if data[at+2]>>6 != 2 {
			return decode.No
		}
		last = p
		at += 2 + length
		if len(data) < at {
			s.Want(d, at)
			return decode.More
		}
	}
}
