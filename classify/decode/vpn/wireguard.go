package vpn

// WireGuard: protocol paper, section 5.4 (messages). Tailscale's DISCO: package disco of
// tailscale.com, "TS💬", sender's key, nonce, sealed box. Cloudflare WARP is WireGuard whose
// reserved bytes hold a client identifier.

import "sluice/classify/decode"

// WireGuard message types and their lengths.
const (
	wgInitiation, wgInitiationLen = 1, 148
	wgResponse, wgResponseLen     = 2, 92
	wgCookie, wgCookieLen         = 3, 64
	wgData, wgDataMin             = 4, 32
)

// wgSeen is what the last messages of a session said.
type wgSeen struct {
	index   [2]uint32 // sender index of the initiation, receiver index of data, by direction
	counter [2]uint64
	began   bool // an initiation with reserved bytes in use was seen
	data    [2]bool
}

func wireGuard(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < wgDataMin {
		return decode.No
	}
	reserved := decode.Uint24(data, 1) != 0
	seen, _ := s.Memory().(*wgSeen)
	switch {
	case data[0] == wgInitiation && len(data) == wgInitiationLen:
		if !reserved {
			return decode.Match
		}
		w := &wgSeen{began: true}
		w.index[s.Direction] = decode.Uint32(data, 4)
		s.Remember(w)
		return decode.More
	case data[0] == wgResponse && len(data) == wgResponseLen:
		if !reserved {
			return decode.Match
		}
		if seen != nil && seen.began && decode.Uint32(data, 8) == seen.index[s.Direction.Reverse()] {
			s.Application("CLOUDFLARE-WARP")
			return decode.Match
		}
	case data[0] == wgCookie && len(data) == wgCookieLen && !reserved:
		return decode.More
	case data[0] == wgData && len(data)%16 == 0:
		return wgTransport(s, seen, data)
	case disco(s, data) == decode.Match:
		s.Protocol("TAILSCALE")
		return decode.Match
	}
	return decode.No
}

// wgTransport accepts data of a session whose start was not seen: two messages in one direction
// with the same receiver and a counter that goes on.
func wgTransport(s *decode.Session, seen *wgSeen, data []byte) decode.Verdict {
	if decode.Uint24(data, 1) != 0 {
		if seen != nil && seen.began {
			return decode.More
		}
		return decode.No
	}
	index, counter := decode.Uint32(data, 4), uint64(decode.Little32(data, 12))<<32|uint64(decode.Little32(data, 8))
	if counter >= 1<<48 || index == 0 {
		return decode.No
	}
	if seen == nil {
		seen = &wgSeen{}
		s.Remember(seen)
	}
	d := s.Direction
	if seen.data[d] && seen.index[d] == index && counter > seen.counter[d] && counter-seen.counter[d] < 64 {
		return decode.Match
	}
	seen.data[d], seen.index[d], seen.counter[d] = true, index, counter
	return decode.More
}

// disco accepts the messages by which Tailscale nodes find a path.
func disco(_ *decode.Session, data []byte) decode.Verdict {
	const magic, least = "TS💬", 6 + 32 + 24 + 16
	if len(data) >= least && decode.Prefix(data, magic) == decode.Whole {
		return decode.Match
	}
	return decode.No
}
