package shell

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"sluice/manage"
	"sluice/policy"
	"sluice/proxy"
	"sluice/stack"
	"sluice/store"
	"sluice/store/schema"
	"sluice/tls/pki"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"sluice": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the transcripts in testdata, each against a gateway of its own: the control
// interface over a real store and real policies, with two sessions that do not change.
// Rows: 1/O-46, TR-55, O-18.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			socket := startGateway(env.T().(testing.TB), env.Defer)
			env.Setenv("SLUICE_SOCKET", socket)
			env.Setenv("GORACE", "atexit_sleep_ms=0") // every command is a process; with -race each would linger
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
	})
}

// sessions is a table of two sessions.
type sessions struct{}

func (sessions) Sessions(f proxy.Filter) []proxy.Info {
	var list []proxy.Info
	for i, port := range []uint16{443, 22} {
		if f.DestinationPort != 0 && f.DestinationPort != port {
			continue
		}
		client, server := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), 40000), netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), port)
		list = append(list, proxy.Info{
			ID: uint64(i + 1), Policy: "web", PolicyIndex: 4, State: "Valid", Timeout: 1746 * time.Second, MaxTimeout: 1800 * time.Second, Protocol: schema.ProtoTCP,
			In:       proxy.Wing{Source: client, Destination: server, Interface: "ge-0/0/1.0", Packets: 6, Bytes: 671},
			Out:      proxy.Wing{Source: server, Destination: client, Interface: "ge-0/0/0.0", Packets: 7, Bytes: 1635},
			FromZone: "trust", ToZone: "untrust", Service: "junos-https", Application: "junos:UNKNOWN", Encryption: "Unknown", Path: "express",
		})
	}
	return list
}
func (s sessions) Clear(f proxy.Filter) int { return len(s.Sessions(f)) }
func (sessions) Summary() proxy.Summary {
	return proxy.Summary{Unicast: 2, InUse: 2, Valid: 2, Maximum: 1000000}
}
func (sessions) Explain(proxy.Filter) (proxy.Explanation, bool) { return proxy.Explanation{}, false }
func (sessions) Counters() proxy.Counters                       { return proxy.Counters{} }
func (sessions) Devices() map[string]*stack.Device              { return nil }

// policies compiles at commit, as the gateway does.
type policies struct {
	state   *policy.State
	current atomic.Pointer[policy.Engine]
}

func (p *policies) Name() string             { return "policy" }
func (p *policies) Policies() *policy.Engine { return p.current.Load() }
func (p *policies) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	compiled, problems := policy.Compile(cfg, p.state, nil)
	return store.ChangeFunc(func() { p.current.Store(compiled) }), problems
}

// startGateway runs a control interface and returns its socket; cleanup undoes it.
func startGateway(t testing.TB, cleanup func(func())) string {
	dir, err := os.MkdirTemp("", "slt-shell-")
	if err != nil {
		t.Fatal(err)
	}
	cleanup(func() { os.RemoveAll(dir) })
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cleanup(func() { st.Close() })
	p := &policies{state: policy.NewState()}
	cleanup(p.state.Close)
	st.Register(p)
	if err := st.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	c, err := st.Edit(store.Who{User: "root", Client: "file"}, store.Private)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, line := range []string{
		"set system host-name gw",
		"set security zones security-zone trust description inside",
		"set security zones security-zone untrust",
		"set security policies from-zone trust to-zone untrust policy web match source-address any destination-address any application any",
		"set security policies from-zone trust to-zone untrust policy web then permit",
	} {
		if err := c.Run(nil, line); err != nil {
			t.Fatal(err)
		}
	}
	if _, problems, err := c.Commit(store.CommitOptions{}); err != nil {
		t.Fatal(err, problems)
	}
	keys, err := pki.Open(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	server := manage.NewServer(manage.Options{Version: "1.0", Store: st, Sessions: sessions{}, Policies: p, Certificates: keys})
	socket := filepath.Join(dir, "sluice.sock")
	l, err := manage.Listen(socket, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	cleanup(func() {
		server.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return socket
}
