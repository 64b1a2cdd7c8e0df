package offload

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Offsets in struct __sk_buff (linux/bpf.h).
const (
	skbLen      = 0
	skbMark     = 8
	skbProtocol = 16
	skbGSOSegs  = 164
	skbGSOSize  = 176
)

// Protocol numbers as a little-endian machine reads them from the wire, and their headers.
const (
	etherIPv4    = 0x0008
	etherIPv6    = 0xdd86
	etherLen     = 14
	ipv4Len      = 20
	ipv6Len      = 40
	tcpLen       = 20
	udpLen       = 8
	tcpFIN       = 0x01
	tcpControl   = 0x06   // SYN, RST
	fragmentMask = 0xff3f // more fragments and offset
)

// Places on the program's stack, below the frame pointer.
const (
	keyAt       = -40  // flowKey
	ipAt        = -80  // IP header
	transportAt = -104 // TCP or UDP header
	lengthAt    = -112 // length of the IP packet
	hopsAt      = -120 // hops left to it
	flagsAt     = -128 // how the transport checksum is to be changed
)

// Verdicts of a classifier (linux/pkt_cls.h).
const (
	actOK   = 0
	actShot = 2
)

// Offsets in flowKey and flowValue.
const (
	keySrc   = 0
	keyDst   = 16
	keyPorts = 32
	keyProto = 36
	keyLen   = 40

	valuePackets = 0
	valueBytes   = 8
	valueSeen    = 16
	valueNext    = 24
	valueAck     = 28
	valueWindow  = 32
	valueFIN     = 36
	valueRewrite = 40
	valueLimit   = 44
	valueAddress = 48
	valuePort    = 64
	valueAddrSum = 68
	valuePortSum = 72
	valueLen     = 80
)

// ingress is a tc classifier for the ingress of an Ethernet device. For an IPv4 packet without
// options or an IPv6 packet without extension headers that is not a fragment and, in TCP, carries
// neither SYN nor RST, it looks the flow up. A flow that is there is counted and its packet
// marked, so that a routing rule leads it straight out; everything else goes its usual way. A FIN
// goes straight out too, right behind the data, and is told as an event.
//
// A destination is translated here, so that the packet is routed to where it goes; a source is not
// before the packet leaves, so that the kernel routes it, and answers it, as one of its sender.
//
// Registers: R6 packet, R7 length of Ethernet, IP and transport headers, R8 flowValue, R9 protocol.
func ingress(flows, events *ebpf.Map) asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R1, asm.R6, skbMark, asm.Word), // by a device below this one
		asm.JEq.Imm(asm.R1, Mark, "pass"),
		asm.JEq.Imm(asm.R1, LeavingMark, "pass"),
	}
	p = append(p, headers()...)
	p = append(p, find(flows)...)
	p = append(p, fit()...)
	p = append(p, count()...)
	p = append(p, tellFIN(events)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.R8, valueRewrite, asm.Word).WithSymbol("carry"),
		asm.JEq.Imm(asm.R1, rewriteDestination, "translate"),
		asm.Add.Imm(asm.R1, Mark),
		asm.Ja.Label("mark"),
	)
	p = append(p, translate(rewriteDestination)...)
	return append(p,
		asm.Mov.Imm(asm.R1, Mark),
		asm.StoreMem(asm.R6, skbMark, asm.R1, asm.Word).WithSymbol("mark"),
		asm.Mov.Imm(asm.R0, actOK).WithSymbol("pass"),
		asm.Return(),
		asm.Mov.Imm(asm.R0, actShot).WithSymbol("drop"),
		asm.Return(),
	)
}

// egress is a tc classifier for the egress of an Ethernet device. It translates the source of the
// packets that ingress has marked for that; one whose flow was taken back meanwhile is dropped, since
// its sender's address is not to be seen.
func egress(flows *ebpf.Map) asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R1, asm.R6, skbMark, asm.Word),
		asm.JNE.Imm(asm.R1, LeavingMark, "leave"),
	}
	p = append(p, headers()...)
	p = append(p, find(flows)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.R8, valueRewrite, asm.Word),
		asm.JNE.Imm(asm.R1, rewriteSource, "drop"),
	)
	p = append(p, translate(rewriteSource)...)
	return append(p,
		asm.Mov.Imm(asm.R1, Mark), // done, whatever device is below this one
		asm.StoreMem(asm.R6, skbMark, asm.R1, asm.Word),
		asm.Mov.Imm(asm.R0, actOK).WithSymbol("leave"),
		asm.Return(),
		asm.Mov.Imm(asm.R0, actShot).WithSymbol("pass"),
		asm.Return(),
		asm.Mov.Imm(asm.R0, actShot).WithSymbol("drop"),
		asm.Return(),
	)
}

// headers reads the packet's headers and makes its key; a packet that belongs to no flow leaves by "pass".
func headers() asm.Instructions {
	p := asm.Instructions{asm.Mov.Imm(asm.R1, 0)}
	for at := int16(keyAt); at < 0; at += 8 {
		p = append(p, asm.StoreMem(asm.RFP, at, asm.R1, asm.DWord))
	}
	p = append(p,
		asm.LoadMem(asm.R2, asm.R6, skbProtocol, asm.Word),
		asm.JEq.Imm(asm.R2, etherIPv4, "ipv4"),
		asm.JEq.Imm(asm.R2, etherIPv6, "ipv6"),
		asm.Ja.Label("pass"),
	)
	p = append(p, ipv4()...)
	p = append(p, ipv6()...)
	return append(p, transport()...)
}

// loadBytes copies size bytes of the packet from the offset in R2 to the stack.
func loadBytes(to int32, size int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R3, asm.RFP),
		asm.Add.Imm(asm.R3, to),
		asm.Mov.Imm(asm.R4, size),
		asm.FnSkbLoadBytes.Call(),
		asm.JNE.Imm(asm.R0, 0, "pass"),
	}
}

func ipv4() asm.Instructions {
	p := asm.Instructions{asm.Mov.Imm(asm.R2, etherLen).WithSymbol("ipv4")}
	p = append(p, loadBytes(ipAt, ipv4Len)...)
	return append(p,
		asm.LoadMem(asm.R1, asm.RFP, ipAt, asm.Byte),
		asm.JNE.Imm(asm.R1, 0x45, "pass"),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+6, asm.Half),
		asm.And.Imm(asm.R1, fragmentMask),
		asm.JNE.Imm(asm.R1, 0, "pass"),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+2, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(asm.RFP, lengthAt, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+8, asm.Byte),
		asm.StoreMem(asm.RFP, hopsAt, asm.R1, asm.DWord),
		asm.LoadMem(asm.R9, asm.RFP, ipAt+9, asm.Byte),
		asm.Mov.Imm(asm.R1, 0xffff), // IPv4-mapped addresses
		asm.StoreMem(asm.RFP, keyAt+keySrc+10, asm.R1, asm.Half),
		asm.StoreMem(asm.RFP, keyAt+keyDst+10, asm.R1, asm.Half),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+12, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+keySrc+12, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+16, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+keyDst+12, asm.R1, asm.Word),
		asm.Mov.Imm(asm.R7, etherLen+ipv4Len),
		asm.Ja.Label("transport"),
	)
}

func ipv6() asm.Instructions {
	p := asm.Instructions{asm.Mov.Imm(asm.R2, etherLen).WithSymbol("ipv6")}
	p = append(p, loadBytes(ipAt, ipv6Len)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.RFP, ipAt+4, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.Add.Imm(asm.R1, ipv6Len),
		asm.StoreMem(asm.RFP, lengthAt, asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, ipAt+7, asm.Byte),
		asm.StoreMem(asm.RFP, hopsAt, asm.R1, asm.DWord),
		asm.LoadMem(asm.R9, asm.RFP, ipAt+6, asm.Byte),
	)
	for at := int16(0); at < 32; at += 8 {
		p = append(p,
			asm.LoadMem(asm.R1, asm.RFP, ipAt+8+at, asm.DWord),
			asm.StoreMem(asm.RFP, keyAt+at, asm.R1, asm.DWord),
		)
	}
	return append(p, asm.Mov.Imm(asm.R7, etherLen+ipv6Len))
}

func transport() asm.Instructions {
	p := asm.Instructions{
		asm.JEq.Imm(asm.R9, 6, "tcp").WithSymbol("transport"),
		asm.JNE.Imm(asm.R9, 17, "pass"),
		asm.Mov.Reg(asm.R2, asm.R7),
	}
	p = append(p, loadBytes(transportAt, udpLen)...)
	p = append(p,
		asm.Add.Imm(asm.R7, udpLen),
		asm.Ja.Label("lookup"),
		asm.Mov.Reg(asm.R2, asm.R7).WithSymbol("tcp"),
	)
	p = append(p, loadBytes(transportAt, tcpLen)...)
	return append(p,
		asm.LoadMem(asm.R1, asm.RFP, transportAt+13, asm.Byte),
		asm.And.Imm(asm.R1, tcpControl),
		asm.JNE.Imm(asm.R1, 0, "pass"),
		asm.LoadMem(asm.R1, asm.RFP, transportAt+12, asm.Byte),
		asm.RSh.Imm(asm.R1, 4),
		asm.LSh.Imm(asm.R1, 2),
		asm.Add.Reg(asm.R7, asm.R1),
	)
}

// find looks the flow up.
func find(flows *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, asm.RFP, transportAt, asm.Word).WithSymbol("lookup"),
		asm.StoreMem(asm.RFP, keyAt+keyPorts, asm.R1, asm.Word),
		asm.StoreMem(asm.RFP, keyAt+keyProto, asm.R9, asm.Half),
		asm.LoadMapPtr(asm.R1, flows.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, keyAt),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.Mov.Reg(asm.R8, asm.R0),
	}
}

// fit leaves a packet to the gateway that is to be translated and cannot go on as it is, being too
// long or at its last hop: what its sender is told must be of the packet as it was sent.
func fit() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, asm.R8, valueRewrite, asm.Word),
		asm.JEq.Imm(asm.R1, rewriteNothing, "count"),
		asm.LoadMem(asm.R1, asm.RFP, hopsAt, asm.DWord),
		asm.JLE.Imm(asm.R1, 1, "pass"),
		asm.LoadMem(asm.R2, asm.RFP, lengthAt, asm.DWord),
		asm.LoadMem(asm.R1, asm.R6, skbGSOSize, asm.Word),
		asm.JEq.Imm(asm.R1, 0, "fit"),
		asm.Mov.Reg(asm.R2, asm.R1), // the segments of a train
		asm.Add.Reg(asm.R2, asm.R7),
		asm.Sub.Imm(asm.R2, etherLen),
		asm.LoadMem(asm.R1, asm.R8, valueLimit, asm.Word).WithSymbol("fit"),
		asm.JGT.Reg(asm.R2, asm.R1, "pass"),
	}
}

// count notes what the packet was on the wire: a train of segments carried its headers once a
// segment.
func count() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R2, asm.RFP, lengthAt, asm.DWord).WithSymbol("count"),
		asm.LoadMem(asm.R1, asm.R6, skbGSOSegs, asm.Word),
		asm.JGT.Imm(asm.R1, 1, "train"),
		asm.Mov.Imm(asm.R1, 1),
		asm.Ja.Label("add"),
		asm.LoadMem(asm.R2, asm.R6, skbLen, asm.Word).WithSymbol("train"),
		asm.Sub.Imm(asm.R2, etherLen),
		asm.Mov.Reg(asm.R3, asm.R1),
		asm.Sub.Imm(asm.R3, 1),
		asm.Mov.Reg(asm.R4, asm.R7),
		asm.Sub.Imm(asm.R4, etherLen),
		asm.Mul.Reg(asm.R3, asm.R4),
		asm.Add.Reg(asm.R2, asm.R3),
		asm.AddAtomic.Mem(asm.R8, asm.R1, asm.DWord, valuePackets).WithSymbol("add"),
		asm.AddAtomic.Mem(asm.R8, asm.R2, asm.DWord, valueBytes),
		asm.FnKtimeGetNs.Call(),
		asm.StoreMem(asm.R8, valueSeen, asm.R0, asm.DWord),

		asm.JNE.Imm(asm.R9, 6, "carry"),
		asm.LoadMem(asm.R1, asm.RFP, transportAt+4, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Word),
		asm.LoadMem(asm.R2, asm.R6, skbLen, asm.Word),
		asm.Sub.Reg(asm.R2, asm.R7),
		asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R8, valueNext, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, transportAt+8, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Word),
		asm.StoreMem(asm.R8, valueAck, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, transportAt+14, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.StoreMem(asm.R8, valueWindow, asm.R1, asm.Word),
	}
}

// tellFIN notes the FIN of a flow, which takes a sequence number, and puts the flow's key among
// the events.
func tellFIN(events *ebpf.Map) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R1, asm.RFP, transportAt+13, asm.Byte),
		asm.And.Imm(asm.R1, tcpFIN),
		asm.JEq.Imm(asm.R1, 0, "carry"),
		asm.StoreMem(asm.R8, valueFIN, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.R8, valueNext, asm.Word),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R8, valueNext, asm.R1, asm.Word),
		asm.LoadMapPtr(asm.R1, events.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, keyAt),
		asm.Mov.Imm(asm.R3, keyLen),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(), // an event that is lost is found in the flow's value later
	}
}
