package forge

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	// maxNames is how many names a forged certificate has; a certificate with more of them than clients
	// take is forged for the name that was asked for alone.
	maxNames = 2000
	// maxSubject is how many bytes of subject are copied.
	maxSubject = 4096
)

var (
	oidSubjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
	errMalformedKey      = errors.New("malformed public key")
	serialLimit          = new(big.Int).Lsh(big.NewInt(1), 126)
	serverAuthentication = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
)

// likeness is what a forged certificate says, but for its key and issuer: the server's subject, names,
// validity and extended key usage. What tells where to ask about the server's own certificate (AIA, CRL
// distribution points, SCTs, TLS features, policies) is not true of the new one and is left out.
func likeness(server *x509.Certificate, kind Kind, k KeyType, name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, serialLimit)
	if err != nil {
		return nil, fmt.Errorf("cannot make a serial number: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber:          serial.SetBit(serial, 126, 1), // never short, never negative
		RawSubject:            subject(server),
		NotBefore:             server.NotBefore,
		NotAfter:              server.NotAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           server.ExtKeyUsage,
		UnknownExtKeyUsage:    server.UnknownExtKeyUsage,
		BasicConstraintsValid: true,
	}
	if k == RSA {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if len(t.ExtKeyUsage)+len(t.UnknownExtKeyUsage) == 0 {
		t.ExtKeyUsage = serverAuthentication
	}
	raw := extension(server, oidSubjectAltName)
	if raw != nil && len(server.DNSNames)+len(server.IPAddresses) <= maxNames && wellFormed(server.DNSNames) {
		t.ExtraExtensions = []pkix.Extension{{Id: oidSubjectAltName, Value: raw, Critical: isEmpty(t.RawSubject)}}
		return t, nil
	}
	t.DNSNames, t.IPAddresses = names(server, kind, name)
	return t, nil
}

// names are those of a certificate whose alternative names cannot be copied as they are.
func names(server *x509.Certificate, kind Kind, name string) ([]string, []net.IP) {
	if len(server.DNSNames)+len(server.IPAddresses) > maxNames {
		if name != "" && server.VerifyHostname(name) == nil {
			return one(name)
		}
		return server.DNSNames[:min(len(server.DNSNames), maxNames)], nil
	}
	var dns []string
	for _, n := range server.DNSNames {
		if isHost(n) {
			dns = append(dns, n)
		}
	}
	// A common name is not what a server is known by. Only a certificate that clients refuse in any case
	// gets it as an alternative name, so that it is a well-formed one.
	if len(dns)+len(server.IPAddresses) == 0 && kind != Trusted {
		return one(server.Subject.CommonName)
	}
	return dns, server.IPAddresses
}

// one is a host name or an address as the only name of a certificate; what is neither is none.
func one(name string) ([]string, []net.IP) {
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return nil, []net.IP{addr.Unmap().AsSlice()}
	}
	if name = strings.TrimSuffix(name, "."); isHost(name) {
		return []string{name}, nil
	}
	return nil, nil
}

func wellFormed(list []string) bool {
	for _, n := range list {
		if !isHost(n) {
			return false
		}
	}
	return true
}

// isHost says whether a name can stand as a dNSName: labels of letters, digits, hyphens and underscores,
// the first of which may be a wildcard.
func isHost(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	rest, _ := strings.CutPrefix(name, "*.")
	for label := range strings.SplitSeq(rest, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return true
}

// subject is the server's subject in DER, or an empty one where it has what programs read differently.
func subject(server *x509.Certificate) []byte {
	for _, attribute := range server.Subject.Names {
		text, is := attribute.Value.(string)
		if is && strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return emptyName
		}
	}
	if len(server.RawSubject) > maxSubject {
		return emptyName
	}
	return server.RawSubject
}

var emptyName = []byte{0x30, 0}

func isEmpty(name []byte) bool { return len(name) <= len(emptyName) }

// extension is the value of an extension; nil: the certificate has none.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}

// publicKeyBits are the bits of a key in a SubjectPublicKeyInfo.
func publicKeyBits(der cryptobyte.String) ([]byte, error) {
	var info, algorithm cryptobyte.String
	var bits asn1.BitString
	if !der.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !info.ReadASN1BitString(&bits) {
		return nil, errMalformedKey
	}
	return bits.RightAlign(), nil
}
