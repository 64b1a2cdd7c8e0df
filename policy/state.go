package policy

import (
	"sync"
	"sync/atomic"
	"time"
)

// State is what outlives one engine: the counters and indexes of policies and translation rules,
// and the addresses of domain names.
type State struct {
	now   func() time.Time
	names *names
	users Users // nil: nobody tells

	mu       sync.Mutex
	policies map[string]*policyState     // by policy key
	rules    map[string]*Counters        // by translation rule
	firewall map[[2]string]*RuleCounters // by rule set and rule; "" for its default rule
	next     uint32
	restart  bool            // the first engine is that of a configuration accepted before
	contents map[string]bool // names of applications that the engine in force was compiled with
}

// policyState is what a policy keeps from one commit to the next.
type policyState struct {
	index    uint32
	counters *Counters
}

// The index of the default policy, and of the first configured one.
const (
	defaultPolicyIndex = 2
	firstPolicyIndex   = 4
)

// Counters count the sessions of one policy or translation rule, as who handles the sessions
// tells them. They live as long as the policy is configured.
type Counters struct {
	Hits                               atomic.Uint64 // sessions that matched, let in or not
	SessionsOpened, SessionsClosed     atomic.Uint64
	PacketsFromClient, BytesFromClient atomic.Uint64 // with then count
	PacketsFromServer, BytesFromServer atomic.Uint64
}

// Option sets up a State.
type Option func(*State)

// WithClock makes schedulers and domain names follow now in place of time.Now.
func WithClock(now func() time.Time) Option { return func(s *State) { s.now = now } }

// WithResolver makes domain names resolve by r in place of the system's resolvers.
func WithResolver(r Resolver) Option { return func(s *State) { s.names.resolver = r } }

// Restarted says that the first configuration to be compiled was in force before, so that it holds
// although applications that it names may be gone since.
func (s *State) Restarted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restart = true
}

// restarted says whether the configuration to be compiled was in force before.
func (s *State) restarted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restart
}

// hadContent says whether name was accepted before.
func (s *State) hadContent(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restart || s.contents[name]
}

// NewState makes an empty state. Close it to stop following domain names.
func NewState(options ...Option) *State {
	s := &State{
		now:      time.Now,
		names:    newNames(),
		policies: map[string]*policyState{},
		rules:    map[string]*Counters{},
		firewall: map[[2]string]*RuleCounters{},
		next:     firstPolicyIndex,
	}
	for _, o := range options {
		o(s)
	}
	return s
}

// Close stops following domain names.
func (s *State) Close() { s.names.close() }

// policy is the state of the policy with key, made when there is none.
func (s *State) policy(key string) *policyState {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.policies[key]
	if p == nil {
		p = &policyState{index: s.next, counters: new(Counters)}
		if key == DefaultPolicy {
			p.index = defaultPolicyIndex
		} else {
			s.next++
		}
		s.policies[key] = p
	}
	return p
}

// rule is the counters of the translation rule with key, made when there are none.
func (s *State) rule(key string) *Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rules[key]
	if r == nil {
		r = new(Counters)
		s.rules[key] = r
	}
	return r
}

// firewallRule is the counters of a rule of an application firewall, made when there are none.
func (s *State) firewallRule(set, rule string) *RuleCounters {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := [2]string{set, rule}
	c := s.firewall[key]
	if c == nil {
		c = new(RuleCounters)
		s.firewall[key] = c
	}
	return c
}

// keep forgets what no policy or rule of e uses.
func (s *State) keep(e *Engine) {
	policies, rules := map[string]bool{DefaultPolicy: true}, map[string]bool{}
	for _, p := range e.policies {
		policies[p.key()] = true
	}
	for _, set := range e.translations {
		for _, r := range set.rules {
			rules[r.Name] = true
		}
	}
	counted := map[*RuleCounters]bool{}
	for _, set := range e.firewalls {
		counted[set.Default.Counters] = true
		for _, r := range set.Rules {
			counted[r.Counters] = true
		}
	}
	contents := map[string]bool{}
	for _, name := range e.contents {
		contents[name] = true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.restart, s.contents = false, contents
	for key, c := range s.firewall {
		if !counted[c] {
			delete(s.firewall, key)
		}
	}
	for key := range s.policies {
		if !policies[key] {
			delete(s.policies, key)
		}
	}
	for key := range s.rules {
		if !rules[key] {
			delete(s.rules, key)
		}
	}
}
