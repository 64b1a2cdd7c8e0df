package report

// Proxy counts what the SSL proxy decides about sessions.
type Proxy struct {
	// Errors.
	SessionCreateFailed Counter // the proxy wanted a session and could not set it up
	NonSSL              Counter // a matched session turned out not to be TLS
	MemoryFailures      Counter // a limit on memory or sessions was met
	Dropped             Counter // the proxy itself ended a session; once for each SSL_PROXY_SSL_SESSION_DROP, logged or not

	// Sessions.
	Matched        Counter // a policy with an SSL proxy profile admitted a session
	Created        Counter // the proxy took a session
	Destroyed      Counter // a created session ended
	Ignored        Counter // a matched session passes as it is, for whatever reason
	BackupOnly     Counter // never: there is one gateway
	WhitelistedIP  Counter // the server's address is on the whitelist
	WhitelistedURL Counter // a category of the server's name is on the whitelist
	Active         Gauge   // created sessions that have not ended

	// Revocation.
	CRLAdded           Counter // a revocation list was loaded or refreshed
	CertificateRevoked Counter // a server's certificate was found on its list
	NoCRL              Counter // the issuer is known, and no list of it is at hand
	NoCACertificate    Counter // the issuer is not known

	// Protocols.
	SSL              Counter // a created session was TLS from its first byte
	SMTPOverSTARTTLS Counter // a mail session turned to TLS
	IMAPOverSTARTTLS Counter
	POP3OverSTARTTLS Counter
	SMTP             Counter // a mail session in clear text began, which may turn to TLS
	IMAP             Counter
	POP3             Counter
	ServerNoSTARTTLS Counter // the server refused STARTTLS
	ClientNoSTARTTLS Counter // the client went past a threshold without STARTTLS

	// Unified policies.
	DefaultProfileHit Counter // policies asked for different profiles, and the default profile holds
	NoDefaultProfile  Counter // they did, there is no default profile, and the session is dropped

	// What only the statistics show.
	BypassedOverflow     Counter // more sessions than may be decrypted at the same time
	BypassedLowMemory    Counter // the machine is short of memory
	PolicyWithoutProfile Counter // the final policy of a decrypted session has no profile
}

// Leg counts what happens on one side of sessions.
type Leg struct {
	// Errors.
	MemoryErrors           Counter
	HandshakeErrors        Counter // no common version or cipher, an alert of the peer, a time-out, a certificate that was refused
	CertificateCacheErrors Counter
	ServerProtectionErrors Counter // reverse proxy: there is no key for the server's certificate
	ProxyErrors            Counter // the other side could not take over
	CryptoErrors           Counter // a record that could not be decrypted or made
	CertificateErrors      Counter // a certificate that could not be read, verified or made
	OneCryptoErrors        Counter // never: there is no crypto hardware
	AsyncCryptoErrors      Counter // never
	MirrorErrors           Counter // a copy of decrypted traffic was lost

	// Handshakes and sessions.
	HandshakesStarted             Counter
	HandshakesCompleted           Counter
	Active                        Gauge   // completed, not ended
	InterdictedGenerated          Counter // a certificate was made for a client, rather than taken from the cache
	ProxyCreated                  Counter // a leg began for the SSL proxy
	ProxyActive                   Gauge   // begun for the SSL proxy, not ended
	ProxyIgnored                  Counter // a leg was given up and its session passes as it is
	RenegotiationsIgnored         Counter
	Resumptions                   Counter // abbreviated handshakes
	SecureRenegotiations          Counter
	InsecureRenegotiations        Counter
	MultipleRenegotiations        Counter // the second of a session and later ones
	RenegotiationsAfterResumption Counter
	PassthroughRequests           Counter // a leg was told to pass bytes as they are
	StartRequests                 Counter // a leg was told to start TLS
	ECDSAAuthentications          Counter // the server showed a certificate with an ECDSA key
	RSAAuthentications            Counter // the server showed one with an RSA key
}

// ProfileLeg counts what happens on one side of sessions of one profile.
type ProfileLeg struct {
	HandshakesStarted             Counter
	HandshakesCompleted           Counter
	Active                        Gauge
	HandshakeErrors               Counter
	DataErrors                    Counter // after the handshake
	Resumptions                   Counter
	SecureRenegotiations          Counter
	InsecureRenegotiations        Counter
	MultipleRenegotiations        Counter
	RenegotiationsAfterResumption Counter
	NoRenegotiationAlerts         Counter // the peer answered with the alert no_renegotiation
	DropsOnRenegotiation          Counter // the session was ended because renegotiation was asked for
}

// Cache counts the use of a cache.
type Cache struct {
	Hit  Counter // what was looked for was there
	Miss Counter // it was not
	Full Counter // there was no room for a new entry
}
