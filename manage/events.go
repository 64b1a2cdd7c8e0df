package manage

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"sluice/manage/api"
	"sluice/store"
)

const (
	eventBacklog = 32               // events a client may lag behind before it misses some
	heartbeat    = 20 * time.Second // between signs of life on a quiet event stream
)

// hub tells every client what happened.
type hub struct {
	mu      sync.Mutex
	clients map[string]chan api.Event // by client name
	closed  bool
}

func newHub() *hub { return &hub{clients: map[string]chan api.Event{}} }

// join makes a client. Its channel is closed when the server stops.
func (h *hub) join() (name string, events <-chan api.Event) {
	c := make(chan api.Event, eventBacklog)
	name = rand.Text()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return name, c
	}
	h.clients[name] = c
	return name, c
}

// leave forgets a client.
func (h *hub) leave(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, name)
}

// knows says whether the client called name is connected.
func (h *hub) knows(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.clients[name]
	return ok
}

// tell sends e to every client but the one called except. A client that does not read misses it.
func (h *hub) tell(e api.Event, except string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, c := range h.clients {
		if name == except {
			continue
		}
		select {
		case c <- e:
		default:
		}
	}
}

// close ends every event stream.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for name, c := range h.clients {
		close(c)
		delete(h.clients, name)
	}
}

// serveEvents answers GET /v1/events: it makes a client, which lives as long as the connection,
// and so do the client's configuration sessions.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	name, events := s.events.join()
	defer s.editors.closeOf(name)
	defer s.events.leave(name)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(text string) bool {
		_, err := w.Write([]byte(text))
		return err == nil && control.Flush() == nil
	}
	if !send(frame(api.Event{Kind: "hello", Client: name, Time: s.options.Now()})) {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			text = frame(e)
		case <-beat.C:
		}
		if !send(text) {
			return
		}
	}
}

// frame is e as a server-sent event.
func frame(e api.Event) string {
	data, err := json.Marshal(e)
	if err != nil {
		panic(err) // an Event is strings and times: it always marshals
	}
	return fmt.Sprintf("event: %s\ndata: %s\n\n", e.Kind, data)
}

// reminders are the times before a rollback at which everybody is told.
var reminders = []time.Duration{5 * time.Minute, time.Minute, 30 * time.Second, 10 * time.Second}

// watchConfirmed tells everybody when a confirmed commit is about to be rolled back, and when it
// was. Commits are told by those who made them.
func (s *Server) watchConfirmed(ctx context.Context) {
	happened := make(chan store.Event, eventBacklog)
	cancel := s.options.Store.Subscribe(func(e store.Event) {
		select {
		case happened <- e:
		default: // the next event reads the state anew
		}
	})
	defer cancel()
	for {
		until, pending := s.options.Store.ConfirmedPending()
		var remind <-chan time.Time
		if wait, ok := nextReminder(time.Until(until)); pending && ok {
			remind = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case e := <-happened:
			if e.Kind == store.RolledBack {
				s.events.tell(api.Event{Kind: "rollback", Time: s.options.Now(), User: e.By.User, Message: e.String()}, "")
			}
		case <-remind:
			left := time.Until(until).Round(time.Second)
			s.events.tell(api.Event{Kind: "confirm", Time: s.options.Now(), Until: until,
				Message: fmt.Sprintf("the configuration is rolled back in %s unless somebody commits", left)}, "")
		}
	}
}

// nextReminder is how long to wait for the next reminder when left is left, if one is to come.
func nextReminder(left time.Duration) (wait time.Duration, ok bool) {
	for _, r := range reminders {
		if left > r {
			return left - r, true
		}
	}
	return 0, false
}
