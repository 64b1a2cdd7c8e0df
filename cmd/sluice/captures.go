package main

import (
	"log/slog"
	"net/netip"
	"path/filepath"

	"sluice/appid"
	"sluice/capture"
	"sluice/classify"
	"sluice/manage"
)

// openCaptures makes what captures unknown applications. A gateway that keeps its state elsewhere
// than usual keeps its captures there, too.
func openCaptures(o gatewayOptions, apps *appid.Service, logger *slog.Logger) *capture.Engine {
	dir := capture.DefaultDir
	if o.state != defaultState {
		dir = filepath.Join(o.state, "pcap")
	}
	return capture.New(capture.Options{
		Dir: dir, Logger: logger,
		Unknown: func(server netip.AddrPort, protocol uint8) bool {
			return apps.UnknownCached(&classify.Meta{Server: server, Protocol: protocol})
		},
	})
}

// captureCommands are captures as commands have them.
type captureCommands struct{ *capture.Engine }

// Counters are the counters now.
func (c captureCommands) Counters() manage.CaptureCounters {
	return manage.CaptureCounters(c.Engine.Counters())
}
