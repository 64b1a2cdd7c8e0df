package classify

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/gaissmai/bart"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/hosts"
)

// Cache knows the applications of servers from earlier sessions.
type Cache interface {
	// Lookup returns what the server of a session was found to serve. A protocol of nil means that
	// it is known to be unknown.
	Lookup(meta *Meta) (protocol, application *appdb.Application, ok bool)
}

// Options of an engine. The zero value has the default limits and no signatures.
type Options struct {
	Limits     *Limits // nil: DefaultLimits
	Signatures Signatures
	// CDN prefers the application that a content delivery network carries over the network. Without
	// it, sessions to an address of such a network are the network's.
	CDN bool
	// MaxMemory is the number of bytes that sessions under inspection may hold. At 90 % of it no
	// further session is inspected. 0: no limit.
	MaxMemory int64
	// Sites remembers which web address a session asks for; see Flow.Site.
	Sites bool
	// CustomBytes is the number of bytes of payload of a session that are searched for custom
	// applications; 0: as much as Limits allow.
	CustomBytes int
	// MicroApps follows what applications do, request by request, in the sessions of applications
	// that have micro-applications. Without it, no micro-application is ever told. Micros restricts
	// it to those of these names; nil: all. MicroAppMaxTransactions is the number of transactions
	// after which the answer is final, at most MaxTransactions; 0: DefaultTransactions.
	MicroApps               bool
	Micros                  []string
	MicroAppMaxTransactions int
	// Transactions follows the applications of protocols that carry one transaction after another,
	// such as HTTP, rather than to stop at the first; limits then hold for each transaction.
	// MaximumTransactions is the number after which the answer is final, at most MaxTransactions;
	// 0: never.
	Transactions        bool
	MaximumTransactions int
	// Cache knows the applications of servers from earlier sessions; nil: it is not asked.
	Cache Cache
	// Decoders replaces the list of decoders, for tests.
	Decoders []decode.Decoder
}

// Engine is one compiled state of the knowledge: database, decoders, limits. It never changes and
// is shared by any number of goroutines without locks.
type Engine struct {
	limits       Limits
	signatures   Signatures
	cdn          bool
	maxMemory    int64
	cache        Cache
	customs      *customs
	customBytes  int
	sites        bool
	transactions transactions
	state        *State

	decoders []decode.Decoder
	names    []*appdb.Application // of the decoders
	ciphers  []bool               // those whose protocol is encrypted
	tcp      *dispatch
	udp      *dispatch
	sctp     *dispatch

	byName      map[string]*appdb.Application // by name without prefix
	undescribed *sync.Map                     // the same, for names that only decoders know
	encrypted   map[*appdb.Application]bool   // protocols that are
	hosts       *hosts.Table[appdb.Application]
	addresses   *bart.Table[*appdb.Application]
}

// Compile makes an engine of a database, which must not be changed any more. Problems do not keep
// it from working: what is wrong is left out.
func Compile(db *appdb.Database, state *State, options Options) (*Engine, []appdb.Problem) {
	e := &Engine{
		limits: DefaultLimits, signatures: options.Signatures, cdn: options.CDN,
		maxMemory: options.MaxMemory, cache: options.Cache, customBytes: options.CustomBytes, sites: options.Sites,
		state: state, decoders: options.Decoders,
		byName: map[string]*appdb.Application{}, undescribed: new(sync.Map),
		encrypted: map[*appdb.Application]bool{}, customs: new(customs),
		hosts:     new(hosts.Table[appdb.Application]),
		addresses: new(bart.Table[*appdb.Application]),
	}
	if options.Limits != nil {
		e.limits = *options.Limits
	}
	if e.decoders == nil {
		e.decoders = Decoders()
	}
	e.transactions = newTransactions(db, &options)
	var problems []appdb.Problem
	for _, a := range db.Applications {
		if problem := e.add(a); problem != nil {
			problems = append(problems, appdb.Problem{Source: a.Source, Message: problem.Error()})
		}
	}
	e.customs.sort()
	for _, name := range encryptedProtocols {
		e.encrypted[e.named(name)] = true
	}
	if len(e.decoders) > maxDecoders {
		panic("classify: more decoders than a set holds")
	}
	for i := range e.decoders {
		name := e.named(e.decoders[i].Name)
		e.names, e.ciphers = append(e.names, name), append(e.ciphers, e.encrypts(name))
	}
	e.tcp = newDispatch(e.decoders, func(d *decode.Decoder) bool { return d.Stream != nil })
	e.udp = newDispatch(e.decoders, func(d *decode.Decoder) bool { return d.Datagram != nil })
	e.sctp = newDispatch(e.decoders, func(d *decode.Decoder) bool { return d.SCTP != nil })
	return e, problems
}

// add takes an application's names, hosts and addresses. Of one that is disabled only the name
// counts, so that what it belongs to is recognised in its place.
func (e *Engine) add(a *appdb.Application) (problem error) {
	if a.Custom {
		e.customs.add(a)
		return nil
	}
	e.customs.note(a)
	e.byName[a.Short()] = a
	for _, alias := range a.Aliases {
		e.byName[strings.TrimPrefix(alias, appdb.Prefix)] = a
	}
	if !e.tells(a) {
		return nil
	}
	for _, host := range a.Hosts {
		if err := e.hosts.Add(host, a); err != nil {
			problem = err
		}
	}
	for _, prefix := range a.Addresses {
		e.addresses.Insert(prefix, a)
	}
	return problem
}

// tells says whether an application may be an answer.
func (e *Engine) tells(a *appdb.Application) bool {
	return !a.Disabled && (a.Kind != appdb.Micro || e.transactions.wantsMicro(a))
}

// scansStreams says whether there are signatures of the context Stream.
func (e *Engine) scansStreams() bool {
	return e.signatures != nil && (e.signatures.Wants(decode.Stream, ToServer) || e.signatures.Wants(decode.Stream, ToClient))
}

// WithState is the same engine with another state: sessions that begin with one know nothing of
// those that begin with the other.
func (e *Engine) WithState(state *State) *Engine {
	other := *e
	other.state = state
	return &other
}

// UsualPort says whether port is a usual one of some protocol over an IP protocol, so that the
// side that uses it is likely the server.
func (e *Engine) UsualPort(protocol uint8, port uint16) bool {
	_, usual := e.dispatchOf(protocol).onPort[port]
	return usual
}

// dispatchOf is the table for an IP protocol with ports.
func (e *Engine) dispatchOf(protocol uint8) *dispatch {
	switch protocol {
	case decode.TCP:
		return e.tcp
	case decode.UDP:
		return e.udp
	}
	return e.sctp
}

// named finds an application that a decoder names. One that the database does not describe is
// known by its name alone.
func (e *Engine) named(name string) *appdb.Application {
	if a, ok := e.byName[name]; ok {
		return a
	}
	a, _ := e.undescribed.LoadOrStore(name, &appdb.Application{Kind: appdb.Protocol, Name: appdb.Prefix + name})
	return a.(*appdb.Application)
}

// Owner is the application to which a host name belongs, or nil.
func (e *Engine) Owner(host []byte) *appdb.Application { return e.hosts.Lookup(host) }

// ownerOf is the application to which an address belongs alone, or nil.
func (e *Engine) ownerOf(addr netip.Addr) *appdb.Application {
	a, _ := e.addresses.Lookup(addr.Unmap())
	return a
}
