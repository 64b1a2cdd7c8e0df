package proxy

import (
	"sync/atomic"
	"time"

	"sluice/policy"
	"sluice/store/schema"
	"sluice/track"
)

// What is remembered of sessions after their end, for somebody who asks why only then.
const (
	keptFinished = 4096 // sessions
	keptCommits  = 4    // for how many commits, as a session holds on to the configuration it had
)

// finished are the sessions that have ended last.
type finished struct {
	next atomic.Uint64
	ring [keptFinished]atomic.Pointer[Session]
}

// add notes that s is over, in the place of the oldest.
func (f *finished) add(s *Session) { f.ring[(f.next.Add(1)-1)%keptFinished].Store(s) }

// forget lets go of the sessions that began before the last commits, of which number is the latest.
func (f *finished) forget(number uint32) {
	for i := range f.ring {
		if s := f.ring[i].Load(); s != nil && s.admitted+keptCommits < number {
			f.ring[i].CompareAndSwap(s, nil)
		}
	}
}

// each shows the sessions.
func (f *finished) each(show func(*Session)) {
	for i := range f.ring {
		if s := f.ring[i].Load(); s != nil {
			show(s)
		}
	}
}

// Ending is how a session ended.
type Ending struct {
	After  time.Duration `json:"after"` // the session began
	Reason track.Reason  `json:"reason"`
	// Answer is what a session that was refused was told: a page, an address to go to, RST, an ICMP error;
	// "" for nothing, and for a session that was not.
	Answer string `json:"answer,omitempty"`
}

// noteEnd notes that s is over, and why.
func (e *Engine) noteEnd(s *Session, reason track.Reason) {
	s.reason.CompareAndSwap(nil, &reason)
	s.ended.Store(e.now())
	e.finished.add(s)
}

// ending is how s ended; nil while it goes on.
func (s *Session) ending() *Ending {
	reason := s.reason.Load()
	if !s.has(stateRecorded) || reason == nil {
		return nil
	}
	x := &Ending{After: time.Duration(s.ended.Load() - s.born), Reason: *reason}
	switch {
	case !s.has(stateRefused):
	case s.has(statePageSent), s.page.Load() != nil:
		x.Answer = answerOf(s.message())
	case s.refusedBy() != policy.Reject:
	case s.protocol == schema.ProtoTCP:
		x.Answer = "RST"
	case s.protocol == schema.ProtoUDP:
		x.Answer = "ICMP port unreachable"
	}
	return x
}

// message is the answer to web requests that the policy of s, or its rule, refuses; nil for none.
func (s *Session) message() *policy.Message {
	if rule := s.rule.Load(); rule != nil {
		return rule.Message
	}
	return s.verdict.Load().Message
}
