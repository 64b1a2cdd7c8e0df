package stack

// silences are the clients that hear nothing more from the TCP stack: neither data nor
// acknowledgements, neither FIN nor RST.
type silences = flows[struct{}]

// Silence ends the stream without a word to the client, who cannot tell it from a broken line. What
// the client still sends must not be injected any more. It lasts until the function that it returns
// is called.
func (s *Stream) Silence() (lift func()) {
	flow := NewKey(s.server, s.client, protoTCP)
	s.silences.add(flow, struct{}{})
	_ = s.Abort() // its RST is withheld
	return func() { s.silences.remove(flow) }
}
