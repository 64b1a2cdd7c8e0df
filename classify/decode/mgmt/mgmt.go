// Package mgmt recognises the protocols that keep networks and machines running: addresses, time,
// names and discovery, monitoring and logs, log-on and directories, routing and tunnels, remote
// procedure calls, printing, and the small services.
package mgmt

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(addressing, clocks, discovery, monitoring, clusters, security, routing, tunnels, printing, servers, development, agents, simple)

// first are the bytes that either side's first message may begin with.
func first(set string) decode.ByteSet { return decode.FirstBytes(set) }

var (
	capitals = decode.FirstRange('A', 'Z')
	letters  = capitals.Or(decode.FirstRange('a', 'z'))
	digits   = decode.FirstRange('0', '9')
	readable = decode.FirstRange(' ', '~').Or(decode.FirstBytes("\t\r\n"))
)

// yes is Match when ok, else No.
func yes(ok bool) decode.Verdict {
	if ok {
		return decode.Match
	}
	return decode.No
}

// zero says whether all of data is zero.
func zero(data []byte) bool {
	for _, c := range data {
		if c != 0 {
			return false
		}
	}
	return true
}

// chain walks elements of a type and a length of two bytes each, big-endian, the length not
// counting these four. It says whether they fill data exactly, and how many there are.
func chain(data []byte, each func(kind uint16, value []byte) bool) (n int, ok bool) {
	for len(data) > 0 {
		if len(data) < 4 {
			return n, false
		}
		length := int(decode.Uint16(data, 2))
		if len(data) < 4+length || !each(decode.Uint16(data, 0), data[4:4+length]) {
			return n, false
		}
		data = data[4+length:]
		n++
	}
	return n, true
}
