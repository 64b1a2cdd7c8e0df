package dn

import (
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Part is one attribute of a name.
type Part struct {
	Short string // CN, O, emailAddress
	Long  string // Common name, Organization, Email address
	Value string // as UTF-8, without control characters
	With  bool   // it belongs together with the part before it
	raw   []byte
}

// attributeValue and rdnSET are the encoding of RFC 5280, section 4.1.2.4. encoding/asn1 knows a
// set by the end of its type's name.
type (
	attributeValue struct {
		Type  asn1.ObjectIdentifier
		Value asn1.RawValue
	}
	rdnSET []attributeValue
)

// Parts are the attributes of an encoded name in its order. A name that cannot be read has none.
func Parts(raw []byte) []Part {
	var name []rdnSET
	if rest, err := asn1.Unmarshal(raw, &name); err != nil || len(rest) > 0 {
		return nil
	}
	var parts []Part
	for _, set := range name {
		for i, a := range set {
			kind := byOID(a.Type)
			parts = append(parts, Part{Short: kind.short, Long: kind.long, Value: clean(text(a.Value)), With: i > 0, raw: a.Value.Bytes})
		}
	}
	return parts
}

// Slash writes an encoded name as OpenSSL's one-line form does: /C=IN/O=Example/CN=example.com, in
// the order of the encoding: bytes outside printable ASCII as \xHH, slash and plus in values after a
// backslash, a plus in place of the slash before what belongs together.
func Slash(raw []byte) string {
	var b strings.Builder
	for _, p := range Parts(raw) {
		separator := '/'
		if p.With {
			separator = '+'
		}
		fmt.Fprintf(&b, "%c%s=", separator, p.Short)
		for _, c := range p.raw {
			switch {
			case c < ' ' || c > '~':
				fmt.Fprintf(&b, `\x%02X`, c)
			case c == '/' || c == '+':
				b.WriteString(`\` + string(c))
			default:
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// Comma writes an encoded name with commas, in the order of the encoding: C=IN, O=Example.
func Comma(raw []byte) string {
	var b strings.Builder
	for i, p := range Parts(raw) {
		switch {
		case p.With:
			b.WriteString(" + ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(p.Short + "=" + p.Value)
	}
	return b.String()
}

// text is a string of any of the string types as UTF-8.
func text(v asn1.RawValue) string {
	switch v.Tag {
	case asn1.TagBMPString:
		var units []uint16
		for i := 0; i+1 < len(v.Bytes); i += 2 {
			units = append(units, uint16(v.Bytes[i])<<8|uint16(v.Bytes[i+1]))
		}
		return string(utf16.Decode(units))
	case asn1.TagT61String: // read as Latin-1, as everybody does
		var b strings.Builder
		for _, c := range v.Bytes {
			b.WriteRune(rune(c))
		}
		return b.String()
	}
	return string(v.Bytes)
}

// clean replaces what no line of output may hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}
