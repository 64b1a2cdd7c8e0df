package policy

import (
	"time"

	"sluice/store/schema"
)

// PreID is what holds for a session while its policy is open.
type PreID struct {
	LogInit, LogClose bool
	timeouts          map[schema.Protocol]time.Duration
	others            time.Duration
}

// PreIDPolicy is the name in logs of what holds for a session while its policy is open.
const PreIDPolicy = "pre-id-default-policy"

// protocolOSPF is the number of Open Shortest Path First.
const protocolOSPF schema.Protocol = 89

func newPreID(p *schema.PreIDPolicy) PreID {
	t := &p.Then.Timeout
	seconds := func(n uint32) time.Duration { return time.Duration(n) * time.Second }
	return PreID{
		LogInit: p.Then.Log.SessionInit, LogClose: p.Then.Log.SessionClose,
		timeouts: map[schema.Protocol]time.Duration{
			schema.ProtoTCP: seconds(t.TCP), schema.ProtoUDP: seconds(t.UDP), schema.ProtoICMP: seconds(t.ICMP),
			schema.ProtoICMPv6: seconds(t.ICMP6), protocolOSPF: seconds(t.OSPF),
		},
		others: seconds(t.Others),
	}
}

// Timeout is the inactivity timeout of a session of protocol p; 0 for the usual one.
func (p *PreID) Timeout(protocol schema.Protocol) time.Duration {
	if t, ok := p.timeouts[protocol]; ok {
		return t
	}
	return p.others
}

// PreID is what holds for sessions whose policy is open.
func (e *Engine) PreID() *PreID { return &e.preID }

// MaxLookups is how often the policy of one session is looked up; its policy is final then.
func (e *Engine) MaxLookups() int { return e.maxLookups }
