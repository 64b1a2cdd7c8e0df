package voip

// Spotify: the search for its players in the local network, and the sessions with its access points
// (the ClientHello of the open librespot implementation).

import "sluice/classify/decode"

// spotifyDiscovery accepts what a player shouts.
func spotifyDiscovery(s *decode.Session, data []byte) decode.Verdict {
	s.Application("SPOTIFY")
	return decode.If(decode.Prefix(data, "SpotUdp") == decode.Whole)
}

// spotify accepts a ClientHello: version, length of all, and a message whose first field is number
// 10, the build, of which the first field is number 10 again, the product.
func spotify(s *decode.Session, client, _ []byte) decode.Verdict {
	const shortest, longest = 40, 1024
	if v := decode.Magic(client, "\x00\x04\x00\x00"); v != decode.Match {
		return v
	}
	if len(client) < 9 {
		return decode.More
	}
	length := decode.Uint32(client, 2)
	s.Application("SPOTIFY")
	return decode.If(length >= shortest && length <= longest && client[6] == 10<<3|2 && client[8] == 10<<3)
}
