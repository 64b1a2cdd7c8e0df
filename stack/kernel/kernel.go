// Package kernel puts what a configuration needs into the Linux kernel, and takes it out again.
//
// What it needs: VLAN links, link states, MTUs and addresses; policy rules and one routing table
// for each zone interface, which lead every packet in transit into that interface's TUN; static
// routes; a few sysctls; and the nft table "inet sluice", which decides what may reach the
// gateway itself.
//
// Ownership is visible in the kernel: rules and routes carry protocol number 201, the nft table
// carries the gateway's name. What cannot carry a mark (addresses, links, sysctls) is written
// down in a file of the state directory before it is touched, together with what was there
// before. Whatever is not ours is left alone. Therefore [CleanUp] finds everything, also after
// the process was killed, and a new [Kernel] takes over what a killed one left.
//
// Everything fails closed: the rule that makes packets of a zone interface unreachable is there
// before forwarding is switched on and stays when the TUN goes.
//
// All functions act on the network namespace of the calling thread.
package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
)

// Desired is all that a configuration wants of the kernel.
type Desired struct {
	Interfaces     []Interface
	Routes         []Route
	StreamServices bool   // lead the answers to transparent sockets to them
	StreamPorts    []Port // the same, without StreamServices, for the answers of TCP servers at these
	Lanes          []Lane
	CarriedMark    uint32 // mark of judged packets that pass between zones without a TUN, 0 for none
	LeavingMark    uint32 // the same, of those whose source an Ethernet link translates as they leave by it

	forwards4, forwards6 bool // the host forwarded before the gateway came
}

// Port is a range of ports, both ends included.
type Port struct{ Low, High uint16 }

// streams says whether there are answers to transparent sockets.
func (d *Desired) streams() bool { return d.StreamServices || len(d.StreamPorts) > 0 }

// carried is the nft match of judged packets that pass without a TUN.
func (d *Desired) carried() string {
	return fmt.Sprintf("meta mark { %#08x, %#08x }", d.CarriedMark, d.LeavingMark)
}

// Lane is a TUN whose packets are in transit, and go to a class of the queueing discipline of the link
// that they leave by.
type Lane struct {
	Number uint8
	TUN    string // need not exist yet
	Class  string // as nft takes it: 5150:21
}

// Interface is one Linux interface and what it shall be.
type Interface struct {
	Device    string         // Linux name, such as "eth1" or "eth1.100"
	Logical   string         // name in statements, for messages; Device when empty
	Parent    string         // device the VLAN stands on, "" for no VLAN
	VLAN      uint16         // 802.1Q id, 1..4094
	MTU       int            // bytes, 0 to leave it as it is
	Disabled  bool           // take it down
	Addresses []netip.Prefix // address and prefix length, in order

	// The rest concerns interfaces that are in a zone: those with a TUN.
	TUN       string        // TUN that its packets are led into, "" for none; need not exist yet
	NATEgress bool          // source NAT translates to this interface's address
	Inbound   []InboundRule // what may reach the gateway itself; the first that matches decides
}

// InboundRule accepts traffic to the gateway itself.
type InboundRule struct {
	Name              string  // service, shown as comment
	Refuse            bool    // drop instead
	All               bool    // everything; the other fields are ignored
	Protocol          uint8   // IP protocol number; 1 is ICMP over IPv4, 58 ICMPv6
	PortLow, PortHigh uint16  // destination ports, both included; 0,0 for any
	ICMPTypes         []uint8 // of protocol 1 and 58; empty for any
}

// Route is one static route of the main table.
type Route struct {
	Destination netip.Prefix // host bits are ignored
	NextHops    []NextHop    // several share the load
	Discard     bool         // drop silently
	Reject      bool         // drop with ICMP unreachable
	Metric      uint32       // 0 is the family's default (IPv4 0, IPv6 1024)
}

// NextHop is a gateway, a device, or a gateway on a device.
type NextHop struct {
	Gateway netip.Addr
	Device  string
}

// TUNName is the name of the TUN that the packets of device are led into, at most 15 characters.
func TUNName(device string) string {
	const prefix = "slu-"
	if len(prefix)+len(device) <= maxDeviceName {
		return prefix + device
	}
	return fmt.Sprintf("%s%08x", prefix, shortHash(device))
}

// LaneName is the name of the TUN of a lane.
func LaneName(number uint8) string { return fmt.Sprintf("slu-lane%d", number) }

// Kernel keeps one network namespace as the configuration wants it. Its methods may be called
// from several goroutines.
type Kernel struct {
	mu       sync.Mutex
	state    *state
	firewall loadedFirewall // what nft holds, as far as we know
}

// New takes over what an earlier process recorded in stateDir, if it did. It changes nothing in
// the kernel.
func New(stateDir string) (*Kernel, error) {
	st, err := openState(stateDir)
	if err != nil {
		return nil, err
	}
	return &Kernel{state: st}, nil
}

// Set makes the kernel as d wants it: adds what is missing, changes what differs, removes what is
// ours and no longer wanted. It may be called any number of times with the same d, for instance
// after a TUN or a device came or went; then it changes only what is not as it should be.
//
// A missing device or TUN, or a route whose next hop is down, does not keep the rest from being
// set; the error tells of all of them. When the firewall cannot be loaded nothing else is done,
// because the gateway itself would be open.
func (k *Kernel) Set(d Desired) error {
	if err := d.check(); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	d.forwards4, d.forwards6 = k.state.forwardedBefore()
	if err := k.setFirewall(&d); err != nil {
		return err
	}
	if err := setGuards(&d); err != nil {
		return err
	}
	return errors.Join(
		k.setLinks(&d),
		k.setAddresses(&d),
		k.setSysctls(&d),
		setTables(&d),
		setRules(&d),
		setStaticRoutes(&d),
		k.dropLinks(&d),
	)
}

// Check says whether Set could take d: names, ranges, duplicates, and whether nft accepts the
// firewall. It changes nothing.
func Check(d Desired) error {
	if err := d.check(); err != nil {
		return err
	}
	return checkFirewall(Firewall(d))
}

// CleanUp removes everything of ours from the kernel and restores what it was before, whether
// the process that made it ended in order or was killed. It may be called when there is nothing
// to do. Everything is tried; the error tells what could not be done.
func CleanUp(stateDir string) error {
	st, err := openState(stateDir)
	if err != nil {
		return err
	}
	return errors.Join(
		st.restoreSysctls(nil),
		deleteRoutes(),
		deleteRules(),
		st.dropAddresses(nil),
		st.dropLinks(nil),
		deleteFirewall(),
		st.remove(),
	)
}
