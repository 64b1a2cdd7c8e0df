package dn

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits on what may be typed.
const (
	maxText  = 4096 // bytes of a name
	maxParts = 64   // attributes of a name
)

// Parse encodes a name that was typed as attributes with commas between them
// (DC=example.net,O=Example,OU=Lab,CN=proxy), in the order in which they stand. Several values that
// belong together have a plus between them (CN=a+UID=b). Blanks around a part do not count; a comma,
// plus or quote in a value stands after a backslash, or the value in quotes (RFC 4514, section 3).
func Parse(text string) ([]byte, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the name is %d bytes long; %d are the most", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("the name is not valid UTF-8")
	}
	var name pkix.RDNSequence
	rest, joined, count := text, false, 0
	for {
		word, after, found := strings.Cut(rest, "=")
		if !found {
			return nil, fmt.Errorf("%q is not an attribute: write NAME=VALUE (CN=proxy.example.com)", strings.TrimSpace(rest))
		}
		value, after, separator, err := cutValue(after)
		if err != nil {
			return nil, err
		}
		part, err := encode(strings.TrimSpace(word), value)
		if err != nil {
			return nil, err
		}
		if joined {
			last := len(name) - 1
			name[last] = append(name[last], part)
		} else {
			name = append(name, pkix.RelativeDistinguishedNameSET{part})
		}
		if count++; count > maxParts {
			return nil, fmt.Errorf("the name has more than %d attributes", maxParts)
		}
		if separator == 0 {
			return asn1.Marshal(name)
		}
		rest, joined = after, separator == '+'
	}
}

// cutValue takes the value at the start of text, to the next separator (a comma, a plus, or 0 at the
// end).
func cutValue(text string) (value, rest string, separator byte, err error) {
	text = strings.TrimLeft(text, " ")
	var b strings.Builder
	quoted := strings.HasPrefix(text, `"`)
	i, keep := 0, 0 // keep: length up to which blanks are part of the value
	if quoted {
		i = 1
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			plain, used, err := escaped(text[i+1:])
			if err != nil {
				return "", "", 0, err
			}
			b.WriteString(plain)
			keep = b.Len()
			i += used
		case quoted && c == '"':
			after := strings.TrimLeft(text[i+1:], " ")
			if after != "" && after[0] != ',' && after[0] != '+' {
				return "", "", 0, fmt.Errorf("after the quoted value %q there must be a comma", b.String())
			}
			if after == "" {
				return b.String(), "", 0, nil
			}
			return b.String(), after[1:], after[0], nil
		case !quoted && (c == ',' || c == '+'):
			return trimTo(b.String(), keep), text[i+1:], c, nil
		default:
			b.WriteByte(c)
		}
	}
	if quoted {
		return "", "", 0, fmt.Errorf("the quote before %q is not closed", b.String())
	}
	return trimTo(b.String(), keep), "", 0, nil
}

// trimTo takes blanks off the end of value, but not from its first keep bytes.
func trimTo(value string, keep int) string {
	return value[:keep] + strings.TrimRight(value[keep:], " ")
}

// escaped reads what stands after a backslash: a character, or two hexadecimal digits.
func escaped(text string) (plain string, used int, err error) {
	if len(text) >= 2 {
		if b, err := hex.DecodeString(text[:2]); err == nil {
			return string(b), 2, nil
		}
	}
	if text == "" {
		return "", 0, fmt.Errorf("the name ends in a backslash")
	}
	_, size := utf8.DecodeRuneInString(text)
	return text[:size], size, nil
}

// encode makes the part of a name that word and value are.
func encode(word, value string) (pkix.AttributeTypeAndValue, error) {
	kind, known := byTyped(word)
	if !known {
		oid, err := parseOID(word)
		if err != nil {
			return pkix.AttributeTypeAndValue{}, fmt.Errorf("there is no attribute %q: use CN, OU, O, L, ST, C, DC, SN (serial number), emailAddress, UID, street, postalCode, title, GN, surname, or a dotted number", word)
		}
		kind = byOID(oid)
	}
	length := utf8.RuneCountInString(value)
	switch {
	case !utf8.ValidString(value):
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("the value of %s is not valid UTF-8", word)
	case length == 0:
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("%s has no value", word)
	case kind.exact && length != kind.most:
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("%s=%s: this attribute has %d letters", word, value, kind.most)
	case kind.most > 0 && length > kind.most:
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("the value of %s has %d characters; %d are the most", word, length, kind.most)
	}
	tag := kind.tag
	switch {
	case tag == asn1.TagIA5String && !ascii(value):
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("%s=%s: this attribute takes ASCII only (write an international domain as xn--…)", word, value)
	case tag == asn1.TagPrintableString && !printable(value):
		return pkix.AttributeTypeAndValue{}, fmt.Errorf("%s=%s: this attribute takes letters, digits, blanks and '()+,-./:=? only", word, value)
	case tag == 0 && printable(value):
		tag = asn1.TagPrintableString
	case tag == 0:
		tag = asn1.TagUTF8String
	}
	return pkix.AttributeTypeAndValue{Type: kind.oid, Value: asn1.RawValue{Tag: tag, Bytes: []byte(value)}}, nil
}

// parseOID reads a dotted number (2.5.4.3).
func parseOID(text string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return nil, err
		}
		oid = append(oid, int(n))
	}
	if len(oid) < 2 || oid[0] > 2 || oid[0] < 2 && oid[1] > 39 {
		return nil, fmt.Errorf("%q is not an object identifier", text)
	}
	return oid, nil
}

func ascii(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// printable says whether text fits a PrintableString (X.680).
func printable(text string) bool {
	for _, r := range text {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune(" '()+,-./:=?", r) {
			return false
		}
	}
	return true
}
