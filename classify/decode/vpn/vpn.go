// Package vpn recognises virtual private networks, tunnels and proxies.
package vpn

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, strongest features first.
var Decoders = slices.Concat([]decode.Decoder{
	{Name: "PROXY-PROTOCOL", Client: decode.FirstBytes("P\r"), Stream: proxyProtocol},
	{Name: "PPTP", Ports: []uint16{1723}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: pptp},
	{Name: "SSTP", Ports: []uint16{443}, Client: decode.FirstBytes("S"), Stream: sstp},
	{Name: "SOCKS5", Ports: []uint16{1080}, Client: decode.FirstBytes("\x05"), Server: decode.FirstBytes("\x05"), Stream: socks5},
	{Name: "SOCKS4", Ports: []uint16{1080}, Client: decode.FirstBytes("\x04"), Server: decode.FirstBytes("\x00"), Stream: socks4},
	{Name: "OPENVPN", Ports: []uint16{1194}, Client: decode.FirstBytes("\x00\x01\x02\x03\x04"), Server: decode.FirstBytes("\x00\x01\x02\x03\x04"), Stream: openVPNStream},
	{Name: "OPENVPN", Ports: []uint16{1194}, Client: openVPNResets, Server: openVPNResets, Datagram: openVPNDatagram},
	{Name: "IKE", Ports: []uint16{4500}, Client: decode.FirstBytes("I"), Stream: ikeStream},
	{Name: "IKE", Ports: []uint16{500, 4500}, Datagram: ikeDatagram},
	{Name: "IPSEC-NAT-T", Ports: []uint16{4500, 4501}, PortsOnly: true, Datagram: espDatagram},
	{Name: "TAILSCALE", Ports: []uint16{41641}, Client: decode.FirstBytes("T"), Server: decode.FirstBytes("T"), Datagram: disco},
	{Name: "WIREGUARD", Ports: []uint16{51820}, Client: decode.FirstRange(1, 4), Server: decode.FirstRange(1, 4), Datagram: wireGuard},
	{Name: "TINC", Ports: []uint16{655}, Client: decode.FirstBytes("0"), Server: decode.FirstBytes("0"), Stream: tinc},
	{Name: "VTUN", Ports: []uint16{5000}, Server: decode.FirstBytes("V"), Stream: vtun},
	{Name: "ZEROTIER", Ports: []uint16{9993}, Datagram: zeroTier},
	{Name: "NEBULA", Ports: []uint16{4242}, Client: decode.FirstBytes("\x10"), Server: decode.FirstBytes("\x10"), Datagram: nebula},
	{Name: "N2N", Ports: []uint16{7654}, Client: decode.FirstBytes("\x02\x03"), Server: decode.FirstBytes("\x02\x03"), Datagram: n2n},
	{Name: "SOFTETHER", Datagram: softEther},
	{Name: "CISCO-VPN", Ports: []uint16{10000}, PortsOnly: true, Datagram: ciscoVPN},
	{Name: "FASTD", Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Datagram: fastd},
	{Name: "CAPWAP", Ports: []uint16{5246, 5247}, Client: decode.FirstBytes("\x00\x01"), Server: decode.FirstBytes("\x00\x01"), Datagram: capwap},
	{Name: "6IN4-TSP", Ports: []uint16{3653}, Client: decode.FirstBytes("V"), Stream: tsp},
	{Name: "GH0ST", Client: decode.FirstBytes("G"), Server: decode.FirstBytes("G"), Stream: gh0st},
	{Name: "NJRAT", Client: decode.FirstRange('0', '9'), Stream: njRAT},
	{Name: "L2TP", Ports: []uint16{1701}, Datagram: l2tp},
	{Name: "TEREDO", Ports: []uint16{3544}, Client: decode.FirstBytes("\x00\x60\x61\x62\x63"), Server: decode.FirstBytes("\x00\x60\x61\x62\x63"), Datagram: teredo},
	{Name: "AYIYA", Ports: []uint16{5072}, Client: decode.FirstBytes("\x41\x42"), Server: decode.FirstBytes("\x41\x42"), Datagram: ayiya},
	{Name: "VXLAN", Ports: []uint16{4789, 8472}, Client: decode.FirstBytes("\x08\x0c"), Server: decode.FirstBytes("\x08\x0c"), Datagram: vxlan},
	{Name: "GENEVE", Ports: []uint16{6081}, PortsOnly: true, Datagram: geneve},
	{Name: "GTP", Ports: []uint16{2152, 2123, 3386}, Datagram: gtp},
}, reverse, boosters)

// ethernet says whether data looks like an Ethernet frame: a unicast source address and a type
// that tunnels carry, with an IP header that agrees where there is one.
func ethernet(data []byte) bool {
	if len(data) < 14 || data[6]&1 != 0 {
		return false
	}
	kind, rest := decode.Uint16(data, 12), data[14:]
	if kind == 0x8100 && len(rest) >= 4 { // IEEE 802.1Q
		kind, rest = decode.Uint16(rest, 2), rest[4:]
	}
	switch kind {
	case 0x0800, 0x86dd:
		return ipPacket(rest)
	case 0x0806:
		return len(rest) >= 28 && decode.Uint16(rest, 0) == 1 && decode.Uint16(rest, 2) == 0x0800
	case 0x88cc, 0x8847, 0x8848, 0x88e5, 0x8863, 0x8864:
		return true
	}
	return kind <= 1500 && int(kind) <= len(rest) && kind >= 3 && rest[0] == 0x42 && rest[1] == 0x42 // spanning tree
}

// ipPacket says whether data is an IP packet whose length agrees; Ethernet padding may follow.
func ipPacket(data []byte) bool {
	if len(data) < 20 {
		return false
	}
	length := int(decode.Uint16(data, 2))
	switch data[0] >> 4 {
	case 4:
		return data[0]&15 >= 5 && length >= 20 && length <= len(data) && (length == len(data) || len(data) <= 60)
	case 6:
		return len(data) >= 40 && 40+int(decode.Uint16(data, 4)) == len(data)
	}
	return false
}
