// Package p2p recognises the networks in which peers exchange files, and the ledgers of digital
// currencies.
package p2p

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, strongest features first.
var Decoders = slices.Concat([]decode.Decoder{
	{Name: "BITTORRENT", Ports: []uint16{6881, 6882, 6883, 6889, 51413}, Client: decode.FirstBytes("\x13"), Server: decode.FirstBytes("\x13"), Stream: btPeer},
	{Name: "BITTORRENT", Ports: []uint16{6881, 51413}, Client: btDatagrams, Server: btDatagrams, Datagram: btDatagram},
	{Name: "EDONKEY", Ports: []uint16{4661, 4662}, Client: decode.FirstBytes("\xe3\xc5"), Server: decode.FirstBytes("\xe3\xc5\xd4"), Stream: eDonkey},
	{Name: "EDONKEY", Ports: []uint16{4665}, Client: decode.FirstBytes("\xe3"), Server: decode.FirstBytes("\xe3"), Datagram: eDonkeyServer},
	{Name: "KAD", Ports: []uint16{4672}, Client: decode.FirstBytes("\xe4"), Server: decode.FirstBytes("\xe4"), Datagram: kademlia},
	{Name: "GNUTELLA", Ports: []uint16{6346, 6347}, Client: decode.FirstBytes("G"), Server: decode.FirstBytes("G"), Stream: gnutella},
	{Name: "GNUTELLA", Ports: []uint16{6346, 6347}, Datagram: gnutellaDatagram},
	{Name: "SOULSEEK", Ports: []uint16{2234, 2242}, Stream: soulseek},
	{Name: "DIRECT-CONNECT", Ports: []uint16{411, 412}, Client: decode.FirstBytes("$HC"), Server: decode.FirstBytes("$I"), Stream: directConnect},
	{Name: "DIRECT-CONNECT", Client: decode.FirstBytes("$"), Datagram: directConnectDatagram},
	{Name: "RESILIO", Ports: []uint16{3838}, Client: decode.FirstBytes("B"), Datagram: resilio},
	{Name: "LIBP2P", Ports: []uint16{4001}, Client: decode.FirstBytes("\x13"), Server: decode.FirstBytes("\x13"), Stream: libp2p},
	{Name: "SCUTTLEBUTT", Ports: []uint16{8008}, Client: decode.FirstBytes("nw"), Datagram: scuttlebutt},
	{Name: "ZERONET", Ports: []uint16{15441, 26552}, Client: decode.FirstRange(0x83, 0x84), Stream: zeroNet},
	{Name: "APPLEJUICE", Client: decode.FirstBytes("a"), Server: decode.FirstBytes("a"), Stream: appleJuice},
	{Name: "TOX", Ports: []uint16{33445}, Client: decode.FirstBytes("\x00\x01\x02\x04\x20\x21"), Server: decode.FirstBytes("\x00\x01\x02\x04\x20\x21"), Datagram: tox},
	{Name: "BITCOIN", Ports: []uint16{8333, 18333}, Stream: bitcoin},
	{Name: "ETHEREUM", Ports: []uint16{30303}, Stream: rlpx},
	{Name: "ETHEREUM-DISCOVERY", Ports: []uint16{30303}, Datagram: discovery},
	{Name: "MONERO", Ports: []uint16{18080}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: levin},
	{Name: "NANO", Ports: []uint16{7075}, Client: decode.FirstBytes("R"), Server: decode.FirstBytes("R"), Stream: nanoStream},
	{Name: "NANO", Ports: []uint16{7075}, Client: decode.FirstBytes("R"), Datagram: nanoDatagram},
	{Name: "PPSTREAM", Datagram: ppStream},
	{Name: "STRATUM", Ports: []uint16{3333, 4444}, Client: decode.FirstBytes("{"), Server: decode.FirstBytes("{"), Stream: stratum},
}, others)
