package schema

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// CipherName is a cipher suite of an SSL proxy profile as statements spell it.
type CipherName string

// PlainCipherName is a cipher suite of an SSL initiation or termination profile. Beside the names
// of SSL proxy profiles those profiles have names of their own for suites with ECDSA.
type PlainCipherName string

// cipherNames are the suites of SSL proxy profiles, strongest first.
var cipherNames = []string{
	"ecdhe-ecdsa-with-aes-256-gcm-sha384", "ecdhe-ecdsa-with-aes-128-gcm-sha256",
	"ecdhe-ecdsa-with-aes-256-cbc-sha384", "ecdhe-ecdsa-with-aes-128-cbc-sha256",
	"ecdhe-ecdsa-with-aes-256-cbc-sha", "ecdhe-ecdsa-with-aes-128-cbc-sha",
	"ecdhe-rsa-with-aes-256-gcm-sha384", "ecdhe-rsa-with-aes-256-cbc-sha384", "ecdhe-rsa-with-aes-256-cbc-sha",
	"ecdhe-rsa-with-aes-128-gcm-sha256", "ecdhe-rsa-with-aes-128-cbc-sha256", "ecdhe-rsa-with-aes-128-cbc-sha",
	"rsa-with-aes-256-gcm-sha384", "rsa-with-aes-256-cbc-sha256", "rsa-with-aes-128-gcm-sha256",
	"rsa-with-aes-128-cbc-sha256", "rsa-with-aes-128-cbc-sha", "rsa-with-aes-256-cbc-sha",
	"tls13-with-aes-256-gcm-sha384", "tls13-with-aes-128-gcm-sha256", "tls13-with-chacha20-poly1305-sha256",
	"tls13-with-aes-128-ccm-sha256", "tls13-with-aes-128-ccm8-sha256",
}

// plainCipherNames are the suites that only initiation and termination profiles spell this way.
var plainCipherNames = []string{
	"tls12-ecdhe-ecdsa-aes-256-gcm-sha384", "tls12-ecdhe-ecdsa-aes-256-cbc-sha", "tls12-ecdhe-ecdsa-aes-256-cbc-sha384",
	"tls12-ecdhe-ecdsa-aes-128-gcm-sha256", "tls12-ecdhe-ecdsa-aes-128-cbc-sha", "tls12-ecdhe-ecdsa-aes-128-cbc-sha256",
	"tls12-ecdhe-ecdsa-chacha20-poly1305-sha256",
}

// withdrawnCiphers are suites that profiles once had.
var withdrawnCiphers = []string{
	"ecdhe-ecdsa-with-3des-ede-cbc-sha", "ecdhe-rsa-with-3des-ede-cbc-sha", "ecdhe-rsa-with-des-cbc3-sha",
	"rsa-with-rc4-128-md5", "rsa-with-rc4-128-sha", "rsa-export-1024-with-rc4-56-md5", "rsa-export-1024-with-rc4-56-sha",
	"rsa-export1024-with-rc4-56-md5", "rsa-export1024-with-rc4-56-sha", "rsa-export-with-rc4-40-md5", "rsa-export-with-des40-cbc-sha",
	"rsa-export-1024-with-des-cbc-sha", "rsa-export1024-with-des-cbc-sha", "rsa-with-3des-ede-cbc-sha", "rsa-with-des-cbc-sha",
}

// Words lists the names that the type takes.
func (CipherName) Words() []string { return cipherNames }

// UnmarshalText reads one of the names.
func (c *CipherName) UnmarshalText(text []byte) error {
	name, err := cipherNamed(string(text), cipherNames)
	*c = CipherName(name)
	return err
}

// MarshalText writes the name.
func (c CipherName) MarshalText() ([]byte, error) { return []byte(c), nil }

// Words lists the names that the type takes.
func (PlainCipherName) Words() []string { return slices.Concat(plainCipherNames, cipherNames) }

// UnmarshalText reads one of the names; ecdhc is read as ecdhe.
func (c *PlainCipherName) UnmarshalText(text []byte) error {
	name, err := cipherNamed(strings.Replace(string(text), "ecdhc", "ecdhe", 1), c.Words())
	*c = PlainCipherName(name)
	return err
}

// MarshalText writes the name.
func (c PlainCipherName) MarshalText() ([]byte, error) { return []byte(c), nil }

// cipherNamed finds name among known, in capitals or not.
func cipherNamed(name string, known []string) (string, error) {
	lower := strings.ToLower(name)
	switch {
	case slices.Contains(known, lower):
		return lower, nil
	case slices.Contains(withdrawnCiphers, lower):
		return "", fmt.Errorf("cipher %s is not supported any more: it is not safe; type ? for those that are", name)
	}
	return "", fmt.Errorf("%q is not a cipher: %s", name, cmp.Or(DidYouMean(name, known), "type ? for those that there are"))
}

// FileSize is a size of a file in bytes, 10 KiB to 1 GiB.
type FileSize uint64

// Limits of a FileSize.
const (
	minFileSize = 10 << 10
	maxFileSize = 1 << 30
)

// fileUnits are the letters that a FileSize may end with, smallest first.
var fileUnits = []struct {
	letter string
	bytes  uint64
}{{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}}

// UnmarshalText reads bytes, or 10k, 5m or 1g.
func (s *FileSize) UnmarshalText(text []byte) error {
	digits, unit := strings.ToLower(string(text)), uint64(1)
	for _, u := range fileUnits {
		if rest, ok := strings.CutSuffix(digits, u.letter); ok {
			digits, unit = rest, u.bytes
		}
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n*unit < minFileSize || n*unit > maxFileSize {
		return fmt.Errorf("%q is not a size of a file (10k to 1g, such as 128k or 5m)", text)
	}
	*s = FileSize(n * unit)
	return nil
}

// MarshalText writes the size with the largest letter that fits.
func (s FileSize) MarshalText() ([]byte, error) {
	for _, u := range slices.Backward(fileUnits) {
		if n := uint64(s); n >= u.bytes && n%u.bytes == 0 {
			return []byte(strconv.FormatUint(n/u.bytes, 10) + u.letter), nil
		}
	}
	return strconv.AppendUint(nil, uint64(s), 10), nil
}

// MAC is an Ethernet address.
type MAC [6]byte

// UnmarshalText reads 00:50:56:a6:5f:1f, or the same with dashes.
func (m *MAC) UnmarshalText(text []byte) error {
	hw, err := net.ParseMAC(string(text))
	if err != nil || len(hw) != len(m) || MAC(hw) == (MAC{}) {
		return fmt.Errorf("%q is not an Ethernet address (such as 00:50:56:a6:5f:1f)", text)
	}
	*m = MAC(hw)
	return nil
}

// MarshalText writes it with colons.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// String is the address with colons.
func (m MAC) String() string { return net.HardwareAddr(m[:]).String() }
