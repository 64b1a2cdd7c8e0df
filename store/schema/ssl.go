package schema

// SSL is [edit services ssl].
type SSL struct {
	TraceOptions SSLTraceOptions     `cfg:"traceoptions" help:"Trace of what happens to TLS sessions, for finding faults"`
	Proxy        SSLProxy            `cfg:"proxy" help:"Decryption of TLS sessions that pass the gateway"`
	Initiations  SSLInitiationGroup  `cfg:"initiation" help:"TLS that the gateway itself speaks as a client"`
	Terminations SSLTerminationGroup `cfg:"termination" help:"TLS that the gateway itself speaks as a server"`
}

// SSLTraceOptions is [edit services ssl traceoptions]. Nothing is traced without a file.
type SSLTraceOptions struct {
	File          *TraceFile          `cfg:"file" help:"File that the trace is written to"`
	Level         string              `cfg:"level" help:"How much is traced, each level more than the one before" enum:"brief detail extensive verbose" default:"brief"`
	Flags         []string            `cfg:"flag" help:"What is traced (all when absent); selected-profile leaves out profiles without enable-flow-tracing" enum:"all cli-configuration initiation proxy selected-profile termination"`
	NoRemoteTrace bool                `cfg:"no-remote-trace" help:"Trace into files of the gateway only, which is always so"`
	PacketFilters []TracePacketFilter `cfg:"packet-filter" help:"Sessions that are traced (all when absent); one of the filters must match"`
}

// TraceFile is [edit … traceoptions file].
type TraceFile struct {
	Name            string   `cfg:"filename,value" help:"Name of the file in the gateway's log directory" pattern:"[^/.][^/]*" range:"1..128"`
	Size            FileSize `cfg:"size" help:"Size at which the file is rotated (10k to 1g)" default:"128k"`
	Files           uint16   `cfg:"files" help:"Files kept, the current one included" range:"2..1000" default:"3"`
	Match           string   `cfg:"match" help:"Regular expression that lines must match to be written" range:"1..256"`
	WorldReadable   bool     `cfg:"world-readable" help:"Let every user of the machine read the file" choice:"readable"`
	NoWorldReadable bool     `cfg:"no-world-readable" help:"Let only the gateway's user read the file (the default)" choice:"readable"`
}

// TracePacketFilter is [edit … traceoptions packet-filter NAME]; a term that is absent matches all.
type TracePacketFilter struct {
	Name            string      `cfg:"name,key" help:"Name of the filter" range:"1..63"`
	SourceIP        *HostPrefix `cfg:"source-ip" help:"Client address or prefix"`
	DestinationIP   *HostPrefix `cfg:"destination-ip" help:"Server address or prefix"`
	SourcePort      *PortRange  `cfg:"source-port" help:"Client port or range"`
	DestinationPort *PortRange  `cfg:"destination-port" help:"Server port or range"`
}

// SSLProxy is [edit services ssl proxy].
type SSLProxy struct {
	Global   SSLProxyGlobal    `cfg:"global-config" help:"What holds for every profile"`
	Profiles []SSLProxyProfile `cfg:"profile" help:"How sessions are decrypted, for policies to name"`
}

// SSLProxyGlobal is [edit services ssl proxy global-config].
type SSLProxyGlobal struct {
	CertificateCacheTimeout  uint16        `cfg:"certificate-cache-timeout" help:"Time that a certificate made for clients is used again" unit:"seconds" range:"300..3600" default:"600"`
	DisableCertificateCache  bool          `cfg:"disable-cert-cache" help:"Make a new certificate for every connection"`
	InvalidateCacheOnCRL     bool          `cfg:"invalidate-cache-on-crl-update" help:"Empty the certificate cache whenever a revocation list was updated"`
	SessionCacheTimeout      uint32        `cfg:"session-cache-timeout" help:"Time that a session can be resumed" unit:"seconds" range:"300..86400" default:"86400"`
	MailThreshold            MailThreshold `cfg:"mail-threshold" help:"How long a mail session may go on without STARTTLS until it passes as it is; the first limit that is reached holds" alias:"non-ssl-detection-threshold"`
	MaximumDecryptedSessions uint32        `cfg:"maximum-decrypted-sessions" help:"Sessions decrypted at the same time; further ones pass as they are, and are counted" range:"1..1000000" default:"50000"`
}

// MailThreshold is [edit … global-config mail-threshold].
type MailThreshold struct {
	Bytes   uint16 `cfg:"byte-threshold" help:"Bytes that the client may send" unit:"bytes" range:"100..300" default:"300"`
	Packets uint8  `cfg:"packet-threshold" help:"Packets with data that the client may send" range:"1..15" default:"15"`
}

// SSLProxyProfile is [edit services ssl proxy profile NAME]: forward with root-ca, reverse with
// server-certificate.
type SSLProxyProfile struct {
	Name                string          `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	RootCA              []string        `cfg:"root-ca" help:"Certificates that sign what clients are shown (forward proxy): one with an RSA key, one with an ECDSA key, or both"`
	ServerCertificates  []string        `cfg:"server-certificate" help:"Certificates of servers behind the gateway, with their keys (reverse proxy)"`
	TrustedCA           []string        `cfg:"trusted-ca" help:"CA profiles and groups that certificates of servers must lead to" literal:"all" ref:"security pki ca-profile|*"`
	PreferredCiphers    string          `cfg:"preferred-ciphers" help:"Least strength of the ciphers that are used; custom: those of custom-ciphers" enum:"strong medium weak custom" default:"medium"`
	CustomCiphers       []CipherName    `cfg:"custom-ciphers" help:"Ciphers that are used, with preferred-ciphers custom"`
	ProtocolVersion     string          `cfg:"protocol-version" help:"TLS versions that are spoken with clients and servers" enum:"all tls1 tls11 tls12 tls13 tls11-and-higher tls12-and-higher tls12-and-lower" default:"all"`
	Whitelist           []string        `cfg:"whitelist" help:"Addresses of the global address book; sessions to these servers pass as they are" alias:"allowlist" ref:"security address-book address|security address-book address-set"`
	WhitelistCategories []string        `cfg:"whitelist-url-categories" help:"Categories of web addresses; sessions to these servers pass as they are" alias:"allowlist-url-categories" ref:"security utm custom-objects custom-url-category"`
	Actions             SSLProxyActions `cfg:"actions" help:"What happens in certain cases, and what is logged"`
	EnableFlowTracing   bool            `cfg:"enable-flow-tracing" help:"Trace sessions of this profile with traceoptions flag selected-profile"`
	Mirror              *SSLMirror      `cfg:"mirror-decrypt-traffic" help:"Send a copy of the decrypted traffic to a collector"`
	PassThrough         *SSLPassThrough `cfg:"pass-through" help:"Let sessions of a client pass as they are that keeps refusing the certificate made for a server"`
}

// SSLProxyActions is [edit services ssl proxy profile NAME actions].
type SSLProxyActions struct {
	IgnoreServerAuthFailure  bool        `cfg:"ignore-server-auth-failure" help:"Go on although the server's certificate cannot be trusted; clients are shown one that cannot either"`
	CRL                      SSLCRL      `cfg:"crl" help:"Whether the server's certificate was revoked"`
	DisableSessionResumption bool        `cfg:"disable-session-resumption" help:"Make a full handshake for every session"`
	AllowStrongCertificate   bool        `cfg:"allow-strong-certificate" help:"Use server certificates with keys of 4096 bits, which is always done"`
	Renegotiation            string      `cfg:"renegotiation" help:"What happens when a server asks for another handshake within the session; one that a client asks for ends it" enum:"allow allow-secure drop" default:"allow-secure"`
	Log                      SSLProxyLog `cfg:"log" help:"Log messages that are sent" alias:"logs"`
}

// SSLCRL is [edit … actions crl].
type SSLCRL struct {
	Disable                   bool   `cfg:"disable" help:"Do not look for revocation"`
	IfNotPresent              string `cfg:"if-not-present" help:"What happens to a session when nothing is known of revocation" enum:"allow drop" default:"allow"`
	IgnoreHoldInstructionCode bool   `cfg:"ignore-hold-instruction-code" help:"Accept certificates that are revoked for the time being only (on hold)"`
}

// SSLProxyLog is [edit … actions log]; nothing is logged without one of them.
type SSLProxyLog struct {
	All                 bool `cfg:"all" help:"Everything"`
	SessionsDropped     bool `cfg:"sessions-dropped" help:"Sessions that were dropped"`
	SessionsAllowed     bool `cfg:"sessions-allowed" help:"Sessions that went on although something was wrong"`
	SessionsIgnored     bool `cfg:"sessions-ignored" help:"Sessions that turned out not to be TLS"`
	SessionsWhitelisted bool `cfg:"sessions-whitelisted" help:"Sessions that passed as they are, as the whitelist says" alias:"sessions-allowlisted"`
	Errors              bool `cfg:"errors" help:"Errors"`
	Warning             bool `cfg:"warning" help:"Warnings" alias:"warnings"`
	Info                bool `cfg:"info" help:"Sessions that are decrypted, with server name and category" alias:"information"`
}

// SSLMirror is [edit services ssl proxy profile NAME mirror-decrypt-traffic].
type SSLMirror struct {
	Interface        string `cfg:"interface" help:"Logical interface that the copy is sent out of (ge-0/0/2.0); it needs no zone" mandatory:"true"`
	DestinationMAC   *MAC   `cfg:"destination-mac-address" help:"Ethernet address of the collector" mandatory:"true"`
	AfterEnforcement bool   `cfg:"only-after-security-policies-enforcement" help:"Copy what goes on to the other side, rather than what arrived"`
}

// SSLPassThrough is [edit services ssl proxy profile NAME pass-through].
type SSLPassThrough struct {
	Failures uint16 `cfg:"failures" help:"Handshakes for one server that a client breaks off in a row" range:"1..100" default:"3"`
	Timeout  uint32 `cfg:"timeout" help:"Time that its sessions to that server pass then" unit:"seconds" range:"60..604800" default:"3600"`
}

// SSLInitiationGroup is [edit services ssl initiation].
type SSLInitiationGroup struct {
	Profiles []SSLInitiation `cfg:"profile" help:"How the gateway speaks TLS with a server, for services to name"`
}

// SSLInitiation is [edit services ssl initiation profile NAME].
type SSLInitiation struct {
	Name              string               `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	TrustedCA         []string             `cfg:"trusted-ca" help:"CA profiles and groups that the server's certificate must lead to" literal:"all" ref:"security pki ca-profile|*"`
	ClientCertificate string               `cfg:"client-certificate" help:"Certificate that the gateway shows to a server that asks for one"`
	PreferredCiphers  string               `cfg:"preferred-ciphers" help:"Least strength of the ciphers that are used; custom: those of custom-ciphers" enum:"strong medium weak custom" default:"medium"`
	CustomCiphers     []PlainCipherName    `cfg:"custom-ciphers" help:"Ciphers that are used"`
	ProtocolVersion   string               `cfg:"protocol-version" help:"TLS versions that are spoken" enum:"all tls1 tls11 tls12 tls13 tls11-and-higher tls12-and-higher tls12-and-lower" default:"all"`
	Actions           SSLInitiationActions `cfg:"actions" help:"What happens in certain cases"`
	EnableFlowTracing bool                 `cfg:"enable-flow-tracing" help:"Trace connections of this profile with traceoptions flag selected-profile"`
}

// SSLInitiationActions is [edit services ssl initiation profile NAME actions].
type SSLInitiationActions struct {
	IgnoreServerAuthFailure bool   `cfg:"ignore-server-auth-failure" help:"Go on although the server's certificate cannot be trusted"`
	CRL                     SSLCRL `cfg:"crl" help:"Whether the server's certificate was revoked"`
}

// SSLTerminationGroup is [edit services ssl termination].
type SSLTerminationGroup struct {
	Profiles []SSLTermination `cfg:"profile" help:"How the gateway speaks TLS with a client, for services to name"`
}

// SSLTermination is [edit services ssl termination profile NAME].
type SSLTermination struct {
	Name               string            `cfg:"name,key" help:"Name of the profile" range:"1..63"`
	ServerCertificates []string          `cfg:"server-certificate" help:"Certificates that the gateway shows to clients: one with an RSA key, one with an ECDSA key, or both"`
	PreferredCiphers   string            `cfg:"preferred-ciphers" help:"Least strength of the ciphers that are used; custom: those of custom-ciphers" enum:"strong medium weak custom" default:"medium"`
	CustomCiphers      []PlainCipherName `cfg:"custom-ciphers" help:"Ciphers that are used"`
	ProtocolVersion    string            `cfg:"protocol-version" help:"TLS versions that are spoken" enum:"all tls1 tls11 tls12 tls13 tls11-and-higher tls12-and-higher tls12-and-lower" default:"all"`
	EnableFlowTracing  bool              `cfg:"enable-flow-tracing" help:"Trace connections of this profile with traceoptions flag selected-profile"`
}

// SSLProxyName names an SSL proxy profile: [edit … application-services ssl-proxy], and the same
// under [edit security ngfw default-profile].
type SSLProxyName struct {
	Profile string `cfg:"profile-name" help:"SSL proxy profile" mandatory:"true" ref:"services ssl proxy profile"`
}

// NGFW is [edit security ngfw].
type NGFW struct {
	DefaultProfile DefaultProfile `cfg:"default-profile" help:"What holds while policies that are still possible ask for different profiles"`
}

// DefaultProfile is [edit security ngfw default-profile].
type DefaultProfile struct {
	SSLProxy       *SSLProxyName       `cfg:"ssl-proxy" help:"Decryption"`
	TrafficControl *TrafficRuleSetName `cfg:"application-traffic-control" help:"Quality of service by application"`
}
