package tls13

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"testing"
)

// The key schedule's own HKDF gives what crypto/hkdf gives.
func TestHKDF(t *testing.T) {
	for _, h := range []func() hash.Hash{sha256.New, sha512.New384, sha512.New} {
		for keyLen := 0; keyLen < 300; keyLen += 7 {
			key, context := bytes.Repeat([]byte{3, 1, 4, byte(keyLen)}, 75)[:keyLen], bytes.Repeat([]byte{9, 2}, 127)[:keyLen%255]
			for _, length := range []int{0, 1, 12, 16, 32, 48, 64, 65, 300} {
				label := binary.BigEndian.AppendUint16(nil, uint16(length))
				label = append(append(label, byte(len("tls13 a label"))), "tls13 a label"...)
				label = append(append(label, byte(len(context))), context...)
				want, err := hkdf.Expand(h, key, string(label), length)
				if err != nil {
					t.Fatal(err)
				}
				if got := ExpandLabel(h, key, "a label", context, length); !bytes.Equal(got, want) {
					t.Fatalf("expansion of a key of %d bytes to %d: %x, want %x", keyLen, length, got, want)
				}
			}
			for _, secret := range [][]byte{nil, key} {
				in := secret
				if in == nil {
					in = make([]byte, h().Size())
				}
				want, err := hkdf.Extract(h, in, key)
				if err != nil {
					t.Fatal(err)
				}
				if got := extract(h, secret, key); !bytes.Equal(got, want) {
					t.Fatalf("extraction with a salt of %d bytes: %x, want %x", keyLen, got, want)
				}
			}
		}
	}
}

// What is worked with holds no secrets afterwards, and is not allocated for each call.
func TestHKDFAllocations(t *testing.T) {
	key := bytes.Repeat([]byte{7}, 32)
	if n := testing.AllocsPerRun(100, func() { ExpandLabel(sha256.New, key, "key", nil, 16) }); n > 3 {
		t.Errorf("an expansion allocates %v times", n)
	}
	w := begin(sha256.New())
	w.mac(nil, key, key)
	w.end()
	if w.pad != [maxBlock]byte{} || w.sum != [maxSum]byte{} {
		t.Error("secrets stay behind")
	}
}
