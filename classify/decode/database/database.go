// Package database recognises the protocols of databases and of the services that clusters of
// them are made of.
package database

import (
	"slices"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(relational, documents, clusters, keyValue, library, analytics)

// digits says whether data is a decimal number of at least one digit.
func digits(data []byte) bool {
	for _, c := range data {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(data) > 0
}
