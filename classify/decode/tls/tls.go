// Package tls recognises the protocols of the TLS family: SSL 2.0 to TLS 1.3 over TCP, and DTLS
// 1.0 to 1.3 over UDP. It tells whom the client asked for, what it offered, and who the server
// says it is.
package tls

import "sluice/classify/decode"

// Decoders of this family.
var Decoders = []decode.Decoder{
	{
		Name:   "SSL",
		Ports:  []uint16{443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 4433, 5061, 5223, 5671, 6514, 6697, 8443, 8883},
		Client: firstBytes,
		Server: firstBytes,
		Stream: stream,
	},
	{
		Name:     "DTLS",
		Ports:    []uint16{443, 853, 2055, 4433, 4740, 5061, 5246, 5247, 5349, 5684, 6514},
		Client:   datagramBytes,
		Server:   datagramBytes,
		Datagram: datagram,
		SCTP:     datagram,
	},
}

var (
	// Content types, and the header of a record of SSL 2.0 with two bytes.
	firstBytes    = decode.FirstRange(typeChangeCipher, typeHeartbeat).Or(decode.FirstRange(0x80, 0x9f))
	datagramBytes = decode.FirstRange(typeChangeCipher, typeAck)
)
