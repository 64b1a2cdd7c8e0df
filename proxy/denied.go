package proxy

import (
	"sync"
	"time"

	"sluice/policy"
	"sluice/stack"
	"sluice/track"
)

// keptDenied is how many sessions are remembered that were refused with their first packet; a power of two.
const keptDenied = 1024

// denied are the sessions that were refused with their first packet. Each has a place that its two hosts
// and its service give, so that one host that tries again and again does not push out what others tried,
// and so that noting a refusal takes no memory, however many there are.
type denied struct {
	places [keptDenied]struct {
		mu sync.Mutex
		denial
	}
}

// denial is a session that was refused with its first packet. Packets that come again with the same
// addresses and ports belong to the same one.
type denial struct {
	id         uint64 // 0 where there is none
	key        stack.Key
	from, to   *place
	flow       policy.Flow
	icmpSeq    uint16
	verdict    policy.Verdict
	identified *Session // what its addresses told of it; nil for most
	started    time.Time
	born, last int64 // ticks; of the first packet, and of the last
	packets    uint64
	bytes      uint64
	commit     uint32 // number of the configuration that refused it
}

// placeOf is where a denial with the key k belongs, whatever port its client has.
func placeOf(k stack.Key) int {
	k.SrcPort = 0
	return int(spread(&k) >> 16 % keptDenied)
}

// note notes a refused packet and returns the number of its session.
func (d *denied) note(next denial, number func() uint64) uint64 {
	p := &d.places[placeOf(next.key)]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.id != 0 && p.key == next.key {
		next.id, next.started, next.born = p.id, p.started, p.born
		next.packets += p.packets
		next.bytes += p.bytes
	} else {
		next.id = number()
	}
	p.denial = next
	return next.id
}

// forget lets go of what was refused before the last commits, of which number is the latest.
func (d *denied) forget(number uint32) {
	for i := range d.places {
		p := &d.places[i]
		p.mu.Lock()
		if p.commit+keptCommits < number {
			p.denial = denial{}
		}
		p.mu.Unlock()
	}
}

// each shows the denials as sessions that are over.
func (d *denied) each(show func(*Session)) {
	for i := range d.places {
		p := &d.places[i]
		p.mu.Lock()
		one := p.denial
		p.mu.Unlock()
		if one.id != 0 {
			show(one.session())
		}
	}
}

// session is the session that did not come to be.
func (d *denial) session() *Session {
	s := &Session{
		id: d.id, protocol: d.flow.Protocol, flow: d.flow, fromZone: d.from.zone, toZone: d.to.zone,
		ingress: d.from.logical, egress: d.to.logical, egressDevice: d.to.device,
		service: d.verdict.Service, icmpSeq: d.icmpSeq, started: d.started, born: d.born, admitted: d.commit,
	}
	if d.identified != nil {
		s.identity = d.identified.identity
	}
	s.user.Store(d.flow.User)
	s.flow.User, s.flow.Content = nil, nil
	s.verdict.Store(d.verdict.Policy)
	s.rule.Store(d.verdict.Rule)
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	*c = wing{session: s, key: d.key, leave: d.key, direction: fromClient}
	*r = wing{session: s, key: d.key.Reverse(), leave: d.key.Reverse(), direction: fromServer}
	c.packets.Store(d.packets)
	c.bytes.Store(d.bytes)
	reason := track.Reason(refusal(d.verdict))
	s.reason.Store(&reason)
	s.ended.Store(d.last)
	s.set(stateBlocked | stateRefused | stateRecorded | stateClosing)
	s.removed.Store(true)
	return s
}
