package pcap

import "encoding/binary"

// UDP ports of the tunnels that are opened.
const (
	portGTP    = 2152
	portVXLAN  = 4789
	portCAPWAP = 5247
	portTZSP   = 37008
)

// open returns the IP packet inside a tunnel packet.
func open(p *Packet) (inner []byte, ok bool) {
	if p.Later {
		return nil, false
	}
	switch p.Protocol {
	case protoIPIP, protoIPv6:
		return rawCut(p.Payload)
	case protoGRE:
		return openGRE(p.Payload)
	case protoUDP:
		for _, port := range [...]uint16{p.Dst.Port(), p.Src.Port()} {
			switch port {
			case portGTP:
				return openGTP(p.Payload)
			case portVXLAN:
				return openVXLAN(p.Payload)
			case portCAPWAP:
				return openCAPWAP(p.Payload)
			case portTZSP:
				return openTZSP(p.Payload)
			}
		}
	}
	return nil, false
}

// openGRE opens GRE (RFC 2784, RFC 2890) and its variant for PPTP (RFC 2637).
func openGRE(d []byte) ([]byte, bool) {
	if len(d) < 4 {
		return nil, false
	}
	flags, kind := binary.BigEndian.Uint16(d), binary.BigEndian.Uint16(d[2:])
	header := 4
	for _, optional := range [...]uint16{0x8000, 0x2000, 0x1000} { // checksum, key, sequence number
		if flags&optional != 0 {
			header += 4
		}
	}
	if flags&7 == 1 && flags&0x0080 != 0 { // acknowledgement number of the variant
		header += 4
	}
	if len(d) < header {
		return nil, false
	}
	return payloadCut(kind, d[header:], 0)
}

// openGTP opens a G-PDU of GTP-U (3GPP TS 29.281 section 5).
func openGTP(d []byte) ([]byte, bool) {
	const userData = 0xff
	if len(d) < 8 || d[0]>>5 != 1 || d[1] != userData {
		return nil, false
	}
	header := 8
	if d[0]&7 != 0 { // sequence number, N-PDU number, next extension header
		header += 4
		if len(d) < header {
			return nil, false
		}
		for next := d[header-1]; next != 0; next = d[header-1] {
			if len(d) <= header || d[header] == 0 || len(d) < header+int(d[header])*4 {
				return nil, false
			}
			header += int(d[header]) * 4
		}
	}
	return rawCut(d[header:])
}

// openVXLAN opens VXLAN (RFC 7348 section 5).
func openVXLAN(d []byte) ([]byte, bool) {
	if len(d) < 8 || d[0]&8 == 0 {
		return nil, false
	}
	return cut(LinkEthernet, d[8:], 0)
}

// openCAPWAP opens a CAPWAP data packet (RFC 5415 section 4.3) that carries Ethernet or 802.11.
func openCAPWAP(d []byte) ([]byte, bool) {
	if len(d) < 8 || d[0] != 0 {
		return nil, false
	}
	header := int(d[1]>>3) * 4
	if header < 8 || len(d) < header {
		return nil, false
	}
	if native := d[3]&1 != 0; !native {
		return cut(LinkEthernet, d[header:], 0)
	}
	return openWireless(d[header:])
}

// openWireless opens a data frame of IEEE 802.11 whose payload is not encrypted.
func openWireless(d []byte) ([]byte, bool) {
	if len(d) < 24 {
		return nil, false
	}
	control := d[0]
	if swapped := d[1]; control&0x0c != 0x08 && swapped&0x0c == 0x08 { // CAPWAP swaps the two bytes
		control = swapped
	}
	if control&0x0c != 0x08 {
		return nil, false
	}
	header := 24
	if control&0x80 != 0 { // quality of service
		header += 2
	}
	if len(d) < header+8 || d[header] != 0xaa || d[header+1] != 0xaa {
		return nil, false
	}
	return payloadCut(binary.BigEndian.Uint16(d[header+6:]), d[header+8:], 0)
}

// openTZSP opens TZSP, in which wireless sniffers deliver what they hear: a header, tagged fields
// up to an end tag, an Ethernet frame.
func openTZSP(d []byte) ([]byte, bool) {
	const padding, end = 0, 1
	if len(d) < 4 || d[0] != 1 {
		return nil, false
	}
	for at := 4; at < len(d); {
		switch d[at] {
		case padding:
			at++
		case end:
			return cut(LinkEthernet, d[at+1:], 0)
		default:
			if at+1 >= len(d) {
				return nil, false
			}
			at += 2 + int(d[at+1])
		}
	}
	return nil, false
}
