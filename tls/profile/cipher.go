package profile

import (
	"fmt"

	"sluice/store/schema"
)

// Class is the strength of a cipher suite as the guide's tables have it (lines 14103 to 14142).
type Class uint8

// The classes.
const (
	Unclassified Class = iota // TLS 1.3
	Weak
	Medium
	Strong
)

// Exchange is how a suite authenticates the server and agrees on keys.
type Exchange uint8

// The ways to agree on keys.
const (
	AnyExchange Exchange = iota // TLS 1.3: the suite does not say
	ECDHEECDSA
	ECDHERSA
	StaticRSA
)

// Suite is a cipher suite.
type Suite struct {
	ID        uint16 // IANA number
	Statement string // as custom-ciphers spells it; "" where only other profiles have it
	Printed   string // as show commands print it, in OpenSSL's way
	Class     Class
	Exchange  Exchange
	Since     uint16 // TLS version that has it first
}

// TLS versions as they are on the wire.
const (
	tls10 uint16 = 0x301 + iota
	tls11
	tls12
	tls13
)

// suites are the cipher suites of the guide's tables 30 and 31, in their order.
var suites = []Suite{
	{0xc02c, "ecdhe-ecdsa-with-aes-256-gcm-sha384", "ECDHE-ECDSA-AES256-GCM-SHA384", Strong, ECDHEECDSA, tls12},
	{0xc02b, "ecdhe-ecdsa-with-aes-128-gcm-sha256", "ECDHE-ECDSA-AES128-GCM-SHA256", Strong, ECDHEECDSA, tls12},
	{0xc024, "ecdhe-ecdsa-with-aes-256-cbc-sha384", "ECDHE-ECDSA-AES256-SHA384", Strong, ECDHEECDSA, tls12},
	{0xc023, "ecdhe-ecdsa-with-aes-128-cbc-sha256", "ECDHE-ECDSA-AES128-SHA256", Strong, ECDHEECDSA, tls12},
	{0xc00a, "ecdhe-ecdsa-with-aes-256-cbc-sha", "ECDHE-ECDSA-AES256-SHA", Strong, ECDHEECDSA, tls10},
	{0xc009, "ecdhe-ecdsa-with-aes-128-cbc-sha", "ECDHE-ECDSA-AES128-SHA", Strong, ECDHEECDSA, tls10},
	{0xc030, "ecdhe-rsa-with-aes-256-gcm-sha384", "ECDHE-RSA-AES256-GCM-SHA384", Strong, ECDHERSA, tls12},
	{0xc028, "ecdhe-rsa-with-aes-256-cbc-sha384", "ECDHE-RSA-AES256-SHA384", Strong, ECDHERSA, tls12},
	{0xc014, "ecdhe-rsa-with-aes-256-cbc-sha", "ECDHE-RSA-AES256-SHA", Strong, ECDHERSA, tls10},
	{0xc02f, "ecdhe-rsa-with-aes-128-gcm-sha256", "ECDHE-RSA-AES128-GCM-SHA256", Strong, ECDHERSA, tls12},
	{0xc027, "ecdhe-rsa-with-aes-128-cbc-sha256", "ECDHE-RSA-AES128-SHA256", Strong, ECDHERSA, tls12},
	{0xc013, "ecdhe-rsa-with-aes-128-cbc-sha", "ECDHE-RSA-AES128-SHA", Strong, ECDHERSA, tls10},
	{0x009d, "rsa-with-aes-256-gcm-sha384", "AES256-GCM-SHA384", Strong, StaticRSA, tls12},
	{0x003d, "rsa-with-aes-256-cbc-sha256", "AES256-SHA256", Strong, StaticRSA, tls12},
	{0x009c, "rsa-with-aes-128-gcm-sha256", "AES128-GCM-SHA256", Strong, StaticRSA, tls12},
	{0x003c, "rsa-with-aes-128-cbc-sha256", "AES128-SHA256", Medium, StaticRSA, tls12},
	{0x002f, "rsa-with-aes-128-cbc-sha", "AES128-SHA", Weak, StaticRSA, tls10},
	{0x0035, "rsa-with-aes-256-cbc-sha", "AES256-SHA", Weak, StaticRSA, tls10},

	{0x1302, "tls13-with-aes-256-gcm-sha384", "TLS_AES_256_GCM_SHA384", Unclassified, AnyExchange, tls13},
	{0x1301, "tls13-with-aes-128-gcm-sha256", "TLS_AES_128_GCM_SHA256", Unclassified, AnyExchange, tls13},
	{0x1303, "tls13-with-chacha20-poly1305-sha256", "TLS_CHACHA20_POLY1305_SHA256", Unclassified, AnyExchange, tls13},
	{0x1304, "tls13-with-aes-128-ccm-sha256", "TLS_AES_128_CCM_SHA256", Unclassified, AnyExchange, tls13},
	{0x1305, "tls13-with-aes-128-ccm8-sha256", "TLS_AES_128_CCM_8_SHA256", Unclassified, AnyExchange, tls13},

	{0xcca9, "", "ECDHE-ECDSA-CHACHA20-POLY1305", Unclassified, ECDHEECDSA, tls12},
}

// plainNames are the suites that initiation and termination profiles know by names of their own
// (guide, lines 14293 to 14315).
var plainNames = map[schema.PlainCipherName]uint16{
	"tls12-ecdhe-ecdsa-aes-256-gcm-sha384":       0xc02c,
	"tls12-ecdhe-ecdsa-aes-256-cbc-sha":          0xc00a,
	"tls12-ecdhe-ecdsa-aes-256-cbc-sha384":       0xc024,
	"tls12-ecdhe-ecdsa-aes-128-gcm-sha256":       0xc02b,
	"tls12-ecdhe-ecdsa-aes-128-cbc-sha":          0xc009,
	"tls12-ecdhe-ecdsa-aes-128-cbc-sha256":       0xc023,
	"tls12-ecdhe-ecdsa-chacha20-poly1305-sha256": 0xcca9,
}

// byID finds a suite by its number.
var byID = func() map[uint16]*Suite {
	index := make(map[uint16]*Suite, len(suites))
	for i := range suites {
		index[suites[i].ID] = &suites[i]
	}
	return index
}()

// byStatement finds a suite by its statement.
var byStatement = func() map[string]*Suite {
	index := make(map[string]*Suite, len(suites))
	for i := range suites {
		if suites[i].Statement != "" {
			index[suites[i].Statement] = &suites[i]
		}
	}
	return index
}()

// SuiteOf is the suite with a number, or nil when no profile has it.
func SuiteOf(id uint16) *Suite { return byID[id] }

// SuiteName is a suite as show commands print it: ECDHE-RSA-AES256-GCM-SHA384.
func SuiteName(id uint16) string {
	if s := byID[id]; s != nil {
		return s.Printed
	}
	return fmt.Sprintf("0x%04x", id)
}

// VersionName is a TLS version as show commands print it: 1.2.
func VersionName(version uint16) string {
	if version >= tls10 && version <= tls13 {
		return fmt.Sprintf("1.%d", version-tls10)
	}
	return fmt.Sprintf("0x%x", version)
}

// classOf is the least class that preferred-ciphers asks for, a minimum: strong is a part of
// medium, and that of weak.
var classOf = map[string]Class{"strong": Strong, "medium": Medium, "weak": Weak}

// suitesOfClass are the suites of the tables that are at least as strong as class, TLS 1.3 among
// them whatever the class.
func suitesOfClass(class Class) []*Suite {
	var list []*Suite
	for i := range suites {
		s := &suites[i]
		if s.Statement != "" && (s.Since == tls13 || s.Class >= class) {
			list = append(list, s)
		}
	}
	return list
}
