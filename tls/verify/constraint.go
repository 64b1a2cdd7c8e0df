package verify

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"reflect"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidNameConstraints = asn1.ObjectIdentifier{2, 5, 29, 30}
	oidSubjectAltName  = asn1.ObjectIdentifier{2, 5, 29, 17}
	errConstraints     = errors.New("malformed name constraints")
)

// Kinds of names (RFC 5280, GeneralName).
var (
	mailName      = cbasn1.Tag(1).ContextSpecific()
	hostName      = cbasn1.Tag(2).ContextSpecific()
	directoryName = cbasn1.Tag(4).ContextSpecific().Constructed()
	uriName       = cbasn1.Tag(6).ContextSpecific()
	addressName   = cbasn1.Tag(7).ContextSpecific()
)

// subtrees are the distinguished names that an authority's certificate constrains those below it to. The
// library checks constraints of all other kinds, and refuses certificates that have these.
type subtrees struct {
	permitted, excluded []pkix.RDNSequence
}

// understood gives back a certificate so that the library takes it if all that it did not understand is
// constraints of distinguished names.
func understood(c *x509.Certificate) *x509.Certificate {
	if len(c.UnhandledCriticalExtensions) != 1 || !c.UnhandledCriticalExtensions[0].Equal(oidNameConstraints) {
		return c
	}
	if _, err := subtreesOf(c); err != nil {
		return c
	}
	relieved := *c
	relieved.UnhandledCriticalExtensions = nil
	return &relieved
}

// subtreesOf reads the constraints of distinguished names of a certificate. It fails when there are any of
// a kind that nobody checks.
func subtreesOf(c *x509.Certificate) (s subtrees, err error) {
	value := cryptobyte.String(extension(c, oidNameConstraints))
	if value == nil {
		return s, nil
	}
	var constraints, permitted, excluded cryptobyte.String
	var has bool
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	if !value.ReadASN1(&constraints, cbasn1.SEQUENCE) || !value.Empty() ||
		!constraints.ReadOptionalASN1(&permitted, &has, tag(0)) || !constraints.ReadOptionalASN1(&excluded, &has, tag(1)) {
		return s, errConstraints
	}
	if s.permitted, err = readSubtrees(permitted); err == nil {
		s.excluded, err = readSubtrees(excluded)
	}
	return s, err
}

func readSubtrees(all cryptobyte.String) (names []pkix.RDNSequence, err error) {
	for !all.Empty() {
		var subtree, base cryptobyte.String
		var kind cbasn1.Tag
		if !all.ReadASN1(&subtree, cbasn1.SEQUENCE) || !subtree.ReadAnyASN1(&base, &kind) || !subtree.Empty() {
			return nil, errConstraints // a minimum or maximum as well, which RFC 5280 does not allow
		}
		switch kind {
		case directoryName:
			name, err := readName(base)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		case mailName, hostName, uriName, addressName:
		default:
			return nil, errors.New("name constraints of an unknown kind")
		}
	}
	return names, nil
}

func readName(der []byte) (name pkix.RDNSequence, err error) {
	rest, err := asn1.Unmarshal(der, &name)
	if err == nil && len(rest) > 0 {
		err = errConstraints
	}
	return name, err
}

// checkConstraints refuses certificates whose distinguished names their authorities may not vouch for
// (RFC 5280, 4.2.1.10).
func (r *Request) checkConstraints(chain []*x509.Certificate, _ ending) *Error {
	for i, authority := range chain {
		s, err := subtreesOf(authority)
		if err != nil {
			return fault(UnhandledCritical, authority, "%v", err)
		}
		if len(s.permitted)+len(s.excluded) == 0 {
			continue
		}
		for j, c := range chain[:i] {
			if j > 0 && bytes.Equal(c.RawSubject, c.RawIssuer) {
				continue // a new key of the same authority
			}
			if e := s.check(c, authority); e != nil {
				return e
			}
		}
	}
	return nil
}

func (s *subtrees) check(c, authority *x509.Certificate) *Error {
	names, err := directoryNames(c)
	if err != nil {
		return fault(UnsupportedNameSyntax, c, "%v", err)
	}
	for _, name := range names {
		for _, e := range s.excluded {
			if within(name, e) {
				return fault(ExcludedViolation, c, "%q excludes its name", authority.Subject)
			}
		}
		permitted := len(s.permitted) == 0
		for _, p := range s.permitted {
			permitted = permitted || within(name, p)
		}
		if !permitted {
			return fault(PermittedViolation, c, "%q does not permit its name", authority.Subject)
		}
	}
	return nil
}

// directoryNames are the subject of a certificate, unless it is empty, and the distinguished names among
// its alternative names.
func directoryNames(c *x509.Certificate) ([]pkix.RDNSequence, error) {
	var names []pkix.RDNSequence
	subject, err := readName(c.RawSubject)
	if err != nil {
		return nil, err
	}
	if len(subject) > 0 {
		names = append(names, subject)
	}
	value := cryptobyte.String(extension(c, oidSubjectAltName))
	var all cryptobyte.String
	if value != nil && !value.ReadASN1(&all, cbasn1.SEQUENCE) {
		return nil, errors.New("malformed alternative names")
	}
	for !all.Empty() {
		var one cryptobyte.String
		var kind cbasn1.Tag
		if !all.ReadAnyASN1(&one, &kind) {
			return nil, errors.New("malformed alternative names")
		}
		if kind == directoryName {
			name, err := readName(one)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// within says whether a name begins with another one. Case and the number of blanks do not matter (RFC
// 5280, 7.1).
func within(name, base pkix.RDNSequence) bool {
	if len(name) < len(base) {
		return false
	}
	for i, want := range base {
		if len(name[i]) != len(want) {
			return false
		}
		for j, attribute := range want {
			if !name[i][j].Type.Equal(attribute.Type) || !sameValue(name[i][j].Value, attribute.Value) {
				return false
			}
		}
	}
	return true
}

func sameValue(a, b any) bool {
	x, is := a.(string)
	y, are := b.(string)
	if is && are {
		return strings.EqualFold(strings.Join(strings.Fields(x), " "), strings.Join(strings.Fields(y), " "))
	}
	return reflect.DeepEqual(a, b)
}

// extension is the value of an extension; nil: the certificate has none.
func extension(c *x509.Certificate, id asn1.ObjectIdentifier) []byte {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Value
		}
	}
	return nil
}
