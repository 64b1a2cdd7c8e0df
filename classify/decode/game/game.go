// Package game recognises the protocols of games, of the platforms they are sold on, and of the
// network libraries they share.
package game

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(platforms, libraries, shooters, worlds, online, openings)

// begins says whether data begins with all of want.
func begins(data []byte, want string) bool { return decode.Prefix(data, want) == decode.Whole }

// prefix is a datagram that begins with want.
func prefix(want string) decode.DatagramFunc {
	return func(_ *decode.Session, data []byte) decode.Verdict { return decode.If(begins(data, want)) }
}

// greets is a stream whose server speaks first and begins with one of the texts.
func greets(texts ...string) decode.StreamFunc {
	return func(_ *decode.Session, _, server []byte) decode.Verdict {
		if len(server) == 0 {
			return decode.More
		}
		for _, text := range texts {
			if v := decode.Magic(server, text); v != decode.No {
				return v
			}
		}
		return decode.No
	}
}

// letters says whether data is one or more ASCII letters.
func letters(data []byte) bool {
	for _, c := range data {
		if c|32 < 'a' || c|32 > 'z' {
			return false
		}
	}
	return len(data) > 0
}
