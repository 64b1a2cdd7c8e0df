// Package industrial recognises the protocols of controllers, power grids, buildings, vehicles,
// medical devices and the things of a home.
package industrial

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(
	checksummed, framed, isoDecoders, controllers, building, vehicles, medical, home, cameras, weak,
)

// judge looks at the first bytes of one side, or at one datagram, of protocols whose messages look
// the same in both directions. whole says that data is a complete datagram, so that lengths must
// agree with it.
type judge func(data []byte, whole bool) decode.Verdict

// stream makes a judge look at a stream.
func stream(j judge) decode.StreamFunc {
	return func(_ *decode.Session, client, server []byte) decode.Verdict {
		return j(opening(client, server), false)
	}
}

// datagram makes a judge look at datagrams.
func datagram(j judge) decode.DatagramFunc {
	return func(_ *decode.Session, data []byte) decode.Verdict {
		return known(j(data, true))
	}
}

// known turns More into No, for datagrams that are too short.
func known(v decode.Verdict) decode.Verdict {
	if v == decode.More {
		return decode.No
	}
	return v
}

// opening is what the client sent, or what the server sent as long as the client is silent.
func opening(client, server []byte) []byte {
	if len(client) > 0 {
		return client
	}
	return server
}

// matchIf is Match when ok holds.
func matchIf(ok bool) decode.Verdict {
	if ok {
		return decode.Match
	}
	return decode.No
}

// magic is the verdict on data that must begin with want.
func magic(data []byte, want string) decode.Verdict {
	switch decode.Prefix(data, want) {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}

// fits says whether a message of length bytes can be the whole of a datagram, or the beginning of
// a stream.
func fits(data []byte, length int, whole bool) bool {
	return length > 0 && (!whole || length == len(data))
}

// zero says whether all bytes are zero.
func zero(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return false
		}
	}
	return true
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
