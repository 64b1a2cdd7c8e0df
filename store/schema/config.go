// Package schema is the configuration language of Sluice: its Go types are the grammar of every
// statement, and [Root] turns them into the tree of keywords that parsing, completion,
// validation, rendering and the reference manual walk.
//
// # Struct tags
//
// A statement is a struct field. Its tags say how it is typed and what it accepts:
//
//	cfg:"keyword[,option…]"  the keyword as typed; options are
//	    key       the field names a list entry. The first key follows the list's keyword
//	              (policy NAME); a further key has a keyword of its own (from-zone A to-zone B).
//	    value     the value follows its container directly, without a keyword
//	              (address NAME 192.0.2.0/24).
//	    grouped   a keyed list whose keyword is printed once, around its entries
//	              (interfaces { ge-0/0/0 { … } }).
//	    oneliner  a container or list entry printed on one line (range-address A to B;).
//	    compact   a container or list entry printed on one line while it holds one value
//	              (route 192.0.2.0/24 next-hop 198.51.100.1;).
//	    joined    a container whose keyword is printed before each container in it
//	              (family inet { … }).
//	    hidden    accepted, but left out of completion and help.
//	    inert     accepted so that configurations written from the guide load, without effect
//	              in this version: help says so, and a commit warns of it.
//	    any       a grouped list whose entries hold any configuration (groups).
//	help:"…"      one line, shown by "?" (compulsory).
//	unit:"…"      the unit of a number: seconds, bytes, minutes, kbit/s.
//	range:"a..b"  the accepted numbers, or lengths of a string.
//	enum:"a b c"  the accepted words.
//	literal:"a b" words accepted beside the type or the references (any, never).
//	ref:"path|path" the lists whose keys are accepted, as keyword paths from the top
//	              ("security zones security-zone"); live values for completion and validation.
//	              An alternative * says that an engine knows further names and checks them.
//	              Names that begin with junos- are predefined, and are left to the engines too.
//	default:"…"   what holds when the statement is absent.
//	choice:"name" siblings of one choice displace each other (permit, deny, reject).
//	alias:"a b"   other spellings, accepted and normalised to the keyword.
//	pattern:"…"   a regular expression that the whole value must match.
//	mandatory:"true" commit refuses the container without it.
//	secret:"true" never shown in clear text.
//
// # Go types
//
//	bool          a statement that is present or absent (no value)
//	struct        a container; it exists when something in it is set
//	*struct       a container whose mere presence means something (nil when absent)
//	[]struct      with key fields: an ordered, keyed list
//	[]scalar      a leaf-list: [ a b ] or repeated statements, in order, without repeats
//	string, ints, netip.Addr, netip.Prefix, types with UnmarshalText and MarshalText: a leaf
//	              (a type with a method Words() []string says itself which words it takes)
//	*scalar       a leaf whose absence differs from its zero value
//
// A value that follows its container without a keyword is mandatory unless it is a pointer.
// An embedded struct without a cfg tag adds its fields to the statement it stands in. The
// statements of [Inherit] are accepted at every level.
package schema

// Config is a whole configuration, decoded from the statement tree at commit. It is immutable
// once decoded: engines keep pointers into it.
type Config struct {
	Version        string         `cfg:"version" help:"Software version that wrote this configuration"`
	Groups         []Group        `cfg:"groups,grouped,any" help:"Configuration groups to inherit from with apply-groups"`
	System         System         `cfg:"system" help:"System parameters"`
	Schedulers     Schedulers     `cfg:"schedulers" help:"Times at which policies hold"`
	Interfaces     []Interface    `cfg:"interfaces,grouped" help:"Interface configuration"`
	RoutingOptions RoutingOptions `cfg:"routing-options" help:"Static routes"`
	Security       Security       `cfg:"security" help:"Security configuration"`
	Services       Services       `cfg:"services" help:"Services"`
	ClassOfService ClassOfService `cfg:"class-of-service" help:"Quality of service"`
	Applications   Applications   `cfg:"applications" help:"Applications by protocol and port"`
}

// Group is one configuration group. Its body is any configuration; apply-groups copies it where
// it is applied, a wildcard name such as <*> standing for every list entry that exists there.
// The body is kept in the statement tree and expanded before decoding, so it has no fields here.
type Group struct {
	Name string `cfg:"name,key" help:"Name of the group"`
}

// Inherit is accepted at every level. The groups are expanded before decoding.
type Inherit struct {
	ApplyGroups       []string `cfg:"apply-groups" help:"Groups to inherit statements from" ref:"groups"`
	ApplyGroupsExcept []string `cfg:"apply-groups-except" help:"Groups to inherit nothing from at this level" ref:"groups"`
}
