// Package messaging recognises the protocols of message brokers, of chats between people, and of
// objects that call each other over the network.
package messaging

import (
	"slices"
)

// Decoders of this family, those with the strongest features first.
var Decoders = slices.Concat(brokers, objects, chats, messengers, services, protobufs)
