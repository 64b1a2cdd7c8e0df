package classify

import (
	"math/bits"

	"sluice/classify/decode"
)

// maxDecoders is the number of decoders that a set can hold.
const maxDecoders = 640

// decoderSet is a set of decoders, by their place in the order.
type decoderSet [maxDecoders / 64]uint64

func (s *decoderSet) add(i int)    { s[i>>6] |= 1 << (i & 63) }
func (s *decoderSet) remove(i int) { s[i>>6] &^= 1 << (i & 63) }

func (s *decoderSet) keep(o *decoderSet) {
	for i := range s {
		s[i] &= o[i]
	}
}

func (s *decoderSet) drop(o *decoderSet) {
	for i := range s {
		s[i] &^= o[i]
	}
}

// next is the first member at or after i, or -1.
func (s *decoderSet) next(i int) int {
	for word := i >> 6; word < len(s); word++ {
		if rest := s[word] >> (i & 63) << (i & 63); rest != 0 {
			return word<<6 + bits.TrailingZeros64(rest)
		}
		i = 0
	}
	return -1
}

// dispatch says which decoders to ask, for one sort of transport.
type dispatch struct {
	anywhere decoderSet            // those that are asked on any port
	onPort   map[uint16]decoderSet // those whose usual port it is
	first    [2][256]decoderSet    // those for which a first byte of a direction is possible
	await    [2]decoderSet         // those that are not asked before this side has spoken
}

func newDispatch(decoders []decode.Decoder, suits func(*decode.Decoder) bool) *dispatch {
	d := &dispatch{onPort: map[uint16]decoderSet{}}
	for i := range decoders {
		decoder := &decoders[i]
		if !suits(decoder) {
			continue
		}
		if !decoder.PortsOnly {
			d.anywhere.add(i)
		}
		switch {
		case !decoder.Client.Any() && decoder.Server.Any():
			d.await[ToServer].add(i)
		case !decoder.Server.Any() && decoder.Client.Any():
			d.await[ToClient].add(i)
		}
		for _, port := range decoder.Ports {
			set := d.onPort[port]
			set.add(i)
			d.onPort[port] = set
		}
		for c := range 256 {
			if decoder.Client.Has(byte(c)) {
				d.first[ToServer][c].add(i)
			}
			if decoder.Server.Has(byte(c)) {
				d.first[ToClient][c].add(i)
			}
		}
	}
	return d
}

// begin is the set of decoders to ask for a session, and those of them whose port it uses, which
// are asked first.
func (d *dispatch) begin(meta *Meta) (candidates, hinted decoderSet) {
	candidates, hinted = d.anywhere, d.onPort[meta.Server.Port()]
	other := d.onPort[meta.Client.Port()]
	for i := range hinted {
		hinted[i] |= other[i]
		candidates[i] |= hinted[i]
	}
	return candidates, hinted
}
