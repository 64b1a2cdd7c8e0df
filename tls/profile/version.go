package profile

import (
	"slices"

	"sluice/store/schema"
)

// Protocols is what a profile may speak.
type Protocols struct {
	MinVersion, MaxVersion uint16   // on the wire: 0x301 is TLS 1.0, 0x304 is TLS 1.3
	CipherSuites           []uint16 // of TLS 1.2 and older, in the order of the guide's table or of the statements
	Suites13               []uint16 // of TLS 1.3
	Preferred              string   // the statement preferred-ciphers: strong, medium, weak, custom
	CustomCiphers          int      // how many custom-ciphers there are
	ProtocolVersion        string   // the statement protocol-version
}

// versionsOf are the oldest and newest version of protocol-version.
var versionsOf = map[string][2]uint16{
	"all": {tls10, tls13}, "tls1": {tls10, tls10}, "tls11": {tls11, tls11}, "tls12": {tls12, tls12}, "tls13": {tls13, tls13},
	"tls11-and-higher": {tls11, tls13}, "tls12-and-higher": {tls12, tls13}, "tls12-and-lower": {tls10, tls12},
}

// spoken are the statements that say what may be spoken.
type spoken struct {
	path      string
	preferred string
	version   string
	custom    []*Suite // as named, one for each custom-ciphers statement
}

// protocols says what may be spoken, and what is wrong with the statements.
func (c *compiler) protocols(s spoken) Protocols {
	p := Protocols{Preferred: s.preferred, CustomCiphers: len(s.custom), ProtocolVersion: s.version}
	chosen := s.custom
	if s.preferred != "custom" {
		chosen = suitesOfClass(classOf[s.preferred])
	}
	for _, suite := range chosen {
		switch {
		case !c.supports(suite.ID):
			if s.preferred == "custom" {
				c.warn(s.path+" custom-ciphers "+suite.Statement, "name another one too", "cipher %s is never agreed on: this version cannot use it", suite.Printed)
			}
		case suite.Since == tls13:
			p.Suites13 = append(p.Suites13, suite.ID)
		default:
			p.CipherSuites = append(p.CipherSuites, suite.ID)
		}
	}
	v := versionsOf[s.version]
	p.MinVersion, p.MaxVersion = v[0], v[1]
	p.narrow()
	if p.MinVersion > p.MaxVersion {
		c.problem(s.path, "allow another version, or name ciphers that it has", "no cipher of the profile can be used with protocol-version %s", s.version)
	}
	return p
}

// fit warns of ciphers none of which the certificates can be used with: an ECDSA certificate needs
// suites with ECDSA, an RSA one the others, and TLS 1.3 takes either.
func (c *compiler) fit(path string, p *Protocols, certificates []*Identity) {
	if len(certificates) == 0 || len(p.Suites13)+len(p.CipherSuites) == 0 || len(p.Suites13) > 0 {
		return
	}
	for _, certificate := range certificates {
		if slices.ContainsFunc(p.CipherSuites, func(id uint16) bool { return (byID[id].Exchange == ECDHEECDSA) == certificate.IsECDSA() }) {
			return
		}
	}
	c.warn(path+" custom-ciphers", "name ciphers for keys of the certificates' kind, or add a certificate of the other kind",
		"no cipher fits the certificates, so that every handshake ends with no shared cipher")
}

// narrow takes away versions that none of the suites can be used with.
func (p *Protocols) narrow() {
	if len(p.Suites13) == 0 {
		p.MaxVersion = min(p.MaxVersion, tls12)
	}
	oldest := tls13
	for _, id := range p.CipherSuites {
		oldest = min(oldest, byID[id].Since)
	}
	p.MinVersion = max(p.MinVersion, oldest)
	if p.MaxVersion < tls13 {
		p.Suites13 = nil
	}
	p.CipherSuites = slices.DeleteFunc(p.CipherSuites, func(id uint16) bool { return byID[id].Since > p.MaxVersion || p.MinVersion == tls13 })
}

// supports says whether the TLS library can use a suite.
func (c *compiler) supports(id uint16) bool { return c.env.Supports == nil || c.env.Supports(id) }

// customOf are the suites of an SSL proxy profile's custom-ciphers.
func customOf(names []schema.CipherName) []*Suite {
	var list []*Suite
	for _, n := range names {
		list = append(list, byStatement[string(n)])
	}
	return list
}

// plainCustomOf are the suites of another profile's custom-ciphers.
func plainCustomOf(names []schema.PlainCipherName) []*Suite {
	var list []*Suite
	for _, n := range names {
		s := byStatement[string(n)]
		if id, own := plainNames[n]; own {
			s = byID[id]
		}
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
