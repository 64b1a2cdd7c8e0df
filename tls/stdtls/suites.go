package tls

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha512"
	"hash"
	"slices"
)

// Cipher suites that crypto/tls does not implement. They are negotiated only when they are listed.
const (
	TLS_RSA_WITH_AES_256_CBC_SHA256         uint16 = 0x003d
	TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 uint16 = 0xc024
	TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384   uint16 = 0xc028
	TLS_AES_128_CCM_SHA256                  uint16 = 0x1304
	TLS_AES_128_CCM_8_SHA256                uint16 = 0x1305
)

// cipherSuites13 returns the TLS 1.3 suites that the configuration enables, in order of preference:
// those of crypto/tls in its order, then AES-CCM.
func (c *Config) cipherSuites13(aesGCMPreferred bool) []uint16 {
	preference := defaultCipherSuitesTLS13
	if !aesGCMPreferred {
		preference = defaultCipherSuitesTLS13NoAES
	}
	if c.CipherSuites13 == nil {
		return preference
	}
	all := slices.Concat(preference, []uint16{TLS_AES_128_CCM_SHA256, TLS_AES_128_CCM_8_SHA256})
	return slices.DeleteFunc(all, func(id uint16) bool { return !slices.Contains(c.CipherSuites13, id) })
}

// macSHA384 returns a SHA-384 based MAC, like macSHA256 without a countermeasure against Lucky13.
func macSHA384(key []byte) hash.Hash { return hmac.New(sha512.New384, key) }

func aeadAESCCM(key, nonceMask []byte) aead  { return newAEADCCM(key, nonceMask, 16) }
func aeadAESCCM8(key, nonceMask []byte) aead { return newAEADCCM(key, nonceMask, 8) }

func newAEADCCM(key, nonceMask []byte, tagSize int) aead {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // the key's length is the suite's
	}
	ret := &xorNonceAEAD{aead: newCCM(block, aeadNonceLength, tagSize)}
	copy(ret.nonceMask[:], nonceMask)
	return ret
}

// CipherBits is the strength of the negotiated cipher, in bits: 128 or 256, 168 for 3DES. It is 0
// before a suite is negotiated.
func (s ConnectionState) CipherBits() int {
	if suite := cipherSuiteTLS13ByID(s.CipherSuite); suite != nil {
		return suite.keyLen * 8
	}
	switch suite := cipherSuiteByID(s.CipherSuite); {
	case suite == nil:
		return 0
	case tdesCiphers[suite.id]:
		return 168 // of each byte of the key one bit is parity
	default:
		return suite.keyLen * 8
	}
}
