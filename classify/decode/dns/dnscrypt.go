package dns

// DNSCrypt version 2 (The DNSCrypt protocol, section "Client queries" and "Server responses").

import "sluice/classify/decode"

const (
	// resolverMagic is what every response begins with.
	resolverMagic = "r6fnvWj8"
	// A query is padded to steps of this many bytes, and to no less than so many.
	paddedTo, shortestQuery = 64, 256
)

// nonce is the client's half of the number that a query and its response share.
type nonce [12]byte

// dnsCrypt accepts a response that begins with the magic, and repeats the nonce of the query where
// that was seen. A query by itself looks like nothing but noise.
func dnsCrypt(s *decode.Session, data []byte) decode.Verdict {
	const queryNonce, responseNonce, shortestResponse = 8 + 32, 8, 8 + 24 + 16
	if decode.Prefix(data, resolverMagic) == decode.Whole && len(data) >= shortestResponse {
		asked, ok := s.Memory().(*nonce)
		return decode.If(!ok || *asked == nonce(data[responseNonce:]))
	}
	if s.Direction != decode.ToServer || s.Index > 0 || len(data) < shortestQuery || len(data)%paddedTo != 0 {
		return decode.No
	}
	asked := nonce(data[queryNonce:])
	s.Remember(&asked)
	return decode.More
}
