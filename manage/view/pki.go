package view

import (
	"fmt"
	"strings"
	"time"
)

// Certificate is one certificate, whoever's it is.
type Certificate struct {
	ID                 string    `json:"certificate-id"`
	Local              bool      `json:"local"` // its key is here; otherwise it is an authority's
	Group              string    `json:"ca-profile-group,omitempty"`
	Version            int       `json:"version"`
	Serial             string    `json:"serial-number"` // hexadecimal, without blanks
	Issuer             DN        `json:"issuer"`
	Subject            DN        `json:"subject"`
	AlternateNames     []string  `json:"alternate-subject,omitempty"`
	NotBefore          time.Time `json:"not-before"`
	NotAfter           time.Time `json:"not-after"`
	KeyAlgorithm       string    `json:"public-key-algorithm"` // as OpenSSL names it
	KeyBits            int       `json:"public-key-bits,omitempty"`
	KeyData            string    `json:"public-key"` // hexadecimal, without blanks
	SignatureAlgorithm string    `json:"signature-algorithm"`
	CA                 bool      `json:"ca"`
	Usage              []string  `json:"usage,omitempty"`
	CRLs               []string  `json:"crl-distribution-points,omitempty"`
	OCSP               []string  `json:"ocsp-servers,omitempty"`
	Chain              []DN      `json:"chain,omitempty"` // subjects of the issuers that were loaded with it
	SHA1               string    `json:"fingerprint-sha1"`
	SHA256             string    `json:"fingerprint-sha256"`
	Modified           time.Time `json:"modified,omitzero"`
	KeyModified        time.Time `json:"key-modified,omitzero"`
	CRL                *CRL      `json:"crl,omitempty"` // of an authority
}

// DN is a distinguished name.
type DN struct {
	Text  string     `json:"name"`  // C=IN, O=Example
	Slash string     `json:"slash"` // /C=IN/O=Example
	Parts []NamePart `json:"parts,omitempty"`
}

// NamePart is one attribute of a name.
type NamePart struct {
	Kind  string `json:"attribute"` // Organization
	Value string `json:"value"`
}

// CommonName is the first common name, or the whole name where there is none.
func (n DN) CommonName() string {
	for _, p := range n.Parts {
		if p.Kind == "Common name" {
			return p.Value
		}
	}
	return n.Text
}

// long writes the attributes with their names in full.
func (n DN) long() string {
	list := make([]string, len(n.Parts))
	for i, p := range n.Parts {
		list[i] = p.Kind + ": " + p.Value
	}
	return strings.Join(list, ", ")
}

// CRL is what is known of an authority's revocation list.
type CRL struct {
	Present              bool `json:"present"`
	Check                bool `json:"check"`
	DownloadFailed       bool `json:"download-failed"`
	CheckOnDownloadFails bool `json:"check-on-download-fail"`
}

// Certificates is the answer of the show commands of security pki.
type Certificates struct {
	Certificates []Certificate `json:"certificates"`
	Detail       bool          `json:"detail"`
}

// Text is a paragraph for each certificate.
func (v *Certificates) Text(p *Page) {
	for i := range v.Certificates {
		if i > 0 {
			p.Line("")
		}
		if v.Detail {
			v.Certificates[i].detail(p)
		} else {
			v.Certificates[i].brief(p)
		}
	}
}

// pkiTime is a time as the commands of security pki show it.
const pkiTime = "01-02-2006 15:04 MST"

func (c *Certificate) heading(p *Page) {
	if c.Group != "" {
		p.Line("CA profile group: %s", c.Group)
	}
	if c.Local || c.Group != "" {
		p.Line("Certificate identifier: %s", c.ID)
	} else {
		p.Line("CA profile: %s", c.ID)
	}
}

func (c *Certificate) validity(p *Page) {
	p.Line("  Validity:")
	p.Line("    Not before: %s", c.NotBefore.UTC().Format(pkiTime))
	p.Line("    Not after: %s", c.NotAfter.UTC().Format(pkiTime))
}

func (c *Certificate) brief(p *Page) {
	c.heading(p)
	p.Line("  Issued to: %s, Issued by: %s", c.Subject.CommonName(), c.Issuer.Text)
	c.validity(p)
	p.Line("  Public key algorithm: %s(%d bits)", c.KeyAlgorithm, c.KeyBits)
}

func (c *Certificate) detail(p *Page) {
	c.heading(p)
	p.Line("  Certificate version: %d", c.Version)
	p.Line("  Serial number: %s", c.Serial)
	p.Line("  Issuer:")
	p.Line("    %s", c.Issuer.long())
	p.Line("  Subject:")
	p.Line("    %s", c.Subject.long())
	p.Line("  Subject string:")
	p.Line("    %s", c.Subject.Text)
	if len(c.AlternateNames) > 0 {
		p.Line("  Alternate subject: %s", strings.Join(c.AlternateNames, ", "))
	}
	c.validity(p)
	p.Line("  Public key algorithm: %s(%d bits)", c.KeyAlgorithm, c.KeyBits)
	for _, row := range octets(c.KeyData, 16) {
		p.Line("    %s", row)
	}
	p.Line("  Signature algorithm: %s", c.SignatureAlgorithm)
	p.Line("  CA: %s", yesNo(c.CA))
	if len(c.CRLs) > 0 {
		p.Line("  Distribution CRL:")
		for _, url := range c.CRLs {
			p.Line("    %s", url)
		}
	}
	if len(c.OCSP) > 0 {
		p.Line("  OCSP:")
		for _, url := range c.OCSP {
			p.Line("    %s", url)
		}
	}
	p.Line("  Use for key: %s", or(strings.Join(c.Usage, ", "), "Any"))
	if len(c.Chain) > 0 {
		p.Line("  Certificate chain:")
		for _, n := range c.Chain {
			p.Line("    %s", n.Text)
		}
	}
	p.Line("  Fingerprint:")
	p.Line("    %s (sha1)", strings.Join(octets(c.SHA1, 20), ""))
	p.Line("    %s (sha256)", strings.Join(octets(c.SHA256, 32), ""))
}

// octets writes hexadecimal digits as bytes with colons, a number of them in a row.
func octets(digits string, row int) []string {
	var rows []string
	var line strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		if line.Len() > 0 {
			line.WriteByte(':')
		}
		line.WriteString(digits[i : i+2])
		if (i/2+1)%row == 0 {
			rows = append(rows, line.String())
			line.Reset()
		}
	}
	if line.Len() > 0 {
		rows = append(rows, line.String())
	}
	return rows
}

// KeyPairs is the answer of "show security pki key-pair".
type KeyPairs struct {
	KeyPairs []KeyPair `json:"key-pairs"`
}

// KeyPair is a key pair, without its private key.
type KeyPair struct {
	ID          string    `json:"certificate-id"`
	Kind        string    `json:"type"`
	Bits        int       `json:"size"`
	Modified    time.Time `json:"modified"`
	Certificate bool      `json:"certificate"`
	Request     bool      `json:"certificate-request"`
}

// Text is a line for each key pair.
func (v *KeyPairs) Text(p *Page) {
	if len(v.KeyPairs) == 0 {
		return
	}
	rows := make([][]string, len(v.KeyPairs))
	for i, k := range v.KeyPairs {
		rows[i] = []string{k.ID, k.Kind, fmt.Sprint(k.Bits), yesNo(k.Certificate), yesNo(k.Request), moment(k.Modified)}
	}
	p.Table([]string{"Certificate ID", "Type", "Size", "Certificate", "Request", "Modified"}, rows)
}

// CertificateRequests is the answer of "show security pki certificate-request".
type CertificateRequests struct {
	Requests []CertificateRequest `json:"certificate-requests"`
	Detail   bool                 `json:"detail"`
}

// CertificateRequest is a request that was made for a key pair.
type CertificateRequest struct {
	ID                 string   `json:"certificate-id"`
	Subject            DN       `json:"subject"`
	AlternateNames     []string `json:"alternate-subject,omitempty"`
	KeyAlgorithm       string   `json:"public-key-algorithm"`
	KeyBits            int      `json:"public-key-bits"`
	SignatureAlgorithm string   `json:"signature-algorithm"`
	SHA256             string   `json:"fingerprint-sha256"`
	PEM                string   `json:"pem"`
}

// Text is a paragraph for each request; detail shows the request itself too.
func (v *CertificateRequests) Text(p *Page) {
	for i, r := range v.Requests {
		if i > 0 {
			p.Line("")
		}
		p.Line("Certificate identifier: %s", r.ID)
		p.Line("  Issued to: %s", r.Subject.CommonName())
		p.Line("  Public key algorithm: %s(%d bits)", r.KeyAlgorithm, r.KeyBits)
		if !v.Detail {
			continue
		}
		p.Line("  Subject:")
		p.Line("    %s", r.Subject.long())
		if len(r.AlternateNames) > 0 {
			p.Line("  Alternate subject: %s", strings.Join(r.AlternateNames, ", "))
		}
		p.Line("  Signature algorithm: %s", r.SignatureAlgorithm)
		p.Line("  Fingerprint:")
		p.Line("    %s (sha256)", strings.Join(octets(r.SHA256, 32), ""))
		p.Line("%s", strings.TrimSuffix(r.PEM, "\n"))
	}
}

// Exported is a certificate or request as it is handed out.
type Exported struct {
	Format  string `json:"format"` // pem, der or mobileconfig
	Content []byte `json:"content"`
}

// Text is the content as it is.
func (v *Exported) Text(p *Page) { p.b.Write(v.Content) }

// GroupLoaded is the answer of "request security pki ca-certificate ca-profile-group load".
type GroupLoaded struct {
	Group        string        `json:"group"`
	Certificates []GroupMember `json:"certificates"`
}

// GroupMember is what became of one certificate of a group's file.
type GroupMember struct {
	Name   string `json:"name,omitempty"`
	Reason string `json:"skipped,omitempty"` // why it was
}

// Text is a line for each certificate, and the totals.
func (v *GroupLoaded) Text(p *Page) {
	p.Line("Loading %d certificates for group '%s'.", len(v.Certificates), v.Group)
	done := 0
	for i, c := range v.Certificates {
		if c.Reason != "" {
			p.Line("Certificate %d of the file: Skipped: %s.", i+1, c.Reason)
			continue
		}
		done++
		p.Line("%s: Loading done.", c.Name)
	}
	p.Line("ca-profile-group '%s' successfully loaded", v.Group)
	p.Line("Success[%d] Skipped[%d]", done, len(v.Certificates)-done)
}
