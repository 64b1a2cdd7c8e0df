// Package messaging recognises the protocols of message brokers, of chats between people, and of
// objects that call each other over the network.
package messaging

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(brokers, objects, chats, messengers)

// starts is a stream that begins, from either side, with one of the texts.
func starts(texts ...string) decode.StreamFunc {
	return func(_ *decode.Session, client, server []byte) decode.Verdict {
		data := decode.Opening(client, server)
		for _, text := range texts {
			if v := decode.Magic(data, text); v != decode.No {
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
