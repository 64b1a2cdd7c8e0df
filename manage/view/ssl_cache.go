package view

import (
	"encoding/hex"
	"net/netip"
	"strings"
)

// SSLCacheCounters is the answer of "show services ssl proxy session-cache statistics", and of the
// same for the certificate cache.
type SSLCacheCounters struct {
	Certificates bool   `json:"certificates"` // the certificate cache, rather than the session cache
	Hit          uint64 `json:"hit"`
	Miss         uint64 `json:"miss"`
	Full         uint64 `json:"full"`
}

// Text shows the three numbers, of either cache in its own form.
func (c *SSLCacheCounters) Text(p *Page) {
	sslFrame(p)
	for _, n := range []struct {
		what  string
		value uint64
	}{{"hit", c.Hit}, {"miss", c.Miss}, {"full", c.Full}} {
		if c.Certificates {
			p.Line("cert cache %s %d", n.what, n.value)
		} else {
			p.Line("%-28s:%12d", "Session cache "+n.what, n.value)
		}
	}
}

// SSLSessionCache is the answer of "show services ssl proxy session-cache entries".
type SSLSessionCache struct {
	Detail  bool               `json:"detail"`
	Entries []SSLCachedSession `json:"entries"`
}

// SSLCachedSession is a session that can be resumed.
type SSLCachedSession struct {
	ID            string         `json:"session-id"` // hexadecimal
	Expires       int64          `json:"expires"`    // in so many seconds; 0 when it has expired
	Destination   netip.AddrPort `json:"destination"`
	TerminationID uint32         `json:"termination-id"`
	InitiationID  uint32         `json:"initiation-id"`
	Certificate   string         `json:"certificate"`  // what the client was shown: "[0x0]: CA issued, Authentication failed"
	Verification  string         `json:"verification"` // of the server's certificate: "ok [0x0]"
	ServerName    string         `json:"server-name"`
	ChainHash     string         `json:"chain-hash"` // hexadecimal
	Termination   SSLSecret      `json:"termination"`
	Initiation    SSLSecret      `json:"initiation"`
}

// SSLSecret is what one side of a session would be resumed with.
type SSLSecret struct {
	Version   uint16 `json:"version"`    // on the wire: 771 is TLS 1.2
	Cipher    uint16 `json:"cipher"`     // IANA number
	KeyLength int    `json:"key-length"` // bytes of the secret
}

// Text shows the entries; those that have expired are stale.
func (c *SSLSessionCache) Text(p *Page) {
	sslFrame(p)
	stale := 0
	for i := range c.Entries {
		e := &c.Entries[i]
		if i > 0 {
			p.Line("")
		}
		if c.Detail {
			p.Line("Hash Entry: %d", i+1)
		} else {
			p.Line("Hash Entry %d", i+1)
		}
		if e.Expires > 0 {
			p.Line("Status: ACTIVE, Time to expire %d seconds", e.Expires)
		} else {
			p.Line("Status: EXPIRED")
			stale++
		}
		p.Line("Session Id Length: %d", len(e.ID)/2)
		p.Line("Session Id: %s", spaced(e.ID))
		p.Line("Dst IP: %s, Dst Port: %d", e.Destination.Addr(), e.Destination.Port())
		p.Line("SSL-T Profile Id: %d, SSL-I Profile Id: %d", e.TerminationID, e.InitiationID)
		if c.Detail {
			e.detail(p)
		}
	}
	if c.Detail {
		p.Line("Stale entry in cache: %d", stale)
	}
}

func (e *SSLCachedSession) detail(p *Page) {
	p.Line("Session Info:")
	p.Line("Interdicted cert type %s", e.Certificate)
	p.Line("Server cert verification result: %s", e.Verification)
	p.Line("Server name extn len: %d, name: %s", len(e.ServerName), or(e.ServerName, "None"))
	p.Line("Server cert chain hash: %s", spaced(e.ChainHash))
	for _, side := range []struct {
		name string
		*SSLSecret
	}{{"SSL-TERM", &e.Termination}, {"SSL-INIT", &e.Initiation}} {
		p.Line("")
		p.Line("%s session:", side.name)
		p.Line("SSL ver: 0x%x", side.Version)
		p.Line("Compression Method: 0")
		p.Line("Cipher Id: 0x%x", 0x3000000+uint32(side.Cipher))
		p.Line("Master Key Length: %d", side.KeyLength)
	}
}

// spaced is a hexadecimal text as bytes with blanks between them.
func spaced(text string) string {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return text
	}
	bytes := make([]string, len(raw))
	for i, b := range raw {
		bytes[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(bytes, " ")
}

// SSLCertificateCache is the answer of "show services ssl proxy certificate-cache entries".
type SSLCertificateCache struct {
	Detail  bool                   `json:"detail"`
	Entries []SSLCachedCertificate `json:"entries"`
}

// SSLCachedCertificate is a certificate that was made for clients.
type SSLCachedCertificate struct {
	Serial       string `json:"serial"` // hexadecimal
	InitiationID uint32 `json:"initiation-id"`
	CRLUpdates   uint64 `json:"crl-updates"` // lists that had been taken in when it was made
	Expires      int64  `json:"expires"`     // in so many seconds; 0 when it has expired
	Certificate  string `json:"certificate"` // as of an SSLCachedSession
	Verification string `json:"verification"`
	References   uint64 `json:"references"` // handshakes that had it
	Subject      string `json:"subject"`
	Issuer       string `json:"issuer"`
}

// Text shows the entries.
func (c *SSLCertificateCache) Text(p *Page) {
	sslFrame(p)
	for i := range c.Entries {
		e := &c.Entries[i]
		if i > 0 {
			p.Line("")
		}
		if c.Detail {
			p.Line("Cache entrie : %d", i+1)
		} else {
			p.Line("Cache Entries : %d", i+1)
		}
		p.Line("Serial number : 0x%s", e.Serial)
		p.Line("SSL-I Profile Id: %d", e.InitiationID)
		p.Line("Num of CRL updates: %d", e.CRLUpdates)
		if !c.Detail {
			continue
		}
		if e.Expires > 0 {
			p.Line("Status: Active: Time to expire %d seconds", e.Expires)
		} else {
			p.Line("Status: Expired")
		}
		p.Line("")
		p.Line("Cert Info:")
		p.Line("-----")
		p.Line("Interdicted cert type %s", e.Certificate)
		p.Line("Server cert verification result: %s", e.Verification)
		p.Line("Cert reference count: %d", e.References)
		p.Line("Subject: %s", e.Subject)
		p.Line("Issuer: %s", e.Issuer)
	}
}
