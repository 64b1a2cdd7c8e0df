package capture

import "sync/atomic"

// Counters count since they were cleared, but for Active.
type Counters struct {
	SessionsCaptured, PacketsCaptured           uint64 // in files
	Active                                      uint64 // sessions whose packets are kept now
	SessionsWithoutMemory, PacketsWithoutMemory uint64 // beyond what is captured at a time, and what waits to be written
	StorageLimit                                uint64 // handed over and not written: the limit is reached, or the disk full
	SessionsBeyondBuffer, PacketsBeyondBuffer   uint64 // beyond buffer-packets-limit
	InconclusiveCaptured, InconclusiveIgnored   uint64 // sessions that ended before they were known
	CacheTimedOut                               uint64 // servers that may be captured again
}

type counters struct {
	active                                      atomic.Int64
	sessions, packets                           atomic.Uint64
	sessionsWithoutMemory, packetsWithoutMemory atomic.Uint64
	storage                                     atomic.Uint64
	sessionsBeyondBuffer, packetsBeyondBuffer   atomic.Uint64
	inconclusiveCaptured, inconclusiveIgnored   atomic.Uint64
}

// Counters are the counters now.
func (e *Engine) Counters() Counters {
	c := &e.counters
	e.repeats.mu.Lock()
	expired := e.repeats.expired
	e.repeats.mu.Unlock()
	return Counters{
		SessionsCaptured: c.sessions.Load(), PacketsCaptured: c.packets.Load(), Active: uint64(c.active.Load()),
		SessionsWithoutMemory: c.sessionsWithoutMemory.Load(), PacketsWithoutMemory: c.packetsWithoutMemory.Load(),
		StorageLimit:         c.storage.Load(),
		SessionsBeyondBuffer: c.sessionsBeyondBuffer.Load(), PacketsBeyondBuffer: c.packetsBeyondBuffer.Load(),
		InconclusiveCaptured: c.inconclusiveCaptured.Load(), InconclusiveIgnored: c.inconclusiveIgnored.Load(),
		CacheTimedOut: expired,
	}
}

// ClearCounters makes the counters zero; the sessions that are being captured go on.
func (e *Engine) ClearCounters() {
	c := &e.counters
	for _, n := range [...]*atomic.Uint64{
		&c.sessions, &c.packets, &c.sessionsWithoutMemory, &c.packetsWithoutMemory, &c.storage,
		&c.sessionsBeyondBuffer, &c.packetsBeyondBuffer, &c.inconclusiveCaptured, &c.inconclusiveIgnored,
	} {
		n.Store(0)
	}
	e.repeats.mu.Lock()
	e.repeats.expired = 0
	e.repeats.mu.Unlock()
}
