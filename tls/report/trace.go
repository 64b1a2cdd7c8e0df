package report

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/store/schema"
)

// Level is how much is traced; each level takes in the ones before it.
type Level uint8

// The levels (guide, table 45).
const (
	Brief     Level = iota // errors
	Detail                 // what happens up to the end of the handshake; commits
	Extensive              // how much data was transferred; more of commits
	Verbose                // everything
)

// levelOf are the levels as statements name them.
var levelOf = map[string]Level{"brief": Brief, "detail": Detail, "extensive": Extensive, "verbose": Verbose}

// Flag is a part of the gateway that is traced (guide, table 46).
type Flag uint8

// The parts.
const (
	Configuration Flag = 1 << iota
	ProxyPolicy        // whether and how a session is decrypted
	TerminationSide
	InitiationSide

	everything Flag = 1<<iota - 1
)

// flagOf are the parts as statements name them. selected-profile names none: it narrows the others.
var flagOf = map[string]Flag{
	"all": everything, "cli-configuration": Configuration, "proxy": ProxyPolicy, "termination": TerminationSide, "initiation": InitiationSide,
}

// flagName are the parts as lines name them.
var flagName = map[Flag]string{
	Configuration: "cli-configuration", ProxyPolicy: "proxy", TerminationSide: "termination", InitiationSide: "initiation",
}

// String is the parts as lines name them.
func (f Flag) String() string {
	var names []string
	for _, part := range []Flag{Configuration, ProxyPolicy, TerminationSide, InitiationSide} {
		if f&part != 0 {
			names = append(names, flagName[part])
		}
	}
	return strings.Join(names, ",")
}

// selectedProfile narrows traces to profiles with enable-flow-tracing.
const selectedProfile = "selected-profile"

// traceQueue is how many lines may wait to be written; further ones are lost, and counted.
const traceQueue = 4096

// Tracer writes traces to a file. Nothing waits for the file.
type Tracer struct {
	dir  string
	log  *slog.Logger
	plan atomic.Pointer[tracePlan] // nil: nothing is traced
	lost Counter

	lines chan traceLine
	quit  chan struct{}
	done  sync.WaitGroup
}

// tracePlan is what the statements ask for.
type tracePlan struct {
	level    Level
	flags    Flag
	selected bool
	filters  []schema.TracePacketFilter
	match    *regexp.Regexp // nil: every line
	file     *rotatingFile
}

// traceLine is a line on its way to its file.
type traceLine struct {
	file    *rotatingFile
	text    string
	written chan<- struct{} // closed when the line was handled, if not nil
}

// NewTracer makes a tracer whose files lie in dir. Close ends it.
func NewTracer(dir string, log *slog.Logger) *Tracer {
	t := &Tracer{dir: dir, log: log, lines: make(chan traceLine, traceQueue), quit: make(chan struct{})}
	t.done.Go(t.write)
	return t
}

// CheckTrace says what is wrong with the statements.
func CheckTrace(o *schema.SSLTraceOptions) []schema.Problem {
	const path = "services ssl traceoptions"
	if o.File == nil {
		if len(o.Flags) > 0 {
			return []schema.Problem{{Path: path, Message: "nothing is traced without a file", Hint: "set " + path + " file NAME", Warning: true}}
		}
		return nil
	}
	if _, err := regexp.Compile(o.File.Match); err != nil {
		return []schema.Problem{schema.Errorf(path+" file match", "%q is not a regular expression: %v", o.File.Match, err)}
	}
	return nil
}

// Configure puts the statements in force; CheckTrace must have found nothing wrong with them.
func (t *Tracer) Configure(o *schema.SSLTraceOptions) {
	old := t.plan.Load()
	if o.File == nil {
		t.plan.Store(nil)
	} else {
		t.plan.Store(t.planFor(o, old))
	}
	if now := t.plan.Load(); old != nil && (now == nil || now.file != old.file) {
		t.deliver(traceLine{file: old.file}) // the last of the old file
	}
}

// planFor compiles the statements; the file of the old plan goes on where it is the same.
func (t *Tracer) planFor(o *schema.SSLTraceOptions, old *tracePlan) *tracePlan {
	p := &tracePlan{level: levelOf[o.Level], filters: o.PacketFilters, selected: slices.Contains(o.Flags, selectedProfile)}
	for _, name := range o.Flags {
		p.flags |= flagOf[name]
	}
	if p.flags == 0 {
		p.flags = everything
	}
	if o.File.Match != "" {
		p.match = regexp.MustCompile(o.File.Match)
	}
	settings := fileSettings{
		path: filepath.Join(t.dir, o.File.Name), size: int64(o.File.Size), files: int(o.File.Files), readable: o.File.WorldReadable,
	}
	if old != nil && old.file.fileSettings == settings {
		p.file = old.file
	} else {
		p.file = &rotatingFile{fileSettings: settings}
	}
	return p
}

// Lost is how many lines were lost because the file was too slow or could not be written.
func (t *Tracer) Lost() uint64 { return t.lost.Value() }

// Commit traces what a commit does, where the statements ask for it.
func (t *Tracer) Commit(level Level, format string, args ...any) {
	if p := t.plan.Load(); p != nil && p.flags&Configuration != 0 && level <= p.level {
		t.line(p, Configuration, "", fmt.Sprintf(format, args...))
	}
}

// Trace is the trace of one session. A nil Trace traces nothing.
type Trace struct {
	tracer *Tracer
	plan   *tracePlan
	about  string
}

// Session is the trace of a session from client to server with a profile whose enable-flow-tracing
// is flowTracing; nil where nothing of it is to be traced.
func (t *Tracer) Session(id uint64, client, server netip.AddrPort, profile string, flowTracing bool) *Trace {
	p := t.plan.Load()
	if p == nil || p.selected && !flowTracing || !p.wants(client, server) {
		return nil
	}
	return &Trace{tracer: t, plan: p, about: fmt.Sprintf(" session %d %s->%s profile %s", id, client, server, profile)}
}

// wants says whether one of the packet filters matches; every session is wanted without any.
func (p *tracePlan) wants(client, server netip.AddrPort) bool {
	if len(p.filters) == 0 {
		return true
	}
	in := func(prefix *schema.HostPrefix, a netip.Addr) bool {
		return prefix == nil || prefix.Masked().Contains(a.Unmap())
	}
	port := func(r *schema.PortRange, port uint16) bool { return r == nil || r.Contains(port) }
	return slices.ContainsFunc(p.filters, func(f schema.TracePacketFilter) bool {
		return in(f.SourceIP, client.Addr()) && in(f.DestinationIP, server.Addr()) && port(f.SourcePort, client.Port()) && port(f.DestinationPort, server.Port())
	})
}

// Wants says whether lines of a part and level are written, for callers that would have to work
// for what they say.
func (t *Trace) Wants(part Flag, level Level) bool {
	return t != nil && t.plan.flags&part != 0 && level <= t.plan.level
}

// Log writes one line about a part of the session.
func (t *Trace) Log(part Flag, level Level, format string, args ...any) {
	if t.Wants(part, level) {
		t.tracer.line(t.plan, part, t.about, fmt.Sprintf(format, args...))
	}
}

// line sends one line to the writer.
func (t *Tracer) line(p *tracePlan, part Flag, about, text string) {
	line := fmt.Sprintf("%s %s%s: %s", time.Now().Format("Jan _2 15:04:05.000000"), part, about, singleLine(text))
	if p.match == nil || p.match.MatchString(line) {
		t.send(traceLine{file: p.file, text: line})
	}
}

func (t *Tracer) send(l traceLine) {
	select {
	case t.lines <- l:
	default:
		t.lost.Inc()
	}
}

// deliver sends a line that must not be lost.
func (t *Tracer) deliver(l traceLine) {
	select {
	case t.lines <- l:
	case <-t.quit:
	}
}

// singleLine is text without what would split or disguise it: peers have a say in it.
func singleLine(text string) string {
	clean := []rune(text)
	for i, c := range clean {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			clean[i] = ' '
		}
	}
	return string(clean)
}

// write is the writer: the only goroutine that touches files.
func (t *Tracer) write() {
	for {
		select {
		case l := <-t.lines:
			t.handle(l)
		case <-t.quit:
			for {
				select {
				case l := <-t.lines:
					t.handle(l)
				default:
					if p := t.plan.Load(); p != nil {
						p.file.close()
					}
					return
				}
			}
		}
	}
}

// handle writes one line; one without text closes its file.
func (t *Tracer) handle(l traceLine) {
	switch {
	case l.written != nil:
		close(l.written)
	case l.text == "":
		l.file.close()
	default:
		if err := l.file.append(l.text); err != nil {
			if t.lost.Inc(); l.file.complain() {
				t.log.Warn("trace of the SSL proxy", "error", err)
			}
		}
	}
}

// Flush returns when everything that was traced before is in its file.
func (t *Tracer) Flush() {
	written := make(chan struct{})
	t.deliver(traceLine{written: written})
	select {
	case <-written:
	case <-t.quit:
	}
}

// Close writes what waits, and ends the tracer.
func (t *Tracer) Close() {
	close(t.quit)
	t.done.Wait()
}
