package decode

// Context is a place in a protocol where a host name, a value or a pattern can be found. Names
// are those of the signature statements.
type Context uint8

// Contexts that decoders yield. Stream is yielded by the engine itself.
const (
	NoContext Context = iota
	Stream            // the first bytes of a direction

	HTTPHost        // Host header or :authority
	HTTPURL         // request target as sent
	HTTPUserAgent   // User-Agent header
	HTTPReferer     // Referer header
	HTTPCookie      // Cookie and Set-Cookie headers
	HTTPContentType // Content-Type header
	HTTPServer      // Server header
	HTTPMethod      // request method
	HTTPBody        // first bytes of a body
	HTTPFileName    // file name of a Content-Disposition header

	SSLServerName     // server name of a ClientHello (or of the outer one under ECH)
	SSLCommonName     // subject common name of the server certificate
	SSLSubjectAltName // a DNS name of the server certificate
	SSLOrganization   // subject organisation of the server certificate
	SSLIssuer         // issuer common name of the server certificate
	SSLALPN           // a protocol offered or chosen
	SSLFingerprint    // JA4 of the ClientHello
	SSLECH            // the outer name of an encrypted ClientHello, empty when it has none
	QUICServerName    // server name of a QUIC Initial
	QUICUserAgent     // user agent of a Google QUIC client

	DNSQuery  // name asked for
	DNSAnswer // name that answers (CNAME target, service name)

	FTPFileName // file name of RETR, STOR and others
	FTPMethod   // command
	FTPGreeting // first line of the server
	FTPReply    // reply of the server

	MailGreeting // first line of a mail server
	MailHost     // host name in a greeting, HELO or EHLO

	SSHVersion    // software of the SSH banner
	SIPUserAgent  // User-Agent or Server header
	SIPHost       // host of a SIP request or of From and To
	STUNSoftware  // SOFTWARE attribute
	STUNRealm     // REALM attribute
	DHCPClass     // vendor class
	SSDPServer    // SERVER header
	MessagingHost // host in the opening of a messaging protocol (XMPP to)
	ProxyTarget   // host asked of a proxy (CONNECT, SOCKS)
	VNCName       // name of the desktop
	SMBName       // server or share name
	DatabaseName  // database or user in a log-on

	contexts
)

var contextNames = [contexts]string{
	Stream:   "stream",
	HTTPHost: "http-header-host", HTTPURL: "http-url-parsed", HTTPUserAgent: "http-header-user-agent",
	HTTPReferer: "http-header-referer", HTTPCookie: "http-header-cookie",
	HTTPContentType: "http-header-content-type", HTTPServer: "http-header-server",
	HTTPMethod: "http-method", HTTPBody: "http-body", HTTPFileName: "http-filename",
	SSLServerName: "ssl-server-name", SSLCommonName: "ssl-common-name",
	SSLSubjectAltName: "ssl-subject-alt-name", SSLOrganization: "ssl-organization",
	SSLIssuer: "ssl-issuer", SSLALPN: "ssl-alpn", SSLFingerprint: "ssl-fingerprint", SSLECH: "ssl-ech",
	QUICServerName: "quic-server-name", QUICUserAgent: "quic-user-agent",
	DNSQuery: "dns-query", DNSAnswer: "dns-answer",
	FTPFileName: "ftp-file-name", FTPMethod: "ftp-method", FTPGreeting: "ftp-greeting-message",
	FTPReply: "ftp-return-content", MailGreeting: "mail-greeting", MailHost: "mail-host",
	SSHVersion: "ssh-version", SIPUserAgent: "sip-user-agent", SIPHost: "sip-host",
	STUNSoftware: "stun-software", STUNRealm: "stun-realm", DHCPClass: "dhcp-class",
	SSDPServer: "ssdp-server", MessagingHost: "messaging-host", ProxyTarget: "proxy-target",
	VNCName: "vnc-name", SMBName: "smb-name", DatabaseName: "database-name",
}

// String is the name of the context in statements and packages.
func (c Context) String() string {
	if c < contexts {
		return contextNames[c]
	}
	return ""
}

// ContextNamed is the context with a name, or NoContext.
func ContextNamed(name string) Context {
	for c, n := range contextNames {
		if n == name && n != "" {
			return Context(c)
		}
	}
	return NoContext
}

// ContextNames are the names of all contexts.
func ContextNames() []string { return contextNames[Stream:] }
