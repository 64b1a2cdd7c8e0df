package schema

import (
	"encoding"
	"fmt"
	"net/netip"
	"time"
)

var _ = []interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}{new(StartTime)}

// Services is [edit services].
type Services struct {
	ApplicationIdentification ApplicationIdentification `cfg:"application-identification" help:"Application identification"`
	Proxy                     ProxyProfiles             `cfg:"proxy" help:"Web proxies that the gateway itself uses"`
	SSL                       SSL                       `cfg:"ssl" help:"TLS: decryption of sessions, and TLS that the gateway itself speaks"`
}

// ProxyProfiles is [edit services proxy].
type ProxyProfiles struct {
	Profiles []ProxyProfile `cfg:"profile" help:"Web proxy"`
}

// ProxyProfile is [edit services proxy profile NAME].
type ProxyProfile struct {
	Name     string        `cfg:"name,key" help:"Name of the profile" range:"1..64"`
	Protocol ProxyProtocol `cfg:"protocol" help:"Protocol spoken with the proxy"`
}

// ProxyProtocol is [edit services proxy profile NAME protocol].
type ProxyProtocol struct {
	HTTP *HTTPProxy `cfg:"http" help:"HTTP, with CONNECT for servers that are reached over TLS"`
}

// HTTPProxy is [edit services proxy profile NAME protocol http].
type HTTPProxy struct {
	Host string `cfg:"host" help:"Address or name of the proxy" range:"1..256"`
	Port uint16 `cfg:"port" help:"Port of the proxy" default:"3128"`
}

// ApplicationIdentification is [edit services application-identification].
type ApplicationIdentification struct {
	NoIdentification        bool                `cfg:"no-application-identification" help:"Identify no applications"`
	NoStatistics            bool                `cfg:"no-application-statistics" help:"Keep no statistics of applications"`
	NoCache                 bool                `cfg:"no-application-system-cache" help:"Remember no application of any server"`
	CacheTimeout            int                 `cfg:"application-system-cache-timeout" help:"Time that a server's application is remembered, however often it is used" unit:"seconds" range:"0..1000000" default:"3600"`
	Cache                   Cache               `cfg:"application-system-cache" help:"Who may rely on the remembered applications of servers"`
	CDN                     bool                `cfg:"enable-cdn-application-detection" help:"Name the application that a content delivery network carries, rather than the network"`
	PerformanceMode         *PerformanceMode    `cfg:"enable-performance-mode" help:"Look at fewer packets of each session"`
	GlobalOffloadLimit      uint32              `cfg:"global-offload-byte-limit" help:"Payload of a session that is looked at when no other limit ends it; 0 for no limit" unit:"bytes" range:"0..4294967295" default:"10000"`
	CustomByteLimit         uint32              `cfg:"custom-application-byte-limit" help:"Payload of a session that is searched for custom applications; 0 for the limits that hold for all" unit:"bytes" range:"0..4294967295" default:"0"`
	InspectionLimit         InspectionLimits    `cfg:"inspection-limit" help:"How much of a session is looked at"`
	MaxMemory               uint32              `cfg:"max-memory" help:"Memory that sessions under inspection may hold; at 90 percent of it new sessions are not inspected" unit:"megabytes" range:"1..200000"`
	MaximumTransactions     uint8               `cfg:"maximum-transactions" help:"Transactions of a session after which its application is final; 0 for never" range:"0..25" default:"5" alias:"max-transactions"`
	MicroApps               bool                `cfg:"micro-apps" help:"Tell apart what applications are used for"`
	MicroAppMaxTransactions uint8               `cfg:"micro-app-max-transactions" help:"Transactions of a session after which its micro-application is final" range:"1..25" default:"5"`
	IMAPCacheSize           uint32              `cfg:"imap-cache-size,inert" help:"Mail sessions remembered" range:"60..512000"`
	IMAPCacheTimeout        uint32              `cfg:"imap-cache-timeout,inert" help:"Time that a mail session is remembered" unit:"seconds" range:"1..86400"`
	IMAPCache               IMAPCache           `cfg:"imap-cache,hidden" help:"Mail sessions remembered (as imap-cache-size and imap-cache-timeout)"`
	Statistics              AppStatistics       `cfg:"statistics" help:"Statistics of applications"`
	Download                Download            `cfg:"download" help:"Where the signature package comes from, and when"`
	PacketCapture           *PacketCapture      `cfg:"packet-capture" help:"Capture of unknown applications"`
	Applications            []CustomApplication `cfg:"application" help:"Application of your own"`
	Groups                  []ApplicationGroup  `cfg:"application-group" help:"Group of applications"`
}

// IMAPCache is [edit services application-identification imap-cache], another way to write the two
// statements above it.
type IMAPCache struct {
	Size    uint32 `cfg:"imap-cache-size,inert" help:"Mail sessions remembered" range:"60..512000"`
	Timeout uint32 `cfg:"imap-cache-timeout,inert" help:"Time that a mail session is remembered" unit:"seconds" range:"1..86400"`
}

// Cache is [edit services application-identification application-system-cache].
type Cache struct {
	SecurityServices        bool `cfg:"security-services" help:"Let policies, tracking and the other security services rely on it (a client can then pass one application off as another)"`
	NoMiscellaneousServices bool `cfg:"no-miscellaneous-services" help:"Do not let application-based routing and other services rely on it"`
}

// PerformanceMode is [edit services application-identification enable-performance-mode].
type PerformanceMode struct {
	MaxPacketThreshold uint8 `cfg:"max-packet-threshold" help:"Packets of a session that are looked at, both directions together (deprecated: inspection-limit)" range:"1..100" default:"2"`
}

// InspectionLimits is [edit services application-identification inspection-limit]. A limit of 0
// is none; where both are given, both must be reached.
type InspectionLimits struct {
	TCP TCPInspectionLimit `cfg:"tcp" help:"TCP sessions"`
	UDP UDPInspectionLimit `cfg:"udp" help:"UDP sessions"`
}

// TCPInspectionLimit is [edit … inspection-limit tcp].
type TCPInspectionLimit struct {
	Bytes   uint32 `cfg:"byte-limit" help:"Payload looked at, both directions together" unit:"bytes" range:"0..4294967295" default:"6000"`
	Packets uint32 `cfg:"packet-limit" help:"Packets with payload looked at, both directions together" range:"0..4294967295" default:"0"`
}

// UDPInspectionLimit is [edit … inspection-limit udp].
type UDPInspectionLimit struct {
	Bytes   uint32 `cfg:"byte-limit" help:"Payload looked at, both directions together" unit:"bytes" range:"0..4294967295" default:"0"`
	Packets uint32 `cfg:"packet-limit" help:"Packets with payload looked at, both directions together" range:"0..4294967295" default:"10"`
}

// AppStatistics is [edit services application-identification statistics].
type AppStatistics struct {
	Interval uint16 `cfg:"interval" help:"Length of an interval of the statistics" unit:"minutes" range:"1..1440" default:"1440"`
}

// Download is [edit services application-identification download].
type Download struct {
	URL                    string            `cfg:"url" help:"Server, or directory, that signature packages come from"`
	ProxyProfile           string            `cfg:"proxy-profile" help:"Web proxy to download through" ref:"services proxy profile" range:"1..128"`
	IgnoreServerValidation bool              `cfg:"ignore-server-validation" help:"Do not check the server's certificate; packages are signed all the same"`
	ReportResults          bool              `cfg:"report-results" help:"Tell the server whether an installation succeeded"`
	Automatic              *DownloadSchedule `cfg:"automatic" help:"Download and install at intervals"`
}

// DownloadSchedule is [edit … download automatic].
type DownloadSchedule struct {
	Interval  uint16     `cfg:"interval" help:"Time between updates" unit:"hours" range:"6..720" default:"24"`
	StartTime *StartTime `cfg:"start-time" help:"When the first update is made (YYYY-MM-DD.hh:mm:ss or MM-DD.hh:mm)"`
	MinorOnly bool       `cfg:"minor-only" help:"Take only packages that keep the installed protocol bundle"`
}

// StartTime is a moment in local time, to the second.
type StartTime struct{ time.Time }

const startTimeLayout = "2006-01-02.15:04:05"

// UnmarshalText reads YYYY-MM-DD.hh:mm[:ss], or MM-DD.hh:mm of this year.
func (t *StartTime) UnmarshalText(text []byte) error {
	for _, layout := range []string{startTimeLayout, dateTimeLayout} {
		if at, err := time.ParseInLocation(layout, string(text), time.Local); err == nil {
			t.Time = at
			return nil
		}
	}
	year := time.Now().Format("2006-")
	at, err := time.ParseInLocation(dateTimeLayout, year+string(text), time.Local)
	if err != nil {
		return fmt.Errorf("%q is not a date and time (YYYY-MM-DD.hh:mm:ss or MM-DD.hh:mm)", text)
	}
	t.Time = at
	return nil
}

// MarshalText writes YYYY-MM-DD.hh:mm:ss.
func (t StartTime) MarshalText() ([]byte, error) { return []byte(t.Format(startTimeLayout)), nil }

// PacketCapture is [edit services application-identification packet-capture].
type PacketCapture struct {
	Global             bool   `cfg:"global" help:"Capture every session whose application is unknown"`
	AggressiveMode     bool   `cfg:"aggressive-mode" help:"Capture from the first packet of the first session on, before anything is known of it (costly)"`
	MaxPackets         uint16 `cfg:"max-packets" help:"Packets of a UDP session that are captured" range:"1..1000" default:"10"`
	MaxBytes           uint32 `cfg:"max-bytes" help:"Bytes of a TCP session that are captured" unit:"bytes" range:"40..1073741824" default:"6000"`
	MaxFiles           uint16 `cfg:"max-files" help:"Capture files kept; the oldest makes room" range:"1..2500" default:"100"`
	StorageLimit       uint64 `cfg:"storage-limit" help:"Space that capture files may take" unit:"bytes" range:"1048576..4294967296" default:"52428800"`
	BufferPacketsLimit uint64 `cfg:"buffer-packets-limit" help:"Memory for packets of sessions that are still to be judged" unit:"bytes" range:"0..1073741824" default:"16777216"`
	CaptureInterval    uint32 `cfg:"capture-interval" help:"Time for which a server whose sessions were captured is not captured again" unit:"minutes" range:"1..525600" default:"1440"`
	CaptureLimit       uint16 `cfg:"capture-limit" help:"Captures of one server within capture-interval" range:"1..1000" default:"10"`
	NoInconclusive     bool   `cfg:"no-inconclusive" help:"Do not capture sessions that end before their application is known"`
	SSLUnknown         bool   `cfg:"ssl-unknown" help:"Capture TLS sessions with a server name that belongs to no known application"`
}

// CustomApplication is [edit services application-identification application NAME].
type CustomApplication struct {
	Name        string             `cfg:"name,key" help:"Name of the application" range:"1..63"`
	Description string             `cfg:"description" help:"Text about this application"`
	Type        string             `cfg:"type" help:"Short name that commands show (the name in upper case when absent)" range:"1..63"`
	Risk        uint8              `cfg:"risk" help:"Risk, 1 is low" range:"1..5"`
	Tags        []string           `cfg:"tags" help:"Words for tag-based groups"`
	Cacheable   bool               `cfg:"cacheable" help:"Remember the servers of this application in the application system cache"`
	Priority    string             `cfg:"priority" help:"Whether its signatures decide before those of predefined applications" enum:"high low" default:"low"`
	Order       uint16             `cfg:"order" help:"Precedence among custom applications of one kind, smaller first" range:"1..50000"`
	Addresses   []AddressMapping   `cfg:"address-mapping" help:"Servers whose sessions are this application"`
	ICMP        *ICMPMapping       `cfg:"icmp-mapping" help:"ICMP messages that are this application"`
	IPProtocol  *IPProtocolMapping `cfg:"ip-protocol-mapping" help:"IP protocol that is this application"`
	Over        []SignatureOver    `cfg:"over" help:"Protocol in which signatures are looked for"`
}

// AddressMapping is [edit … application NAME address-mapping NAME].
type AddressMapping struct {
	Name   string        `cfg:"name,key" help:"Name of the mapping" range:"1..63"`
	Filter AddressFilter `cfg:"filter" help:"Destinations"`
}

// AddressFilter is [edit … address-mapping NAME filter].
type AddressFilter struct {
	IP    *HostPrefix  `cfg:"ip" help:"Destination prefix"`
	Ports PortMappings `cfg:"port-range" help:"Destination ports; every session to the prefix when absent"`
}

// PortMappings is [edit … filter port-range].
type PortMappings struct {
	TCP []PortRange `cfg:"tcp" help:"TCP ports (80 or 80-90)"`
	UDP []PortRange `cfg:"udp" help:"UDP ports (80 or 80-90)"`
}

// ICMPMapping is [edit … application NAME icmp-mapping]. It never matches ICMPv6.
type ICMPMapping struct {
	Type *uint8 `cfg:"type" help:"ICMP type" mandatory:"true"`
	Code *uint8 `cfg:"code" help:"ICMP code; every code when absent"`
}

// IPProtocolMapping is [edit … application NAME ip-protocol-mapping].
type IPProtocolMapping struct {
	Protocol *Protocol `cfg:"protocol" help:"IP protocol number" mandatory:"true"`
}

// SignatureOver is [edit … application NAME over PROTOCOL].
type SignatureOver struct {
	Protocol   string            `cfg:"protocol,key" help:"TCP, UDP, or a protocol of the signature package (HTTP, SSL, FTP)"`
	Signatures []CustomSignature `cfg:"signature" help:"Signature; one of them must match"`
}

// CustomSignature is [edit … over PROTOCOL signature NAME].
type CustomSignature struct {
	Name      string            `cfg:"name,key" help:"Name of the signature" range:"1..63"`
	Order     *uint16           `cfg:"order" help:"Precedence among signatures, smaller first" range:"1..50000"`
	Chain     bool              `cfg:"chain-order" help:"Members must match in the order of their names"`
	PortRange PortMappings      `cfg:"port-range" help:"Destination ports; any when absent"`
	Members   []SignatureMember `cfg:"member" help:"Pattern; all of them must match (m01 to m15)"`
}

// SignatureMember is [edit … signature NAME member NAME].
type SignatureMember struct {
	Name      string `cfg:"name,key" help:"Name of the member (m01 to m15)" pattern:"m(0[1-9]|1[0-5])"`
	Depth     uint32 `cfg:"depth" help:"Bytes of the context, or of the stream, that are searched" unit:"bytes" range:"1..65535"`
	Context   string `cfg:"context" help:"What is searched (stream, http-header-host, ssl-server-name)"`
	Pattern   string `cfg:"pattern" help:"Regular expression (Hyperscan syntax); it may match anywhere unless anchored" range:"1..512"`
	Direction string `cfg:"direction" help:"Direction that is searched" enum:"any client-to-server server-to-client" default:"any"`
}

// ApplicationGroup is [edit services application-identification application-group NAME].
type ApplicationGroup struct {
	Name         string       `cfg:"name,key" help:"Name of the group" range:"1..63"`
	Description  string       `cfg:"description" help:"Text about this group"`
	Applications []NamedEntry `cfg:"applications,grouped" help:"Applications in this group"`
	Groups       []NamedEntry `cfg:"application-groups,grouped" help:"Other groups in this group"`
	TagGroups    []TagGroup   `cfg:"tag-group" help:"Applications that have a tag of each tag-group"`
}

// TagGroup is [edit … application-group NAME tag-group NAME].
type TagGroup struct {
	Name string   `cfg:"name,key" help:"Name of the tag group" range:"1..63"`
	Tags []string `cfg:"application-tags" help:"Tags, any of which will do"`
}

// IDP is [edit security idp]: the signature package by its other name.
type IDP struct {
	Package IDPPackage `cfg:"security-package" help:"Signature package"`
}

// IDPPackage is [edit security idp security-package]. The package is that of application
// identification; the statements of services application-identification download hold where both
// are given.
type IDPPackage struct {
	URL       string       `cfg:"url" help:"Server, or directory, that signature packages come from"`
	Automatic IDPAutomatic `cfg:"automatic" help:"Download and install at intervals"`
}

// IDPAutomatic is [edit security idp security-package automatic].
type IDPAutomatic struct {
	Interval  uint16     `cfg:"interval" help:"Time between updates" unit:"hours" range:"1..336" default:"24"`
	StartTime *StartTime `cfg:"start-time" help:"When the first update is made (YYYY-MM-DD.hh:mm:ss)"`
	Enable    bool       `cfg:"enable" help:"Make the updates"`
	MinorOnly bool       `cfg:"minor-only" help:"Take only packages that keep the installed protocol bundle"`
}

// Prefix is the mapping's prefix with its host bits cleared; the zero prefix when none is given.
func (f *AddressFilter) Prefix() netip.Prefix {
	if f.IP == nil {
		return netip.Prefix{}
	}
	return f.IP.Masked()
}
