package proxy

import (
	"strings"
	"sync"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/policy"
	"sluice/relay"
	"sluice/stack"
	"sluice/store/schema"
	"sluice/track"
	"sluice/web"
)

// Identifier finds out which application sessions carry, and keeps what follows from it: the
// application system cache and the statistics. No call may block.
type Identifier interface {
	// Enabled says whether sessions are identified at all.
	Enabled() bool
	// ConcludesUnknown says whether a session that nothing matched is taken for junos:UNKNOWN.
	ConcludesUnknown() bool
	// Begin starts the identification of a session.
	Begin(*classify.Flow, *classify.Meta)
	// Arranged answers for a session that was begun, and carries a protocol that another session has
	// arranged. It says whether there is such a protocol.
	Arranged(f *classify.Flow, protocol string) bool
	// Decrypted goes on with a session in plaintext, as its encryption was opened.
	Decrypted(*classify.Flow, *classify.Meta)
	// Identified is told that a session's answer is final, while the session goes on or as it ends.
	Identified(*classify.Flow, *classify.Meta)
	// Ended is told that a session is over, and how many bytes it carried both ways.
	Ended(*classify.Flow, *classify.Meta, uint64)
}

// identity is the identification of one session. It is shown the session's packets, or the bytes
// of its stream, until its answer is final.
type identity struct {
	mu      sync.Mutex // guards what follows, as both directions come at the same time
	flow    classify.Flow
	lookups int       // of the session's policy
	trail   trail     // how the policy was found
	refused *refusals // nil while every request has passed
}

// identifies says whether sessions are identified.
func (e *Engine) identifies() bool { return e.identifier != nil && e.identifier.Enabled() }

// beginIdentity starts the identification of a session. One that came by a gate carries what its control
// session has arranged.
func (e *Engine) beginIdentity(s *Session, g *gate) {
	if !e.identifies() {
		return
	}
	i := new(identity)
	meta := s.meta()
	e.identifier.Begin(&i.flow, &meta)
	if g != nil {
		e.identifier.Arranged(&i.flow, g.carries)
	}
	s.identity = i
	if i.flow.Final() {
		s.set(stateIdentified)
		e.identifier.Identified(&i.flow, &meta)
	}
}

// meta is what is known of the session before its first byte.
func (s *Session) meta() classify.Meta {
	return classify.Meta{
		Client: s.client(), Server: s.server(), Protocol: uint8(s.protocol), ICMPType: s.flow.ICMPType, ICMPCode: s.flow.ICMPCode,
		Guessed: s.protocol == schema.ProtoTCP && !s.opensWithSYN,
	}
}

// classifierDirection is the direction as the classifier calls it.
func (d direction) classifierDirection() classify.Direction {
	if d == fromServer {
		return classify.ToClient
	}
	return classify.ToServer
}

// identify shows a packet to the session's identification. Where the session's policy depends on
// what it carries, and that is not permitted, it returns the verdict.
func (e *Engine) identify(w *wing, p *stack.Packet) (refused *policy.Verdict) {
	d := w.direction.classifierDirection()
	return e.learn(w.session, func(f *classify.Flow) (changed bool) {
		switch w.session.protocol {
		case schema.ProtoTCP:
			return f.Segment(&classify.Segment{Direction: d, Seq: p.Seq, Ack: p.Ack, Flags: p.TCPFlags, Payload: p.IP[p.Payload:]})
		case schema.ProtoUDP:
			return f.Datagram(d, p.IP[p.Payload:])
		case protoSCTP:
			return f.Chunks(d, p.IP[min(p.Payload+sctpHeader, len(p.IP)):])
		}
		return false
	})
}

// learn lets the identification of s be shown something, and judges s again if its policy depends
// on what it carries and more is known of that now. It returns a verdict that does not permit it.
func (e *Engine) learn(s *Session, show func(*classify.Flow) (changed bool)) (refused *policy.Verdict) {
	defer e.judgeCapture(s, false)
	defer e.logTreatment(s)
	v, n := e.reconsider(s, show, nil)
	if v == nil {
		return nil
	}
	e.noteChange(s, v, n)
	if n == stopped {
		return v
	}
	return nil
}

// reconsider lets the identification of s be shown something, and adopts the verdict that follows from it,
// unless that is aside, which may be nil; the verdict is nil where nothing changes.
func (e *Engine) reconsider(s *Session, show func(*classify.Flow) (changed bool), aside func(*policy.Verdict) bool) (*policy.Verdict, change) {
	i := s.identity
	i.mu.Lock()
	defer i.mu.Unlock() // also when it panics: what ends the session then wants it
	cfg := e.config.Load()
	v := e.consider(cfg, s, show)
	if v == nil || aside != nil && aside(v) {
		return v, nothing
	}
	n := e.adopt(s, v)
	e.qualify(cfg, s)
	return v, n
}

// consider lets the identification of s be shown something, and judges s again; nil where that changes
// nothing. identity.mu is held.
func (e *Engine) consider(cfg *config, s *Session, show func(*classify.Flow) (changed bool)) *policy.Verdict {
	changed := show(&s.identity.flow)
	e.noteIdentity(s)
	if !s.has(stateOpen) || !changed && !s.identity.flow.Final() && !s.has(stateDeferred) {
		if changed || s.identity.flow.Final() {
			e.qualify(cfg, s)
		}
		return nil
	}
	v := e.judge(cfg, s)
	if s.defersRefusal(&v) {
		return nil
	}
	return &v
}

// The Stream Control Transmission Protocol: its number, and the length of what precedes the chunks.
const (
	protoSCTP  schema.Protocol = 132
	sctpHeader int             = 12
)

// inspector shows a terminated session's bytes to its identification until that is final; nil where
// there is nothing to find out.
func (e *Engine) inspector(s *Session, say func(*web.Answer) bool) relay.Inspector {
	if !s.identifying() && !s.controls() {
		return nil
	}
	edited := s.edit() != nil
	return func(isClient bool, data []byte) relay.Verdict {
		from := sender(isClient)
		if from == fromServer {
			s.set(stateAnswered)
		}
		if s.identifying() {
			if refused := e.learn(s, func(f *classify.Flow) bool { return f.Stream(from.classifierDirection(), data) }); refused != nil {
				return e.blockStream(s, refused, say)
			}
		}
		switch {
		case s.controls():
			if from == fromServer || !edited {
				s.control.pass(from, data)
			}
			return relay.Continue
		case s.identifying():
			return relay.Continue
		}
		return relay.Seen
	}
}

// noteIdentity notes that the answer is final, once; identity.mu is held.
func (e *Engine) noteIdentity(s *Session) {
	if s.identity.flow.Final() && s.set(stateIdentified) && !s.has(stateDecrypted) {
		meta := s.meta()
		e.identifier.Identified(&s.identity.flow, &meta)
	}
}

// endIdentity concludes with what is known, as the session ends.
func (e *Engine) endIdentity(s *Session) {
	if i := s.identity; i != nil {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.flow.Close()
		e.noteIdentity(s)
	}
}

// countIdentity adds a session that is over, and the bytes it carried, to the statistics.
func (e *Engine) countIdentity(s *Session, bytes uint64) {
	if i := s.identity; i != nil {
		meta := s.meta()
		i.mu.Lock()
		defer i.mu.Unlock()
		e.identifier.Ended(&i.flow, &meta, bytes)
	}
}

// identifying says whether the session is still to be shown to its identification.
func (s *Session) identifying() bool { return s.identity != nil && !s.has(stateIdentified) }

// found is what is known of the session's application now.
func (s *Session) found() (result classify.Result, protocol, application *appdb.Application) {
	i := s.identity
	if i == nil {
		return classify.Result{Protocol: appdb.Unknown}, nil, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	protocol, application = i.flow.Applications()
	return i.flow.Result(), protocol, application
}

// asked is how many requests, or other transactions, of the session have begun.
func (s *Session) asked() int {
	i := s.identity
	if i == nil {
		return 0
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.flow.Asked()
}

// customCategory is the category of applications that the operator defined, in log records.
const customCategory = "custom application"

// describe puts what was found into a log record, names without their prefix. Before the first byte
// that is nothing, and whether the session is encrypted is not known until its answer is final.
func (s *Session) describe(record *track.Session) {
	found, protocol, application := s.found()
	switch {
	case found.Encrypted:
		record.Encrypted = "Yes"
	case found.Final && found.Evidence != "address" && found.Evidence != "port": // those do not look at the bytes
		record.Encrypted = "No"
	}
	if found.Name() == appdb.Unknown {
		return
	}
	record.Application = strings.TrimPrefix(found.Protocol, appdb.Prefix)
	record.NestedApplication = strings.TrimPrefix(nested(&found), appdb.Prefix)
	a := application
	if a == nil {
		a = protocol
	}
	if a == nil {
		return
	}
	record.Category, record.SubCategory = a.Category, a.SubCategory
	if a.Custom {
		record.Category, record.SubCategory = customCategory, ""
	}
	record.Risk, record.Characteristics = uint8(a.Risk), a.Characteristics.String()
}

// nested is what commands and logs show beside the protocol: the application over it, or what that,
// or the protocol itself, is used for.
func nested(r *classify.Result) string {
	if r.Micro != "" {
		return r.Micro
	}
	return r.Application
}

// applications are the session's names as commands show them.
func (s *Session) applications() (application, nestedApplication, extended string) {
	found, _, _ := s.found()
	return found.Protocol, nested(&found), found.Extended
}
