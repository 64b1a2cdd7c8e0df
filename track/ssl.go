package track

// SSLEvent is something that the SSL proxy has to say of a session.
type SSLEvent struct {
	Kind     Tag           // one of the SSL tags
	Origin   MessageOrigin // who found what Message says
	Message  string        // without the words of its origin; empty: NA
	Profile  string        // empty: none could be chosen
	URL      string        // address or domain name that is on the whitelist
	SNI      string        // server name as the client sent it
	Category string        // of the server name
}

// SSL is what a record keeps of an SSLEvent, beside its kind and message.
type SSL struct {
	Profile  string        `json:"profile,omitzero"`
	URL      string        `json:"url,omitzero"`
	SNI      string        `json:"sni,omitzero"`
	Category string        `json:"category,omitzero"`
	Origin   MessageOrigin `json:"origin,omitzero"`
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

// SSL sends the SSL_PROXY message of an event about s. The caller decides by the profile whether it
// is to be sent.
func (t *Tracker) SSL(e SSLEvent, s *Session) {
	if !e.Kind.decryption() {
		return
	}
	about := *s
	about.SSL = SSL{Profile: e.Profile, URL: e.URL, SNI: e.SNI, Category: e.Category, Origin: e.Origin}
	t.put(e.Kind, &about, e.Message)
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
