package classify

import "sluice/classify/decode"

// Limits say how much of a session is looked at. A limit of 0 is none; where both bytes and
// packets have one, both must be reached. Bytes are payload; packets are those with payload.
// Both directions count together. Whatever they are, no more than the first 32 KB of each
// direction of a TCP session, or of one of its transactions, are looked at.
type Limits struct {
	TCPBytes, TCPPackets int
	UDPBytes, UDPPackets int
	// OtherBytes limits the sessions that no limit above ends: of other protocols, those whose
	// own limits are all 0, and those in which a tunnel was found.
	OtherBytes int
	// Packets ends the inspection of any session when it is reached, whatever the others are
	// (performance mode).
	Packets int
	// Lowest ends the inspection at the first of the limits that is reached.
	Lowest bool
}

// DefaultLimits are those in force without configuration.
var DefaultLimits = Limits{TCPBytes: 6000, UDPPackets: 10, OtherBytes: 10000}

// of are the limits for a session.
func (l *Limits) of(w *inspection) (bytes, packets int) {
	switch {
	case w.depth > 0 && !w.upgrade:
	case w.meta.Protocol == decode.TCP:
		bytes, packets = l.TCPBytes, l.TCPPackets
	case w.meta.Protocol == decode.UDP:
		bytes, packets = l.UDPBytes, l.UDPPackets
	}
	if bytes == 0 && packets == 0 {
		bytes = l.OtherBytes
	}
	return bytes, packets
}

// room is how many bytes of direction d are looked at, given what there is of the other.
func (w *inspection) room(d Direction) int {
	bytes, packets := w.engine.limits.of(w)
	if bytes == 0 || packets != 0 || w.insists {
		return maxBuffer
	}
	return bytes - len(w.streams[d.Reverse()].prefix())
}

// limitReached says whether enough was looked at.
func (w *inspection) limitReached(f *Flow) bool {
	limits := &w.engine.limits
	bytes, packets := limits.of(w)
	looked, count := int(f.bytes-w.before.bytes), int(f.packets-w.before.packets)
	seen := looked
	if w.meta.Protocol == decode.TCP {
		seen = len(w.streams[ToServer].prefix()) + len(w.streams[ToClient].prefix())
		if looked > 2*maxBuffer+4*min(bytes, maxBuffer) { // holes that nobody fills
			return true
		}
	}
	reached := func(seen, limit int) bool { return limit > 0 && seen >= limit }
	switch {
	case reached(int(f.packets), limits.Packets):
		return true
	case w.insists && len(w.streams[ToServer].prefix()) < maxBuffer:
		return false
	case limits.Lowest:
		return reached(seen, bytes) || reached(count, packets) || reached(seen, limits.OtherBytes)
	case bytes == 0 && packets == 0:
		return false
	}
	return seen >= min(bytes, 2*maxBuffer) && count >= packets
}
