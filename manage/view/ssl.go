package view

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// sslFrame is how the commands of services ssl begin: where the numbers come from.
func sslFrame(p *Page) {
	p.Line("Lsys Name : root-logical-system")
	p.Line("")
	p.Line("%s -----", sslUnit)
	p.Line("")
}

// sslUnit is the unit of the data path that the numbers come from; there is one.
const sslUnit = "PIC:fpc0 fpc[0] pic[0]"

// SSLCounters is the answer of "show services ssl … counters".
type SSLCounters struct {
	Counters []Counter `json:"counters"`
	Width    int       `json:"width"` // of the column of names; 0: there is none
}

// Text shows a line for each counter.
func (c *SSLCounters) Text(p *Page) {
	sslFrame(p)
	for _, counter := range c.Counters {
		sslCounter(p, "", c.Width, counter)
	}
}

// sslCounter shows a counter: its name in a column, at least one blank, its value.
func sslCounter(p *Page, indent string, width int, c Counter) {
	p.Line("%s%-*s %d", indent, max(0, width-1), c.Name, c.Value)
}

// SSLStatistics is the answer of "show services ssl proxy statistics".
type SSLStatistics struct {
	Counters []Counter `json:"counters"`
}

// Text shows a line for each number.
func (s *SSLStatistics) Text(p *Page) {
	p.Line("%s", sslUnit)
	for _, c := range s.Counters {
		sslCounter(p, "", 0, c)
	}
}

// SSLStatus is the answer of "show services ssl proxy status".
type SSLStatus struct {
	LocalLogging          bool `json:"local-logging"`
	CertificateStore      bool `json:"certificate-store"` // it can be read
	CertificateCache      bool `json:"certificate-cache"`
	InvalidateOnCRLUpdate bool `json:"invalidate-on-crl-update"`
	Certificates          Room `json:"certificates"`
	SessionCache          bool `json:"session-cache"`
	Sessions              Room `json:"sessions"`
}

// Room is how much of a cache is used.
type Room struct {
	InUse   int `json:"in-use"`
	Maximum int `json:"maximum"`
}

// Text shows the state in the words of the guide, each of which has its own for on and off.
func (s *SSLStatus) Text(p *Page) {
	choose := func(is bool, yes, no string) string {
		if is {
			return yes
		}
		return no
	}
	p.Line("%s -----", sslUnit)
	p.Line("  One-Crypto      : disable")
	p.Line("  Async Crypto    : disable")
	p.Line("  Proxy-activation : Only if interested svcs configured")
	p.Line("  Local Logging   : %s", choose(s.LocalLogging, "enable", "disable"))
	p.Line("  SSLFP-PKID Link : %s", choose(s.CertificateStore, "UP", "DOWN"))
	p.Line("  Certificate cache : -")
	p.Line("    Certificate Cache activated           : %s", choose(s.CertificateCache, "yes", "no"))
	p.Line("    Invalidate certificate cache on CRL update : %s", choose(s.InvalidateOnCRLUpdate, "Enabled", "Disabled"))
	p.Line("    Max cert cache nodes : %13d", s.Certificates.Maximum)
	p.Line("    Cert cache node in use : %11d", s.Certificates.InUse)
	p.Line("  Session cache : -")
	p.Line("    Session cache activated : %s", choose(s.SessionCache, "Activated", "Deactivated"))
	p.Line("    Max session cache node : %14d", s.Sessions.Maximum)
	p.Line("    Session cache node in use : %11d", s.Sessions.InUse)
}

// SSLSession is the answer of "show services ssl session".
type SSLSession struct {
	ID             uint64 `json:"session-id"`
	Profile        string `json:"profile"`
	Resumed        bool   `json:"resumed"`
	Renegotiations int    `json:"renegotiations"`
	Subject        string `json:"subject"` // of the server's certificate
	Verification   string `json:"verification"`
	CRL            bool   `json:"crl"`
	Termination    SSLLeg `json:"termination"`
	Initiation     SSLLeg `json:"initiation"`
}

// SSLLeg is what one side has agreed on.
type SSLLeg struct {
	KeyBits int    `json:"key-bits"`
	Cipher  string `json:"cipher"`
	Version string `json:"version"`
}

// Text shows the session with both sides.
func (s *SSLSession) Text(p *Page) {
	sslFrame(p)
	p.Line("Session ID      : %d", s.ID)
	p.Line("Connection Type : PROXY")
	p.Line("SSL Profile     : %s", s.Profile)
	p.Line("Resumed Session : %s", yesNo(s.Resumed))
	p.Line("One-crypto      : Disabled")
	p.Line("Async-crypto    : Disabled")
	p.Line("Renegotiation count : %d", s.Renegotiations)
	p.Line("Server Certificate Subject Name : %s", s.Subject)
	p.Line("Server Cert verification status : %s", s.Verification)
	p.Line("CRL check       : %s", enabled(s.CRL))
	p.Line("Action          : Allow")
	for _, leg := range []struct {
		name, cipher string
		*SSLLeg
	}{{"SSL_T", "cipher", &s.Termination}, {"SSL_I", "Cipher", &s.Initiation}} {
		p.Line("%s Details :", leg.name)
		p.Line("")
		p.Line("    Key size      : %d", leg.KeyBits)
		p.Line("    %s        : %s", leg.cipher, leg.Cipher)
		p.Line("    TLS version   : %s", leg.Version)
	}
}

// SSLDrops is the answer of "show services ssl droplogs".
type SSLDrops struct {
	Drops []SSLDrop `json:"drops"`
}

// SSLDrop is a session that the SSL proxy dropped.
type SSLDrop struct {
	Time                 time.Time      `json:"time"`
	Message              string         `json:"message"`
	File                 string         `json:"file"`
	Function             string         `json:"function"`
	Line                 int            `json:"line"`
	Services             []SSLService   `json:"services"` // from the client to the server
	Client               netip.AddrPort `json:"client"`
	Server               netip.AddrPort `json:"server"`
	SourceInterface      string         `json:"source-interface"`
	DestinationInterface string         `json:"destination-interface"`
	SourceZone           string         `json:"source-zone"`
	DestinationZone      string         `json:"destination-zone"`
}

// SSLService is a part of the gateway that a session passed.
type SSLService struct {
	Name   string `json:"name"`
	Action string `json:"action"`
}

// Text shows the drops, the oldest first.
func (d *SSLDrops) Text(p *Page) {
	sslFrame(p)
	p.Line("=====log mesg for cpu 0")
	for i := range d.Drops {
		drop := &d.Drops[i]
		forth, back := make([]string, len(drop.Services)), make([]string, len(drop.Services))
		for j, s := range drop.Services {
			forth[j] = fmt.Sprintf("[Plugin %s: action: %s]", s.Name, s.Action)
			back[len(back)-1-j] = forth[j]
		}
		p.Line("log mesg is File: %s Function: %s Line: %d Message: %s", drop.File, drop.Function, drop.Line, drop.Message)
		p.Line(" C2S plugin chain : %s S2C plugin chain: %s", strings.Join(forth, "-> "), strings.Join(back, "-> "))
		p.Line(" SourceIP:%s DestIP:%s Source Port:%d Dest Port:%d source interface:%s Destination interface:%s source zone:%s destination Zone:%s",
			drop.Client.Addr(), drop.Server.Addr(), drop.Client.Port(), drop.Server.Port(),
			drop.SourceInterface, drop.DestinationInterface, drop.SourceZone, drop.DestinationZone)
	}
}

// SSLPassThrough is the answer of "show services ssl proxy pass-through".
type SSLPassThrough struct {
	Exemptions []SSLExemption `json:"exemptions"`
}

// SSLExemption is a client whose sessions to a server pass as they are, as it refuses the
// certificate made for the server.
type SSLExemption struct {
	Client   netip.Addr `json:"client"`
	Server   string     `json:"server"` // its name, or its address
	Profile  string     `json:"profile"`
	Failures int        `json:"failures"`
	Last     time.Time  `json:"last"`    // failure
	Expires  int64      `json:"expires"` // in so many seconds
}

// Text shows a line for each exemption.
func (s *SSLPassThrough) Text(p *Page) {
	sslFrame(p)
	p.Line("Sessions that pass: %d", len(s.Exemptions))
	if len(s.Exemptions) == 0 {
		return
	}
	rows := make([][]string, 0, len(s.Exemptions))
	for _, e := range s.Exemptions {
		rows = append(rows, []string{e.Client.String(), e.Server, e.Profile, fmt.Sprint(e.Failures), moment(e.Last), fmt.Sprintf("%d seconds", e.Expires)})
	}
	p.Table([]string{"Client", "Server", "Profile", "Failures", "Last failure", "Time to expire"}, rows)
}
