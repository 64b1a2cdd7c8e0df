package view

import (
	"strings"
	"time"
)

// SSLCertificates is the answer of "show services ssl certificate".
type SSLCertificates struct {
	Style        string        `json:"style"` // all, brief or detail
	Certificates []Certificate `json:"certificates"`
}

// Text is the list of identifiers, or everything about one certificate.
func (v *SSLCertificates) Text(p *Page) {
	sslFrame(p)
	if v.Style == "all" {
		p.Line("CertId")
		p.Line("-----")
		for _, c := range v.Certificates {
			p.Line("%s", c.ID)
		}
		return
	}
	for i := range v.Certificates {
		v.Certificates[i].ssl(p, v.Style == "detail")
	}
}

// sslTime is a time as the commands of services ssl show it, UTC.
func sslTime(t time.Time) string { return t.UTC().Format("Mon 01/02/2006 03:04:05 PM") }

// ssl shows a certificate as the guide does; a local one has its validity, an authority's what is
// known of its revocation list.
func (c *Certificate) ssl(p *Page, detail bool) {
	kind := "CA-CERT"
	if c.Local {
		kind = "LOCAL-CERT"
	}
	p.Line("CertID           : %s", c.ID)
	p.Line("Certificate Type  : %s", kind)
	if detail {
		p.Line("cert modify time : %s", sslTime(c.Modified))
		if c.Local {
			p.Line("key modify time  : %s", sslTime(c.KeyModified))
		}
		p.Line("certificate version : %d", c.Version)
		p.Line("serial number    : %s", strings.ReplaceAll(strings.Join(octets(c.Serial, len(c.Serial)), ""), ":", " "))
	}
	p.Line("Issuer           : %s", c.Issuer.Slash)
	p.Line("Subject          : %s", c.Subject.Slash)
	if c.Local {
		p.Line("Validity :")
		p.Line("  Not before     : %s", sslTime(c.NotBefore))
		p.Line("  Not after      : %s", sslTime(c.NotAfter))
	}
	p.Line("Public Key algorithm : %s", c.KeyAlgorithm)
	if !detail {
		return
	}
	p.Line("Signature Algorithm : %s", c.SignatureAlgorithm)
	if c.CRL != nil {
		p.Line("CRL :")
		p.Line("  present          : %s", strings.ToLower(yesNo(c.CRL.Present)))
		p.Line("  check            : %s", strings.ToLower(enabled(c.CRL.Check)))
		p.Line("  download-failed  : %t", c.CRL.DownloadFailed)
		p.Line("  check-on-download-fail : %s", strings.ToLower(enabled(c.CRL.CheckOnDownloadFails)))
	}
}
