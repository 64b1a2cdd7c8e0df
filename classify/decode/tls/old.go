package tls

// SSL 2.0 (Hickman, "The SSL Protocol", 1995) and the ClientHello in its form that later versions
// allowed (RFC 5246 appendix E.2).

import "sluice/classify/decode"

// Lengths of the fixed parts of the two messages, without the record header of two bytes.
const (
	oldClientFixed = 9
	oldServerFixed = 11
)

// oldRole is the role of a stream that begins with a byte of a record header of SSL 2.0.
func oldRole(data []byte) role {
	if len(data) < 3 {
		return short
	}
	length := int(decode.Uint16(data, 0) & 0x7fff)
	switch data[2] {
	case 1:
		return oldClientRole(data, length)
	case 4:
		return oldServerRole(data, length)
	}
	return noTLS
}

func oldClientRole(data []byte, length int) role {
	if len(data) > 4 && !oldVersion(data[3], data[4]) {
		return noTLS
	}
	if len(data) < 2+oldClientFixed {
		return short
	}
	ciphers, session, challenge := int(decode.Uint16(data, 5)), int(decode.Uint16(data, 7)), int(decode.Uint16(data, 9))
	if ciphers == 0 || ciphers%3 != 0 || session != 0 && session != 16 ||
		challenge < 16 || challenge > 32 || length != oldClientFixed+ciphers+session+challenge {
		return noTLS
	}
	return oldClient
}

func oldServerRole(data []byte, length int) role {
	if len(data) < 2+oldServerFixed {
		return short
	}
	hit, kind := data[3], data[4]
	certificate, ciphers, connection := int(decode.Uint16(data, 7)), int(decode.Uint16(data, 9)), int(decode.Uint16(data, 11))
	if hit > 1 || kind > 1 || data[5] != 0 || data[6] != 2 || ciphers%3 != 0 || connection > 32 ||
		length != oldServerFixed+certificate+ciphers+connection {
		return noTLS
	}
	return oldServer
}

// oldVersion says whether a ClientHello in the old form may offer a version.
func oldVersion(major, minor byte) bool {
	return major == 3 && minor <= 3 || major == 0 && minor == 2
}

// version2 says whether the client of an old ClientHello wants SSL 2.0 itself.
func (d *side) version2() bool { return d.stream[3] == 0 }
