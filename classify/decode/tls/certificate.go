package tls

// The certificate: RFC 5280 section 4.1. Only the names of its subject and issuer are read, in
// place, those that are whole, as far as the certificate is there; nothing is verified.

import (
	"bytes"

	"sluice/classify/decode"
)

// Tags of DER (X.690) that are met.
const (
	tagOID        = 0x06
	tagOctets     = 0x04
	tagSequence   = 0x30
	tagSet        = 0x31
	tagVersion    = 0xa0 // [0] of a TBSCertificate
	tagExtensions = 0xa3 // [3] of the same
	tagDNSName    = 0x82 // [2] of a GeneralName
)

// Object identifiers, as encoded.
var (
	oidCommonName   = []byte{0x55, 4, 3}
	oidOrganization = []byte{0x55, 4, 10}
	oidAltName      = []byte{0x55, 0x1d, 0x11}
)

// maxAltNames is how many names of a certificate are told.
const maxAltNames = 64

// tellCertificate tells the names in the first certificate of the message, the server's own.
// missing is how many bytes of it at least were not there.
func tellCertificate(s *decode.Session, body []byte) (missing int) {
	leaf, missing := certificateList(body)
	if len(leaf) == 0 {
		return missing
	}
	c := der{data: leaf}.enter(tagSequence).enter(tagSequence) // Certificate, TBSCertificate
	c.skipOptional(tagVersion)
	c.next() // serial number
	c.next() // signature algorithm
	issuer := c.expect(tagSequence)
	c.next() // validity
	subject := c.expect(tagSequence)
	c.next() // public key
	var about owner
	issuer.names(func(kind, value []byte) {
		switch {
		case bytes.Equal(kind, oidCommonName):
			about.issuer = value
			s.Value(decode.SSLIssuer, value)
		case bytes.Equal(kind, oidOrganization):
			about.issuerOrganization = value
		}
	})
	subject.names(func(kind, value []byte) {
		switch {
		case bytes.Equal(kind, oidCommonName):
			about.name = value
			if shared(value) {
				s.Value(decode.SSLCommonName, value)
			} else {
				s.Host(decode.SSLCommonName, value)
			}
		case bytes.Equal(kind, oidOrganization):
			about.organization = value
			s.Value(decode.SSLOrganization, value)
		}
	})
	if application := about.application(); application != "" {
		s.Application(application)
	}
	for len(c.data) > 0 {
		tag, content := c.next()
		if tag == tagExtensions {
			tellAltNames(s, der{data: content}.enter(tagSequence))
		}
	}
	return missing
}

// tellAltNames tells the DNS names of the subject alternative name extension.
func tellAltNames(s *decode.Session, extensions der) {
	for len(extensions.data) > 0 {
		extension := extensions.expect(tagSequence)
		_, id := extension.next()
		if !bytes.Equal(id, oidAltName) {
			continue
		}
		tag, content := extension.next()
		if tag != tagOctets { // the critical flag
			tag, content = extension.next()
		}
		if tag != tagOctets {
			return
		}
		names := der{data: content}.enter(tagSequence)
		tellNames(s, names, false)
		tellNames(s, names, true)
		return
	}
}

// tellNames tells the names that are shared, or those that are not.
func tellNames(s *decode.Session, names der, ofShared bool) {
	for i := 0; len(names.data) > 0 && i < maxAltNames; i++ {
		if tag, name := names.value(); tag == tagDNSName {
			if name = hostName(name); len(name) > 0 && shared(name) == ofShared {
				s.Host(decode.SSLSubjectAltName, name)
			}
		}
	}
}

// shared says whether a name is that of a certificate which a network for content delivery made
// for its customers, so that any other name in it says more.
func shared(name []byte) bool { return bytes.HasSuffix(name, []byte(".cloudflaressl.com")) }

// der is a run of DER elements. An element that is cut off gives what there is of it; anything
// malformed ends the run.
type der struct {
	data []byte
	cut  bool // the last element is cut off
}

// next cuts the first element off.
func (d *der) next() (tag byte, content []byte) {
	if len(d.data) < 2 {
		d.data = nil
		return 0, nil
	}
	tag = d.data[0]
	length, at := int(d.data[1]), 2
	if length >= 0x80 {
		n := length & 0x7f
		if n == 0 || n > 3 || len(d.data) < 2+n {
			d.data = nil
			return 0, nil
		}
		length = 0
		for _, c := range d.data[2 : 2+n] {
			length = length<<8 | int(c)
		}
		at += n
	}
	rest := d.data[at:]
	n := min(length, len(rest))
	d.cut = n < length
	d.data = rest[n:]
	return tag, rest[:n]
}

// value is next for an element whose content is of use only when it is whole; else it is empty.
func (d *der) value() (tag byte, content []byte) {
	if tag, content = d.next(); d.cut {
		return tag, nil
	}
	return tag, content
}

// expect is the content of the next element, empty when it has another tag.
func (d *der) expect(want byte) der {
	if tag, content := d.next(); tag == want {
		return der{data: content}
	}
	return der{}
}

func (d der) enter(want byte) der { return d.expect(want) }

// skipOptional leaves an element out if it is there.
func (d *der) skipOptional(tag byte) {
	if len(d.data) > 0 && d.data[0] == tag {
		d.next()
	}
}

// names calls f for each attribute of a distinguished name.
func (d der) names(f func(kind, value []byte)) {
	for len(d.data) > 0 {
		attribute := d.expect(tagSet).enter(tagSequence)
		tag, kind := attribute.next()
		if _, value := attribute.value(); tag == tagOID && len(value) > 0 {
			f(kind, value)
		}
	}
}
