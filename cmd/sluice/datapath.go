package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sluice/appid"
	"sluice/appqos"
	"sluice/manage/view"
	"sluice/policy"
	"sluice/proxy"
	"sluice/route"
	"sluice/stack"
	"sluice/stack/egress"
	"sluice/stack/kernel"
	"sluice/stack/offload"
	"sluice/store"
	"sluice/store/schema"
	"sluice/track"
)

// repairInterval is how often devices that are missing are looked for.
const repairInterval = 2 * time.Second

// datapath puts the packet side of a configuration in force: policies are compiled, the kernel
// leads the packets of the zones' interfaces into TUN devices, and the session engine reads them.
type datapath struct {
	kernel   *kernel.Kernel
	routes   *route.Table
	sessions *proxy.Engine
	policies *policy.State
	traffic  *appqos.State
	apps     *appid.Service
	logger   *slog.Logger
	options  gatewayOptions
	current  atomic.Pointer[compiled]

	stop   context.CancelFunc
	repair chan struct{}
	done   sync.WaitGroup

	mu      sync.Mutex     // guards what follows, and orders changes of devices
	cfg     *schema.Config // in force
	desired kernel.Desired
	rates   map[string]uint64 // of shaped links, by device
	shaper  egress.Shaper
	lanes   map[string]*stack.Device // open ones, by name
	alarms  map[string]view.Alarm    // by what they are about
}

func newDatapath(k *kernel.Kernel, routes *route.Table, sessions *proxy.Engine, policies *policy.State, apps *appid.Service, logger *slog.Logger, o gatewayOptions) *datapath {
	ctx, stop := context.WithCancel(context.Background())
	d := &datapath{
		kernel: k, routes: routes, sessions: sessions, policies: policies, traffic: appqos.NewState(), apps: apps, logger: logger, options: o,
		stop: stop, repair: make(chan struct{}, 1), alarms: make(map[string]view.Alarm), lanes: make(map[string]*stack.Device),
	}
	d.done.Go(func() { d.keep(ctx) })
	apps.OnChange(d.renew)
	return d
}

// Name names the engine in logs.
func (d *datapath) Name() string { return "datapath" }

// Policies are the policies in force; nil for none yet.
func (d *datapath) Policies() *policy.Engine {
	if c := d.current.Load(); c != nil {
		return c.policies
	}
	return nil
}

// Traffic is the traffic control in force; nil for none yet.
func (d *datapath) Traffic() *appqos.Engine {
	if c := d.current.Load(); c != nil {
		return c.traffic
	}
	return nil
}

// Resume says that the first configuration was in force before.
func (d *datapath) Resume() {
	d.policies.Restarted()
	d.traffic.Restarted()
}

// compiled is what is compiled of a configuration for the data path.
type compiled struct {
	policies *policy.Engine
	traffic  *appqos.Engine
	kernel   kernel.Desired
	rates    map[string]uint64 // of shaped links, by device
}

// Prepare compiles the policies and checks what the kernel will be asked for.
func (d *datapath) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	c, problems := compileDatapath(cfg, d.policies, d.traffic, d.apps)
	if c == nil {
		return nil, problems
	}
	for _, i := range c.kernel.Interfaces {
		if _, err := net.InterfaceByName(i.Device); err != nil && i.Parent == "" {
			problems = append(problems, schema.Problem{
				Path: "interfaces " + i.Logical, Message: fmt.Sprintf("this machine has no interface %s now", i.Device),
				Hint: "its sessions begin when it appears", Warning: true,
			})
		}
	}
	return store.ChangeFunc(func() { d.apply(cfg, c) }), problems
}

// unboundInterfaces are those with a name that no Linux interface can have, of which nothing says which
// one they are.
func unboundInterfaces(cfg *schema.Config) (problems []schema.Problem) {
	told := map[string]bool{}
	for _, l := range cfg.LogicalInterfaces() {
		name, _, _ := strings.Cut(l.Name, ".")
		if strings.Contains(l.Device, "/") && !told[name] {
			told[name] = true
			p := schema.Errorf("interfaces "+name, "which Linux interface %s is, is not said", name)
			p.Hint = "set interfaces " + name + " device eth1"
			problems = append(problems, p)
		}
	}
	return problems
}

// renew compiles the policies anew, as the applications that they may name have changed other than
// by a commit.
func (d *datapath) renew() {
	d.mu.Lock()
	cfg := d.cfg
	d.mu.Unlock()
	if cfg == nil {
		return
	}
	c, problems := compileDatapath(cfg, d.policies, d.traffic, d.apps)
	for _, p := range problems {
		d.logger.Warn("policies after a change of applications", "problem", p)
	}
	if c != nil {
		d.apply(cfg, c)
	}
}

// compileDatapath compiles the policies and the traffic control of cfg, and what the kernel will be asked
// for. When it returns nil the problems say why. What is wrong with applications, their own engine reports.
func compileDatapath(cfg *schema.Config, policies *policy.State, traffic *appqos.State, apps *appid.Service) (*compiled, []schema.Problem) {
	catalogue, _ := apps.Compile(cfg)
	c := new(compiled)
	var problems, more []schema.Problem
	c.policies, problems = policy.Compile(cfg, policies, catalogue)
	c.traffic, more = appqos.Compile(cfg, traffic, catalogue)
	problems = append(problems, more...)
	for _, p := range problems {
		if !p.Warning {
			return nil, problems
		}
	}
	if unbound := unboundInterfaces(cfg); len(unbound) > 0 {
		return nil, append(problems, unbound...)
	}
	c.kernel = desiredKernel(cfg, c.policies)
	c.shape(cfg)
	if err := kernel.Check(c.kernel); err != nil {
		return nil, append(problems, schema.Errorf("", "%v", err))
	}
	return c, problems
}

func (d *datapath) apply(cfg *schema.Config, c *compiled) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cfg, d.desired, d.rates = cfg, c.kernel, c.rates
	c.policies.Activate()
	c.traffic.Activate()
	d.current.Store(c)
	d.sessions.Configure(cfg, c.policies, c.traffic)
	d.reconcile()
}

// reconcile makes devices and kernel as desired; d.mu is held. What cannot be done now is an
// alarm, and tried again.
func (d *datapath) reconcile() {
	d.closeLanes()
	err := d.kernel.Set(d.desired) // transit is closed off before anything reads packets
	opened := d.openLanes()
	attached := d.sessions.Devices()
	wanted := make(map[string]bool)
	for _, i := range d.desired.Interfaces {
		if i.TUN == "" {
			continue
		}
		wanted[i.Device] = true
		fresh, err := d.attach(i, attached[i.Device])
		opened = opened || fresh
		d.setAlarm("interface "+i.Logical, err)
	}
	for device := range attached {
		if !wanted[device] {
			d.sessions.Detach(device)
		}
	}
	d.setAlarm("class-of-service interfaces", d.shaper.Set(d.rates))
	if opened {
		err = d.kernel.Set(d.desired) // and led into the devices that are there now
	}
	d.setAlarm("kernel", err)
	d.useLanes()
}

// attach opens the TUN of an interface if it is not open with the interface's MTU already.
func (d *datapath) attach(i kernel.Interface, open *stack.Device) (fresh bool, err error) {
	link, err := net.InterfaceByName(i.Device)
	if err != nil {
		d.sessions.Detach(i.Device)
		return false, fmt.Errorf("there is no interface %s", i.Device)
	}
	if open != nil && open.MTU() == link.MTU {
		return false, nil
	}
	d.sessions.Detach(i.Device)
	tun, err := stack.OpenDevice(stack.DeviceOptions{Name: i.TUN, MTU: link.MTU, Queues: d.options.queues, Plain: d.options.plain})
	if err != nil {
		return false, err
	}
	if !tun.Offload() && !d.options.plain {
		d.logger.Warn("the kernel refuses offloads; every packet costs a system call", "interface", i.Logical)
	}
	if err := d.sessions.Attach(i.Device, tun, d.wake); err != nil {
		return false, errors.Join(err, tun.Close())
	}
	return true, nil
}

// wake asks for repair without waiting for it.
func (d *datapath) wake() {
	select {
	case d.repair <- struct{}{}:
	default:
	}
}

// keep repairs what went away: devices that were removed under the gateway, interfaces that
// appear late.
func (d *datapath) keep(ctx context.Context) {
	tick := time.NewTicker(repairInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.repair:
			d.mu.Lock()
			d.reconcile()
			d.mu.Unlock()
		case <-tick.C:
			d.mu.Lock()
			if d.missing() {
				d.reconcile()
			}
			d.mu.Unlock()
		}
	}
}

// missing says whether an interface has no working device, or one of another MTU; d.mu is held.
func (d *datapath) missing() bool {
	attached := d.sessions.Devices()
	for _, i := range d.desired.Interfaces {
		if i.TUN == "" {
			continue
		}
		tun := attached[i.Device]
		if tun == nil || tun.MTU() != d.routes.MTU(i.Device) {
			return true
		}
	}
	return len(d.alarms) > 0
}

// setAlarm raises the alarm about a thing, or clears it when err is nil; d.mu is held.
func (d *datapath) setAlarm(about string, err error) {
	if err == nil {
		delete(d.alarms, about)
		return
	}
	text := about + ": " + err.Error()
	if old, raised := d.alarms[about]; raised && old.Text == text {
		return
	}
	d.logger.Error("data path", "alarm", text)
	d.alarms[about] = view.Alarm{Since: time.Now(), Class: "Major", Text: text}
}

// Alarms lists what is not as the configuration wants it.
func (d *datapath) Alarms() []view.Alarm {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]view.Alarm, 0, len(d.alarms))
	for _, a := range d.alarms {
		list = append(list, a)
	}
	for device, tun := range d.sessions.Devices() {
		if !tun.Offload() {
			list = append(list, view.Alarm{Class: "Minor", Text: "interface " + device + ": without offloads, every packet costs a system call"})
		}
	}
	return list
}

// Close ends forwarding; what is in the kernel stays for CleanUp.
func (d *datapath) Close() error {
	d.stop()
	d.done.Wait()
	d.sessions.Close()
	var errs []error
	for _, lane := range d.lanes {
		errs = append(errs, lane.Close())
	}
	return errors.Join(errs...)
}

// desiredKernel is what a configuration asks of the kernel.
func desiredKernel(cfg *schema.Config, policies *policy.Engine) kernel.Desired {
	desired := kernel.Desired{CarriedMark: offload.Mark, LeavingMark: offload.LeavingMark}
	inbound := make(map[string][]kernel.InboundRule)
	for _, rule := range policies.HostInbound() {
		for _, m := range rule.Except {
			inbound[rule.Interface] = append(inbound[rule.Interface], inboundRule(m, true))
		}
		for _, m := range rule.Accept {
			inbound[rule.Interface] = append(inbound[rule.Interface], inboundRule(m, false))
		}
	}
	for _, l := range cfg.LogicalInterfaces() {
		i := kernel.Interface{
			Device: l.Device, Logical: l.Name, Parent: l.Parent, VLAN: l.VLAN, MTU: l.MTU, Disabled: l.Disabled, Addresses: l.Addresses,
		}
		if _, ok := policies.Zone(l.Name); ok {
			i.TUN = kernel.TUNName(l.Device)
			i.NATEgress = policies.Translates(l.Name)
			i.Inbound = inbound[l.Name]
		}
		desired.Interfaces = append(desired.Interfaces, i)
	}
	for _, r := range cfg.RoutingOptions.Static.Routes {
		desired.Routes = append(desired.Routes, staticRoute(cfg, r))
	}
	for _, p := range policies.Policies() {
		desired.StreamServices = desired.StreamServices || p.TCPProxy || p.SSLProxy != ""
	}
	for _, ports := range policies.ControlPorts() {
		desired.StreamPorts = append(desired.StreamPorts, kernel.Port(ports))
	}
	return desired
}

// inboundRule is one match of host-inbound-traffic as the kernel's firewall takes it.
func inboundRule(m policy.HostMatch, refuse bool) kernel.InboundRule {
	return kernel.InboundRule{
		Name: m.Service, Refuse: refuse, All: m.Protocol == 0 && m.Ports == schema.PortRange{} && len(m.Types) == 0,
		Protocol: uint8(m.Protocol), PortLow: m.Ports.Low, PortHigh: m.Ports.High, ICMPTypes: m.Types,
	}
}

func staticRoute(cfg *schema.Config, r schema.StaticRoute) kernel.Route {
	out := kernel.Route{Destination: r.Destination.Prefix, Discard: r.Discard, Reject: r.Reject, Metric: r.Metric}
	for _, hop := range r.NextHop {
		next := kernel.NextHop{Gateway: hop.Addr}
		if hop.Interface != "" {
			next.Device = cfg.Logical(hop.Interface).Device
		}
		out.NextHops = append(out.NextHops, next)
	}
	return out
}

// logEngine makes the tracker an engine of the store.
type logEngine struct{ tracker *track.Tracker }

// Name names the engine in logs.
func (logEngine) Name() string { return "track" }

// Prepare compiles the log statements.
func (l logEngine) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	apply, problems := l.tracker.Prepare(cfg)
	if apply == nil {
		return nil, problems
	}
	return store.ChangeFunc(apply), problems
}
