package tls

// The ServerHello: RFC 8446 section 4.1.3, RFC 5246 section 7.4.1.3.

import "sluice/classify/decode"

// answer is what a ServerHello says.
type answer struct {
	encrypted bool   // what follows is encrypted: TLS 1.3
	alpn      []byte // the protocol chosen, behind its length
}

// parseServerHello reads what there is of a ServerHello. A HelloRetryRequest is one of TLS 1.3.
func parseServerHello(m *message, datagram bool) answer {
	var a answer
	r := reader{data: m.body}
	r.uint16()
	r.take(32)
	r.vector8() // session
	r.take(3)   // cipher suite, compression method
	r.uint16()
	for !r.short() && r.at < len(m.body) {
		kind := r.uint16()
		content := reader{data: r.vector16(), whole: true}
		if r.short() {
			break
		}
		switch kind {
		case extVersions:
			v := content.uint16()
			a.encrypted = !datagram && v >= 0x0304 || datagram && v == 0xfefc
		case extALPN:
			a.alpn = content.vector16()
		}
	}
	return a
}

// certificateList is the first certificate of the message up to TLS 1.2, as far as it is there, and
// how many bytes of it, or of its length, are missing.
func certificateList(body []byte) (leaf []byte, missing int) {
	const lengths = 6
	if len(body) < lengths {
		return nil, lengths - len(body)
	}
	length := int(decode.Uint24(body, 3))
	if length == 0 || length > int(decode.Uint24(body, 0))-3 {
		return nil, 0
	}
	rest := body[lengths:]
	n := min(length, len(rest))
	return rest[:n], length - n
}
