package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"

	"sluice/manage"
	"sluice/manage/view"
	"sluice/policy"
	"sluice/proxy"
	"sluice/route"
	"sluice/sigpack/install"
	"sluice/stack/egress"
	"sluice/stack/kernel"
	"sluice/stack/offload"
	"sluice/store"
	"sluice/store/schema"
	"sluice/store/tree"
	"sluice/track"
	"sluice/users"
)

// Choices of the gateway process.
const (
	defaultState = "/var/lib/sluice"
	maxFiles     = 1 << 20
	gcPercent    = 50              // most of the heap is idle sessions: memory counts for more than collections
	gcReserve    = 64 << 20        // bytes; makes collections of a small heap as rare as those of one larger by so much
	drainTime    = 5 * time.Second // how long a stopping gateway waits for its sessions to end
)

// gatewayOptions are the flags of sluice gateway.
type gatewayOptions struct {
	state, config, socket, group, root string
	plain                              bool
	queues                             int
	drain, trial                       time.Duration
}

func gatewayMain(args []string) int {
	var o gatewayOptions
	flags := flag.NewFlagSet("sluice gateway", flag.ContinueOnError)
	flags.StringVar(&o.state, "state", defaultState, "`directory` of configuration, history and control socket")
	flags.StringVar(&o.config, "config", "", "`file` of set statements that is committed when the state directory is empty")
	flags.StringVar(&o.socket, "socket", "", "control `socket` (default: sluice.sock in the state directory)")
	flags.StringVar(&o.group, "group", "", "`group` that may use the control socket, beside root")
	flags.StringVar(&o.root, "feed-root", "", "root.json `file` that signature packages are trusted by (default: feed-root.json in the state directory)")
	flags.DurationVar(&o.trial, "package-trial", install.DefaultWatch, "`time` that a signature package has to prove itself before it counts as installed")
	flags.BoolVar(&o.plain, "plain", false, "open TUN devices without offloads, a packet per system call")
	flags.IntVar(&o.queues, "queues", runtime.NumCPU(), "`queues` of each TUN device")
	flags.DurationVar(&o.drain, "drain", drainTime, "`time` to wait for sessions to end when stopping")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() != 0 {
		fmt.Fprintf(os.Stderr, "sluice gateway: unexpected argument %q (sluice gateway --help lists the flags)\n", flags.Arg(0))
		return 2
	}
	if o.root == "" {
		o.root = filepath.Join(o.state, "feed-root.json")
	}
	if o.socket == "" {
		o.socket = filepath.Join(o.state, "sluice.sock")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := runGateway(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "sluice gateway:", err)
		return 1
	}
	return 0
}

// runGateway is the life of the gateway: what an earlier process left is removed, the store is
// opened, the active configuration is put in force, and when ctx ends sessions drain and the
// kernel is left as it was found.
func runGateway(ctx context.Context, o gatewayOptions) (err error) {
	debug.SetGCPercent(gcPercent)
	reserve := make([]byte, gcReserve) // never touched, so that it takes no memory
	defer runtime.KeepAlive(reserve)
	logger := slog.Default()
	raiseFileLimit(logger)
	st, err := store.Open(o.state, store.Options{Logger: logger})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if err := cleanUp(o.state); err != nil {
		return fmt.Errorf("removing what an earlier gateway left in the kernel: %w", err)
	}

	logs := filepath.Join(o.state, "log")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return fmt.Errorf("making the log directory: %w", err)
	}
	registry := track.NewRegistry()
	var decryption *decryption // the first configuration, and so the first collector, comes after it
	tracker := track.New(track.Options{State: st.StateDB(), LogDir: logs, Registry: registry, Logger: logger,
		Secure: func(ctx context.Context, conn net.Conn, name, profile string) (net.Conn, error) {
			return decryption.client.Connect(ctx, conn, name, profile)
		},
		SecureListener: func(l net.Listener, profile string) net.Listener { return decryption.server.Listen(l, profile) },
	})
	defer func() {
		flush, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		err = errors.Join(err, tracker.Close(flush))
	}()
	routes, err := route.NewTable()
	if err != nil {
		return err
	}
	defer routes.Close()
	apps, packages, err := openApplications(o, st, tracker, logger)
	if err != nil {
		return err
	}
	defer packages.Close()
	identities, err := users.Open(ctx, st.StateDB())
	if err != nil {
		return err
	}
	keys, err := openKeyring(o, func() *schema.Config { cfg, _ := st.Active(); return cfg }, logger)
	if err != nil {
		return err
	}
	defer keys.page.Close()
	policies := policy.NewState(policy.WithUsers(identities))
	defer policies.Close()
	decryption, err = openDecryption(o, logs, keys.Store, policies, tracker, logger)
	if err != nil {
		return err
	}
	defer decryption.Close()
	captures := openCaptures(o, apps, logger)
	defer captures.Close()
	sessions, err := proxy.New(proxy.Options{
		Egress: routes, Log: tracker, Logger: logger, Kernel: carrier(logger), Identifier: apps, Captures: captures, Users: identities,
		Decrypter: decryption,
	})
	if err != nil {
		return err
	}
	identities.OnChange(sessions.UsersChanged)
	k, err := kernel.New(o.state)
	if err != nil {
		return err
	}
	path := newDatapath(k, routes, sessions, policies, apps, logger, o)
	defer func() { err = errors.Join(err, path.Close(), cleanUp(o.state)) }()
	if active, _ := st.Active(); len(st.Revisions()) > 0 {
		apps.Resume(active)
		path.Resume()
		decryption.Resume()
	}

	keys.policies = path.Policies
	st.Register(apps, packages, captures, decryption, path, keys, logEngine{tracker})
	if err := firstCommit(st, o.config); err != nil {
		return err
	}
	if err := st.Start(ctx); err != nil {
		return err
	}
	packages.Start()
	go keys.follow(ctx)
	registerCounters(registry, sessions)
	registerSSLCounters(registry, decryption.counters)

	server := manage.NewServer(manage.Options{
		Version: version, LogDir: logs, Log: logger, Store: st,
		Sessions: sessions, Policies: path, Traffic: path, Logs: tracker, Applications: apps, Packages: packages, Captures: captureCommands{captures}, Users: identities,
		Certificates: keys.Store, SSL: sslCommands{decryption}, Revocation: decryption.revocation,
		Alarms: func() []view.Alarm {
			return slices.Concat(path.Alarms(), applicationAlarms(apps, packages), keys.Alarms(), decryption.Alarms())
		},
	})
	listener, err := manage.Listen(o.socket, o.group)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer server.Close()
	logger.Info("gateway is up", "version", version, "socket", o.socket)
	tellSystemd(logger, daemon.SdNotifyReady)

	select {
	case err := <-served:
		return fmt.Errorf("control interface: %w", err)
	case <-ctx.Done():
	}
	tellSystemd(logger, daemon.SdNotifyStopping)
	logger.Info("gateway is stopping", "sessions", sessions.Summary().InUse)
	drain, cancel := context.WithTimeout(context.Background(), o.drain)
	defer cancel()
	sessions.Drain(drain)
	return nil
}

// tellSystemd tells systemd how far the gateway is, if it was started as its unit.
func tellSystemd(logger *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		logger.Warn("systemd was not told", "state", state, "error", err)
	}
}

// raiseFileLimit lets the process open as many files as the system allows, since each terminated
// session is a socket.
func raiseFileLimit(logger *slog.Logger) {
	limit := uint64(maxFiles)
	if text, err := os.ReadFile("/proc/sys/fs/nr_open"); err == nil {
		if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
			limit = min(limit, n)
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		var now unix.Rlimit
		_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
		logger.Warn("the limit of open files cannot be raised; it bounds the sessions of stream services", "limit", now.Cur, "wanted", limit, "err", err)
	}
}

// carrier is the kernel's part in forwarding, or nil where the kernel cannot take it.
func carrier(logger *slog.Logger) proxy.Carrier {
	o, err := offload.New()
	if err != nil {
		logger.Warn("the kernel cannot carry sessions; all packets pass the gateway process", "err", err)
		return nil
	}
	return o
}

// firstCommit commits the statements of file when nothing was ever committed.
func firstCommit(st *store.Store, file string) error {
	if file == "" || len(st.Revisions()) > 0 {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("first configuration: %w", err)
	}
	c, err := st.Edit(store.Who{User: "root", Client: "file"}, store.Private)
	if err != nil {
		return err
	}
	defer c.Close()
	var lines []string
	for _, p := range c.Load(tree.LoadSet, nil, string(text)) {
		lines = append(lines, p.Error())
	}
	if len(lines) == 0 {
		_, problems, err := c.Commit(store.CommitOptions{Comment: "first configuration, from " + file})
		if err == nil {
			return nil
		}
		for _, p := range problems {
			lines = append(lines, p.Error())
		}
		lines = append(lines, err.Error())
	}
	return fmt.Errorf("first configuration %s:\n%s", file, strings.Join(lines, "\n"))
}

func cleanUp(state string) error {
	return errors.Join(offload.CleanUp(), egress.CleanUp(), kernel.CleanUp(state))
}

func cleanupMain(args []string) int {
	flags := flag.NewFlagSet("sluice cleanup", flag.ContinueOnError)
	state := flags.String("state", defaultState, "state `directory` of the gateway")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := cleanUp(*state); err != nil {
		fmt.Fprintln(os.Stderr, "sluice cleanup:", err)
		return 1
	}
	return 0
}
