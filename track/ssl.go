package track

// SSL is what the SSL proxy has to say of a session.
type SSL struct {
	Profile     string        `json:"profile,omitzero"`      // empty: none could be chosen
	Whitelisted string        `json:"whitelisted,omitzero"`  // address or domain name that is on the whitelist
	ServerName  string        `json:"sni,omitzero"`          // as the client sent it
	URLCategory string        `json:"url-category,omitzero"` // of the server name
	Origin      MessageOrigin `json:"origin,omitzero"`       // who found what the message says
}

// MessageOrigin says who found what a message of the SSL proxy says; the plain form begins with it.
type MessageOrigin uint8

// The origins (guide, table 44).
const (
	FromNowhere     MessageOrigin = iota // the message stands for itself
	FromSystem                           // the gateway, or what a profile asks for
	FromHandshake                        // the TLS library
	FromCertificate                      // the check of a certificate
)

// String is the origin as messages have it.
func (o MessageOrigin) String() string {
	if o > FromCertificate {
		return ""
	}
	return [...]string{"", "system", "openssl error", "certificate error"}[o]
}

// SSL sends one of the SSL_PROXY messages about s, whose field SSL says the rest. The caller decides
// by the profile whether it is to be sent.
func (t *Tracker) SSL(tag Tag, s *Session, message string) {
	if tag.decryption() {
		t.put(tag, s, message)
	}
}

// sslBase are the fields that every SSL_PROXY record has after what is its own.
const sslBase = "source-address source-port destination-address destination-port " +
	"nat-source-address nat-source-port nat-destination-address nat-destination-port ssl-profile-name " +
	"source-zone-name source-interface-name destination-zone-name destination-interface-name message "

const sslBasePlain = "<{source-address}/{source-port}->{destination-address}/{destination-port}> " +
	"NAT:< {nat-source-address}/{nat-source-port}->{nat-destination-address}/{nat-destination-port}> {ssl-profile-name} " +
	"<{source-zone-name}:{source-interface-name}->{destination-zone-name}:{destination-interface-name}> message:{message-origin}{message}"

// sslProxy is who sends SSL_PROXY messages.
const sslProxy = "junos-ssl-proxy"

// sslLayout is the layout of most SSL_PROXY messages.
func sslLayout(severity Severity) layout {
	return layout{
		process: sslProxy, severity: severity,
		structured: "logical-system-name session-id " + sslBase,
		plain:      "lsys:root {session-id} " + sslBasePlain,
	}
}
