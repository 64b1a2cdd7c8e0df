package proxy

import (
	"context"
	"net/netip"
	"time"

	"sluice/policy"
	"sluice/track"
)

// sweepTime is how long one pass over the whole session table takes; a session ends at most
// this much after its timeout.
const sweepTime = time.Second

// age ends sessions whose timeout has passed, one shard after the other, so that no pass holds
// the table up.
func (e *Engine) age(ctx context.Context) {
	tick := time.NewTicker(sweepTime / shards)
	defer tick.Stop()
	early, rerouted := false, false
	var ways uint64 // the generation of the ways out
	var batch []*Session
	for next := 0; ; next = (next + 1) % shards {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if next == 0 {
			e.fragments.Expire(time.Now())
			e.gates.expire(e.now())
			early = e.ageEarly(early)
			now := e.egress.Generation()
			rerouted, ways = now != ways, now
		}
		batch = e.table.shard[next].collect(batch[:0])
		now := e.now()
		for i, s := range batch {
			if rerouted && s.has(stateOffloaded) {
				e.reroute(s)
			}
			e.ageOne(s, now, early)
			batch[i] = nil
		}
	}
}

// ageOne ends s if its time is over. What the kernel carries is asked for only when it matters.
func (e *Engine) ageOne(s *Session, now int64, early bool) {
	limit := e.limit(s, early)
	over := limit != noTimeout && now-s.lastSeen.Load() >= limit
	if s.has(stateOffloaded) {
		update := s.has(stateTracked) && s.updates.Passed(time.Duration(now-s.born), e.log.UpdateRule())
		if over || update {
			e.refresh(s)
			e.trackVolume(s, s.lastSeen.Load())
			over = limit != noTimeout && now-s.lastSeen.Load() >= limit
		}
	}
	if over && !s.waits() {
		e.remove(s, track.ReasonAgedOut)
	}
}

// limit is the time without packets after which s ends.
func (e *Engine) limit(s *Session, early bool) int64 {
	limit := s.timeout.Load()
	if early {
		limit = min(limit, int64(e.config.Load().flow.Aging.EarlyAgeout)*int64(time.Second))
	}
	return limit
}

// ageEarly says whether sessions age early now: from the high watermark of the table's fill
// down to the low one (flow aging).
func (e *Engine) ageEarly(early bool) bool {
	cfg := e.config.Load()
	if cfg == nil || cfg.flow.Aging.EarlyAgeout == 0 {
		return false
	}
	fill := e.table.sessions.Load() * 100
	if early {
		return fill > int64(cfg.flow.Aging.LowWatermark)*cfg.maximum
	}
	return fill > int64(cfg.flow.Aging.HighWatermark)*cfg.maximum
}

// end removes s for a reason that comes before its own, unless s is over already.
func (e *Engine) end(s *Session, reason track.Reason) {
	if !s.has(stateClosing) {
		s.reason.Store(&reason)
	}
	e.remove(s, reason)
}

// remove takes s out of the table, once, and records its end unless that is done. The reason is the
// session's own if it has one, else the one given.
func (e *Engine) remove(s *Session, reason track.Reason) {
	if !s.removed.CompareAndSwap(false, true) {
		return
	}
	e.leaveHalfOpen(s)
	e.takeBack(s)
	e.endIdentity(s)
	e.endCapture(s)
	e.table.remove(&s.wings[fromClient])
	e.table.remove(&s.wings[fromServer])
	e.table.sessions.Add(-1)
	if s.parent() != nil {
		s.control.forget(s)
	}
	if own := s.reason.Load(); own != nil {
		reason = *own
	}
	if r := s.relay.Load(); r != nil {
		r.cancel()
	}
	e.conclude(s, reason)
}

// conclude records the end of s, once, with what it carried until then.
func (e *Engine) conclude(s *Session, reason track.Reason) {
	if !s.set(stateRecorded) {
		return
	}
	e.noteEnd(s, reason)
	if s.controls() {
		s.control.close()
	}
	e.endTreatment(s)
	record := e.record(s)
	e.countIdentity(s, record.BytesFromClient+record.BytesFromServer)
	p := s.verdict.Load()
	logs := p.LogClose
	if s.has(statePotential) { // which it would have been is not known, nor will it be
		p.Counters.Hits.Add(1)
		record.Policy, logs = policy.PreIDPolicy, e.config.Load().policy.PreID().LogClose
	}
	p.Counters.SessionsClosed.Add(1)
	if p.Count {
		p.Counters.PacketsFromClient.Add(record.PacketsFromClient)
		p.Counters.BytesFromClient.Add(record.BytesFromClient)
		p.Counters.PacketsFromServer.Add(record.PacketsFromServer)
		p.Counters.BytesFromServer.Add(record.BytesFromServer)
	}
	if logs {
		e.log.FlowClose(record, reason)
	}
	if s.has(stateTracked) {
		e.log.AppClose(record, reason)
	}
}

// record is what the logs say about s now.
func (e *Engine) record(s *Session) *track.Session {
	c, r := &s.wings[fromClient], &s.wings[fromServer]
	p := s.verdict.Load()
	record := &track.Session{
		ID: s.id, Source: c.key.Source(), Destination: c.key.Destination(),
		Protocol: uint8(s.protocol), ICMPType: s.flow.ICMPType, SourceNATRule: s.natRule,
		Service: s.service, Policy: p.Name, FromZone: s.fromZone.Name, ToZone: s.toZone.Name,
		IngressInterface: s.ingress, EgressInterface: s.egress,
		Start: s.started, Elapsed: time.Since(s.started),
	}
	record.User, record.Roles = p.Identity(s.user.Load())
	if source := s.natSource(); source != c.key.Source() {
		record.NATSource = source
	}
	if called := c.leave.Destination(); called != record.Destination {
		record.NATDestination = called
	}
	s.describe(record)
	record.PacketsFromClient, record.BytesFromClient = e.total(c)
	record.PacketsFromServer, record.BytesFromServer = e.total(r)
	return record
}

// natSource is the client as the server sees it.
func (s *Session) natSource() netip.AddrPort {
	if relay := s.relay.Load(); relay != nil && relay.source.IsValid() {
		return relay.source
	}
	return s.wings[fromClient].leave.Source()
}

// total is what arrived in one direction: counted packet by packet, by the kernel where it carries
// the session, and by the upstream socket on the server's side of the stream path.
func (e *Engine) total(w *wing) (packets, bytes uint64) {
	packets, bytes = w.packets.Load(), w.bytes.Load()
	s := w.session
	if relay := s.relay.Load(); relay != nil && w.direction == fromServer {
		return relay.received()
	}
	if s.has(stateOffloaded) {
		if carried, ok := e.kernel.Stats(&w.key); ok {
			packets += carried.Packets
			bytes += carried.Bytes
		}
	}
	return packets, bytes
}
