// Package database recognises the protocols of databases and of the services that clusters of
// them are made of.
package database

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(relational, documents, clusters, keyValue)

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

// known turns More into No, for datagrams that are too short.
func known(v decode.Verdict) decode.Verdict {
	if v == decode.More {
		return decode.No
	}
	return v
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

// digits says whether data is a decimal number of at least one digit.
func digits(data []byte) bool {
	for _, c := range data {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(data) > 0
}
