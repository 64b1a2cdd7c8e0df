package kernel

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// protocol marks the rules and routes of the gateway; `ip rule` and `ip route` show it as
// "proto 201".
const protocol = 201

// Preferences of the policy rules, in the order the kernel asks them. The kernel's own rule for
// local addresses is at 0, or at prefLocal while source NAT needs rules before it.
const (
	prefStream      = 70  // answers to transparent sockets of stream services
	prefNAT         = 80  // answers to translated sessions
	prefLocal       = 90  // addresses of the gateway, while NAT is configured
	prefTransit     = 100 // everything else from a zone interface goes into its TUN
	prefUnreachable = 110 // … and nowhere else, when there is no TUN
)

// Marks that the firewall puts on packets, one bit each, so that marks of others stay.
const (
	markStream = 0x00100000
	markNAT    = 0x00200000
)

// Routing tables: one that delivers everything locally, and one for each zone interface, whose
// number is transitTable plus the interface index.
const (
	streamTable  = 9999
	transitTable = 10000
)

// rule is one policy rule, comparable. No table means unreachable.
type rule struct {
	family    int
	pref      int
	iif       string
	mark      uint32 // value and mask at once, 0 for none
	ipProto   int
	portLow   uint16
	portHigh  uint16
	table     int
	protocol  uint8 // who made it
	otherwise bool  // it has more conditions than these
}

var families = []int{netlink.FAMILY_V4, netlink.FAMILY_V6}

// usedFamilies are the address families that this kernel has.
func usedFamilies() []int {
	if !sysctlExists("net/ipv6") {
		return families[:1]
	}
	return families
}

// setGuards adds the rules that keep a zone interface's packets from going anywhere but into its
// TUN. They come before all else, and need no device to exist.
func setGuards(d *Desired) error {
	have, err := ourRules()
	if err != nil {
		return err
	}
	for _, family := range usedFamilies() {
		for _, ifc := range d.zoned() {
			if r := guard(family, ifc); !have[r] {
				if err := r.add(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func guard(family int, ifc *Interface) rule {
	return rule{family: family, pref: prefUnreachable, iif: ifc.Device, protocol: protocol}
}

// setRules adds the rules that d needs and removes ours that it does not.
func setRules(d *Desired) error {
	have, err := ourRules()
	if err != nil {
		return err
	}
	want := map[rule]bool{}
	var order []rule
	for _, family := range usedFamilies() {
		for _, r := range rulesFor(d, family) {
			want[r] = true
			order = append(order, r)
		}
	}
	var errs []error
	if d.translates() {
		errs = append(errs, moveLocalRule())
	}
	for _, r := range order {
		if !have[r] {
			errs = append(errs, r.add())
		}
	}
	if !d.translates() {
		errs = append(errs, restoreLocalRule())
	}
	for r := range have {
		if !want[r] && r.pref != prefLocal {
			errs = append(errs, r.delete())
		}
	}
	return errors.Join(errs...)
}

// rulesFor lists the rules of one address family, but for the one of local addresses.
func rulesFor(d *Desired, family int) []rule {
	var list []rule
	for _, ifc := range d.zoned() {
		ours := rule{family: family, iif: ifc.Device, protocol: protocol}
		add := func(r rule) { list = append(list, r) }
		add(guard(family, ifc))
		link, err := netlink.LinkByName(ifc.Device)
		if err != nil {
			continue // setLinks has told; the guard stands
		}
		transit := ours
		transit.pref, transit.table = prefTransit, transitTable+link.Attrs().Index
		add(transit)
		if d.streams() {
			r := ours
			r.pref, r.mark, r.table = prefStream, markStream, streamTable
			add(r)
		}
		if ifc.NATEgress {
			r := transit
			r.pref, r.mark = prefNAT, markNAT
			add(r)
			for _, ipProto := range []int{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
				r := transit
				r.pref, r.ipProto, r.portLow, r.portHigh = prefNAT, ipProto, natPortLow, natPortHigh
				add(r)
			}
		}
	}
	return list
}

// moveLocalRule puts the rule of local addresses behind those of source NAT. The new one is
// there before the old one goes, so that local addresses are always found.
func moveLocalRule() error {
	return eachFamily(func(family int, have map[rule]bool) error {
		if r := localRule(family, prefLocal, protocol); !have[r] {
			if err := r.add(); err != nil {
				return err
			}
		}
		if r := localRule(family, 0, unix.RTPROT_KERNEL); have[r] {
			return r.delete()
		}
		return nil
	})
}

// restoreLocalRule puts the rule of local addresses where the kernel had it.
func restoreLocalRule() error {
	return eachFamily(func(family int, have map[rule]bool) error {
		moved := localRule(family, prefLocal, protocol)
		if !have[moved] {
			return nil
		}
		if r := localRule(family, 0, unix.RTPROT_KERNEL); !have[r] {
			if err := r.add(); err != nil && !errors.Is(err, unix.EEXIST) {
				return err
			}
		}
		return moved.delete()
	})
}

func localRule(family, pref int, protocol uint8) rule {
	return rule{family: family, pref: pref, table: unix.RT_TABLE_LOCAL, protocol: protocol}
}

// deleteRules restores the rule of local addresses and removes all of ours.
func deleteRules() error {
	errs := []error{restoreLocalRule()}
	have, err := ourRules()
	for r := range have {
		errs = append(errs, r.delete())
	}
	return errors.Join(append(errs, err)...)
}

// ourRules are the rules that the gateway made.
func ourRules() (map[rule]bool, error) {
	ours := map[rule]bool{}
	err := eachFamily(func(_ int, have map[rule]bool) error {
		for r := range have {
			if r.protocol == protocol {
				ours[r] = true
			}
		}
		return nil
	})
	return ours, err
}

// eachFamily calls f with every rule the kernel has of each address family.
func eachFamily(f func(family int, have map[rule]bool) error) error {
	for _, family := range usedFamilies() {
		list, err := dump(func() ([]netlink.Rule, error) { return netlink.RuleList(family) })
		if err != nil {
			return err
		}
		have := map[rule]bool{}
		for _, r := range list {
			have[fromNetlink(family, r)] = true
		}
		if err := f(family, have); err != nil {
			return err
		}
	}
	return nil
}

func fromNetlink(family int, r netlink.Rule) rule {
	out := rule{family: family, pref: r.Priority, iif: r.IifName, mark: r.Mark, ipProto: r.IPProto, table: r.Table, protocol: r.Protocol}
	if r.Dport != nil {
		out.portLow, out.portHigh = r.Dport.Start, r.Dport.End
	}
	out.otherwise = r.Mask != nil && *r.Mask != r.Mark || r.Src != nil || r.Dst != nil || r.OifName != "" ||
		r.Sport != nil || r.UIDRange != nil || r.Invert || r.Tos != 0 || r.TunID != 0 || r.Goto >= 0
	return out
}

func (r rule) toNetlink() *netlink.Rule {
	out := netlink.NewRule()
	out.Family, out.Priority, out.IifName = r.family, r.pref, r.iif
	out.IPProto, out.Table, out.Protocol = r.ipProto, r.table, r.protocol
	if r.mark != 0 {
		out.Mark, out.Mask = r.mark, &r.mark
	}
	if r.portHigh != 0 {
		out.Dport = netlink.NewRulePortRange(r.portLow, r.portHigh)
	}
	if r.table == 0 {
		out.Type = unix.RTN_UNREACHABLE
	}
	return out
}

func (r rule) add() error {
	if err := netlink.RuleAdd(r.toNetlink()); err != nil {
		return fmt.Errorf("cannot add the policy rule %s: %w", r, err)
	}
	return nil
}

func (r rule) delete() error {
	if err := netlink.RuleDel(r.toNetlink()); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("cannot remove the policy rule %s: %w", r, err)
	}
	return nil
}

// String is the rule about as `ip rule` prints it.
func (r rule) String() string {
	s := fmt.Sprintf("%d:", r.pref)
	if r.iif != "" {
		s += " iif " + r.iif
	}
	if r.mark != 0 {
		s += fmt.Sprintf(" fwmark %#x", r.mark)
	}
	if r.ipProto != 0 {
		s += fmt.Sprintf(" ipproto %d dport %d-%d", r.ipProto, r.portLow, r.portHigh)
	}
	if r.table == 0 {
		return s + " unreachable"
	}
	return fmt.Sprintf("%s lookup %d", s, r.table)
}
