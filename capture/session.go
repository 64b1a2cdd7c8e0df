package capture

import (
	"net/netip"
	"sync"
	"time"
)

// Candidate is a session that may be captured.
type Candidate struct {
	ID       uint64
	Server   netip.AddrPort
	Protocol uint8
	// Wanted says that its policy asks for captures, or may turn out to.
	Wanted bool
}

const (
	protocolTCP = 6
	protocolUDP = 17
	portQUIC    = 443
)

// Verdict is what was found of a session.
type Verdict struct {
	// Unknown says that nothing matches what it carries.
	Unknown bool
	// UnknownName says that it is encrypted, for a server name that belongs to nobody known.
	UnknownName bool
	// Inconclusive says that it ended before anything was known for certain.
	Inconclusive bool
	// Empty says that it carried nothing that could be known.
	Empty bool
	// Wanted says that its policy asks for captures.
	Wanted bool
}

// Session is the capture of one session. Its methods may be called concurrently, and never wait for
// the disk.
type Session struct {
	Candidate
	engine   *Engine
	s        *settings
	seen     bool // may be captured for being unknown
	everyone bool // whatever its policy says

	mu       sync.Mutex
	phase    phase
	blocks   []byte // packets in the form of the file
	packets  int    // in blocks
	captured int    // packets since the beginning
	bytes    int    // of packets since the beginning
}

// phase is how far a capture is.
type phase uint8

const (
	open   phase = iota // packets are kept, until more is known of the session
	wanted              // packets are kept, and written
	over                // nothing is kept any more
)

// Begin starts the capture of a session; nil when it is not to be captured.
func (e *Engine) Begin(c Candidate) *Session {
	s := e.settings.Load()
	if !s.Global && !c.Wanted {
		return nil
	}
	seen := s.AggressiveMode || e.options.Unknown != nil && e.options.Unknown(c.Server, c.Protocol)
	named := s.SSLUnknown && (c.Protocol == protocolTCP || c.Protocol == protocolUDP && c.Server.Port() == portQUIC)
	if !seen && !named || e.repeats.refuses(c.server(), e.options.Clock(), s) {
		return nil
	}
	if uint64(e.held.Load()) >= s.BufferPacketsLimit {
		e.counters.sessionsBeyondBuffer.Add(1)
		return nil
	}
	if e.counters.active.Add(1) > maxSessions {
		e.counters.active.Add(-1)
		e.counters.sessionsWithoutMemory.Add(1)
		return nil
	}
	return &Session{engine: e, s: s, Candidate: c, seen: seen, everyone: s.Global}
}

// Capturing says whether any session is being captured.
func (e *Engine) Capturing() bool { return e.counters.active.Load() > 0 }

// server is what repeats are counted by.
func (c *Candidate) server() server { return server{c.Server, c.Protocol} }

// Packet keeps a copy of an IP packet, unless the session has its fill. wireLen is the length that
// the packet had, which may be more than there is of it. It says whether the capture goes on.
func (c *Session) Packet(at time.Time, ip []byte, wireLen int) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == over {
		return false
	}
	room := c.room(len(ip))
	if room == 0 {
		return c.phase == open // which is all that is left to find out
	}
	ip = ip[:room]
	size := blockSize(len(ip))
	if !c.engine.hold(size, c.s.BufferPacketsLimit) {
		c.engine.counters.packetsBeyondBuffer.Add(1)
		return true
	}
	c.blocks = appendPacket(c.blocks, at, ip, wireLen)
	c.packets++
	c.captured++
	c.bytes += len(ip)
	if c.phase == open {
		return true
	}
	if c.room(1) == 0 {
		c.finish()
		return false
	}
	if len(c.blocks) >= flushSize {
		c.flush()
	}
	return true
}

// flushSize is how much of a session that is to be written is gathered before it is.
const flushSize = 64 << 10

// room is how much of a packet of n bytes is kept: TCP sessions have a limit of bytes, others one of
// packets.
func (c *Session) room(n int) int {
	if c.Protocol == protocolTCP {
		return min(n, int(c.s.MaxBytes)-c.bytes)
	}
	if c.captured >= int(c.s.MaxPackets) {
		return 0
	}
	return n
}

// Verdict says what the session was found to be. It counts once; what follows from it is done with
// the packets kept so far, and with those to come. It says whether the capture goes on.
func (c *Session) Verdict(v Verdict) (more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == open {
		c.judge(&v)
	}
	return c.phase != over
}

// judge is the verdict; mu is held.
func (c *Session) judge(v *Verdict) {
	inconclusive := v.Inconclusive && v.Unknown
	worth := c.worth(v)
	switch {
	case worth && inconclusive && (c.s.NoInconclusive || v.Empty):
		c.engine.counters.inconclusiveIgnored.Add(1)
		c.drop()
	case !worth || !c.engine.repeats.take(c.server(), c.engine.options.Clock(), c.s):
		c.drop()
	default:
		if inconclusive {
			c.engine.counters.inconclusiveCaptured.Add(1)
		}
		c.phase = wanted
		if !v.Unknown && !v.UnknownName || c.room(1) == 0 {
			c.finish()
		} else {
			c.flush()
		}
	}
}

// worth says whether a session is one that captures are for. In aggressive mode every one is, with
// what was seen of it before it was known.
func (c *Session) worth(v *Verdict) bool {
	switch {
	case !c.everyone && !v.Wanted:
		return false
	case v.UnknownName && c.s.SSLUnknown:
		return true
	case v.Unknown:
		return c.seen
	}
	return c.s.AggressiveMode
}

// Close ends the capture with its session. Without a verdict, nothing is written.
func (c *Session) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.phase {
	case open:
		c.drop()
	case wanted:
		c.finish()
	}
}

// drop forgets the capture; mu is held.
func (c *Session) drop() {
	c.engine.release(len(c.blocks))
	c.end()
}

// finish hands over the rest; mu is held.
func (c *Session) finish() {
	c.flush()
	c.end()
}

func (c *Session) end() {
	c.phase, c.blocks = over, nil
	c.engine.counters.active.Add(-1)
}

// flush hands the packets kept to the writer; mu is held.
func (c *Session) flush() {
	if c.packets == 0 {
		return
	}
	m := message{name: fileName(&c.Candidate), first: c.packets == c.captured, blocks: c.blocks, packets: c.packets, settings: c.s}
	select {
	case c.engine.messages <- m:
	default: // the writer does not keep up
		c.engine.counters.packetsWithoutMemory.Add(uint64(c.packets))
		c.engine.release(len(c.blocks))
	}
	c.blocks, c.packets = nil, 0
}

// hold makes room for n bytes of packets in memory, if limit allows.
func (e *Engine) hold(n int, limit uint64) bool {
	if uint64(e.held.Add(int64(n))) <= limit {
		return true
	}
	e.release(n)
	return false
}

func (e *Engine) release(n int) { e.held.Add(-int64(n)) }
