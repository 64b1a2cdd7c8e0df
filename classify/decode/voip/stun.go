package voip

// STUN and TURN: RFC 3489 (classic), RFC 5389 and 8489, RFC 5766 and 8656 (TURN), RFC 7983 (what
// shares their port), RFC 4571 (framing over TCP), [MS-TURN] and [MS-ICE2] (Microsoft's attributes).

import (
	"bytes"

	"sluice/classify/decode"
)

// stunBytes begin a message (the two highest bits of its type are zero). Over TCP the length of
// its frame may come first.
var stunBytes = decode.FirstRange(0, 8)

const (
	stunHeader = 20
	stunCookie = 0x2112a442
)

// Classes, by the two bits of the message type that code them.
const (
	stunRequest = 0x0000
	stunSuccess = 0x0100
	stunError   = 0x0110
)

// Attributes (IANA STUN attributes; those from 0x8000 on that others define are named by owner).
const (
	attrUsername   = 0x0006
	attrIntegrity  = 0x0008
	attrMSCookie   = 0x000f // [MS-TURN] magic cookie
	attrData       = 0x0013
	attrRealm      = 0x0014
	attrSoftware   = 0x8022
	attrMSVersion  = 0x8008
	attrMSQuality  = 0x8055
	attrMSImpl     = 0x8070
	attrMSIdent    = 0x8054
	attrWhatsApp   = 0x4000 // to 0x4007
	attrGoogleTurn = 0xff05
	attrZoomAsk    = 0x0101
	attrZoomAnswer = 0x0103
)

// stunMethods are the methods of the registry, and those that WhatsApp added.
func stunMethod(kind uint16) (method uint16, known bool) {
	method = kind & 0x000f
	if kind&^uint16(stunError) == method && method >= 1 && method <= 0xc {
		return method, true
	}
	return method, kind >= 0x0800 && kind <= 0x0805
}

// stunMessage is what was found in one message.
type stunMessage struct {
	kind        uint16
	classic     bool
	attributes  int
	known       int // attributes that the specifications define
	application string
	realm       []byte
	software    []byte
	data        []byte // what TURN relays
	integrity   bool
	username    []byte
	microsoft   bool
}

// parseSTUN reads a message that data begins with. size is its length; whole is false when data
// is cut short.
func parseSTUN(data []byte) (m stunMessage, size int, part decode.Part) {
	if len(data) < stunHeader {
		return m, stunHeader, decode.Partly
	}
	m.kind = decode.Uint16(data, 0)
	size = stunHeader + int(decode.Uint16(data, 2))
	m.classic = decode.Uint32(data, 4) != stunCookie
	if _, known := stunMethod(m.kind); !known || size > 2048 || m.classic && (size%4 != 0 || m.kind > 0x0115) {
		return m, size, decode.None
	}
	if len(data) < size {
		return m, size, decode.Partly
	}
	if !m.parse(data[stunHeader:size]) && m.classic {
		return m, size, decode.None
	}
	m.name()
	return m, size, decode.Whole
}

// parse reads the attributes, and says whether they end with the message.
func (m *stunMessage) parse(data []byte) bool {
	for len(data) >= 4 {
		kind, length := decode.Uint16(data, 0), int(decode.Uint16(data, 2))
		if len(data) < 4+length {
			return false
		}
		m.attributes++
		value := data[4 : 4+length]
		switch kind {
		case attrUsername:
			m.username = value
		case attrIntegrity:
			m.integrity = true
		case attrData:
			m.data = value
		case attrRealm:
			m.realm = value
		case attrSoftware:
			m.software = value
		case attrMSCookie, attrMSVersion, attrMSQuality, attrMSImpl, attrMSIdent:
			m.microsoft = m.microsoft || kind != attrMSCookie || length == 4 && decode.Uint32(value, 0) == 0x72c64bc6
		case attrGoogleTurn:
			m.application = googleCall
		case attrZoomAsk, attrZoomAnswer:
			if m.classic {
				m.application = "ZOOM"
				m.known++
			}
		}
		if kind >= attrWhatsApp && kind <= attrWhatsApp+7 {
			m.application = whatsAppCall
		}
		if kind >= 1 && kind <= 0x0030 || kind >= 0x8020 && kind <= 0x8030 {
			m.known++
		}
		data = data[min(len(data), 4+(length+3)&^3):]
	}
	return len(data) == 0
}

// Applications that are told by their attributes.
const (
	whatsAppCall = "WHATSAPP-CALL"
	teamsCall    = "TEAMS-CALL"
	googleCall   = "GOOGLE-CALL"
)

// realms of relays, and whose they are.
var realms = [...]struct{ suffix, application string }{
	{"signal.org", "SIGNAL-CALL"},
	{"telegram.org", "TELEGRAM-CALL"},
	{"viber.com", "VIBER-CALL"},
	{"l.google.com", googleCall},
	{"facebook", "FACEBOOK-CALL"},
	{"facebook.com", "FACEBOOK-CALL"},
	{"llocalhost", "FACEBOOK-CALL"},
	{"whatsapp.net", whatsAppCall},
	{"discord.gg", "DISCORD-VOICE"},
	{"zoom.us", "ZOOM"},
	{"skype.com", teamsCall},
	{"teams.microsoft.com", teamsCall},
	{"imo.im", "IMO"},
	{"line.me", "LINE-CALL"},
	{"kakao.com", "KAKAOTALK-VOICE"},
	{"snapchat.com", "SNAPCHAT-CALL"},
}

// name draws the conclusion from the attributes.
func (m *stunMessage) name() {
	for i := range realms {
		suffix := realms[i].suffix
		if n := len(m.realm) - len(suffix); n >= 0 && string(m.realm[n:]) == suffix && (n == 0 || m.realm[n-1] == '.') {
			m.application = realms[i].application
			return
		}
	}
	class := m.kind & stunError
	switch {
	case m.application != "":
	case m.microsoft:
		m.application = teamsCall
	case m.kind >= 0x0800, bytes.HasPrefix(m.username, []byte("EDGERAY_")):
		m.application = whatsAppCall
	case class == stunRequest && m.integrity && m.attributes == 1 && !m.classic:
		// A request with a proof but nobody to prove it: only WhatsApp does so.
		m.application = whatsAppCall
	case m.kind == 1|stunSuccess && !m.classic && longFragment(m.username):
		// The servers of Google Meet repeat the name of the request in their answer.
		m.application = googleCall
	}
}

// longFragment says whether name is a long ICE fragment of a server and a short one of a browser.
func longFragment(name []byte) bool {
	server, client, ok := bytes.Cut(name, []byte(":"))
	return ok && len(server) >= 16 && len(server) <= 40 && len(client) == 4 && bytes.IndexByte(server, '-') < 0
}

// tell passes on what a message says.
func (m *stunMessage) tell(s *decode.Session) {
	if m.application != "" {
		s.Application(m.application)
	}
	if len(m.realm) > 0 {
		s.Host(decode.STUNRealm, m.realm)
	}
	if len(m.software) > 0 {
		s.Value(decode.STUNSoftware, bytes.TrimRight(m.software, "\x00"))
	}
}

// stunSeen is what is known of a session.
type stunSeen struct {
	certain     bool
	transaction [16]byte
}

// stunDatagrams is how many datagrams of a session are looked at.
const stunDatagrams = 7

// stunDatagram recognises STUN, and then watches which protocol the path was sought for: they
// share a port, and their first byte tells them apart (RFC 7983).
func stunDatagram(s *decode.Session, data []byte) decode.Verdict {
	seen, _ := s.Memory().(*stunSeen)
	if seen != nil && seen.certain {
		stunShared(s, data, 0)
		if s.Index+1 >= stunDatagrams {
			return decode.Match
		}
		return decode.MatchMore
	}
	m, size, part := parseSTUN(data)
	if part != decode.Whole || size != len(data) {
		return decode.No
	}
	var transaction [16]byte
	copy(transaction[:], data[4:20])
	switch {
	case !m.classic:
	case m.application != "" || m.known > 0 && m.known == m.attributes:
	case s.Port(3478) || s.Port(3479):
	case seen != nil && seen.transaction == transaction && m.kind&stunError != stunRequest:
	case m.attributes == 0 && seen == nil && transaction != [16]byte{}:
		s.Remember(&stunSeen{transaction: transaction})
		return decode.More
	default:
		return decode.No
	}
	s.Remember(&stunSeen{certain: true})
	m.tell(s)
	return decode.MatchMore
}

// stunShared looks at a datagram of a session that STUN began.
func stunShared(s *decode.Session, data []byte, depth int) {
	switch c := data[0]; {
	case c <= 3 || c == 8:
		m, _, part := parseSTUN(data)
		if part != decode.Whole {
			return
		}
		m.tell(s)
		if len(m.data) > 0 && depth == 0 {
			stunShared(s, m.data, 1)
		}
	case c >= 20 && c <= 24 || c >= 32 && c <= 63:
		if len(data) > 13 && data[1] == 0xfe && (data[2] == 0xff || data[2] == 0xfd) {
			s.Protocol("DTLS")
			s.TunnelDatagram(data)
		}
	case c >= 64 && c <= 79: // TURN channel
		if len(data) > 4 && 4+int(decode.Uint16(data, 2)) <= len(data) && depth == 0 {
			stunShared(s, data[4:], 1)
		}
	case c >= 128 && c <= 191:
		if _, ok := parseRTP(data); ok {
			s.Protocol("SRTP")
		}
	}
}

// stunStream follows messages over TCP, framed or not, until one names the application.
func stunStream(s *decode.Session, client, server []byte) decode.Verdict {
	const enough = 3000
	named, read := false, 0
	for d, data := range [...][]byte{client, server} {
		for n := 0; len(data) > 0 && n < 8; n++ {
			skip := 0
			if len(data) >= 8 && decode.Uint32(data, 4) != stunCookie {
				skip = 2 // RFC 4571
			}
			if len(data) < skip+8 {
				break
			}
			if decode.Uint32(data, skip+4) != stunCookie {
				if n == 0 {
					return decode.No
				}
				break // ChannelData, media
			}
			m, size, part := parseSTUN(data[skip:])
			if part == decode.None || skip > 0 && len(data) >= skip+stunHeader && int(decode.Uint16(data, 0)) != size {
				return decode.No
			}
			if part == decode.Partly {
				s.Want(decode.Direction(d), skip+size)
				break
			}
			m.tell(s)
			named = named || m.application != ""
			read++
			data = data[skip+size:]
		}
	}
	switch {
	case read == 0:
		return decode.More
	case named || len(client)+len(server) > enough:
		return decode.Match
	}
	return decode.MatchMore
}
