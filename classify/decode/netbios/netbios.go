// Package netbios reads the names of the NetBIOS services (RFC 1001 section 14).
package netbios

import "bytes"

// NameLength is the length of an encoded name without a scope, with its length and its end.
const NameLength = 34

// Name is a decoded name, its 16th byte being the sort of service.
type Name [16]byte

// Decode reads the encoded name at the start of data: 32, the letters A to P, two for each byte,
// and the end or a scope. ok is false when it is not one.
func (n *Name) Decode(data []byte) (ok bool) {
	if len(data) < NameLength || data[0] != 32 || data[NameLength-1] > 63 {
		return false
	}
	for i := range n {
		high, low := data[1+2*i]-'A', data[2+2*i]-'A'
		if high > 15 || low > 15 {
			return false
		}
		n[i] = high<<4 | low
	}
	return true
}

// Text is the name without the spaces that fill it.
func (n *Name) Text() []byte { return bytes.TrimRight(n[:15], " \x00") }
