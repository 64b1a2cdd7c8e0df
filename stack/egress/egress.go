// Package egress is in which queue of a link a packet waits: it shapes links by hierarchical token
// buckets (HTB, tc-htb(8)) with eight queues, in each of which loss priorities tell what goes first
// and what is dropped first when the link is congested.
//
// A link that is shaped gets a queueing discipline of ours, which its handle tells; one that somebody
// else gave it is left alone. A packet goes to the class that its priority names (skb->priority), and
// to [Default] without one.
package egress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Queues and loss priorities of a link.
const (
	Queues = 8
	Losses = 4 // the lowest first
)

// major is the handle of our queueing disciplines.
const major = 0x5150

// Minor numbers of classes.
const (
	rootClass  = 0x1
	queueClass = 0x10 // and the number of the queue
	leafClass  = 0x20 // and the number of the lane
)

// Lane is a place to wait: a queue and a loss priority in it.
type Lane uint8

// NewLane is the lane of a queue (0 to 7) and a loss priority (0, the lowest, to 3).
func NewLane(queue, loss uint8) Lane { return Lane(queue*Losses + loss) }

// Default is the lane of packets that are in none.
const Default Lane = 0

// Priority is the priority of packets (skb->priority, SO_PRIORITY) that leads them to the lane.
func (l Lane) Priority() uint32 { return major<<16 | (leafClass + uint32(l)) }

// String is the class as tc shows it, and nft takes it.
func (l Lane) String() string { return fmt.Sprintf("%x:%x", major, leafClass+uint32(l)) }

// Shaper shapes links. The zero value is ready; its methods may be called from several goroutines.
type Shaper struct {
	mu     sync.Mutex
	shaped map[int]uint64 // rates by index of the link, as we have set them
}

// Set shapes the links with these names to these rates, in bit/s, and no others of those that it has
// shaped before. It may be called any number of times; a link that has come back is shaped again.
func (s *Shaper) Set(rates map[string]uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(rates) == 0 && len(s.shaped) == 0 {
		return nil
	}
	var errs []error
	shaped := map[int]uint64{}
	for name, rate := range rates {
		link, err := netlink.LinkByName(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("shaping %s: %w", name, err))
			continue
		}
		index := link.Attrs().Index
		have, err := ours(link)
		if err == nil && (!have || s.shaped[index] != rate) {
			err = shape(index, rate, have)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("shaping %s: %w", name, err))
			continue
		}
		shaped[index] = rate
	}
	for index := range s.shaped {
		if shaped[index] == 0 {
			errs = append(errs, release(index))
		}
	}
	s.shaped = shaped
	return errors.Join(errs...)
}

// ErrForeign says that a link has a queueing discipline that somebody else gave it.
var ErrForeign = errors.New("it has a queueing discipline of its own: remove it (tc qdisc del dev … root), or the shaping-rate")

// ours says whether the root of a link is ours. One that the kernel has made is nobody's.
func ours(link netlink.Link) (bool, error) {
	list, err := netlink.QdiscList(link)
	if err != nil {
		return false, err
	}
	for _, q := range list {
		a := q.Attrs()
		switch {
		case a.Parent != netlink.HANDLE_ROOT:
		case a.Handle == netlink.MakeHandle(major, 0):
			return true, nil
		case a.Handle != 0:
			return false, ErrForeign
		}
	}
	return false, nil
}

// shape gives a link its queues: each has an equal part of the rate and takes what the others leave; in
// each, a lower loss priority takes from that before a higher one, which keeps a tenth of its own.
// A link that has them already gets other rates.
func shape(index int, rate uint64, already bool) error {
	qdisc := netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(major, 0), Parent: netlink.HANDLE_ROOT})
	qdisc.Defcls = leafClass + uint32(Default)
	if !already {
		if err := netlink.QdiscReplace(qdisc); err != nil {
			return fmt.Errorf("HTB: %w", err)
		}
	}
	part := max(rate/Queues, Losses*minimumRate)
	errs := []error{class(index, rootClass, 0, rate, rate, 0)}
	for q := range uint8(Queues) {
		errs = append(errs, class(index, queueClass+uint16(q), rootClass, part, rate, 0))
		for loss := range uint8(Losses) {
			own := part * 7 / 10
			if loss > 0 {
				own = part / 10
			}
			leaf := leafClass + uint16(NewLane(q, loss))
			errs = append(errs, class(index, leaf, queueClass+uint16(q), own, rate, uint32(loss)), wait(index, leaf, rate))
		}
	}
	return errors.Join(errs...)
}

// minimumRate is the least that a class may have, in bit/s: the kernel counts bytes.
const minimumRate = 80

// quantum is how much a class may send before the next one of its priority, in bytes.
const quantum = 1600

func class(index int, minor, parent uint16, rate, ceil uint64, priority uint32) error {
	c := netlink.NewHtbClass(
		netlink.ClassAttrs{LinkIndex: index, Handle: netlink.MakeHandle(major, minor), Parent: netlink.MakeHandle(major, parent)},
		netlink.HtbClassAttrs{Rate: max(rate, minimumRate), Ceil: max(ceil, minimumRate), Prio: priority, Quantum: quantum},
	)
	if err := netlink.ClassReplace(c); err != nil {
		return fmt.Errorf("HTB class %x:%x: %w", major, minor, err)
	}
	return nil
}

// How much may wait in a lane, in bytes: what the link carries in a tenth of a second, and no less than a
// few trains of segments.
const waitMinimum = 4 << 16

// wait bounds what waits in a class.
func wait(index int, minor uint16, rate uint64) error {
	limit := uint32(min(max(rate/8/10, waitMinimum), 1<<30))
	request := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
	request.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(index), Parent: netlink.MakeHandle(major, minor)})
	request.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("bfifo")))
	request.AddData(nl.NewRtAttr(nl.TCA_OPTIONS, binary.NativeEndian.AppendUint32(nil, limit)))
	if _, err := request.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("queue of HTB class %x:%x: %w", major, minor, err)
	}
	return nil
}

// release takes our queueing discipline from a link, which gets the kernel's own again. A link that is
// gone has none.
func release(index int) error {
	link, err := netlink.LinkByIndex(index)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return err
	}
	switch have, err := ours(link); {
	case errors.Is(err, ErrForeign):
		return nil
	case err != nil || !have:
		return err
	}
	return netlink.QdiscDel(netlink.NewHtb(netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(major, 0), Parent: netlink.HANDLE_ROOT}))
}

// CleanUp takes our queueing disciplines from all links, also those of a process that was killed.
func CleanUp() error {
	links, err := netlink.LinkList()
	if err != nil {
		return err
	}
	var errs []error
	for _, link := range links {
		errs = append(errs, release(link.Attrs().Index))
	}
	return errors.Join(errs...)
}
