package revoke

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Extensions of lists (RFC 5280, 5.2).
var (
	oidIssuerAltName  = asn1.ObjectIdentifier{2, 5, 29, 18}
	oidCRLNumber      = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidDeltaIndicator = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingPoint   = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// Extensions of entries (RFC 5280, 5.3), as they are encoded: 2.5.29.21 and following.
const (
	reasonCode        = "\x55\x1d\x15"
	holdInstruction   = "\x55\x1d\x17"
	invalidityDate    = "\x55\x1d\x18"
	certificateIssuer = "\x55\x1d\x1d"
)

// Lists that cannot be used.
var (
	errMalformedList = errors.New("malformed CRL")
	errIndirect      = errors.New("indirect CRL, which lists certificates of other issuers; not supported")
	errDelta         = errors.New("delta CRL, which lists changes only; not supported")
	errSomeReasons   = errors.New("CRL for some reasons only; not supported")
	errAttributes    = errors.New("CRL of attribute certificates")
)

// maxClockSkew is how far the clocks of authorities may be ahead.
const maxClockSkew = 5 * time.Minute

// reasonHold is certificateHold of RFC 5280, 5.3.1.
const reasonHold = 6

// maxSerial is how many bytes a serial number may have (RFC 5280, 4.1.2.2).
const maxSerial = 20

// list is a CRL, its entries reduced to what a look-up needs.
type list struct {
	// header is the CRL without its entries.
	header *x509.RevocationList
	scope  scope
	// entries are sorted by serial number; those of serial numbers that are longer than they may be are
	// apart, with their reasons.
	entries []entry
	long    map[string]uint8
	size    int64 // in bytes of DER
}

// entry is a withdrawn certificate.
type entry struct {
	serial [maxSerial]byte // from the left
	length uint8
	reason uint8
}

// scope is which certificates a list is about (issuingDistributionPoint, RFC 5280, 5.2.5).
type scope struct {
	points    []string // URLs; none: all certificates
	users     bool
	cas       bool
	otherName bool // names its point in a way that cannot be compared
}

// parseList reads a CRL in DER or PEM. It does not check its signature.
func parseList(data []byte) (*list, error) {
	if block, _ := pem.Decode(data); block != nil && block.Type == "X509 CRL" {
		data = block.Bytes
	}
	parts, err := split(data)
	if err != nil {
		return nil, err
	}
	header, err := x509.ParseRevocationList(parts.header)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMalformedList, err)
	}
	header.RawTBSRevocationList, header.Raw = parts.tbs, nil
	l := &list{header: header, size: int64(len(data))}
	if err := l.readExtensions(); err != nil {
		return nil, err
	}
	return l, l.readEntries(parts.entries)
}

// parts are the pieces of a CRL.
type parts struct {
	tbs     []byte            // what is signed
	header  []byte            // the CRL without its entries, and of version 2
	entries cryptobyte.String // the entries, one after the other
}

// split takes the entries out of a CRL, of which there may be millions; the standard library would make
// a tree of them.
func split(data []byte) (parts, error) {
	var p parts
	input := cryptobyte.String(data)
	var outer, tbsElement, tbs cryptobyte.String
	if !input.ReadASN1(&outer, cbasn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Element(&tbsElement, cbasn1.SEQUENCE) {
		return p, errMalformedList
	}
	p.tbs = tbsElement
	if !tbsElement.ReadASN1(&tbs, cbasn1.SEQUENCE) {
		return p, errMalformedList
	}
	version := int64(0) // version 1 has none, and no extensions
	if tbs.PeekASN1Tag(cbasn1.INTEGER) && (!tbs.ReadASN1Integer(&version) || version != 1) {
		return p, fmt.Errorf("%w: not of version 1 or 2", errMalformedList)
	}
	rest := tbs
	var skipped cryptobyte.String
	var tag cbasn1.Tag
	for range 2 { // signature algorithm, issuer
		if !rest.ReadASN1(&skipped, cbasn1.SEQUENCE) {
			return p, errMalformedList
		}
	}
	if !rest.ReadAnyASN1(&skipped, &tag) { // this update
		return p, errMalformedList
	}
	if rest.PeekASN1Tag(cbasn1.UTCTime) || rest.PeekASN1Tag(cbasn1.GeneralizedTime) {
		rest.ReadAnyASN1(&skipped, &tag)
	}
	before := tbs[:len(tbs)-len(rest)]
	if rest.PeekASN1Tag(cbasn1.SEQUENCE) && !rest.ReadASN1(&p.entries, cbasn1.SEQUENCE) {
		return p, errMalformedList
	}
	if version == 0 && !rest.Empty() {
		return p, fmt.Errorf("%w: extensions in version 1", errMalformedList)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(1)
			b.AddBytes(before)
			b.AddBytes(rest)
		})
		b.AddBytes(outer)
	})
	var err error
	p.header, err = b.Bytes()
	return p, err
}

// readExtensions refuses lists that do not say of all certificates of their issuer and scope whether they
// are withdrawn.
func (l *list) readExtensions() error {
	for _, e := range l.header.Extensions {
		switch {
		case e.Id.Equal(oidDeltaIndicator):
			return errDelta
		case e.Id.Equal(oidIssuingPoint):
			if err := l.readScope(e.Value); err != nil {
				return err
			}
		case e.Id.Equal(oidCRLNumber), e.Id.Equal(oidAuthorityKeyID), e.Id.Equal(oidIssuerAltName):
		case e.Critical:
			return fmt.Errorf("CRL with the critical extension %v, which is not known", e.Id)
		}
	}
	return nil
}

// readScope reads an issuingDistributionPoint.
func (l *list) readScope(value cryptobyte.String) error {
	var point, names cryptobyte.String
	var hasPoint, hasNames, someReasons, indirect, attributes bool
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific() }
	var idp, reasons cryptobyte.String
	ok := value.ReadASN1(&idp, cbasn1.SEQUENCE) && value.Empty() &&
		idp.ReadOptionalASN1(&point, &hasPoint, tag(0).Constructed()) &&
		readFlag(&idp, &l.scope.users, tag(1)) &&
		readFlag(&idp, &l.scope.cas, tag(2)) &&
		idp.ReadOptionalASN1(&reasons, &someReasons, tag(3)) &&
		readFlag(&idp, &indirect, tag(4)) &&
		readFlag(&idp, &attributes, tag(5)) && idp.Empty()
	switch {
	case !ok:
		return fmt.Errorf("%w: issuing distribution point", errMalformedList)
	case indirect:
		return errIndirect
	case someReasons:
		return errSomeReasons
	case attributes:
		return errAttributes
	}
	if !hasPoint {
		return nil
	}
	if !point.ReadOptionalASN1(&names, &hasNames, tag(0).Constructed()) {
		return fmt.Errorf("%w: issuing distribution point", errMalformedList)
	}
	for !names.Empty() {
		var name cryptobyte.String
		var kind cbasn1.Tag
		if !names.ReadAnyASN1(&name, &kind) {
			return fmt.Errorf("%w: issuing distribution point", errMalformedList)
		}
		if kind == tag(6) {
			l.scope.points = append(l.scope.points, string(name))
		}
	}
	l.scope.otherName = len(l.scope.points) == 0
	return nil
}

// readFlag reads a BOOLEAN DEFAULT FALSE with an implicit tag.
func readFlag(s *cryptobyte.String, to *bool, tag cbasn1.Tag) bool {
	var value cryptobyte.String
	var is bool
	if !s.ReadOptionalASN1(&value, &is, tag) || is && len(value) != 1 {
		return false
	}
	*to = is && value[0] != 0
	return true
}

// readEntries reads what is withdrawn.
func (l *list) readEntries(all cryptobyte.String) error {
	l.entries = make([]entry, 0, len(all)/36)
	for !all.Empty() {
		var one, serial, when, extensions cryptobyte.String
		var tag cbasn1.Tag
		if !all.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&serial, cbasn1.INTEGER) || !one.ReadAnyASN1(&when, &tag) {
			return fmt.Errorf("%w: entry %d", errMalformedList, len(l.entries)+1)
		}
		var e entry
		var has bool
		if !one.ReadOptionalASN1(&extensions, &has, cbasn1.SEQUENCE) {
			return fmt.Errorf("%w: entry %d", errMalformedList, len(l.entries)+1)
		}
		if err := e.readExtensions(extensions); err != nil {
			return fmt.Errorf("%w: entry %d", err, len(l.entries)+1)
		}
		l.add(serial, e)
	}
	// What is on hold and withdrawn for good is found as the latter.
	slices.SortFunc(l.entries, func(a, b entry) int { return cmp.Or(compareEntries(a, b), holds(a)-holds(b)) })
	return nil
}

func holds(e entry) int {
	if e.reason == reasonHold {
		return 1
	}
	return 0
}

// add enters a serial number as a list has it. No certificate has a negative one.
func (l *list) add(serial []byte, e entry) {
	if len(serial) == 0 || serial[0]&0x80 != 0 {
		return
	}
	serial = bytes.TrimLeft(serial, "\x00")
	if len(serial) > maxSerial {
		if l.long == nil {
			l.long = map[string]uint8{}
		}
		l.long[string(serial)] = e.reason
		return
	}
	e.length = uint8(copy(e.serial[:], serial))
	l.entries = append(l.entries, e)
}

// readExtensions reads the reason. Extensions that say the entry is about another issuer's certificate,
// and critical ones that are not known, make the list unfit (RFC 5280, 5.3).
func (e *entry) readExtensions(all cryptobyte.String) error {
	for !all.Empty() {
		var one, id, value cryptobyte.String
		critical := false
		if !all.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) || !one.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return errMalformedList
		}
		switch string(id) {
		case reasonCode:
			var reason cryptobyte.String
			if !value.ReadASN1(&reason, cbasn1.ENUM) || len(reason) != 1 || reason[0] > 10 {
				return errMalformedList
			}
			e.reason = reason[0]
		case certificateIssuer:
			return errIndirect
		case invalidityDate, holdInstruction:
		default:
			if critical {
				return errors.New("CRL with a critical entry extension that is not known")
			}
		}
	}
	return nil
}

func compareEntries(a, b entry) int {
	if a.length != b.length {
		return int(a.length) - int(b.length)
	}
	return bytes.Compare(a.serial[:], b.serial[:])
}

// find says whether a serial number is in the list, and why.
func (l *list) find(serial *big.Int) (reason int, found bool) {
	raw := serial.Bytes()
	if len(raw) > maxSerial {
		r, found := l.long[string(raw)]
		return int(r), found
	}
	var e entry
	e.length = uint8(copy(e.serial[:], raw))
	i, found := slices.BinarySearchFunc(l.entries, e, compareEntries)
	if !found {
		return 0, false
	}
	return int(l.entries[i].reason), true
}

// count is how many certificates the list withdraws.
func (l *list) count() int { return len(l.entries) + len(l.long) }

// covers says whether a list is about a certificate of its issuer: nil, or why not.
func (l *list) covers(c *x509.Certificate) error {
	ca := c.BasicConstraintsValid && c.IsCA
	switch {
	case l.scope.users && ca:
		return errors.New("the CRL is not about authorities")
	case l.scope.cas && !ca:
		return errors.New("the CRL is about authorities only")
	case l.scope.otherName:
		return errors.New("the CRL names its distribution point in a way that is not supported")
	case len(l.scope.points) == 0:
		return nil
	}
	for _, p := range l.scope.points {
		if slices.Contains(c.CRLDistributionPoints, p) {
			return nil
		}
	}
	return fmt.Errorf("the CRL is that of another distribution point, %q", l.scope.points[0])
}

// verify checks that a list is an issuer's, and of the present or past.
func (l *list) verify(issuer *x509.Certificate, now time.Time) error {
	if !bytes.Equal(l.header.RawIssuer, issuer.RawSubject) {
		return fmt.Errorf("the CRL is of %q, not of %q", l.header.Issuer, issuer.Subject)
	}
	if err := l.header.CheckSignatureFrom(issuer); err != nil {
		return fmt.Errorf("the CRL is not signed by %q: %w", issuer.Subject, err)
	}
	if l.header.ThisUpdate.After(now.Add(maxClockSkew)) {
		return fmt.Errorf("the CRL is of the future, %s", l.header.ThisUpdate.UTC().Format(time.RFC3339))
	}
	return nil
}
