package tls

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ccm is the mode of RFC 3610, counter with CBC-MAC, over a cipher with blocks of 16 bytes.
type ccm struct {
	block              cipher.Block
	nonceSize, tagSize int
}

const ccmBlockSize = 16

var _ cipher.AEAD = (*ccm)(nil)

// newCCM returns the mode with nonces of 7 to 13 bytes and tags of 4, 6, … 16 bytes.
func newCCM(block cipher.Block, nonceSize, tagSize int) *ccm {
	return &ccm{block, nonceSize, tagSize}
}

func (c *ccm) NonceSize() int { return c.nonceSize }
func (c *ccm) Overhead() int  { return c.tagSize }

func (c *ccm) Seal(dst, nonce, plaintext, additional []byte) []byte {
	out, tail := sliceForAppend(dst, len(plaintext)+c.tagSize)
	tag := c.tag(nonce, plaintext, additional)
	c.crypt(tail[:len(plaintext)], plaintext, nonce, &tag)
	copy(tail[len(plaintext):], tag[:c.tagSize])
	return out
}

var errCCMOpen = errors.New("tls: message authentication failed")

func (c *ccm) Open(dst, nonce, ciphertext, additional []byte) ([]byte, error) {
	if len(ciphertext) < c.tagSize {
		return nil, errCCMOpen
	}
	length := len(ciphertext) - c.tagSize
	var received [ccmBlockSize]byte
	copy(received[:], ciphertext[length:])
	out, plaintext := sliceForAppend(dst, length)
	// What was received is decrypted to the tag that was sent.
	c.crypt(plaintext, ciphertext[:length], nonce, &received)
	tag := c.tag(nonce, plaintext, additional)
	if subtle.ConstantTimeCompare(tag[:c.tagSize], received[:c.tagSize]) != 1 {
		clear(plaintext)
		return nil, errCCMOpen
	}
	return out, nil
}

// crypt applies the key stream: its first block to the tag, the others to the text (RFC 3610
// section 2.3).
func (c *ccm) crypt(dst, src, nonce []byte, tag *[ccmBlockSize]byte) {
	var counter [ccmBlockSize]byte
	counter[0] = byte(14 - c.nonceSize)
	copy(counter[1:], nonce[:c.nonceSize])
	stream := cipher.NewCTR(c.block, counter[:])
	stream.XORKeyStream(tag[:], tag[:])
	stream.XORKeyStream(dst, src)
}

// tag is the CBC-MAC of a message (RFC 3610 section 2.2).
func (c *ccm) tag(nonce, plaintext, additional []byte) (mac [ccmBlockSize]byte) {
	binary.BigEndian.PutUint64(mac[8:], uint64(len(plaintext))) // the nonce overwrites what is not the length's
	mac[0] = byte((c.tagSize-2)/2)<<3 | byte(14-c.nonceSize)
	copy(mac[1:], nonce[:c.nonceSize])
	if len(additional) > 0 {
		mac[0] |= 1 << 6
	}
	c.block.Encrypt(mac[:], mac[:])
	if len(additional) > 0 {
		// TLS has 5 bytes of additional data; lengths from 0xff00 would be encoded in another way.
		var first [ccmBlockSize]byte
		binary.BigEndian.PutUint16(first[:], uint16(len(additional)))
		n := copy(first[2:], additional)
		c.absorb(&mac, first[:])
		c.absorb(&mac, additional[n:])
	}
	c.absorb(&mac, plaintext)
	return mac
}

// absorb takes text, padded with zeros, into the MAC.
func (c *ccm) absorb(mac *[ccmBlockSize]byte, text []byte) {
	for len(text) > 0 {
		n := subtle.XORBytes(mac[:], mac[:], text[:min(len(text), ccmBlockSize)])
		text = text[n:]
		c.block.Encrypt(mac[:], mac[:])
	}
}
