package quic

// The protection of Initial packets: RFC 9001 sections 5.2 to 5.4, RFC 9369 section 3.3. Their
// keys follow from the version and the connection identifier that the client chose.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"sluice/classify/decode"
)

// label is the info parameter of HKDF-Expand-Label (RFC 8446 section 7.1) for n bytes.
func label(name string, n byte) string {
	name = "tls13 " + name
	return string([]byte{0, n, byte(len(name))}) + name + "\x00"
}

// labels for the keys of one version.
type labels struct{ key, iv, protection string }

var (
	clientIn = label("client in", sha256.Size)
	labels1  = labels{label("quic key", 16), label("quic iv", 12), label("quic hp", 16)}
	labels2  = labels{label("quicv2 key", 16), label("quicv2 iv", 12), label("quicv2 hp", 16)}
)

// keys protect the client's Initial packets.
type keys struct {
	packets    cipher.AEAD
	protection cipher.Block
	iv         []byte
}

// deriveKeys derives the keys for the client's first destination connection identifier.
func deriveKeys(version uint32, salt string, destination []byte) (k keys, err error) {
	l := &labels1
	if likeVersion2(version) {
		l = &labels2
	}
	secret, err := hkdf.Extract(sha256.New, destination, []byte(salt))
	if err != nil {
		return k, err
	}
	if secret, err = hkdf.Expand(sha256.New, secret, clientIn, sha256.Size); err != nil {
		return k, err
	}
	key, err := hkdf.Expand(sha256.New, secret, l.key, 16)
	if err != nil {
		return k, err
	}
	if k.iv, err = hkdf.Expand(sha256.New, secret, l.iv, 12); err != nil {
		return k, err
	}
	protection, err := hkdf.Expand(sha256.New, secret, l.protection, 16)
	if err != nil {
		return k, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return k, err
	}
	if k.packets, err = cipher.NewGCM(block); err != nil {
		return k, err
	}
	k.protection, err = aes.NewCipher(protection)
	return k, err
}

// maxHeader is the longest header that is looked at; it bounds tokens.
const maxHeader = 1500

// open removes the protection from a packet whose number begins at packet[number], and appends
// the plaintext to out. ok is false when the keys are not those of the packet.
func (k *keys) open(out, packet []byte, number int) (plain []byte, ok bool) {
	const sample = 16
	if len(packet) < number+4+sample || number > maxHeader {
		return out, false
	}
	var mask [sample]byte
	k.protection.Encrypt(mask[:], packet[number+4:number+4+sample])
	var header [maxHeader + 4]byte
	copy(header[:], packet[:number+4])
	header[0] ^= mask[0] & 0x0f
	length := int(header[0]&3) + 1
	var nonce [12]byte
	copy(nonce[:], k.iv)
	for i := range length {
		header[number+i] ^= mask[1+i]
		nonce[12-length+i] ^= header[number+i]
	}
	plain, err := k.packets.Open(out, nonce[:], packet[number+length:], header[:number+length])
	return plain, err == nil
}

// openInitial removes the protection from a client's Initial packet, with the connection
// identifier it bears or the one that the conversation began with.
func openInitial(out, packet []byte, h *packetHeader, began []byte) (plain []byte, ok bool) {
	for _, salt := range salts(h.version) {
		for i, destination := range [...][]byte{began, h.destination} {
			if i == 0 && len(began) == 0 || i == 1 && string(began) == string(destination) {
				continue
			}
			k, err := deriveKeys(h.version, salt, destination)
			if err != nil {
				return out, false
			}
			if plain, ok = k.open(out, packet, h.number); ok {
				return plain, true
			}
		}
	}
	return out, false
}

// initialPacket looks at an Initial packet that the client seems to have sent.
func initialPacket(s *decode.Session, packet []byte, h *packetHeader) decode.Verdict {
	c, _ := s.Memory().(*conversation)
	var began []byte
	if c != nil {
		began = c.destination[:c.length]
	}
	out := plaintexts.Get().(*[]byte)
	defer plaintexts.Put(out)
	plain, ok := openInitial((*out)[:0], packet, h, began)
	if !ok {
		return decode.MatchMore // a later packet may do
	}
	if s.Direction == decode.ToClient && s.Guessed {
		return decode.No // the engine turns the session round
	}
	return readCrypto(s, plain, h, c)
}
