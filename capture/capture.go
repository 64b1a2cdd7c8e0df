// Package capture keeps the packets of sessions whose application is unknown, one file a session, so
// that they can be looked at and told apart.
//
// A packet is copied into the memory of its session's capture, which is bounded. What becomes of
// the capture is decided when the application is, or cannot become, known: it is forgotten, or
// handed to the writer, the only goroutine that touches files. The files follow a packet: session
// (its copy), pcapng (its form), writer and files (its file), repeats (what is not captured again).
package capture

import (
	"context"
	"log/slog"
	"net/netip"
	"reflect"
	"sync/atomic"
	"time"

	"sluice/store"
	"sluice/store/schema"
)

// DefaultDir is where captures of the machine's own gateway are.
const DefaultDir = "/var/log/pcap"

// Bounds that are not configured.
const (
	maxSessions = 65536 // captured at a time
	maxServers  = 65536 // remembered, so that their sessions are not captured again and again
	maxWaiting  = 4096  // messages to the writer
)

// Known is what earlier sessions told of a server.
type Known func(server netip.AddrPort, protocol uint8) (unknown bool)

// Options are what an Engine works with.
type Options struct {
	// Dir is where the files are put; it is made when the first is written.
	Dir string
	// Unknown says whether a server was seen before and nothing matched what it serves.
	Unknown Known
	Logger  *slog.Logger     // nil for slog.Default
	Clock   func() time.Time // nil for time.Now
}

// Engine captures sessions as its configuration says. Its methods may be called concurrently.
type Engine struct {
	options  Options
	settings atomic.Pointer[settings]
	counters counters
	repeats  repeats
	held     atomic.Int64 // bytes of packets in memory
	messages chan message
	stop     context.CancelFunc
	stopped  chan struct{}
}

// settings are the configuration in force.
type settings struct {
	schema.PacketCapture
	interval time.Duration
}

// New makes an Engine that captures nothing until it is configured.
func New(o Options) *Engine {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &Engine{options: o, messages: make(chan message, maxWaiting), stop: stop, stopped: make(chan struct{})}
	e.repeats.servers = make(map[server]*repeat)
	e.Configure(nil)
	go e.write(ctx)
	return e
}

// Close writes what was handed over, and ends the writer.
func (e *Engine) Close() {
	e.stop()
	<-e.stopped
}

// Name names the engine in logs.
func (e *Engine) Name() string { return "packet-capture" }

// Prepare checks the configuration of captures. They begin with the sessions that come after the
// change.
func (e *Engine) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	apps := &cfg.Services.ApplicationIdentification
	var problems []schema.Problem
	warn := func(message, hint string) {
		problems = append(problems, schema.Problem{Path: statement, Message: message, Hint: hint, Warning: true})
	}
	if p := apps.PacketCapture; p != nil {
		switch {
		case apps.NoIdentification:
			warn("nothing is captured, as no application is identified", "delete services application-identification no-application-identification")
		case apps.NoCache && !p.AggressiveMode:
			warn("only servers that the application system cache knows are captured, and it is off", "set "+statement+" aggressive-mode")
		}
	}
	return store.ChangeFunc(func() { e.Configure(apps.PacketCapture) }), problems
}

const statement = "services application-identification packet-capture"

// Configure makes p decide from the next session on; nil stands for the defaults.
func (e *Engine) Configure(p *schema.PacketCapture) {
	s := &settings{}
	if p != nil {
		s.PacketCapture = *p
	} else {
		node := schema.Root()
		for _, word := range []string{"services", "application-identification", "packet-capture"} {
			node = node.Child(word)
		}
		node.SetDefaults(reflect.ValueOf(&s.PacketCapture).Elem())
	}
	s.interval = time.Duration(s.CaptureInterval) * time.Minute
	e.settings.Store(s)
	e.repeats.resize(e.options.Clock(), s.interval)
}
