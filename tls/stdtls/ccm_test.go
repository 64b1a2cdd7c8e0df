package tls

import (
	"bytes"
	"crypto/aes"
	"crypto/rand"
	"encoding/hex"
	"testing"
)

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 3610 section 8 and of NIST SP 800-38C appendix C.
func TestCCMVectors(t *testing.T) {
	for name, v := range map[string]struct {
		tagSize                               int
		key, nonce, additional, plain, sealed string
	}{
		"RFC 3610 packet vector 1": {8, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", "00000003020100a0a1a2a3a4a5", "0001020304050607",
			"08090a0b0c0d0e0f101112131415161718191a1b1c1d1e", "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"},
		"SP 800-38C example 1": {4, "404142434445464748494a4b4c4d4e4f", "10111213141516", "0001020304050607", "20212223", "7162015b4dac255d"},
		"SP 800-38C example 2": {6, "404142434445464748494a4b4c4d4e4f", "1011121314151617", "000102030405060708090a0b0c0d0e0f",
			"202122232425262728292a2b2c2d2e2f", "d2a1f0e051ea5f62081a7792073d593d1fc64fbfaccd"},
		"SP 800-38C example 3": {8, "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b", "000102030405060708090a0b0c0d0e0f10111213",
			"202122232425262728292a2b2c2d2e2f3031323334353637", "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"},
	} {
		block, err := aes.NewCipher(fromHex(t, v.key))
		if err != nil {
			t.Fatal(err)
		}
		nonce, additional, plain, sealed := fromHex(t, v.nonce), fromHex(t, v.additional), fromHex(t, v.plain), fromHex(t, v.sealed)
		c := newCCM(block, len(nonce), v.tagSize)
		if got := c.Seal(nil, nonce, plain, additional); !bytes.Equal(got, sealed) {
			t.Errorf("%s: sealed %x, want %x", name, got, sealed)
		}
		if got, err := c.Open(nil, nonce, sealed, additional); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: opened %x, error %v", name, got, err)
		}
	}
}

// What was sealed opens in place, at every length around the blocks, and nothing that differs by a
// bit does.
func TestCCMInPlace(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for _, tagSize := range []int{8, 16} {
		c := newCCM(block, aeadNonceLength, tagSize)
		nonce, additional := make([]byte, aeadNonceLength), []byte("extra")
		for length := range 70 {
			plain := make([]byte, length)
			rand.Read(plain)
			record := append(make([]byte, 0, 200), "head"...)
			record = append(record, plain...)
			record = c.Seal(record[:4], nonce, record[4:], additional)
			if len(record) != 4+length+c.Overhead() {
				t.Fatalf("%d bytes became %d", length, len(record)-4)
			}
			for i := range record[4:] {
				changed := bytes.Clone(record)
				changed[4+i] ^= 1 << (i % 8)
				if _, err := c.Open(nil, nonce, changed[4:], additional); err == nil {
					t.Fatalf("length %d: a change at %d was not seen", length, i)
				}
			}
			if _, err := c.Open(nil, nonce, record[4:], []byte("extrA")); err == nil {
				t.Fatal("a change of the additional data was not seen")
			}
			got, err := c.Open(record[4:4], nonce, record[4:], additional)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("length %d: opened %x, error %v", length, got, err)
			}
		}
		if _, err := c.Open(nil, nonce, make([]byte, tagSize-1), nil); err == nil {
			t.Error("less than a tag was opened")
		}
	}
}
