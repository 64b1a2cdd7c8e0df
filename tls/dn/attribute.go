// Package dn says how distinguished names are written: as people type them (CN=a,O=b), as the
// encoding that certificates carry, and as commands and logs print them (/O=b/CN=a).
package dn

import (
	"encoding/asn1"
	"strings"
)

// attribute is one kind of name part.
type attribute struct {
	oid   asn1.ObjectIdentifier
	short string   // as OpenSSL prints it
	long  string   // as show commands print it
	typed []string // as people type it, in capitals, beside short
	tag   int      // the string type that its syntax demands; 0 lets the text decide
	most  int      // upper bound of its length in characters (X.520, RFC 5280 appendix A); 0 has none
	exact bool     // most is the length that it must have
}

// attributes are those with names; others are written as dotted numbers. SN is what the guide calls
// the serial number, though OpenSSL prints a surname so.
var attributes = []attribute{
	{oid: asn1.ObjectIdentifier{2, 5, 4, 3}, short: "CN", long: "Common name", typed: []string{"COMMONNAME"}, most: 64},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 4}, short: "SN", long: "Surname", typed: []string{"SURNAME"}, most: 40},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 5}, short: "serialNumber", long: "Serial number", typed: []string{"SN"}, tag: asn1.TagPrintableString, most: 64},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 6}, short: "C", long: "Country", typed: []string{"COUNTRY", "COUNTRYNAME"}, tag: asn1.TagPrintableString, most: 2, exact: true},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 7}, short: "L", long: "Locality", typed: []string{"LOCALITY", "LOCALITYNAME"}, most: 128},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 8}, short: "ST", long: "State", typed: []string{"S", "SP", "STATE", "STATEORPROVINCENAME"}, most: 128},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 9}, short: "street", long: "Street", typed: []string{"STREETADDRESS"}, most: 128},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 10}, short: "O", long: "Organization", typed: []string{"ORGANIZATION", "ORGANIZATIONNAME"}, most: 64},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 11}, short: "OU", long: "Organizational unit", typed: []string{"ORGANIZATIONALUNIT", "ORGANIZATIONALUNITNAME"}, most: 64},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 12}, short: "title", long: "Title", typed: []string{"T"}, most: 64},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 13}, short: "description", long: "Description", most: 1024},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 15}, short: "businessCategory", long: "Business category", most: 128},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 17}, short: "postalCode", long: "Postal code", most: 40},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 41}, short: "name", long: "Name", most: 32768},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 42}, short: "GN", long: "Given name", typed: []string{"GIVENNAME", "G"}, most: 16},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 43}, short: "initials", long: "Initials", typed: []string{"I"}, most: 5},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 44}, short: "generationQualifier", long: "Generation qualifier", most: 3},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 46}, short: "dnQualifier", long: "DN qualifier", tag: asn1.TagPrintableString},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 65}, short: "pseudonym", long: "Pseudonym", most: 128},
	{oid: asn1.ObjectIdentifier{2, 5, 4, 97}, short: "organizationIdentifier", long: "Organization identifier"},
	{oid: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}, short: "UID", long: "User", typed: []string{"USERID"}, most: 256},
	{oid: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, short: "DC", long: "Domain component", typed: []string{"DOMAINCOMPONENT"}, tag: asn1.TagIA5String},
	{oid: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, short: "emailAddress", long: "Email address", typed: []string{"E", "EMAIL"}, tag: asn1.TagIA5String, most: 255},
	{oid: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 2}, short: "unstructuredName", long: "Unstructured name", tag: asn1.TagIA5String, most: 255},
	{oid: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 8}, short: "unstructuredAddress", long: "Unstructured address", most: 255},
	{oid: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 1}, short: "jurisdictionL", long: "Jurisdiction locality", most: 128},
	{oid: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 2}, short: "jurisdictionST", long: "Jurisdiction state", most: 128},
	{oid: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3}, short: "jurisdictionC", long: "Jurisdiction country", tag: asn1.TagPrintableString, most: 2, exact: true},
}

// byTyped finds the kind that somebody means by a word, in any case.
func byTyped(word string) (attribute, bool) {
	word = strings.ToUpper(word)
	for _, a := range attributes {
		for _, t := range a.typed {
			if t == word {
				return a, true
			}
		}
	}
	for _, a := range attributes {
		if strings.ToUpper(a.short) == word {
			return a, true
		}
	}
	return attribute{}, false
}

// byOID finds a kind by its number. One without a name is called by its number.
func byOID(oid asn1.ObjectIdentifier) attribute {
	for _, a := range attributes {
		if a.oid.Equal(oid) {
			return a
		}
	}
	return attribute{oid: oid, short: oid.String(), long: oid.String()}
}
