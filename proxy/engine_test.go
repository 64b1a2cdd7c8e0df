package proxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/appqos"
	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/policy"
	"sluice/route"
	"sluice/stack"
	"sluice/store/tree"
	"sluice/track"
)

// statements are the gateway of these tests: clients behind lan0, servers behind wan0.
const statements = `
set security zones security-zone trust interfaces lan0
set security zones security-zone untrust interfaces wan0
set security policies from-zone trust to-zone untrust policy web match source-address any
set security policies from-zone trust to-zone untrust policy web match destination-address any
set security policies from-zone trust to-zone untrust policy web match application [ junos-http junos-dns-udp junos-ping junos-pingv6 ]
set security policies from-zone trust to-zone untrust policy web then permit
set security policies from-zone trust to-zone untrust policy web then log session-init
set security policies from-zone trust to-zone untrust policy web then log session-close
set security policies from-zone trust to-zone untrust policy web then count
set security policies from-zone trust to-zone untrust policy no-telnet match source-address any
set security policies from-zone trust to-zone untrust policy no-telnet match destination-address any
set security policies from-zone trust to-zone untrust policy no-telnet match application [ junos-telnet junos-tftp ]
set security policies from-zone trust to-zone untrust policy no-telnet then reject
set security policies from-zone trust to-zone untrust policy no-telnet then log session-init
`

const nat = `
set security nat source rule-set out from zone trust
set security nat source rule-set out to zone untrust
set security nat source rule-set out rule all match source-address 0.0.0.0/0
set security nat source rule-set out rule all then source-nat interface
`

// bench is an engine between two queues in memory.
type bench struct {
	*Engine
	t        testing.TB
	state    *policy.State
	traffic  *appqos.State
	log      *records
	apps     policy.Applications
	lan, wan *port
	out      *frames
}

// frames is a queue that keeps what is written to it.
type frames struct {
	mu   sync.Mutex
	list [][]byte
}

func (f *frames) Read([]byte) (int, error) { return 0, stack.ErrClosed }
func (f *frames) Write(frame []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, slices.Clone(frame))
	return nil
}

// take returns what was written since, parsed.
func (f *frames) take() []*stack.Packet {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []*stack.Packet
	for _, frame := range f.list {
		p := new(stack.Packet)
		if p.Parse(frame) == nil {
			list = append(list, p)
		}
	}
	f.list = nil
	return list
}

// world routes the documentation prefixes.
type world struct{}

func (world) Lookup(dst netip.Addr) route.Egress {
	switch {
	case dst == netip.MustParseAddr("203.0.113.1"), dst == netip.MustParseAddr("192.0.2.1"):
		return route.Egress{Local: true}
	case netip.MustParsePrefix("192.0.2.0/24").Contains(dst), netip.MustParsePrefix("2001:db8:1::/64").Contains(dst):
		return route.Egress{Device: "lan0"}
	case netip.MustParsePrefix("10.0.0.0/8").Contains(dst):
		return route.Egress{Unreachable: true}
	}
	return route.Egress{Device: "wan0"}
}

func (world) Addrs(device string) route.Addresses {
	if device == "lan0" {
		return route.Addresses{IPv4: netip.MustParseAddr("192.0.2.1"), IPv6: netip.MustParseAddr("2001:db8:1::1")}
	}
	return route.Addresses{IPv4: netip.MustParseAddr("203.0.113.1"), IPv6: netip.MustParseAddr("2001:db8:2::1")}
}

func (world) MTU(string) int     { return 1500 }
func (world) Generation() uint64 { return 1 }

// records keeps what was logged, as "create", "close REASON" and "deny REASON".
type records struct {
	tracked bool // every zone is

	mu   sync.Mutex
	list []string
	last track.Session
}

func (r *records) add(text string, s *track.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, text)
	r.last = *s
}

func (r *records) FlowCreate(s *track.Session)                  { r.add("create", s) }
func (r *records) FlowClose(s *track.Session, why track.Reason) { r.add("close "+string(why), s) }
func (r *records) FlowDeny(s *track.Session, why string)        { r.add("deny "+why, s) }
func (r *records) AppCreate(s *track.Session)                   { r.add("app create", s) }
func (r *records) AppClose(s *track.Session, why track.Reason)  { r.add("app close "+string(why), s) }
func (r *records) Tracks(from, to string) bool                  { return r.tracked }
func (r *records) UpdateRule() *track.UpdateRule {
	return &track.UpdateRule{First: time.Minute, Interval: 5 * time.Minute}
}
func (r *records) AppVolumeUpdate(s *track.Session) { r.add("app update", s) }
func (r *records) AppQoS(s *track.Session, q track.QoS) {
	r.add("qos "+q.RuleSet+"/"+q.Rule+" "+q.Action, s)
}
func (r *records) take() (list []string, last track.Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list, r.list = r.list, nil
	return list, r.last
}

func newBench(t testing.TB, text string) *bench {
	t.Helper()
	b := &bench{t: t, log: new(records), out: new(frames), state: policy.NewState(), traffic: appqos.NewState()}
	t.Cleanup(b.state.Close)
	var err error
	b.Engine, err = New(Options{Egress: world{}, Log: b.log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Engine.Close)
	b.lan, b.wan = &port{device: "lan0"}, &port{device: "wan0"}
	database, found := data.Load()
	if len(found) > 0 {
		t.Fatal(found)
	}
	b.apps = catalogue{database}
	b.configure(text)
	return b
}

// catalogue is the applications of the database alone.
type catalogue struct{ *appdb.Database }

func (c catalogue) Group(name string) ([]*appdb.Application, bool) {
	members := c.Members(name)
	return members, len(members) > 0
}

func (c catalogue) Names() []string { return c.GroupNames() }

func (b *bench) configure(text string) {
	b.t.Helper()
	statements, problems := tree.Parse(text)
	if len(problems) > 0 {
		b.t.Fatal(problems)
	}
	cfg, problems := statements.Decode()
	if len(problems) > 0 {
		b.t.Fatal(problems)
	}
	compiled, problems := policy.Compile(cfg, b.state, b.apps)
	if compiled == nil || len(problems) > 0 {
		b.t.Fatal(problems)
	}
	traffic, problems := appqos.Compile(cfg, b.traffic, b.apps)
	if len(problems) > 0 {
		b.t.Fatal(problems)
	}
	traffic.Activate()
	b.Configure(cfg, compiled, traffic)
}

// from hands a packet to the engine as if it had arrived on the port, and returns what came out.
func (b *bench) from(in *port, frame []byte) []*stack.Packet {
	b.t.Helper()
	var p stack.Packet
	if err := p.Parse(frame); err != nil {
		b.t.Fatal(err)
	}
	b.receive(in, b.out, &p)
	return b.out.take()
}

// conversation is a TCP connection whose packets a test makes up.
type conversation struct {
	client, server netip.AddrPort
	cseq, sseq     uint32
}

func newConversation(client, server string) *conversation {
	return &conversation{netip.MustParseAddrPort(client), netip.MustParseAddrPort(server), 1000, 9000}
}

func (c *conversation) up(flags uint8) []byte {
	frame := stack.NewReset(stack.NewKey(c.client, c.server, 6), c.client.Addr().Is6(), c.cseq, c.sseq, flags)
	if flags&(stack.TCPSyn|stack.TCPFin) != 0 {
		c.cseq++
	}
	return frame
}

func (c *conversation) down(flags uint8) []byte {
	frame := stack.NewReset(stack.NewKey(c.server, c.client, 6), c.client.Addr().Is6(), c.sseq, c.cseq, flags)
	if flags&(stack.TCPSyn|stack.TCPFin) != 0 {
		c.sseq++
	}
	return frame
}

// connect goes through the handshake.
func (c *conversation) connect(b *bench) {
	b.t.Helper()
	for _, out := range [][]*stack.Packet{
		b.from(b.lan, c.up(stack.TCPSyn)), b.from(b.wan, c.down(stack.TCPSyn|stack.TCPAck)), b.from(b.lan, c.up(stack.TCPAck)),
	} {
		if len(out) != 1 {
			b.t.Fatalf("%d packets came out of a segment of the handshake, want 1", len(out))
		}
	}
}

// only returns the one session there is.
func (b *bench) only() Info {
	b.t.Helper()
	list := b.Sessions(Filter{})
	if len(list) != 1 {
		b.t.Fatalf("%d sessions, want 1: %+v", len(list), list)
	}
	return list[0]
}

// expire makes time pass for every session and sweeps the table.
func (b *bench) expire(d time.Duration) {
	b.table.each(func(s *Session) bool {
		s.lastSeen.Add(-int64(d))
		b.ageOne(s, b.now(), false)
		return true
	})
}

func (b *bench) logged(want ...string) track.Session {
	b.t.Helper()
	got, last := b.log.take()
	if !slices.Equal(got, want) {
		b.t.Errorf("logged %q, want %q", got, want)
	}
	return last
}

// Rows: C-6, C-10.
func TestConnectionLivesAndEndsByFIN(t *testing.T) { // TR-25: TCP CLIENT FIN
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	b.from(b.lan, c.up(stack.TCPSyn))
	if i := b.only(); i.State != "Pending" || i.MaxTimeout != timeoutInitial {
		t.Errorf("after SYN: state %s timeout %v", i.State, i.MaxTimeout)
	}
	b.from(b.wan, c.down(stack.TCPSyn|stack.TCPAck))
	b.from(b.lan, c.up(stack.TCPAck))
	i := b.only()
	if i.State != "Valid" || i.MaxTimeout != timeoutTCP || i.Policy != "web" || i.Service != "junos-http" {
		t.Errorf("established: %+v", i)
	}
	if i.In.Packets != 2 || i.Out.Packets != 1 || i.In.Bytes != 80 || i.Out.Bytes != 40 {
		t.Errorf("counted in %d/%d out %d/%d", i.In.Packets, i.In.Bytes, i.Out.Packets, i.Out.Bytes)
	}
	b.from(b.lan, c.up(stack.TCPFin|stack.TCPAck))
	if i := b.only(); i.TCPState != "Half-closed" || i.State != "Valid" {
		t.Errorf("half-closed: %+v", i)
	}
	if out := b.from(b.wan, c.down(stack.TCPAck)); len(out) != 1 {
		t.Error("data of the open half did not pass")
	}
	b.from(b.wan, c.down(stack.TCPFin|stack.TCPAck))
	if out := b.from(b.lan, c.up(stack.TCPAck)); len(out) != 1 {
		t.Error("the last ACK did not pass")
	}
	b.expire(lingerFIN)
	last := b.logged("create", "close TCP CLIENT FIN")
	if last.PacketsFromClient != 4 || last.PacketsFromServer != 3 || last.Policy != "web" || last.ToZone != "untrust" {
		t.Errorf("closed with %+v", last)
	}
	if n := b.Summary().InUse; n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

func TestServerFinishesFirst(t *testing.T) { // TR-25: TCP SERVER FIN
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.from(b.wan, c.down(stack.TCPFin|stack.TCPAck))
	b.from(b.lan, c.up(stack.TCPFin|stack.TCPAck))
	b.expire(lingerFIN)
	b.logged("create", "close TCP SERVER FIN")
}

func TestRSTEndsOnlyInItsPlace(t *testing.T) { // TR-25: TCP RST
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	blind := *c
	blind.sseq += 1 << 30
	if out := b.from(b.wan, blind.down(stack.TCPRst)); len(out) != 0 {
		t.Error("a RST far outside the window passed")
	}
	if b.only().State != "Valid" {
		t.Error("a blind RST ended the session")
	}
	if out := b.from(b.wan, c.down(stack.TCPRst)); len(out) != 1 {
		t.Error("the genuine RST did not pass")
	}
	b.expire(lingerRST)
	b.logged("create", "close TCP SERVER RST")
}

func TestRefusedServer(t *testing.T) {
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	b.from(b.lan, c.up(stack.TCPSyn))
	if out := b.from(b.wan, c.down(stack.TCPRst|stack.TCPAck)); len(out) != 1 {
		t.Fatal("the refusal did not reach the client")
	}
	b.expire(lingerRST)
	b.logged("create", "close TCP SERVER RST")
	if n := b.table.pending.Load(); n != 0 {
		t.Errorf("%d sessions are counted as half-open", n)
	}
}

// Rows: UP-2, C-8.
func TestRejectAndDeny(t *testing.T) { // FW-23, FW-53
	b := newBench(t, statements)
	telnet := newConversation("192.0.2.10:40000", "198.51.100.20:23")
	out := b.from(b.lan, telnet.up(stack.TCPSyn))
	if len(out) != 1 || out[0].TCPFlags != stack.TCPRst|stack.TCPAck || out[0].Key.Source() != telnet.server {
		t.Errorf("reject answered %+v, want one RST", out)
	}
	last := b.logged("deny policy reject")
	if last.Policy != "no-telnet" || last.Service != "junos-telnet" {
		t.Errorf("refused by %+v", last)
	}
	out = b.from(b.lan, udp(t, "192.0.2.10:40000", "198.51.100.20:69"))
	if len(out) != 1 || !out[0].IsICMPError() || out[0].Key.Source().Addr() != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("reject of UDP answered %+v, want a port unreachable of the gateway", out)
	}
	smtp := newConversation("192.0.2.10:40000", "198.51.100.20:25")
	if out := b.from(b.lan, smtp.up(stack.TCPSyn)); len(out) != 0 {
		t.Errorf("the default policy answered %+v, want silence", out)
	}
	if n := b.Summary().InUse; n != 0 {
		t.Errorf("%d sessions of refused packets", n)
	}
}

// udp makes a UDP datagram of no payload.
func udp(t testing.TB, src, dst string) []byte {
	t.Helper()
	s, d := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	frame := make([]byte, stack.VirtioHeaderLen+28)
	ip := frame[stack.VirtioHeaderLen:]
	ip[0], ip[3], ip[8], ip[9] = 0x45, 28, 63, 17
	a, z := s.Addr().As4(), d.Addr().As4()
	copy(ip[12:], a[:])
	copy(ip[16:], z[:])
	ip[20], ip[21], ip[22], ip[23], ip[25] = byte(s.Port()>>8), byte(s.Port()), byte(d.Port()>>8), byte(d.Port()), 8
	return frame
}

// Rows: S-101.
func TestStrayPacketsOpenNothing(t *testing.T) {
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	for _, flags := range []uint8{stack.TCPAck, stack.TCPSyn | stack.TCPAck, stack.TCPFin | stack.TCPAck, stack.TCPRst} {
		if out := b.from(b.lan, c.up(flags)); len(out) != 0 {
			t.Errorf("flags %#x: passed without a session", flags)
		}
	}
	b.configure(statements + "set security zones security-zone trust tcp-rst\n")
	if out := b.from(b.lan, c.up(stack.TCPAck)); len(out) != 1 || out[0].TCPFlags&stack.TCPRst == 0 {
		t.Error("tcp-rst did not answer a stray segment")
	}
	b.configure(statements + "set security flow tcp-session no-syn-check\n")
	if out := b.from(b.lan, c.up(stack.TCPAck)); len(out) != 1 || b.only().State != "Valid" {
		t.Error("no-syn-check did not let a segment open a session")
	}
}

func TestSourceTranslation(t *testing.T) {
	b := newBench(t, statements+nat)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	out := b.from(b.lan, c.up(stack.TCPSyn))
	if len(out) != 1 {
		t.Fatal("the SYN did not pass")
	}
	public := out[0].Key.Source()
	if public.Addr() != netip.MustParseAddr("203.0.113.1") || public.Port() < firstNATPort || public.Port() > lastNATPort {
		t.Errorf("translated to %v", public)
	}
	back := conversation{public, c.server, c.cseq, c.sseq}
	out = b.from(b.wan, back.down(stack.TCPSyn|stack.TCPAck))
	if len(out) != 1 || out[0].Key.Destination() != c.client {
		t.Fatalf("the answer went to %v, want %v", out[0].Key.Destination(), c.client)
	}
	i := b.only()
	if i.NATRule != "out/all" || i.Out.Destination != public || i.In.Source != c.client {
		t.Errorf("shown as %+v", i)
	}
	last := b.logged("create")
	if last.NATSource != public || last.SourceNATRule != "out/all" {
		t.Errorf("logged with %v by %q", last.NATSource, last.SourceNATRule)
	}
	// An error about the translated packet reaches the client as one about its own.
	sent := new(stack.Packet)
	if err := sent.Parse(back.up(stack.TCPAck)); err != nil {
		t.Fatal(err)
	}
	out = b.from(b.wan, sent.Unreachable(netip.MustParseAddr("198.51.100.1"), stack.UnreachAdmin))
	if len(out) != 1 || out[0].Key.Destination().Addr() != c.client.Addr() {
		t.Fatalf("the error came out as %+v", out)
	}
	if inner, ok := out[0].Embedded(); !ok || inner.Key.Source() != c.client {
		t.Errorf("the error speaks of %v, want %v", inner.Key.Source(), c.client)
	}
}

func TestTranslatedPortsAreNeverShared(t *testing.T) {
	b := newBench(t, statements+nat)
	seen := make(map[netip.AddrPort]bool)
	const clients = 3000
	for n := range clients {
		c := newConversation("192.0.2.10:1000", "198.51.100.20:80")
		c.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(2 + n%200)}), uint16(1000+n))
		out := b.from(b.lan, c.up(stack.TCPSyn))
		if len(out) != 1 {
			t.Fatalf("connection %d did not pass", n)
		}
		if public := out[0].Key.Source(); seen[public] {
			t.Fatalf("%v was given twice", public)
		} else {
			seen[public] = true
		}
	}
}

func TestEchoEndsWithItsReply(t *testing.T) { // TR-25: Response received
	b := newBench(t, statements)
	request := echo("192.0.2.10", "198.51.100.20", 8, 77)
	if out := b.from(b.lan, request); len(out) != 1 {
		t.Fatal("the request did not pass")
	}
	if out := b.from(b.wan, echo("198.51.100.20", "192.0.2.10", 0, 77)); len(out) != 1 {
		t.Fatal("the reply did not pass")
	}
	if out := b.from(b.wan, echo("198.51.100.20", "192.0.2.10", 0, 78)); len(out) != 0 {
		t.Error("a reply nobody asked for passed")
	}
	b.expire(timeoutReplied)
	b.logged("create", "close response received")
}

func echo(src, dst string, kind, id byte) []byte {
	frame := make([]byte, stack.VirtioHeaderLen+28)
	ip := frame[stack.VirtioHeaderLen:]
	ip[0], ip[3], ip[8], ip[9] = 0x45, 28, 63, 1
	a, z := netip.MustParseAddr(src).As4(), netip.MustParseAddr(dst).As4()
	copy(ip[12:], a[:])
	copy(ip[16:], z[:])
	ip[20], ip[25], ip[27] = kind, id, 1
	return frame
}

func TestUnreachableEndsAHalfOpenSession(t *testing.T) { // TR-25: ICMP error
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	syn := c.up(stack.TCPSyn)
	b.from(b.lan, slices.Clone(syn))
	sent := new(stack.Packet)
	if err := sent.Parse(syn); err != nil {
		t.Fatal(err)
	}
	if out := b.from(b.wan, sent.Unreachable(netip.MustParseAddr("198.51.100.1"), stack.UnreachAdmin)); len(out) != 1 {
		t.Fatal("the error did not reach the client")
	}
	b.expire(lingerError)
	b.logged("create", "close ICMP error")
}

func TestNoWayOutIsLeftToTheKernel(t *testing.T) {
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "10.1.1.1:80")
	if out := b.from(b.lan, c.up(stack.TCPSyn)); len(out) != 1 || out[0].Key.Destination() != c.server {
		t.Errorf("came out as %+v, want the packet itself for the kernel to answer", out)
	}
	if n := b.Summary().InUse; n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestSessionLimitRefusesClearly(t *testing.T) {
	b := newBench(t, statements+"set security flow maximum-sessions 100\n")
	for n := range 100 {
		b.from(b.lan, udp(t, "192.0.2.10:"+strconv.Itoa(1000+n), "198.51.100.20:53"))
	}
	out := b.from(b.lan, udp(t, "192.0.2.10:5000", "198.51.100.20:53"))
	if len(out) != 1 || !out[0].IsICMPError() || out[0].ICMPCode != 13 {
		t.Errorf("answered %+v, want administratively prohibited", out)
	}
	if got := b.Counters(); got.SessionsFailed != 1 || got.Drops["session-limit"] != 1 {
		t.Errorf("counted %+v", got)
	}
	if s := b.Summary(); s.InUse != 100 || s.Maximum != 100 {
		t.Errorf("summary %+v", s)
	}
}

func TestHalfOpenSessionsMakeRoomForOthers(t *testing.T) {
	const maximum = 1000
	b := newBench(t, statements+"set security flow maximum-sessions 1000\n")
	established := newConversation("192.0.2.200:40000", "198.51.100.20:80")
	established.connect(b)
	flood := func(from int) {
		for n := range maximum {
			c := newConversation("192.0.2.10:1", "198.51.100.20:80")
			c.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(from + n>>8)}), uint16(n))
			b.from(b.lan, c.up(stack.TCPSyn))
		}
	}
	flood(0)
	if s := b.Summary(); s.InUse != maximum || b.Counters().Drops["half-open-evicted"] != 0 {
		t.Errorf("in the first moment of a flood: %+v, %d evicted", s, b.Counters().Drops["half-open-evicted"])
	}
	b.table.each(func(s *Session) bool { s.lastSeen.Add(-int64(graceHandshake)); return true })
	flood(100)
	if evicted := b.Counters().Drops["half-open-evicted"]; evicted == 0 {
		t.Error("half-open sessions that had their time kept their places")
	}
	if s := b.Summary(); s.InUse > maximum || s.Valid != 1 {
		t.Errorf("after the flood: %+v", s)
	}
	if out := b.from(b.wan, established.down(stack.TCPAck)); len(out) != 1 {
		t.Error("the established session suffered")
	}
}

func TestRematch(t *testing.T) {
	for _, c := range []struct {
		name, commit string
		left         uint64
	}{
		{"unchanged", statements, 1},
		{"policy gone", strings.ReplaceAll(statements, "policy web", "policy other"), 0},
		{"refused now, no rematch", statements + "set security policies from-zone trust to-zone untrust policy web match source-address 192.0.2.99/32\ndelete security policies from-zone trust to-zone untrust policy web match source-address any\n", 1},
		{"refused now, rematch", statements + "set security policies policy-rematch\nset security policies from-zone trust to-zone untrust policy web match source-address 192.0.2.99/32\ndelete security policies from-zone trust to-zone untrust policy web match source-address any\n", 0},
		{"moved, extensive", strings.ReplaceAll(statements, "policy web", "policy other") + "set security policies policy-rematch extensive\n", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, statements)
			newConversation("192.0.2.10:40000", "198.51.100.20:80").connect(b)
			b.configure(c.commit)
			for deadline := time.Now().Add(5 * time.Second); b.Summary().InUse != c.left && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			if got := b.Summary().InUse; got != c.left {
				t.Errorf("%d sessions left, want %d", got, c.left)
			}
			b.rematch(b.config.Load()) // again, now that the first has ended
			if got := b.Summary().InUse; got != c.left {
				t.Errorf("%d sessions left after another rematch, want %d", got, c.left)
			}
		})
	}
}

func TestClearEndsWhatTheFilterSelects(t *testing.T) { // TR-25: CLI
	b := newBench(t, statements)
	newConversation("192.0.2.10:40000", "198.51.100.20:80").connect(b)
	newConversation("192.0.2.11:40000", "198.51.100.20:80").connect(b)
	b.log.take()
	if n := b.Clear(Filter{Source: netip.MustParsePrefix("192.0.2.10/32")}); n != 1 {
		t.Errorf("cleared %d, want 1", n)
	}
	b.logged("close CLI")
	if i := b.only(); i.In.Source.Addr() != netip.MustParseAddr("192.0.2.11") {
		t.Errorf("left: %+v", i)
	}
}

func TestVolumeUpdatesFollowPackets(t *testing.T) { // TR-7, TR-8, TR-9, TR-11
	b := newBench(t, statements)
	b.log.tracked = true
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.logged("create", "app create")
	pass := func(d time.Duration) {
		b.table.each(func(s *Session) bool { s.born -= int64(d); return true })
		b.from(b.lan, c.up(stack.TCPAck))
	}
	pass(59 * time.Second)
	b.logged()
	pass(time.Second)
	b.logged("app update")
	pass(299 * time.Second)
	b.logged()
	pass(time.Second)
	b.logged("app update")
	b.Clear(Filter{})
	b.logged("close CLI", "app close CLI")
}

func TestFragmentsPassWhole(t *testing.T) { // FW-24
	b := newBench(t, statements)
	whole := udp(t, "192.0.2.10:40000", "198.51.100.20:53")
	first := append(slices.Clone(whole), make([]byte, 8)...)
	ip := first[stack.VirtioHeaderLen:]
	ip[3], ip[6] = 36, 0x20
	second := append(slices.Clone(whole[:stack.VirtioHeaderLen+20]), make([]byte, 4)...)
	ip = second[stack.VirtioHeaderLen:]
	ip[3], ip[7] = 24, 2
	if out := b.from(b.lan, second); len(out) != 0 {
		t.Fatal("a later fragment passed before the first")
	}
	out := b.from(b.lan, first)
	if len(out) != 2 || out[0].FragmentOffset != 0 || out[1].FragmentOffset != 16 {
		t.Fatalf("came out as %d packets", len(out))
	}
	if i := b.only(); i.In.Packets != 2 || i.In.Bytes != 60 {
		t.Errorf("counted %d packets of %d bytes, want 2 of 60", i.In.Packets, i.In.Bytes)
	}
}

// Fragments of a session whose stream is worked on do not pass beside it.
func TestFragmentsOfStreams(t *testing.T) {
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.table.each(func(s *Session) bool {
		s.path = stream
		return true
	})
	first := append(c.up(stack.TCPAck), make([]byte, 4)...)
	second := append(slices.Clone(first[:stack.VirtioHeaderLen+20]), make([]byte, 8)...)
	ip := first[stack.VirtioHeaderLen:]
	ip[3], ip[6] = 44, 0x20
	ip = second[stack.VirtioHeaderLen:]
	ip[3], ip[7] = 28, 3
	if out := append(b.from(b.lan, first), b.from(b.lan, second)...); len(out) != 0 {
		t.Errorf("%d fragments passed", len(out))
	}
	if n := b.Counters(); n.Drops["stream-fragment"] != 1 || n.Panics != 0 {
		t.Errorf("counted %+v", n)
	}
}

func TestDrainRefusesNewSessions(t *testing.T) {
	b := newBench(t, statements)
	c := newConversation("192.0.2.10:40000", "198.51.100.20:80")
	c.connect(b)
	b.stopping.Store(true)
	if out := b.from(b.lan, newConversation("192.0.2.10:40001", "198.51.100.20:80").up(stack.TCPSyn)); len(out) != 0 {
		t.Error("a new session was let in while draining")
	}
	if out := b.from(b.wan, c.down(stack.TCPAck)); len(out) != 1 {
		t.Error("a running session was cut while draining")
	}
}

func TestManyGoroutinesShareTheTable(t *testing.T) {
	b := newBench(t, statements)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			out := new(frames)
			for n := range 500 {
				c := newConversation("192.0.2.10:1", "198.51.100.20:80")
				c.client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n % 4)}), uint16(n%50+1000))
				for _, step := range []struct {
					in    *port
					frame []byte
				}{{b.lan, c.up(stack.TCPSyn)}, {b.wan, c.down(stack.TCPSyn | stack.TCPAck)}, {b.lan, c.up(stack.TCPAck)}, {b.lan, c.up(stack.TCPRst)}} {
					var p stack.Packet
					if p.Parse(step.frame) == nil {
						b.receive(step.in, out, &p)
					}
				}
				if n%97 == g {
					b.Clear(Filter{})
				}
			}
		})
	}
	wg.Wait()
	b.Clear(Filter{})
	b.expire(time.Hour)
	if s := b.Summary(); s.InUse != 0 || b.table.sessions.Load() != 0 || b.table.pending.Load() != 0 {
		t.Errorf("left: %+v, %d counted, %d half-open", s, b.table.sessions.Load(), b.table.pending.Load())
	}
}
