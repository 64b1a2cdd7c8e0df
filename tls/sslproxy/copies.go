package sslproxy

import (
	"sync"
	"sync/atomic"
	"time"

	"sluice/relay"
	"sluice/tls/mirror"
	"sluice/tls/profile"
	"sluice/track"
)

// copies are the ports that copies of decrypted sessions leave through.
type copies struct {
	mu    sync.Mutex
	ports map[collector]*mirror.Port
	tried map[collector]time.Time // when a port could not be opened last
}

// collector is where copies go.
type collector struct{ device, mac string }

// retryMirror is how long it takes until a port that could not be opened is tried again.
const retryMirror = 5 * time.Second

func newCopies() *copies {
	return &copies{ports: map[collector]*mirror.Port{}, tried: map[collector]time.Time{}}
}

// port is the port for m, which is opened when it is needed first. It is nil, with the reason, when
// there is none.
func (c *copies) port(m *profile.Mirror, now time.Time) (*mirror.Port, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := collector{m.Device, m.MAC.String()}
	if p := c.ports[key]; p != nil {
		return p, nil
	}
	if now.Sub(c.tried[key]) < retryMirror {
		return nil, nil
	}
	p, err := mirror.Open(m.Device, m.MAC)
	if err != nil {
		c.tried[key] = now
		return nil, err
	}
	c.ports[key] = p
	return p, nil
}

// keep closes the ports that no profile has any more.
func (c *copies) keep(profiles []*profile.Proxy) {
	wanted := map[collector]bool{}
	for _, p := range profiles {
		if p.Mirror != nil {
			wanted[collector{p.Mirror.Device, p.Mirror.MAC.String()}] = true
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, port := range c.ports {
		if !wanted[key] {
			_ = port.Close() // nobody reads from it
			delete(c.ports, key)
		}
	}
	clear(c.tried)
}

// copied is the copy of one session.
type copied struct {
	*mirror.Session
	port  *mirror.Port
	drops uint64 // of the port, when the session began
	after bool   // what goes on is copied, rather than what arrived
}

// copied begins the copy of h, where its profile asks for one. Nothing waits for it, and the session
// goes on without.
func (h *handshake) copied() *copied {
	m := h.profile.Mirror
	if m == nil {
		return nil
	}
	port, err := h.copies.port(m, h.Now())
	if port == nil {
		h.towardsServer.MirrorFailed()
		if err != nil {
			h.Logger.Error("decrypted sessions are not copied", "interface", m.Interface, "err", err)
			h.tell(profile.LogErrors, track.SSLError, "no copy to interface "+m.Interface+": "+err.Error())
		}
		return nil
	}
	return &copied{Session: port.Session(h.session.Client, h.session.Server), port: port, drops: port.Stats().Drops, after: m.AfterEnforcement}
}

// end ends the copy, and says whether all of it was sent as far as it is known.
func (c *copied) end(reset bool) (whole bool) {
	c.Close(reset)
	return c.port.Stats().Drops == c.drops
}

// watch is inspect with the copy beside it, which goes on when inspect has seen enough.
func (c *copied) watch(inspect relay.Inspector) relay.Inspector {
	var done atomic.Bool
	return func(fromClient bool, data []byte) relay.Verdict {
		if !c.after {
			c.Data(fromClient, data)
		}
		if inspect != nil && !done.Load() {
			switch v := inspect(fromClient, data); v {
			case relay.Continue:
			case relay.Seen:
				done.Store(true)
			default:
				return v
			}
		}
		if c.after {
			c.Data(fromClient, data)
		}
		return relay.Continue
	}
}

// copiedFilter is a filter with the copy beside it, which goes on when the filter has seen enough.
type copiedFilter struct {
	Filter
	*copied
	done atomic.Bool
}

// Pass filters data and copies it, or what goes on of it.
func (f *copiedFilter) Pass(fromClient bool, data []byte, on [][]byte) (taken int, _ [][]byte, v relay.Verdict) {
	passed := [][]byte{data}
	if taken = len(data); !f.done.Load() {
		taken, passed, v = f.Filter.Pass(fromClient, data, nil)
	}
	if v == relay.Seen {
		f.done.Store(true)
		v = relay.Continue
	}
	if !f.after {
		f.Data(fromClient, data[:taken])
	} else {
		for _, piece := range passed {
			f.Data(fromClient, piece)
		}
	}
	return taken, append(on, passed...), v
}

// Close ends the filter; the copy is ended with the session.
func (f *copiedFilter) Close() { f.Filter.Close() }
