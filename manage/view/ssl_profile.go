package view

import "strconv"

// SSLProfiles is the answer of "show services ssl … profile all".
type SSLProfiles struct {
	Legs     bool            `json:"legs"` // termination or initiation profiles, whose numbers are longer
	Profiles []SSLProfileKey `json:"profiles"`
}

// SSLProfileKey is a profile's number and name.
type SSLProfileKey struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
}

// Text shows the table.
func (s *SSLProfiles) Text(p *Page) {
	sslFrame(p)
	width := 8
	if s.Legs {
		width = 12
	}
	p.Line("%-*s%s", width, "ID", "Name")
	p.Line("")
	for _, k := range s.Profiles {
		p.Line("%-*d%s", width, k.ID, k.Name)
	}
}

// SSLProxyProfile is the answer of "show services ssl proxy profile NAME".
type SSLProxyProfile struct {
	Name          string `json:"name"`
	Tracing       bool   `json:"tracing"`
	RootCAExpired bool   `json:"root-ca-expired"`
	TerminationID uint32 `json:"termination-id"`
	InitiationID  uint32 `json:"initiation-id"`
	Whitelist     int    `json:"whitelist"`
	Broken        string `json:"broken,omitempty"` // why nothing can be decrypted with it
}

// Text shows the profile.
func (s *SSLProxyProfile) Text(p *Page) {
	sslFrame(p)
	p.Line("Profile: %s", s.Name)
	p.Line("enable-tracing: %t", s.Tracing)
	p.Line("root-ca expired: %t", s.RootCAExpired)
	p.Line("allow non-ssl session: true")
	p.Line("ssl-termination-id: %d", s.TerminationID)
	p.Line("ssl-initiation-id: %d", s.InitiationID)
	p.Line("Number of whitelist entries: %d", s.Whitelist)
	if s.Broken != "" {
		p.Line("out of service: %s", s.Broken)
	}
}

// SSLLegProfile is the answer of "show services ssl termination profile brief" and detail, and of
// the same for initiation.
type SSLLegProfile struct {
	Initiation bool `json:"initiation"`
	Detail     bool `json:"detail"`

	Name             string    `json:"name"`
	PreferredCiphers string    `json:"preferred-ciphers"`
	Categories       int       `json:"categories"` // on the whitelist
	Whitelist        int       `json:"whitelist"`
	ProtocolVersion  string    `json:"protocol-version"`
	IgnoreFailure    bool      `json:"ignore-failure"` // of authenticating the server
	Resumption       bool      `json:"resumption"`
	CRL              bool      `json:"crl"`
	CertificateRSA   string    `json:"certificate-rsa"`   // "" for none
	CertificateECDSA string    `json:"certificate-ecdsa"` // "" for none
	Renegotiation    string    `json:"renegotiation"`
	CustomCiphers    int       `json:"custom-ciphers"`
	ServerCerts      int       `json:"server-certificates"`
	Mirror           bool      `json:"mirror"`
	TrustedCAs       int       `json:"trusted-cas"`
	Broken           string    `json:"broken,omitempty"`
	Counters         []Counter `json:"counters"`
}

// Text shows the profile; the brief forms of the two sides are laid out differently.
func (s *SSLLegProfile) Text(p *Page) {
	sslFrame(p)
	switch {
	case s.Detail:
		s.detail(p)
	case s.Initiation:
		for _, f := range [][2]string{
			{"Profile", s.Name}, {"allow non-ssl session", "true"}, {"preferred-ciphers", s.PreferredCiphers},
			{"Num of url categories configured", strconv.Itoa(s.Categories)},
		} {
			p.Line("%-38s: %s", f[0], f[1])
		}
	default:
		categories := "NIL"
		if s.Categories > 0 {
			categories = strconv.Itoa(s.Categories)
		}
		p.Line("Profile: %s", s.Name)
		p.Line("allow non-ssl session: true")
		p.Line("preferred-ciphers: %s", s.PreferredCiphers)
		p.Line("Num of url categories configured: %s", categories)
		p.Line("Number of whitelist entries: %d", s.Whitelist)
	}
}

// detail shows everything about the profile, and what was counted under it.
func (s *SSLLegProfile) detail(p *Page) {
	authentication := "Required"
	if s.IgnoreFailure {
		authentication = "Ignore Failure"
	}
	p.Line("Profile                : %s", s.Name)
	p.Line("allow non-ssl session  : true")
	p.Line("preferred-ciphers      : %s", s.PreferredCiphers)
	p.Line("Num of url categories configured : %d", s.Categories)
	line := func(name, value string) { p.Line("%-26s: %s", name, value) }
	line("Protocol version", s.ProtocolVersion)
	line("Client Authentication", "notset")
	line("Server Authentication", authentication)
	line("Crypto Mode", "sw")
	line("Session Resumption", enabled(s.Resumption))
	line("CRL check", enabled(s.CRL))
	p.Line("Certificate RSA : %s", or(s.CertificateRSA, "notset"))
	if s.CertificateECDSA != "" {
		p.Line("Certificate ECDSA : %s", s.CertificateECDSA)
	}
	line("Renegotiation", s.Renegotiation)
	line("Custom ciphers", strconv.Itoa(s.CustomCiphers))
	line("Server cert", strconv.Itoa(s.ServerCerts))
	line("Decrypt Mirror", enabled(s.Mirror))
	line("Trusted CA", strconv.Itoa(s.TrustedCAs))
	if s.Broken != "" {
		line("Out of service", s.Broken)
	}
	for _, c := range s.Counters {
		sslCounter(p, "    ", 22, c)
	}
}
