// Package industrial recognises the protocols of controllers, power grids, buildings, vehicles,
// medical devices and the things of a home.
package industrial

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(
	checksummed, framed, isoDecoders, controllers, building, vehicles, medical, home, plants, homes, cameras, weak,
)

// judge looks at the first bytes of one side, or at one datagram, of protocols whose messages look
// the same in both directions. whole says that data is a complete datagram, so that lengths must
// agree with it.
type judge func(data []byte, whole bool) decode.Verdict

// stream makes a judge look at a stream.
func stream(j judge) decode.StreamFunc {
	return func(_ *decode.Session, client, server []byte) decode.Verdict {
		return j(decode.Opening(client, server), false)
	}
}

// datagram makes a judge look at datagrams.
func datagram(j judge) decode.DatagramFunc {
	return func(_ *decode.Session, data []byte) decode.Verdict {
		return decode.Known(j(data, true))
	}
}

// fits says whether a message of length bytes can be the whole of a datagram, or the beginning of
// a stream.
func fits(data []byte, length int, whole bool) bool {
	return length > 0 && (!whole || length == len(data))
}

// among says whether c occurs in set.
func among(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}
