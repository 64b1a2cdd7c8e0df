package profile

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Fingerprint stands for what cached sessions and certificates depend on.
type Fingerprint [sha256.Size]byte

// fingerprint hashes the parts, each with its length, so that they cannot be mixed up.
func fingerprint(parts ...[]byte) Fingerprint {
	h := sha256.New()
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write(p)
	}
	return Fingerprint(h.Sum(nil))
}

// appendIdentities adds the certificates with their chains.
func appendIdentities(parts [][]byte, identities []*Identity) [][]byte {
	for _, i := range identities {
		parts = append(parts, []byte(i.ID), i.Certificate.Raw)
		for _, c := range i.Chain {
			parts = append(parts, c.Raw)
		}
	}
	return append(parts, nil)
}

// appendTrust adds the trusted certificates, in an order of their own.
func (t *trust) append(parts [][]byte) [][]byte {
	sums := make([][]byte, 0, len(t.list))
	for _, c := range t.list {
		sum := sha256.Sum256(c.Raw)
		sums = append(sums, sum[:])
	}
	slices.SortFunc(sums, slices.Compare)
	return append(append(parts, sums...), nil)
}

// append adds what may be spoken.
func (p *Protocols) append(parts [][]byte) [][]byte {
	var b []byte
	for _, v := range slices.Concat([]uint16{p.MinVersion, p.MaxVersion}, p.CipherSuites, []uint16{0}, p.Suites13) {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return append(parts, b)
}

// flags packs what is true into a byte.
func flags(all ...bool) []byte {
	var b byte
	for i, f := range all {
		if f {
			b |= 1 << i
		}
	}
	return []byte{b}
}
