package tls13

import (
	"hash"
	"sync"
)

// maxBlock and maxSum are the sizes of SHA-512, the largest hash, in bytes.
const (
	maxBlock = 128
	maxSum   = 64
)

// work is what HKDF (RFC 5869) works with. A handshake calls it some twenty times on either side, and
// what crypto/hkdf and crypto/hmac allocate for each call is more than a third of all that a handshake
// allocates.
type work struct {
	hash hash.Hash
	pad  [maxBlock]byte
	sum  [maxSum]byte
	info [2 + 1 + 255 + 1 + 255 + 1]byte // an HkdfLabel, and the counter behind it
}

var works = sync.Pool{New: func() any { return new(work) }}

// zeroes are the secret of RFC 8446 section 7.1 where there is none. It is never changed.
var zeroes [maxSum]byte

func begin(h hash.Hash) *work {
	w := works.Get().(*work)
	w.hash = h
	return w
}

// end gives the space back without the secrets in it.
func (w *work) end() {
	*w = work{}
	works.Put(w)
}

// mac appends to out the HMAC (RFC 2104) of the parts behind each other. out may be w.sum[:0].
func (w *work) mac(out, key []byte, parts ...[]byte) []byte {
	pad := w.pad[:w.hash.BlockSize()]
	clear(pad)
	if len(key) > len(pad) {
		w.hash.Reset()
		w.hash.Write(key)
		w.hash.Sum(pad[:0])
	} else {
		copy(pad, key)
	}
	for i := range pad {
		pad[i] ^= 0x36
	}
	w.hash.Reset()
	w.hash.Write(pad)
	for _, part := range parts {
		w.hash.Write(part)
	}
	inner := w.hash.Sum(w.sum[:0])
	for i := range pad {
		pad[i] ^= 0x36 ^ 0x5c
	}
	w.hash.Reset()
	w.hash.Write(pad)
	w.hash.Write(inner)
	return w.hash.Sum(out)
}

// expand is HKDF-Expand. Behind info there is room for a byte.
func (w *work) expand(key, info []byte, length int) []byte {
	out := make([]byte, 0, (length/w.hash.Size()+1)*w.hash.Size())
	info = append(info, 0)
	for last := []byte(nil); len(out) < length; {
		info[len(info)-1]++
		begin := len(out)
		out = w.mac(out, key, last, info)
		last = out[begin:]
	}
	return out[:length:length]
}
