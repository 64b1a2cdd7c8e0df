package verify

import (
	"crypto/x509"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// checkNames refuses servers that are not who the client asked for. Only subject alternative names count
// (RFC 9525): host names by dNSName, addresses by iPAddress, and never the common name.
func (r *Request) checkNames(chain []*x509.Certificate, _ ending) *Error {
	leaf := chain[0]
	if e := checkSyntax(leaf); e != nil {
		return e
	}
	if r.Name == "" {
		return nil
	}
	if addr, err := netip.ParseAddr(strings.Trim(r.Name, "[]")); err == nil {
		for _, ip := range leaf.IPAddresses {
			if a, is := netip.AddrFromSlice(ip); is && a.Unmap() == addr.WithZone("").Unmap() {
				return nil
			}
		}
		return fault(IPAddressMismatch, leaf, "is not for the address %v", addr)
	}
	host := canonical(strings.TrimSuffix(r.Name, "."))
	if validHost(host) {
		for _, pattern := range leaf.DNSNames {
			if matches(pattern, host) {
				return nil
			}
		}
	}
	return fault(HostnameMismatch, leaf, "is not for the host %q", r.Name)
}

// checkSyntax refuses names that one program may read otherwise than another, such as those that seem
// to end at a NUL.
func checkSyntax(c *x509.Certificate) *Error {
	for _, name := range c.DNSNames {
		for i := range len(name) {
			if name[i] <= ' ' || name[i] >= 0x7f {
				return fault(UnsupportedNameSyntax, c, "has the name %q", name)
			}
		}
	}
	for _, attribute := range c.Subject.Names {
		if text, is := attribute.Value.(string); is && strings.ContainsRune(text, 0) {
			return fault(UnsupportedNameSyntax, c, "has a NUL in its subject")
		}
	}
	return nil
}

// matches says whether a dNSName is that of a host, whose name is canonical and valid. A wildcard stands
// for one label, is the whole leftmost one, and may not stand for all domains of a registry.
func matches(pattern, host string) bool {
	pattern = canonical(pattern)
	domain, wild := strings.CutPrefix(pattern, "*.")
	if !wild {
		return pattern == host
	}
	_, hostDomain, _ := strings.Cut(host, ".")
	if domain != hostDomain || !strings.Contains(domain, ".") {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(domain)
	return !icann || suffix != domain
}

// canonical is a host name in lower case.
func canonical(name string) string {
	for i := range len(name) {
		if 'A' <= name[i] && name[i] <= 'Z' {
			return strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r - 'A' + 'a'
				}
				return r
			}, name)
		}
	}
	return name
}

// validHost says whether a canonical name is one of a host: labels of letters, digits, hyphens and, as
// they are met in private networks, underscores; the last label not a number, which an address would be.
func validHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
		last = label
	}
	return strings.Trim(last, "0123456789") != "" && !strings.HasPrefix(last, "0x")
}
