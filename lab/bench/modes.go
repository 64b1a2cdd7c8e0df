package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"sluice/lab"
)

// mode is one way to carry the client's traffic, running in a lab of its own.
type mode struct {
	name    string
	tls     bool // it opens TLS, or is what those that do are compared with
	lab     *lab.Lab
	process *lab.Process // what carries the traffic; nil for the kernel
	gateway *lab.Gateway // nil for others than ours
	config  string       // of ours, beyond what all modes share

	collector *lab.Process // of syslog messages; nil for most
	issuer    string       // of the certificates that clients are shown
	names     int          // names of servers that were asked for so far
}

// missingError says that a program to compare with is not there.
type missingError struct{ reason string }

func (e *missingError) Error() string { return e.reason }

// starters start each mode in a lab whose servers run.
var starters = map[string]func(context.Context, *mode) error{
	"kernel":             func(_ context.Context, m *mode) error { return m.lab.RouteInKernel() },
	"offload":            func(ctx context.Context, m *mode) error { return m.startGateway(ctx, "") },
	"blind":              func(ctx context.Context, m *mode) error { return m.startGateway(ctx, noIdentification) },
	"silent":             func(ctx context.Context, m *mode) error { return m.startGateway(ctx, silent) },
	"logging":            func(ctx context.Context, m *mode) error { return m.startLogging(ctx, "udp") },
	"streaming":          func(ctx context.Context, m *mode) error { return m.startLogging(ctx, "tcp") },
	"express":            func(ctx context.Context, m *mode) error { return m.startGateway(ctx, noOffload) },
	"stream":             func(ctx context.Context, m *mode) error { return m.startGateway(ctx, tcpProxy) },
	"masquerade":         startMasquerade,
	"translated":         func(ctx context.Context, m *mode) error { return m.startGateway(ctx, translation) },
	"translated-express": func(ctx context.Context, m *mode) error { return m.startGateway(ctx, translation+noOffload) },
	"sing-box":           startSingBox,
	"tun2socks":          startTun2socks,
	"direct":             startDirect,
	"sslproxy":           startSSLProxy,
	"judged":             func(ctx context.Context, m *mode) error { return startOpened(ctx, m, judged) },
	"sslsplit":           startSSLSplit,
	"squid":              startSquid,
	"haproxy":            startHAProxy,
}

// permitAll is the gateway's configuration under measurement: one policy, nothing logged.
const permitAll = `
set security policies from-zone trust to-zone untrust policy all match source-address any
set security policies from-zone trust to-zone untrust policy all match destination-address any
set security policies from-zone trust to-zone untrust policy all match application any
set security policies from-zone trust to-zone untrust policy all then permit
set security flow tcp-session rst-invalidate-session
`

// brief makes UDP sessions end soon.
const brief = `
set applications application brief protocol udp
set applications application brief inactivity-timeout 4
set security policies from-zone trust to-zone untrust policy brief match source-address any
set security policies from-zone trust to-zone untrust policy brief match destination-address any
set security policies from-zone trust to-zone untrust policy brief match application brief
set security policies from-zone trust to-zone untrust policy brief then permit
insert security policies from-zone trust to-zone untrust policy brief before policy all
set security zones security-zone trust application-tracking
`

// silent records no session.
const silent = brief + "set security log disable\n"

// logging records every session four times, at a collector and in the history.
const logging = brief + `
set security policies from-zone trust to-zone untrust policy brief then log session-init
set security policies from-zone trust to-zone untrust policy brief then log session-close
set security application-tracking log-session-create
set security application-tracking log-session-close
set security log stream collector host ` + lab.WAN0ISP4 + `
set security log stream collector port 9514
set security log stream collector transport protocol `

// noOffload keeps every packet in the gateway process.
const noOffload = "set security flow no-services-offload\n"

// translation gives what leaves by a WAN link that link's address.
const translation = `
set security nat source rule-set hide from zone trust
set security nat source rule-set hide to zone untrust
set security nat source rule-set hide rule all match source-address 0.0.0.0/0
set security nat source rule-set hide rule all then source-nat interface
`

// noIdentification is a gateway that does not look into sessions.
const noIdentification = "set services application-identification no-application-identification\n"

// tcpProxy makes every TCP session take the stream path.
const tcpProxy = `
set security policies from-zone trust to-zone untrust policy all then permit application-services tcp-proxy
`

// startMode makes a lab and starts what carries the traffic in it.
func startMode(ctx context.Context, name string) (*mode, error) {
	l, err := lab.New(ctx, lab.Options{Flat: true})
	if err != nil {
		return nil, err
	}
	m := &mode{name: name, lab: l}
	for _, h := range []*lab.Host{l.Client, l.Gateway} {
		if err := h.Sysctl("net/ipv4/ip_local_port_range", "1024 65535"); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	if err := starters[name](ctx, m); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return m, nil
}

// startLogging starts ours with a collector that throws away what it is sent by the given protocol.
func (m *mode) startLogging(ctx context.Context, protocol string) error {
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	collector, err := m.lab.Internet.Start(tool, "drain", "-port", "9514")
	if err != nil {
		return err
	}
	if err := collector.WaitListening(ctx, "tcp", 9514); err != nil {
		return err
	}
	m.collector = collector
	return m.startGateway(ctx, logging+protocol+"\n")
}

// startGateway starts ours.
func (m *mode) startGateway(ctx context.Context, config string) error {
	g, err := m.lab.StartGateway(ctx, lab.BaseConfig+permitAll+config)
	if err != nil {
		return err
	}
	m.gateway, m.process, m.config = g, g.Process, config
	return nil
}

// startMasquerade has the kernel forward and translate by itself.
func startMasquerade(ctx context.Context, m *mode) error {
	if err := m.lab.RouteInKernel(); err != nil {
		return err
	}
	_, err := m.lab.Gateway.Run(ctx, "nft", `table inet nat { chain post { type nat hook postrouting priority srcnat; oifname { "wan0", "wan1" } masquerade; }; }`)
	return err
}

// Versions of the programs to compare with, and how they are built.
var (
	singBox   = peer{"sing-box", "github.com/sagernet/sing-box", "v1.14.1", "/cmd/sing-box", "with_gvisor"}
	tun2socks = peer{"tun2socks", "github.com/xjasonlyu/tun2socks/v2", "v2.6.0", "", ""}
)

// peer is a program to compare with: command is its package below the module.
type peer struct{ name, module, version, command, tags string }

// path is the program, built into build/peers unless it is there.
func (p peer) path(ctx context.Context) (string, error) {
	root, err := lab.Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "peers")
	path := filepath.Join(dir, p.name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "building %s %s\n", p.module, p.version)
	// A module of its own that requires the exact version: "go install" would ask for the list of
	// all versions, which not every module proxy has.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	scratch, err := os.MkdirTemp(dir, p.name+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(scratch)
	module := fmt.Sprintf("module peer\n\ngo 1.26.0\n\nrequire %s %s\n", p.module, p.version)
	if err := os.WriteFile(filepath.Join(scratch, "go.mod"), []byte(module), 0o644); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nice", "go", "build", "-mod=mod", "-tags", p.tags, "-o", path, p.module+p.command)
	cmd.Dir = scratch
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &missingError{fmt.Sprintf("%s %s cannot be built: %v: %.300s", p.module, p.version, err, out)}
	}
	return path, nil
}

// singBoxConfig is sing-box as a transparent gateway on a TUN device with its mixed stack: TCP
// through the kernel's stack, the rest through gVisor.
const singBoxConfig = `{
	"log": {"level": "error"},
	"inbounds": [{"type": "tun", "interface_name": "peer0", "address": ["198.51.100.129/30"], "auto_route": false, "stack": "mixed"}],
	"outbounds": [{"type": "direct"}]
}`

// startSingBox starts sing-box on what the client sends.
func startSingBox(ctx context.Context, m *mode) error {
	path, err := singBox.path(ctx)
	if err != nil {
		return err
	}
	file := filepath.Join(m.lab.Dir, "sing-box.json")
	if err := os.WriteFile(file, []byte(singBoxConfig), 0o600); err != nil {
		return err
	}
	return m.startPeer(path, "run", "-c", file)
}

// startTun2socks starts tun2socks, without a proxy behind it, on what the client sends.
func startTun2socks(ctx context.Context, m *mode) error {
	path, err := tun2socks.path(ctx)
	if err != nil {
		return err
	}
	return m.startPeer(path, "-device", "tun://peer0", "-proxy", "direct://", "-loglevel", "error", "-mtu", "1500")
}

// startPeer starts a program that makes the device peer0, and leads what comes in from the client
// to it.
func (m *mode) startPeer(path string, args ...string) error {
	if err := m.lab.RouteInKernel(); err != nil {
		return err
	}
	p, err := m.lab.Gateway.Start(path, args...)
	if err != nil {
		return err
	}
	m.process = p
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if err = m.lab.Gateway.IP("link set peer0 up"); err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("no device peer0: %w: %s", err, p.Output())
		}
	}
	return m.lab.Gateway.IP("route add default dev peer0 table 100", "rule add iif lan0 lookup 100 pref 100")
}
