// Package install is the life of signature packages on a gateway: they are downloaded, validated,
// put in force on trial, kept for a way back, and removed.
//
// Packages lie unpacked in directories that never change; a journal says which of them is in
// force, which was before, and which waits to be installed. It is replaced whole and reaches the
// disk before it counts, so a gateway that dies at any moment comes back with the old package or
// with the new one, complete, and with neither only after an uninstallation.
//
// The life of a package is the order of the files: settings.go says where it comes from,
// choose.go and download.go fetch it (offline.go from a file, schedule.go by itself), install.go
// puts it in force with the help of validate.go, rollback.go and uninstall.go take it out again,
// and report.go, server.go and show.go tell people about it.
package install

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sluice/sigpack"
)

// DefaultWatch is how long a package that was put in force is watched before it counts as installed.
const DefaultWatch = 30 * time.Second

// Options say what a manager works with. Dir is needed, and Root to believe any package; the rest
// has defaults.
type Options struct {
	// Dir holds the journal and the packages. It is made when it is missing.
	Dir string
	// Root is the root.json that packages are trusted by. nil: nothing can be downloaded.
	Root []byte
	// DefaultURL is the feed where the configuration names none; "": there is none.
	DefaultURL string
	// Builtin is the package in force where none was ever installed. nil: sigpack.Builtin.
	Builtin func() (*sigpack.Package, error)
	// Connect makes the client of a feed. nil: a sigpack.Client.
	Connect func(Source) (Feed, error)
	// Archive verifies an offline archive and unpacks it into dir. nil: sigpack.OpenArchive.
	Archive func(ctx context.Context, path, dir string) (*sigpack.Fetched, error)
	// Validate says what is wrong with an unpacked package. nil: ValidateInChild.
	Validate func(ctx context.Context, dir string) error
	// Activate puts a package in force, nil for none. When it fails, what was in force still is.
	// Current and New answer for the new package while it runs. nil: nothing needs to be done.
	Activate func(*sigpack.Package) error
	// References returns the statements of the active configuration that name one of these
	// applications and groups: some are not in the package that is to come, others have another
	// number in it. Each is a line to print, "[edit …]". nil: there are none.
	References func(removed, renumbered []string) []string
	// Healthy is asked each second whether a package on trial does harm, such as decoders that
	// crash. nil: it never does.
	Healthy func() error
	// Watch is how long a package is on trial. 0: DefaultWatch.
	Watch time.Duration
	// Log writes a message to the system log. nil: none is written.
	Log func(tag string, severity Severity, text string)
	// Logger takes what only developers want to know. nil: slog.Default.
	Logger *slog.Logger

	fault func(point string) // where tests end the process
}

// Feed is a server of packages; a sigpack.Client is one.
type Feed interface {
	// Versions are all versions, the newest first, withdrawn ones included.
	Versions(ctx context.Context) ([]sigpack.Version, error)
	// Fetch verifies a version and unpacks it into dir, which is whole afterwards or not there.
	Fetch(ctx context.Context, version int, dir string) (*sigpack.Fetched, error)
	// Report sends the result of an installation.
	Report(ctx context.Context, r sigpack.Report) error
}

// Manager keeps the signature packages of a gateway. One operation runs at a time, in the
// background; commands start it and ask for its status.
type Manager struct {
	opt     Options
	journal *journal
	force   atomic.Pointer[force]

	settings atomic.Pointer[settings]
	changed  chan struct{} // the settings did, wakes the schedule

	stop   context.CancelFunc
	ctx    context.Context
	groups sync.WaitGroup // operations, reports and the schedule

	mu      sync.Mutex
	busy    Operation // what runs; 0: nothing
	closed  bool
	results [operations]Status // of operations that run; the journal has those that ended
}

// force is what is in force.
type force struct {
	pack       *sigpack.Package // nil: none
	added      []string         // its applications that the package before it had not
	generation uint64
}

// New opens the packages of a directory. An installation that the end of the process has cut off is
// undone. It fails when the directory cannot be used; a package that cannot be read is replaced by
// the one before it, or the built-in one.
func New(opt Options) (*Manager, error) {
	opt.setDefaults()
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("signature packages: %w", err)
	}
	m := &Manager{opt: opt, changed: make(chan struct{}, 1)}
	m.settings.Store(&settings{source: Source{URL: opt.DefaultURL}})
	m.ctx, m.stop = context.WithCancel(context.Background())
	var err error
	if m.journal, err = openJournal(opt.Dir, opt.fault); err != nil {
		return nil, fmt.Errorf("signature packages: %w", err)
	}
	if err := m.resume(); err != nil {
		return nil, fmt.Errorf("signature packages: %w", err)
	}
	return m, nil
}

func (o *Options) setDefaults() {
	if o.Builtin == nil {
		o.Builtin = sigpack.Builtin
	}
	if o.Connect == nil {
		o.Connect = o.connect
	}
	if o.Archive == nil {
		o.Archive = func(ctx context.Context, path, dir string) (*sigpack.Fetched, error) {
			return sigpack.OpenArchive(ctx, path, o.trust(), dir)
		}
	}
	if o.Validate == nil {
		o.Validate = func(ctx context.Context, dir string) error { return ValidateInChild(ctx, dir) }
	}
	if o.Activate == nil {
		o.Activate = func(*sigpack.Package) error { return nil }
	}
	if o.References == nil {
		o.References = func([]string, []string) []string { return nil }
	}
	if o.Healthy == nil {
		o.Healthy = func() error { return nil }
	}
	if o.Watch == 0 {
		o.Watch = DefaultWatch
	}
	if o.Log == nil {
		o.Log = func(string, Severity, string) {}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.fault == nil {
		o.fault = func(string) {}
	}
}

// Start begins the scheduled updates. Call it once everything that Options name is ready.
func (m *Manager) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.groups.Go(m.schedule)
	}
}

// Close ends what is under way and waits for its end. A package on trial is given up.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	m.groups.Wait()
}

// Current is the package in force, nil when none is. The number grows with each change.
func (m *Manager) Current() (*sigpack.Package, uint64) {
	f := m.force.Load()
	return f.pack, f.generation
}

// New are the names of the applications of the package in force that were not in the one installed
// before it, sorted.
func (m *Manager) New() []string { return m.force.Load().added }

// activate puts a package in force; when that fails, the one before it still is.
func (m *Manager) activate(p *sigpack.Package, added []string) error {
	before := m.force.Load()
	m.force.Store(&force{pack: p, added: added, generation: before.generation + 1})
	if err := m.opt.Activate(p); err != nil {
		m.force.Store(before)
		return err
	}
	return nil
}

// ErrBusy says that an operation cannot start, because another one runs.
var ErrBusy = errors.New("another operation on the signature package is in progress")

// ErrClosed says that the manager was closed.
var ErrClosed = errors.New("the gateway is stopping")

// begin runs an operation in the background. Its first status is what prepare returns, which may
// also refuse it; run returns the last one.
func (m *Manager) begin(op Operation, first Status, run func(ctx context.Context)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if m.busy != 0 {
		return fmt.Errorf("%w (%s)", ErrBusy, m.busy)
	}
	m.busy = op
	m.set(op, first)
	m.groups.Go(func() {
		run(m.ctx)
		m.mu.Lock()
		defer m.mu.Unlock()
		m.busy = 0
	})
	return nil
}
