package store

import (
	"fmt"
	"time"
)

// EventKind says what happened to the configuration.
type EventKind uint8

// What can happen to the configuration.
const (
	Committed       EventKind = iota // a commit is in force
	ConfirmationDue                  // a confirmed commit is in force and must be confirmed by Until
	Confirmed                        // a confirmed commit was confirmed as it is
	RolledBack                       // a confirmed commit was not confirmed in time and is undone
)

// Event tells that the configuration in force has changed, or was confirmed.
type Event struct {
	Kind     EventKind
	Revision Revision  // the configuration now in force
	By       Who       // who did it
	Until    time.Time // when a ConfirmationDue is rolled back
}

// String is the sentence to broadcast to everybody who is logged in.
func (e Event) String() string {
	switch e.Kind {
	case ConfirmationDue:
		return fmt.Sprintf("%s committed a configuration that is rolled back at %s unless it is confirmed with \"commit\"", e.By, e.Until.Format(time.TimeOnly))
	case Confirmed:
		return fmt.Sprintf("%s confirmed the configuration", e.By)
	case RolledBack:
		return "a configuration that nobody confirmed was rolled back to the last confirmed one"
	default:
		return fmt.Sprintf("%s committed a configuration", e.By)
	}
}

// Subscribe calls notify for every event, in order, until cancel is called. Notify must be quick
// and may read the store, but not edit or commit.
func (s *Store) Subscribe(notify func(Event)) (cancel func()) {
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	key := s.nextSubscriber
	s.nextSubscriber++
	s.subscribers[key] = notify
	return func() {
		s.eventMu.Lock()
		defer s.eventMu.Unlock()
		delete(s.subscribers, key)
	}
}

// publishCommit tells that who has committed or confirmed revision; s.mu is held.
func (s *Store) publishCommit(revision Revision, who Who, kind EventKind) {
	e := Event{Kind: kind, Revision: revision, By: who}
	if p := s.pending.Load(); p != nil {
		e.Kind, e.Until = ConfirmationDue, p.until
	}
	s.publish(e)
}

// publish tells every subscriber; s.mu is held, which keeps events in order.
func (s *Store) publish(e Event) {
	s.eventMu.Lock()
	defer s.eventMu.Unlock()
	for _, notify := range s.subscribers {
		notify(e)
	}
}
