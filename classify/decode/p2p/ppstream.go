package p2p

// PPStream, the exchange of films behind iQIYI, as far as its datagrams show: their own length,
// and an identifier that answers repeat.

import "sluice/classify/decode"

// ppStreamID is the identifier of an exchange.
type ppStreamID [8]byte

// ppStream accepts a datagram that names the protocol, or an answer to one with the same identifier.
func ppStream(s *decode.Session, data []byte) decode.Verdict {
	const identifier, shortest = 7, 16
	if len(data) < shortest || int(decode.Little16(data, 2)) != len(data) || data[3] != 0 {
		return decode.No
	}
	id := ppStreamID(data[identifier:])
	if id == (ppStreamID{}) {
		return decode.No
	}
	earlier, ok := s.Memory().(*ppStreamID)
	if ok && *earlier == id {
		return decode.Match
	}
	s.Remember(&id)
	if s.Index > 4 {
		return decode.No
	}
	return decode.More
}
