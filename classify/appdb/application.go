// Package appdb is the application database: what is known about applications, apart from the
// code that recognises protocols.
//
// It is written as text, in files of stanzas. A stanza begins with a line that is not indented
// and says what it is about; the indented lines below it are its attributes, a keyword and its
// values each. # begins a comment where a word could begin. Words with spaces stand in quotes,
// except for the attributes title and description, which take the rest of their line. An
// attribute that takes many values may be repeated.
//
//	application FACEBOOK
//	  title Facebook
//	  description Social network of Meta Platforms.
//	  category Web
//	  sub-category Social-Networking
//	  risk 3
//	  characteristics excessive-bandwidth file-transfer
//	  ports tcp/80 tcp/443 udp/443
//	  hosts facebook.com fbcdn.net =fb.me
//	  over SSL QUIC HTTP
//
// A protocol is an application that a decoder recognises by itself:
//
//	protocol MODBUS
//	  category Infrastructure
//	  sub-category SCADA
//	  risk 2
//	  ports tcp/502
//
// A micro-application is a thing that an application does:
//
//	micro MODBUS-READ-COILS
//	  of MODBUS
//
// A group has a name and may say more about itself; groups need no stanza otherwise:
//
//	group web:social-networking
//	  description People and what they tell each other.
//
// A group that will leave the package says "flags obsolete".
//
// Attributes of application, protocol and micro:
//
//	title            the name as its owner writes it
//	description      a sentence
//	category         one word, such as Web or Infrastructure
//	sub-category     one word, such as Social-Networking
//	group            groups it belongs to, levels parted by colons; without this attribute the
//	                 category and sub-category in lower case ("web:social-networking")
//	risk             1 (low) to 5
//	characteristics  any of evasive, tunnels, prone-to-misuse, used-by-malware, file-transfer,
//	                 excessive-bandwidth, known-vulnerabilities
//	ports            usual ports, protocol/port or protocol/low-high
//	hosts            host names, see below
//	addresses        prefixes that belong to the application alone
//	over             protocols it runs over; any when absent
//	of               the application that a micro-application belongs to
//	signature        context direction pattern, see Signature
//	alias            earlier names, still accepted in configurations
//	references       addresses of documents
//	order            precedence among signatures, smaller first; 1 to 65535
//	number           the number that stays with the application, 1 to 4294967295
//	tags             words for tag-based groups
//	flags            any of cdn (delivers the content of other applications), obsolete, new,
//	                 carrier (a protocol whose sessions are named by the application inside)
//
// A host "example.com" stands for that name and all below it, "=example.com" for that name
// alone, "example.*" for example under every public suffix and all below these. A * inside a
// label stands for any run of characters of that label: "rr*.example.net".
package appdb

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"

	"sluice/classify/decode"
)

// Prefix is what the names of predefined applications and groups begin with.
const Prefix = "junos:"

// Unknown is the name of traffic that nothing matched.
const Unknown = Prefix + "UNKNOWN"

// Kind tells the sorts of application apart.
type Kind uint8

const (
	// Ordinary applications are recognised by names, addresses and signatures.
	Ordinary Kind = iota
	// Protocol is what a decoder recognises.
	Protocol
	// Micro applications are things that another application does.
	Micro
)

var kindNames = [...]string{"application", "protocol", "micro"}

// String is the keyword of the stanza.
func (k Kind) String() string { return kindNames[k] }

// Characteristics is a set of things an administrator may dislike about an application.
type Characteristics uint8

// The characteristics, in the order in which they are shown.
const (
	Evasive Characteristics = 1 << iota
	Tunnels
	ProneToMisuse
	UsedByMalware
	FileTransfer
	ExcessiveBandwidth
	KnownVulnerabilities
)

var characteristicNames = []string{"evasive", "tunnels", "prone-to-misuse", "used-by-malware",
	"file-transfer", "excessive-bandwidth", "known-vulnerabilities"}

// Names are the words of the set.
func (c Characteristics) Names() []string { return setNames(uint8(c), characteristicNames) }

// String is the words of the set, with commas between them.
func (c Characteristics) String() string { return characteristicTexts()[c] }

// characteristicTexts are the texts of all sets, as sessions are logged with them.
var characteristicTexts = sync.OnceValue(func() *[256]string {
	var texts [256]string
	for set := range texts {
		texts[set] = strings.Join(Characteristics(set).Names(), ",")
	}
	return &texts
})

// Flags is a set of marks for the engine and the package's life cycle.
type Flags uint8

// The flags.
const (
	FlagCDN      Flags = 1 << iota // delivers the content of other applications
	FlagObsolete                   // will leave the package
	FlagNew                        // new in this package
	FlagCarrier                    // a protocol whose sessions are named by the application inside
)

var flagNames = []string{"cdn", "obsolete", "new", "carrier"}

// Names are the words of the set.
func (f Flags) Names() []string { return setNames(uint8(f), flagNames) }

func setNames(set uint8, names []string) []string {
	var in []string
	for i, name := range names {
		if set&(1<<i) != 0 {
			in = append(in, name)
		}
	}
	return in
}

// PortRange is a range of ports of one IP protocol.
type PortRange struct {
	Protocol  uint8
	Low, High uint16
}

// Has says whether port of an IP protocol is in the range.
func (r PortRange) Has(protocol uint8, port uint16) bool {
	return r.Protocol == protocol && r.Low <= port && port <= r.High
}

// String is the range as it is written.
func (r PortRange) String() string {
	name := transportName(r.Protocol)
	if r.Low == r.High {
		return fmt.Sprintf("%s/%d", name, r.Low)
	}
	return fmt.Sprintf("%s/%d-%d", name, r.Low, r.High)
}

// Signature is a pattern in a context. It is written as the context, the direction (any,
// client-to-server, server-to-client), the pattern in the syntax of Hyperscan, and optionally
// depth N:
//
//	signature http-header-user-agent client-to-server "^Spotify/" depth 64
type Signature struct {
	Context    decode.Context
	Directions [2]bool // by decode.Direction
	Pattern    string
	Depth      int // bytes from the start of the context in which the pattern must end; 0: all
}

// pattern is the signature as an alternative of one member.
func (s *Signature) pattern(a *Application) Pattern {
	return Pattern{Name: a.Short(), Order: a.Order, Members: []Member{{
		Context: s.Context, Directions: s.Directions, Regexp: s.Pattern, Depth: s.Depth,
	}}}
}

// Application is one application, protocol or micro-application.
type Application struct {
	Kind            Kind
	Name            string // with Prefix where predefined
	Title           string
	Description     string
	Category        string
	SubCategory     string
	Groups          []string // with Prefix, most telling first
	Risk            int      // 1 to 5; 0 where not said
	Characteristics Characteristics
	Ports           []PortRange
	Hosts           []string
	Addresses       []netip.Prefix
	Over            []string // names of protocols; empty: any
	Of              string   // the application of a micro-application
	Signatures      []Signature
	Patterns        []Pattern // Signatures, and those of custom applications, ready for matching
	Aliases         []string
	References      []string
	Order           int
	Number          uint32
	Tags            []string
	Flags           Flags

	Custom      bool     // defined by the operator
	Priority    Priority // of the Patterns of a custom application
	Cacheable   bool     // its servers may be remembered, though it is custom
	Disabled    bool     // by the operator: sessions are named by their protocol instead
	Type        string   // short name; see TypeName
	ICMP        []ICMPMapping
	IPProtocols []uint8
	Servers     []ServerMapping

	Source string // where it was written, "file:line"
}

// Short is the name without Prefix.
func (a *Application) Short() string { return strings.TrimPrefix(a.Name, Prefix) }

// TypeName is the short name that commands show.
func (a *Application) TypeName() string {
	if a.Type != "" {
		return a.Type
	}
	return strings.ToUpper(a.Short())
}

// Group is the most telling group, or "".
func (a *Application) Group() string {
	if len(a.Groups) == 0 {
		return ""
	}
	return a.Groups[0]
}

// RunsOver says whether the application may be found over protocol.
func (a *Application) RunsOver(protocol string) bool {
	if len(a.Over) == 0 {
		return true
	}
	for _, o := range a.Over {
		if o == protocol {
			return true
		}
	}
	return false
}
