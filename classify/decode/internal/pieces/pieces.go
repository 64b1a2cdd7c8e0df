// Package pieces puts the fragments of one message together that came in several datagrams. It
// holds what the sender sent and no more: a fragment that claims a far offset costs its own bytes.
package pieces

// Limits of what is held for one message.
const (
	maxParts = 48
	// MaxBytes is the most that is held, and the longest message that can be joined.
	MaxBytes = 16 << 10
)

// Message is the set of fragments of one message. The zero value has none.
type Message struct {
	parts []part // by offset, without overlap
	held  int
}

type part struct {
	at   int
	data []byte
}

// Add copies a fragment. It says whether it told anything new. Fragments beyond the limits are
// ignored, as if they had been lost; of overlapping fragments the first wins.
func (m *Message) Add(at int, data []byte) bool {
	grown := false
	for i := 0; len(data) > 0; i++ {
		if at < 0 || at+len(data) > MaxBytes {
			return grown
		}
		// Skip what is there, and cut off what follows an existing part.
		room := len(data)
		if i < len(m.parts) {
			p := &m.parts[i]
			if end := p.at + len(p.data); at >= p.at {
				if skip := end - at; skip > 0 {
					skip = min(skip, len(data))
					at, data = at+skip, data[skip:]
				}
				continue
			}
			room = min(room, p.at-at)
		}
		if len(m.parts) >= maxParts || m.held+room > MaxBytes {
			return grown
		}
		m.parts = append(m.parts, part{})
		copy(m.parts[i+1:], m.parts[i:])
		m.parts[i] = part{at, append([]byte(nil), data[:room]...)}
		m.held += room
		at, data, grown = at+room, data[room:], true
	}
	return grown
}

// Join appends to buf what there is of the message from its start on, up to the first hole.
func (m *Message) Join(buf []byte) []byte {
	end := 0
	for _, p := range m.parts {
		if p.at != end {
			break
		}
		buf, end = append(buf, p.data...), end+len(p.data)
	}
	return buf
}

// Held is the number of bytes held.
func (m *Message) Held() int { return m.held }
