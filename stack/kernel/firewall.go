package kernel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Firewall is the nft ruleset of d, as `nft -f -` takes it. It replaces the gateway's table in
// one step.
func Firewall(d Desired) string { return render(&d, nil) }

// render writes the ruleset; its counters go on from the given ones.
func render(d *Desired, counters map[string]Counter) string {
	w := &writer{}
	w.line("table inet sluice")
	w.line("delete table inet sluice")
	w.open("table inet sluice {")
	zoned := d.zoned()
	w.counter(forwardCounter, counters)
	for _, ifc := range zoned {
		w.counter(inboundCounter(ifc.Device), counters)
	}
	w.set("zone_devices", zoned, func(i *Interface) []string { return []string{i.Device} })
	w.names("zone_tuns", d.tuns())
	if len(zoned) > 0 {
		renderTracking(w, d)
		renderMarks(w, d)
		renderInput(w, d)
		renderForward(w, d)
	}
	w.close()
	return w.String()
}

// renderTracking keeps what passes the gateway out of connection tracking, which is there for the
// gateway's own traffic alone; other interfaces are tracked as the host likes. It stands
// before the kernel puts fragments together, so that those in transit stay as they are; those of
// translated sessions come to a local address, are put together, and show their ports.
func renderTracking(w *writer, d *Desired) {
	w.open("chain transit_untracked {")
	w.line("type filter hook prerouting priority -450; policy accept;")
	if d.CarriedMark != 0 {
		w.line(d.carried() + " notrack accept")
	}
	w.line("iifname @zone_devices fib daddr type != local notrack")
	if d.translates() { // only then does the gateway hand packets for itself back through a TUN
		w.line("iifname @zone_tuns fib daddr type != local notrack")
	} else {
		w.line("iifname @zone_tuns notrack")
	}
	w.close()
	if d.translates() {
		w.set("nat_devices", d.zoned(), func(i *Interface) []string {
			if !i.NATEgress {
				return nil
			}
			return []string{i.Device, i.TUN}
		})
		w.open("chain translated_untracked {")
		w.line("type filter hook prerouting priority raw; policy accept;")
		w.linef("iifname @nat_devices meta l4proto { tcp, udp } th dport %d-%d notrack", natPortLow, natPortHigh)
		w.line("iifname @nat_devices icmp type echo-request notrack")
		w.line("iifname @nat_devices icmpv6 type echo-request notrack")
		w.close()
	}
	w.open("chain output_untracked {")
	w.line("type filter hook output priority raw; policy accept;")
	w.line("fib saddr type != local notrack")
	w.close()
}

// renderMarks marks what policy rules cannot tell from other traffic: answers to transparent
// sockets, and ICMP of translated sessions as opposed to neighbour discovery and to answers to
// the gateway itself.
func renderMarks(w *writer, d *Desired) {
	if !d.streams() && !d.translates() {
		return
	}
	w.open("chain marks {")
	w.line("type filter hook prerouting priority mangle; policy accept;")
	if d.CarriedMark != 0 { // of two hosts
		w.line(d.carried() + " accept")
	}
	var answers []string
	switch {
	case d.StreamServices:
		answers = []string{"meta l4proto { tcp, icmp, icmpv6 }"}
	case d.streams(): // looking for a socket costs more than looking at a port
		ports := make([]string, len(d.StreamPorts))
		for i, p := range d.StreamPorts {
			ports[i] = fmt.Sprintf("%d-%d", p.Low, p.High)
		}
		answers = []string{"tcp sport { " + strings.Join(ports, ", ") + " }", "meta l4proto { icmp, icmpv6 }"}
	}
	for _, match := range answers {
		// Answers of the gateway to the client have the same addresses, but come from a TUN.
		w.linef("iifname @zone_devices %s socket transparent 1 meta mark set meta mark | %#08x accept", match, markStream)
	}
	if d.translates() {
		w.linef("iifname @nat_devices iifname != @zone_tuns ct state != { established, related } icmp type { echo-reply, destination-unreachable, time-exceeded, parameter-problem } meta mark set meta mark | %#08x", markNAT)
		w.linef("iifname @nat_devices iifname != @zone_tuns ct state != { established, related } icmpv6 type { echo-reply, destination-unreachable, packet-too-big, time-exceeded, parameter-problem } meta mark set meta mark | %#08x", markNAT)
	}
	w.close()
}

// renderInput decides what may reach the gateway itself. Interfaces in no zone are not ours to
// judge.
func renderInput(w *writer, d *Desired) {
	zoned := d.zoned()
	for i, ifc := range zoned {
		w.open("chain %s {", chainName(ifc.Device))
		w.line("icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } ip6 hoplimit 255 accept")
		w.line("icmpv6 type mld-listener-query accept")
		w.line("igmp type membership-query accept")
		w.line("meta nfproto ipv4 udp sport 67 udp dport 68 accept")
		w.line("ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept")
		for j := range zoned[i].Inbound {
			w.line(zoned[i].Inbound[j].render())
		}
		w.linef("counter name %s drop", inboundCounter(ifc.Device))
		w.close()
	}
	w.open("chain input {")
	w.line("type filter hook input priority filter; policy accept;")
	w.line(`iifname "lo" accept`)
	if d.streams() {
		w.linef("meta mark & %#08x == %#08x accept", markStream, markStream)
	}
	w.line("ct state { established, related } accept")
	var jumps []string
	for _, ifc := range zoned {
		for _, device := range []string{ifc.Device, ifc.TUN} {
			jumps = append(jumps, fmt.Sprintf("%q : jump %s", device, chainName(ifc.Device)))
		}
	}
	w.linef("iifname vmap { %s }", strings.Join(jumps, ", "))
	w.close()
}

// renderForward lets nothing pass between zones but by way of a TUN. Where the host did not
// forward before, neither does it now between interfaces that are in no zone.
func renderForward(w *writer, d *Desired) {
	w.open("chain forward {")
	w.line("type filter hook forward priority filter; policy accept;")
	if d.CarriedMark != 0 {
		w.linef("meta mark %#08x accept", d.CarriedMark)
		w.linef("meta mark %#08x oifname @zone_devices oiftype ether accept", d.LeavingMark)
	}
	for _, lane := range d.Lanes {
		w.linef("iifname %q meta priority set %s", lane.TUN, lane.Class)
	}
	w.line("iifname @zone_tuns accept")
	w.line("oifname @zone_tuns accept")
	w.linef("iifname @zone_devices counter name %s drop", forwardCounter)
	w.linef("oifname @zone_devices counter name %s drop", forwardCounter)
	if !d.forwards4 {
		w.linef("meta nfproto ipv4 counter name %s drop", forwardCounter)
	}
	if !d.forwards6 {
		w.linef("meta nfproto ipv6 counter name %s drop", forwardCounter)
	}
	w.close()
}

// render is the nft rule.
func (r *InboundRule) render() string {
	verdict := "accept"
	if r.Refuse {
		verdict = "drop"
	}
	if name := comment(r.Name); name != "" {
		verdict += fmt.Sprintf(" comment %q", name)
	}
	types := func(kind string) string {
		if len(r.ICMPTypes) == 0 {
			return kind
		}
		return fmt.Sprintf("%s type { %s }", strings.TrimPrefix(kind, "meta l4proto "), join(r.ICMPTypes))
	}
	switch {
	case r.All:
		return verdict
	case r.Protocol == unix.IPPROTO_ICMP:
		return types("meta l4proto icmp") + " " + verdict
	case r.Protocol == unix.IPPROTO_ICMPV6:
		return types("meta l4proto icmpv6") + " " + verdict
	case r.PortHigh == 0:
		return fmt.Sprintf("meta l4proto %d %s", r.Protocol, verdict)
	case r.PortLow == r.PortHigh:
		return fmt.Sprintf("meta l4proto %d th dport %d %s", r.Protocol, r.PortLow, verdict)
	}
	return fmt.Sprintf("meta l4proto %d th dport %d-%d %s", r.Protocol, r.PortLow, r.PortHigh, verdict)
}

const forwardCounter = "transit_dropped"

// inboundCounter counts what came from device and was not let in.
func inboundCounter(device string) string { return "dropped_" + identifier(device) }

// chainName is the chain that judges what comes from device.
func chainName(device string) string { return "from_" + identifier(device) }

// identifier is device as part of an nft name; what nft does not take there is written as its
// code. Underscores are doubled, so that two devices never share a name.
func identifier(device string) string {
	var b strings.Builder
	for _, c := range []byte(device) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '-':
			b.WriteByte(c)
		case c == '_':
			b.WriteString("__")
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

// maxComment is the longest comment that nft takes, in bytes.
const maxComment = 120

// comment is text as nft takes it in quotes.
func comment(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), maxComment)]
}

func join(numbers []uint8) string {
	sorted := slices.Compact(slices.SortedFunc(slices.Values(numbers), cmp.Compare))
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(sorted), " ", ", "), "[]")
}

// writer writes indented nft statements.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) line(s string) {
	w.WriteString(strings.Repeat("\t", w.depth) + s + "\n")
}

func (w *writer) linef(format string, args ...any) { w.line(fmt.Sprintf(format, args...)) }

func (w *writer) open(format string, args ...any) {
	w.linef(format, args...)
	w.depth++
}

func (w *writer) close() {
	w.depth--
	w.line("}")
}

func (w *writer) counter(name string, counters map[string]Counter) {
	c := counters[name]
	w.linef("counter %s { packets %d bytes %d }", name, c.Packets, c.Bytes)
}

// set writes a named set of device names.
func (w *writer) set(name string, zoned []*Interface, names func(*Interface) []string) {
	var all []string
	for _, ifc := range zoned {
		all = append(all, names(ifc)...)
	}
	w.names(name, all)
}

// names is a set of devices.
func (w *writer) names(name string, devices []string) {
	quoted := make([]string, len(devices))
	for i, device := range devices {
		quoted[i] = fmt.Sprintf("%q", device)
	}
	w.open("set %s {", name)
	w.line("type ifname")
	if len(quoted) > 0 {
		w.linef("elements = { %s }", strings.Join(quoted, ", "))
	}
	w.close()
}
