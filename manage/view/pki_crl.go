package view

import "time"

// CRLs is the answer of "show security pki crl".
type CRLs struct {
	Profile string           `json:"ca-profile,omitempty"` // whose lists were asked for; "": all
	Lists   []RevocationList `json:"crls"`
}

// RevocationList is one list that the gateway has, or could not get.
type RevocationList struct {
	URL        string    `json:"url,omitempty"` // "": loaded by hand
	Issuer     string    `json:"issuer"`
	Number     string    `json:"number,omitempty"`
	ThisUpdate time.Time `json:"this-update,omitzero"`
	NextUpdate time.Time `json:"next-update,omitzero"`
	Count      int       `json:"revoked-certificates"`
	Size       int64     `json:"bytes"`
	Fetched    time.Time `json:"fetched,omitzero"`
	Failure    string    `json:"failure,omitempty"` // of the last download
}

// Text is a paragraph for each list.
func (v *CRLs) Text(p *Page) {
	for i, l := range v.Lists {
		if i > 0 {
			p.Line("")
		}
		if v.Profile != "" {
			p.Line("CA profile: %s", v.Profile)
		}
		l.text(p)
	}
}

func (l *RevocationList) text(p *Page) {
	p.Line("CRL issuer: %s", l.Issuer)
	p.Line("  Source: %s", or(l.URL, "loaded from a file"))
	if l.Size > 0 {
		p.Line("  CRL number: %s", or(l.Number, "none"))
		p.Line("  Effective date: %s", l.ThisUpdate.UTC().Format(pkiTime))
		next := "not stated"
		if !l.NextUpdate.IsZero() {
			next = l.NextUpdate.UTC().Format(pkiTime)
		}
		p.Line("  Next update: %s", next)
		p.Line("  Revoked certificates: %d, %d bytes, fetched %s", l.Count, l.Size, l.Fetched.UTC().Format(pkiTime))
	}
	if l.Failure != "" {
		p.Line("  Last download failed: %s", l.Failure)
	}
}
