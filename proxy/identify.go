package proxy

import (
	"strings"
	"sync"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
)

// Identifier begins the identification of a session's application; a classify.Engine is one.
type Identifier interface {
	Begin(*classify.Flow, *classify.Meta)
}

// identity is the identification of one session. It is shown the session's packets until its
// answer is final.
type identity struct {
	mu   sync.Mutex // guards flow, as packets of both directions come at the same time
	flow classify.Flow
}

// identified is what identification found so far.
type identified struct {
	classify.Result
	category, subCategory string
	risk                  int
	characteristics       string
}

// beginIdentity starts the identification of a session that is tracked; others are not looked
// into.
func (e *Engine) beginIdentity(s *Session) {
	if e.identifier == nil || s.path != express || !e.log.Tracks(s.fromZone.Name, s.toZone.Name) {
		return
	}
	meta := classify.Meta{
		Client: s.client(), Server: s.server(), Protocol: uint8(s.protocol), ICMPType: s.flow.ICMPType, ICMPCode: s.flow.ICMPCode,
		Guessed: s.protocol == schema.ProtoTCP && !s.opensWithSYN,
	}
	s.identity = new(identity)
	e.identifier.Begin(&s.identity.flow, &meta)
	s.noteIdentity()
}

// identify shows a packet to the session's identification.
func (e *Engine) identify(w *wing, p *stack.Packet) {
	s := w.session
	i := s.identity
	i.mu.Lock()
	defer i.mu.Unlock()
	direction := classify.ToServer
	if w.direction == fromServer {
		direction = classify.ToClient
	}
	var changed bool
	switch s.protocol {
	case schema.ProtoTCP:
		changed = i.flow.Segment(&classify.Segment{Direction: direction, Seq: p.Seq, Ack: p.Ack, Flags: p.TCPFlags, Payload: p.IP[p.Payload:]})
	case schema.ProtoUDP:
		changed = i.flow.Datagram(direction, p.IP[p.Payload:])
	}
	if changed || i.flow.Final() {
		s.noteIdentity()
	}
}

// endIdentity concludes with what is known.
func (s *Session) endIdentity() {
	if s.identity == nil || s.has(stateIdentified) {
		return
	}
	s.identity.mu.Lock()
	defer s.identity.mu.Unlock()
	s.identity.flow.Close()
	s.noteIdentity()
}

// noteIdentity keeps the answer where others read it; identity.mu is held, or nobody else knows
// the session yet.
func (s *Session) noteIdentity() {
	f := &s.identity.flow
	found := &identified{Result: f.Result()}
	protocol, application := f.Applications()
	for _, a := range []*appdb.Application{protocol, application} {
		if a != nil {
			found.category, found.subCategory, found.risk, found.characteristics = a.Category, a.SubCategory, a.Risk, strings.Join(a.Characteristics.Names(), ",")
		}
	}
	s.found.Store(found)
	if f.Final() {
		s.set(stateIdentified)
	}
}

// identifying says whether the session's packets are still to be shown.
func (s *Session) identifying() bool { return s.identity != nil && !s.has(stateIdentified) }

// describe puts what was found into a log record, names without their prefix.
func (s *Session) describe(record *track.Session) {
	found := s.found.Load()
	if found == nil || found.Protocol == appdb.Unknown {
		return
	}
	record.Application = strings.TrimPrefix(found.Protocol, appdb.Prefix)
	record.NestedApplication = strings.TrimPrefix(found.Application, appdb.Prefix)
	record.Category, record.SubCategory = found.category, found.subCategory
	record.Risk, record.Characteristics = uint8(found.risk), found.characteristics
}

// applications are the session's names as commands show them.
func (s *Session) applications() (application, nested string) {
	found := s.found.Load()
	if found == nil {
		return unknownApplication, ""
	}
	return found.Protocol, found.Application
}
