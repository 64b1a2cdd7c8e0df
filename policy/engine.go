package policy

import (
	"sync/atomic"

	"sluice/store/schema"
	"sluice/urlcat"
)

// Engine is a compiled configuration. It is safe for concurrent use.
type Engine struct {
	zones           []*Zone
	zoneByInterface map[string]*Zone
	hostInbound     []HostInboundRule

	policies         []*Policy // in the order of evaluation
	fallback         *Policy
	pairs            map[pair]span
	global           span
	rematch          bool
	rematchExtensive bool

	source, destination *side
	fromZone, toZone    zoneTable
	content             contentTable
	categories          categoryTable
	addresses           *urlcat.Table // categories of web addresses
	apps                Applications  // nil for none
	firewalls           []*Firewall   // in the order of the configuration
	ruled               bool          // some policy has a rule set
	decrypts            bool          // some policy has an SSL proxy profile
	controls            bool          // some policy has a rule set of application traffic control
	contents            []string      // names of applications in use
	preID               PreID
	maxLookups          int
	controlPorts        []schema.PortRange
	services            serviceTable
	identified          bitmap // policies that nobody matches whom no user table knows
	schedules           []*schedule
	held                atomic.Pointer[holding]
	blocks              int

	translations []*translation

	names []*nameEntry // domain names in use
	st    *State
}

// pair is two zones.
type pair struct{ from, to string }

// span is a run of positions, high not included.
type span struct{ low, high int }

// refreshNames makes the tables follow the addresses that domain names have now.
func (e *Engine) refreshNames() {
	e.source.refreshNames()
	e.destination.refreshNames()
}

// Rematch says whether running sessions are to be judged again after a commit, and whether they
// may then move to another policy rather than end.
func (e *Engine) Rematch() (on, extensive bool) { return e.rematch, e.rematchExtensive }

// Activate makes e the engine whose domain names are followed, and lets the state forget the
// policies that are gone. It is called when e takes over, after a commit.
func (e *Engine) Activate() {
	e.st.keep(e)
	e.st.names.follow(e)
}
