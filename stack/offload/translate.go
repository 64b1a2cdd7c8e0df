package offload

import (
	"encoding/binary"
	"errors"

	"github.com/cilium/ebpf/asm"

	"sluice/stack"
)

// What is rewritten in the packets of a flow.
const (
	rewriteNothing = iota
	rewriteSource
	rewriteDestination
)

// translation fills in how packets with key k become those with key to, which may differ from it in
// one of its ends. A packet longer than limit is not for the kernel.
func (v *flowValue) translation(k, to *stack.Key, limit int) error {
	before, after := k.Src, to.Src
	portBefore, portAfter := k.SrcPort, to.SrcPort
	switch {
	case *k == *to:
		return nil
	case k.Dst == to.Dst && k.DstPort == to.DstPort:
		v.Rewrite = rewriteSource
	case k.Src == to.Src && k.SrcPort == to.SrcPort:
		v.Rewrite = rewriteDestination
		before, after = k.Dst, to.Dst
		portBefore, portAfter = k.DstPort, to.DstPort
	default:
		return errors.New("the kernel translates one end of a flow, not both")
	}
	from := 0
	if k.Source().Addr().Is4() {
		from = 12
	}
	copy(v.Address[:], after[from:])
	binary.BigEndian.PutUint16(v.Port[:], portAfter)
	v.AddressSum = difference(before[from:], after[from:])
	v.PortSum = difference(binary.BigEndian.AppendUint16(nil, portBefore), v.Port[:])
	v.Limit = uint32(limit)
	return nil
}

// difference is what a checksum over after has more than one over before, as the kernel's helpers
// take it: the sum of words in the machine's order (RFC 1624 equation 3, not folded).
func difference(before, after []byte) (sum uint32) {
	for i := 0; i < len(before); i += 2 {
		sum += uint32(^binary.LittleEndian.Uint16(before[i:])) + uint32(binary.LittleEndian.Uint16(after[i:]))
	}
	return sum
}

// Where checksums stand in their headers, and the kernel's flags for changing them (linux/bpf.h).
const (
	ipv4Sum = 10
	tcpSum  = 16
	udpSum  = 6

	recomputeSum = 1 << 0 // the device's sum of the packet follows what is stored
	pseudoHeader = 1 << 4 // an address has changed, which partial checksums hold too
	zeroIsNone   = 1 << 5 // 0 is no checksum (RFC 768)
)

// translate writes the flow's address and port over one end of the packet, and follows in every
// checksum that covers them; a packet of which that fails leaves by "drop".
//
// Where the device has summed the whole packet, that sum follows as well. An IPv4 address changes it by what
// two checksums lose against what one address gains, which the helper takes into account; an IPv6 address is balanced by
// its one checksum, so that the sum first grows by it for the helper to take off.
//
// Registers, besides those of ingress: R7 becomes the offset of the transport header, R9 that of its checksum.
func translate(end int) asm.Instructions {
	address4, address6, port := int32(12), int32(8), int32(0)
	if end == rewriteDestination {
		address4, address6, port = 16, 24, 2
	}
	p := asm.Instructions{
		asm.LoadMem(asm.R1, asm.R6, skbProtocol, asm.Word).WithSymbol("translate"),
		asm.JEq.Imm(asm.R1, etherIPv6, "translate6"),

		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Imm(asm.R2, etherLen+ipv4Sum),
		asm.Mov.Imm(asm.R3, 0),
		asm.LoadMem(asm.R4, asm.R8, valueAddrSum, asm.Word),
		asm.Mov.Imm(asm.R5, 0),
		asm.FnL3CsumReplace.Call(),
		asm.JNE.Imm(asm.R0, 0, "drop"),
		asm.Mov.Imm(asm.R7, etherLen),
	}
	p = append(p, storeBytes(address4, valueAddress, 4, 0)...)
	p = append(p,
		asm.Mov.Imm(asm.R7, etherLen+ipv4Len),
		asm.Ja.Label("ports"),
		asm.Mov.Imm(asm.R7, etherLen).WithSymbol("translate6"),
	)
	p = append(p, storeBytes(address6, valueAddress, 16, recomputeSum)...)
	p = append(p,
		asm.Mov.Imm(asm.R7, etherLen+ipv6Len),
		asm.Mov.Imm(asm.R1, 0).WithSymbol("ports"),
		asm.Mov.Imm(asm.R2, tcpSum),
		asm.JEq.Imm(asm.R9, 6, "sums"),
		asm.Mov.Imm(asm.R1, zeroIsNone),
		asm.Mov.Imm(asm.R2, udpSum),
		asm.StoreMem(asm.RFP, flagsAt, asm.R1, asm.DWord).WithSymbol("sums"),
		asm.Mov.Reg(asm.R9, asm.R7),
		asm.Add.Reg(asm.R9, asm.R2),
	)
	p = append(p, changeSum(valueAddrSum, pseudoHeader)...)
	p = append(p, changeSum(valuePortSum, 0)...)
	return append(p, storeBytes(port, valuePort, 2, 0)...)
}

// storeBytes copies size bytes of the flow's value into the packet, at an offset from R7.
func storeBytes(to, from, size, flags int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R2, asm.R7),
		asm.Add.Imm(asm.R2, to),
		asm.Mov.Reg(asm.R3, asm.R8),
		asm.Add.Imm(asm.R3, from),
		asm.Mov.Imm(asm.R4, size),
		asm.Mov.Imm(asm.R5, flags),
		asm.FnSkbStoreBytes.Call(),
		asm.JNE.Imm(asm.R0, 0, "drop"),
	}
}

// changeSum adds a difference of the flow's value to the transport checksum.
func changeSum(difference int16, flags int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R2, asm.R9),
		asm.Mov.Imm(asm.R3, 0),
		asm.LoadMem(asm.R4, asm.R8, difference, asm.Word),
		asm.LoadMem(asm.R5, asm.RFP, flagsAt, asm.DWord),
		asm.Or.Imm(asm.R5, flags),
		asm.FnL4CsumReplace.Call(),
		asm.JNE.Imm(asm.R0, 0, "drop"),
	}
}
