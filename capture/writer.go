package capture

import (
	"context"
	"errors"
	"time"
)

// message is what the writer is handed: packets of one session, or a request.
type message struct {
	name     string // of the file
	first    bool   // the file begins with these
	blocks   []byte
	packets  int
	settings *settings

	clear chan<- error // not nil: remove all files, and say how that went
}

// sweepInterval is how often servers whose time is over are forgotten.
const sweepInterval = 5 * time.Second

// write is the writer: it puts into files what it is handed, until ctx ends.
func (e *Engine) write(ctx context.Context) {
	defer close(e.stopped)
	dir := openFolder(e.options.Dir)
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	failing := false
	handle := func(m message) {
		if m.clear != nil {
			e.repeats.forget()
			m.clear <- dir.clear()
			return
		}
		err := e.save(dir, &m)
		e.release(len(m.blocks))
		if err != nil && !failing {
			e.options.Logger.Error("captures are not written", "error", err)
		}
		failing = err != nil
	}
	for {
		select {
		case m := <-e.messages:
			handle(m)
		case <-tick.C:
			e.repeats.expire(e.options.Clock())
		case <-ctx.Done():
			for {
				select {
				case m := <-e.messages:
					handle(m)
				default:
					return
				}
			}
		}
	}
}

// save writes packets and counts them. What does not fit is counted as ignored.
func (e *Engine) save(dir *folder, m *message) error {
	became, err := dir.write(m)
	switch {
	case err != nil || became == refused:
		e.counters.storage.Add(1)
	case became == done:
		if m.first {
			e.counters.sessions.Add(1)
		}
		e.counters.packets.Add(uint64(m.packets))
	}
	return err
}

// Clear removes all capture files. The servers they are of may be captured again.
func (e *Engine) Clear() error {
	done := make(chan error, 1)
	select {
	case e.messages <- message{clear: done}:
	case <-e.stopped:
		return errClosed
	}
	select {
	case err := <-done:
		return err
	case <-e.stopped:
		return errClosed
	}
}

var errClosed = errors.New("captures have ended")
