// Package messaging recognises the protocols of message brokers, of chats between people, and of
// objects that call each other over the network.
package messaging

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(brokers, objects, chats, messengers)

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

// starts is a stream that begins, from either side, with one of the texts.
func starts(texts ...string) decode.StreamFunc {
	return func(_ *decode.Session, client, server []byte) decode.Verdict {
		data := opening(client, server)
		for _, text := range texts {
			if v := magic(data, text); v != decode.No {
				return v
			}
		}
		return decode.No
	}
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
