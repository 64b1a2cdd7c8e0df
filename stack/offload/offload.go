// Package offload lets the kernel carry sessions that are judged: a small program at the ingress
// of each interface recognises their packets, counts them and routes them straight out, translated
// where the session is, while every packet that opens, closes or belongs to no offloaded session still
// comes to the gateway.
//
// It needs a kernel with BPF (CONFIG_BPF_SYSCALL, NET_CLS_BPF) on a little-endian machine; New
// fails elsewhere, and sessions then simply stay with the gateway process.
package offload

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"sluice/stack"
)

const (
	// Mark is put on packets of offloaded flows; a rule with it leads to the main table.
	Mark = 0x51ce
	// LeavingMark is the mark of those whose source is translated where they leave; the rule is theirs too.
	LeavingMark = Mark | 1
	// RulePriority is the preference of that rule, before the rules that lead into the gateway.
	RulePriority = 75

	filterName     = "sluice-offload"
	filterPriority = 0x51
	ruleProtocol   = 201 // marks the rule as the gateway's
	maxFlows       = 1 << 18
	eventBytes     = 1 << 20 // room for events, some twenty thousand
)

// flowKey is the map's key: a stack.Key with its ports as they are on the wire.
type flowKey [keyLen]byte

// flowValue is what the program keeps of a flow.
type flowValue struct {
	Packets, Bytes uint64
	Seen           uint64 // nanoseconds of the monotonic clock
	Next, Ack      uint32
	Window         uint32
	FIN            uint32 // not 0 once a FIN was carried

	Rewrite    uint32   // which end of its packets is translated
	Limit      uint32   // length of the longest packet that is, in bytes
	Address    [16]byte // what it is translated to, from the first byte on
	Port       [2]byte
	_          [2]byte
	AddressSum uint32 // what checksums grow by
	PortSum    uint32
	_          uint32
}

// Stats is what one offloaded direction has carried in the kernel.
type Stats struct {
	Packets, Bytes    uint64        // on the wire, IP headers included
	Idle              time.Duration // since its last packet; meaningless while Packets is 0
	Next, Ack, Window uint32        // of the last TCP segment; Window unscaled
	FIN               bool          // a FIN was among them
}

// Offload is the kernel's table of flows and the programs that consult it.
type Offload struct {
	flows    *ebpf.Map
	events   *ebpf.Map
	ingress  *ebpf.Program
	egress   *ebpf.Program
	finished *ringbuf.Reader
	reading  sync.WaitGroup

	mu       sync.Mutex
	attached map[string]int // device to the index it had
}

// New loads the program and adds the routing rules. The errors of a kernel that cannot do it say
// what it lacks.
func New() (*Offload, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.New("kernel offload is written for little-endian machines")
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, fmt.Errorf("raising the memory lock limit for kernel offload: %w", err)
	}
	flows, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "sluice_flows", Type: ebpf.Hash, KeySize: keyLen, ValueSize: valueLen, MaxEntries: maxFlows, Flags: unix.BPF_F_NO_PREALLOC,
	})
	if err != nil {
		return nil, fmt.Errorf("making the kernel's flow table: %w", err)
	}
	o := &Offload{flows: flows, attached: make(map[string]int)}
	if o.events, err = ebpf.NewMap(&ebpf.MapSpec{Name: "sluice_events", Type: ebpf.RingBuf, MaxEntries: eventBytes}); err != nil {
		o.Close()
		return nil, fmt.Errorf("making the kernel's event buffer: %w", err)
	}
	for _, p := range []struct {
		name         string
		program      **ebpf.Program
		instructions asm.Instructions
	}{{"sluice_offload", &o.ingress, ingress(flows, o.events)}, {"sluice_leave", &o.egress, egress(flows)}} {
		*p.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{Name: p.name, Type: ebpf.SchedCLS, Instructions: p.instructions, License: "Apache-2.0"})
		if err != nil {
			o.Close()
			return nil, fmt.Errorf("loading the offload program %s: %w", p.name, err)
		}
	}
	if o.finished, err = ringbuf.NewReader(o.events); err != nil {
		o.Close()
		return nil, fmt.Errorf("reading the kernel's events: %w", err)
	}
	if err := o.addRules(); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// Attach puts the programs at the ingress and the egress of device. Only Ethernet devices can have it.
func (o *Offload) Attach(device string) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("offload on %s: %w", device, err)
	}
	if link.Attrs().EncapType != "ether" {
		return fmt.Errorf("offload on %s: not an Ethernet device (%s)", device, link.Attrs().EncapType)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	index := link.Attrs().Index
	qdisc := &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_CLSACT}}
	if err := netlink.QdiscAdd(qdisc); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("offload on %s: adding the ingress hook: %w", device, err)
	}
	for _, f := range o.filters(index) {
		if err := netlink.FilterReplace(f); err != nil {
			return fmt.Errorf("offload on %s: attaching the program: %w", device, err)
		}
	}
	o.attached[device] = index
	return nil
}

// Detach takes the programs off device.
func (o *Offload) Detach(device string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if index, ok := o.attached[device]; ok {
		delete(o.attached, device)
		for _, f := range o.filters(index) {
			_ = netlink.FilterDel(f) // the device may be gone, and its filters with it
		}
	}
}

func (o *Offload) filters(index int) []*netlink.BpfFilter {
	at := func(parent uint32, p *ebpf.Program) *netlink.BpfFilter {
		return &netlink.BpfFilter{
			FilterAttrs:  netlink.FilterAttrs{LinkIndex: index, Parent: parent, Handle: 1, Protocol: unix.ETH_P_ALL, Priority: filterPriority},
			Fd:           p.FD(),
			Name:         filterName,
			DirectAction: true,
		}
	}
	return []*netlink.BpfFilter{at(netlink.HANDLE_MIN_INGRESS, o.ingress), at(netlink.HANDLE_MIN_EGRESS, o.egress)}
}

// Add makes the kernel carry the packets with key k from now on, and translate them to the key to
// where that differs, which it may in one of its ends; those longer than limit, in bytes, are then
// left to the gateway. It fails when the table is full.
func (o *Offload) Add(k, to *stack.Key, limit int) error {
	key, value := keyOf(k), flowValue{}
	err := value.translation(k, to, limit)
	if err == nil {
		err = o.flows.Update(&key, &value, ebpf.UpdateNoExist)
	}
	if err != nil {
		return fmt.Errorf("offloading a flow: %w", err)
	}
	return nil
}

// Stats reads what the kernel carried of k; ok is false for a flow that is not offloaded.
func (o *Offload) Stats(k *stack.Key) (s Stats, ok bool) {
	key := keyOf(k)
	var v flowValue
	if o.flows.Lookup(&key, &v) != nil {
		return s, false
	}
	return v.stats(), true
}

// Remove takes k back from the kernel and returns what it had carried.
func (o *Offload) Remove(k *stack.Key) (s Stats, ok bool) {
	key := keyOf(k)
	var v flowValue
	if o.flows.Lookup(&key, &v) != nil {
		return s, false
	}
	_ = o.flows.Delete(&key) // nobody else deletes, and a flow that is gone is what we want
	return v.stats(), true
}

func (v *flowValue) stats() Stats {
	s := Stats{Packets: v.Packets, Bytes: v.Bytes, Next: v.Next, Ack: v.Ack, Window: v.Window, FIN: v.FIN != 0}
	if v.Seen != 0 {
		var now unix.Timespec
		if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) == nil {
			s.Idle = max(0, time.Duration(now.Nano()-int64(v.Seen)))
		}
	}
	return s
}

// Finished calls f with the key of each flow whose FIN the kernel carried, from one goroutine,
// until Close. An event may be lost when very many come at once; Stats tells of the FIN as well.
func (o *Offload) Finished(f func(stack.Key)) {
	o.reading.Go(func() {
		var event ringbuf.Record
		for o.finished.ReadInto(&event) == nil {
			if len(event.RawSample) == keyLen {
				f(flowKey(event.RawSample).key())
			}
		}
	})
}

// key is the stack.Key that keyOf made k from.
func (k flowKey) key() (key stack.Key) {
	copy(key.Src[:], k[keySrc:])
	copy(key.Dst[:], k[keyDst:])
	key.SrcPort, key.DstPort = binary.BigEndian.Uint16(k[keyPorts:]), binary.BigEndian.Uint16(k[keyPorts+2:])
	key.Proto = binary.LittleEndian.Uint16(k[keyProto:])
	return key
}

func keyOf(k *stack.Key) (key flowKey) {
	copy(key[keySrc:], k.Src[:])
	copy(key[keyDst:], k.Dst[:])
	binary.BigEndian.PutUint16(key[keyPorts:], k.SrcPort)
	binary.BigEndian.PutUint16(key[keyPorts+2:], k.DstPort)
	binary.LittleEndian.PutUint16(key[keyProto:], k.Proto)
	return key
}

// Close takes everything out of the kernel again.
func (o *Offload) Close() {
	o.mu.Lock()
	devices := make([]string, 0, len(o.attached))
	for device := range o.attached {
		devices = append(devices, device)
	}
	o.mu.Unlock()
	for _, device := range devices {
		o.Detach(device)
	}
	deleteRules()
	if o.finished != nil {
		o.finished.Close()
		o.reading.Wait()
	}
	for _, p := range []*ebpf.Program{o.ingress, o.egress} {
		if p != nil {
			p.Close()
		}
	}
	if o.events != nil {
		o.events.Close()
	}
	o.flows.Close()
}

func rules() []*netlink.Rule {
	var list []*netlink.Rule
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		r := netlink.NewRule()
		mask := ^uint32(Mark ^ LeavingMark)
		r.Family, r.Priority, r.Mark, r.Mask = family, RulePriority, Mark, &mask
		r.Table, r.Protocol = unix.RT_TABLE_MAIN, ruleProtocol
		list = append(list, r)
	}
	return list
}

func (o *Offload) addRules() error {
	for _, r := range rules() {
		if err := netlink.RuleAdd(r); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("adding the rule for offloaded packets: %w", err)
		}
	}
	return nil
}

func deleteRules() {
	for _, r := range rules() {
		_ = netlink.RuleDel(r) // absent is what we want
	}
}

// CleanUp removes what an earlier process left in the kernel, also after it was killed.
func CleanUp() error {
	deleteRules()
	links, err := netlink.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("listing devices: %w", err)
	}
	for _, link := range links {
		for _, parent := range []uint32{netlink.HANDLE_MIN_INGRESS, netlink.HANDLE_MIN_EGRESS} {
			filters, err := netlink.FilterList(link, parent)
			if err != nil {
				continue // no such hook on this device
			}
			for _, f := range filters {
				if bpf, ok := f.(*netlink.BpfFilter); ok && bpf.Name == filterName {
					if err := netlink.FilterDel(f); err != nil {
						return fmt.Errorf("removing the offload program from %s: %w", link.Attrs().Name, err)
					}
				}
			}
		}
	}
	return nil
}
