package pcap

import "encoding/binary"

// LinkType says what a frame begins with (the LINKTYPE registry of tcpdump).
type LinkType uint32

// Link types that are understood.
const (
	LinkNull       LinkType = 0
	LinkEthernet   LinkType = 1
	LinkPPP        LinkType = 9
	LinkRawBSD     LinkType = 12
	LinkRawOpenBSD LinkType = 14
	LinkPPPSerial  LinkType = 50
	LinkPPPoE      LinkType = 51
	LinkRaw        LinkType = 101
	LinkCiscoHDLC  LinkType = 104
	LinkLoop       LinkType = 108
	LinkLinux      LinkType = 113
	LinkPPI        LinkType = 192
	LinkIPv4       LinkType = 228
	LinkIPv6       LinkType = 229
	LinkLinux2     LinkType = 276
)

// EtherTypes (IANA IEEE 802 numbers).
const (
	etherIPv4    = 0x0800
	etherIPv6    = 0x86dd
	etherVLAN    = 0x8100
	etherQinQ    = 0x88a8
	etherOldQinQ = 0x9100
	etherPPPoE   = 0x8864
	etherMPLS    = 0x8847
	etherMPLS2   = 0x8848
	etherBridge  = 0x6558 // Ethernet in GRE
	etherPPP     = 0x880b
)

// IP cuts a frame down to the IP packet in it. ok is false when there is none.
func (f *Frame) IP() (packet []byte, ok bool) { return cut(f.Link, f.Data, 0) }

// maxLayers bounds the layers of a frame, against frames made to be expensive.
const maxLayers = 8

func cut(link LinkType, d []byte, depth int) ([]byte, bool) {
	if depth == maxLayers {
		return nil, false
	}
	switch link {
	case LinkEthernet:
		return behind(d, 14, func() ([]byte, bool) { return etherCut(d, 12, depth) })
	case LinkLinux:
		return behind(d, 16, func() ([]byte, bool) { return etherCut(d, 14, depth) })
	case LinkLinux2:
		return behind(d, 20, func() ([]byte, bool) { return payloadCut(binary.BigEndian.Uint16(d), d[20:], depth) })
	case LinkNull, LinkLoop: // the address family, in an unknown byte order, says no more than the packet
		return behind(d, 4, func() ([]byte, bool) { return rawCut(d[4:]) })
	case LinkRaw, LinkRawBSD, LinkRawOpenBSD, LinkIPv4, LinkIPv6:
		return rawCut(d)
	case LinkCiscoHDLC:
		return behind(d, 4, func() ([]byte, bool) { return payloadCut(binary.BigEndian.Uint16(d[2:]), d[4:], depth) })
	case LinkPPPSerial, LinkPPP:
		return pppCut(d)
	case LinkPPPoE:
		return behind(d, 6, func() ([]byte, bool) { return pppCut(d[6:]) })
	case LinkPPI:
		return behind(d, 8, func() ([]byte, bool) {
			length := int(binary.LittleEndian.Uint16(d[2:]))
			return behind(d, length, func() ([]byte, bool) {
				return cut(LinkType(binary.LittleEndian.Uint32(d[4:])), d[length:], depth+1)
			})
		})
	}
	return nil, false
}

// behind goes on with inner if d has a header of n bytes.
func behind(d []byte, n int, inner func() ([]byte, bool)) ([]byte, bool) {
	if len(d) < n {
		return nil, false
	}
	return inner()
}

// etherCut goes on behind the EtherType, or length, at d[at:].
func etherCut(d []byte, at, depth int) ([]byte, bool) {
	kind, payload := binary.BigEndian.Uint16(d[at:]), d[at+2:]
	if kind >= 0x0600 {
		return payloadCut(kind, payload, depth)
	}
	// IEEE 802.3 with a length. Of LLC only SNAP carries IP.
	if len(payload) >= 8 && payload[0] == 0xaa && payload[1] == 0xaa && payload[2] == 3 {
		return payloadCut(binary.BigEndian.Uint16(payload[6:]), payload[8:], depth)
	}
	return nil, false
}

// payloadCut goes on with what an EtherType announces.
func payloadCut(kind uint16, d []byte, depth int) ([]byte, bool) {
	if depth == maxLayers {
		return nil, false
	}
	switch kind {
	case etherIPv4, etherIPv6:
		return rawCut(d)
	case etherVLAN, etherQinQ, etherOldQinQ:
		return behind(d, 4, func() ([]byte, bool) { return etherCut(d, 2, depth+1) })
	case etherPPPoE:
		return behind(d, 6, func() ([]byte, bool) { return pppCut(d[6:]) })
	case etherPPP:
		return pppCut(d)
	case etherBridge:
		return cut(LinkEthernet, d, depth+1)
	case etherMPLS, etherMPLS2:
		for len(d) >= 4 {
			last := d[2]&1 != 0
			if d = d[4:]; last {
				return mplsCut(d, depth)
			}
		}
	}
	return nil, false
}

// mplsCut goes on behind the last label, whose payload has no type: IP begins with its version, an
// Ethernet pseudowire with a control word of zeros or with a frame.
func mplsCut(d []byte, depth int) ([]byte, bool) {
	if p, ok := rawCut(d); ok {
		return p, true
	}
	if len(d) >= 4 && d[0]>>4 == 0 {
		d = d[4:]
	}
	return cut(LinkEthernet, d, depth+1)
}

// pppCut goes on behind a PPP header, with or without the HDLC address and a compressed protocol.
func pppCut(d []byte) ([]byte, bool) {
	if len(d) >= 2 && d[0] == 0xff && d[1] == 3 {
		d = d[2:]
	}
	switch {
	case len(d) < 2:
		return nil, false
	case d[0] == 0x21 || d[0] == 0x57:
		return rawCut(d[1:])
	case d[0] == 0 && (d[1] == 0x21 || d[1] == 0x57):
		return rawCut(d[2:])
	}
	return nil, false
}

func rawCut(d []byte) ([]byte, bool) {
	if len(d) < 20 || d[0]>>4 != 4 && d[0]>>4 != 6 {
		return nil, false
	}
	return d, true
}
