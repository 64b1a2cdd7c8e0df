package main

import (
	"sluice/proxy"
	"sluice/track"
)

// registerCounters puts the session engine's counters into the registry, which serves them to
// Prometheus.
func registerCounters(r *track.Registry, sessions *proxy.Engine) {
	r.Counter("sluice_sessions_created_total", "Sessions created since start", func() uint64 { return sessions.Counters().SessionsCreated })
	r.Counter("sluice_sessions_failed_total", "Sessions refused for want of room, a port or a route", func() uint64 { return sessions.Counters().SessionsFailed })
	r.Counter("sluice_session_panics_total", "Sessions ended by an internal error", func() uint64 { return sessions.Counters().Panics })
	r.Counter("sluice_fragments_dropped_total", "Fragments dropped: incomplete, overlapping or too many", func() uint64 { return sessions.Counters().FragmentsDropped })
	r.Counters("sluice_packets_dropped_total", "Packets not forwarded, by reason", []string{"reason"}, func(emit track.Emit) {
		for reason, n := range sessions.Counters().Drops {
			emit(float64(n), reason)
		}
	})
	r.Gauges("sluice_sessions", "Sessions in the table, by state", []string{"state"}, func(emit track.Emit) {
		sum := sessions.Summary()
		emit(float64(sum.Valid), "valid")
		emit(float64(sum.Pending), "pending")
		emit(float64(sum.Invalidated), "invalidated")
	})
	r.Gauge("sluice_sessions_offloaded", "Sessions that the kernel carries", func() float64 { return float64(sessions.Summary().Offloaded) })
}
