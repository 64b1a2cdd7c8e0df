// Package file recognises the protocols that carry files: FTP with its data sessions, TFTP, SMB,
// the ONC RPC family with NFS, AFP, AFS, version control, network block devices and storage
// clusters.
package file

import (
	"slices"

	"sluice/classify/decode"
)

var letters = decode.FirstRange('A', 'Z').Or(decode.FirstRange('a', 'z'))

// Decoders of this family.
var Decoders = slices.Concat([]decode.Decoder{
	{Name: "NETBIOS-SSN", Ports: []uint16{139, 445}, Client: decode.FirstBytes("\x00\x81"), Server: decode.FirstBytes("\x00\x82\x83\x84"), Stream: netbiosSession},
	{Name: "FTP", Ports: []uint16{21, 2121}, Client: letters, Server: decode.FirstBytes("1245"), Stream: ftp},
	{Name: "FTP-DATA", Ports: []uint16{20}, Client: decode.FirstBytes("-dlbcps"), Server: decode.FirstBytes("-dlbcps"), Stream: ftpData},
	{Name: "TFTP", Ports: []uint16{69}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: tftp},
	{Name: "SUN-RPC", Ports: []uint16{111, 2049, 20048, 24007, 24008}, Client: decode.FirstBytes("\x00\x80"), Server: decode.FirstBytes("\x00\x80"), Stream: rpcStream},
	{Name: "SUN-RPC", Ports: []uint16{111, 2049, 20048}, Datagram: rpcDatagram},
	{Name: "NDMP", Ports: []uint16{10000}, Client: decode.FirstBytes("\x80"), Server: decode.FirstBytes("\x80"), Stream: ndmp},
	{Name: "AFP", Ports: []uint16{548}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x01"), Stream: afp},
	{Name: "AFS", Ports: []uint16{7000, 7001, 7002, 7003, 7005, 7008}, Datagram: rx},
	{Name: "NCP", Ports: []uint16{524}, Client: decode.FirstBytes("D"), Server: decode.FirstBytes("t"), Stream: ncp},
	{Name: "9P", Ports: []uint16{564}, Client: decode.FirstRange(19, 40), Server: decode.FirstRange(19, 40), Stream: plan9},
	{Name: "RSYNC", Ports: []uint16{873}, Client: decode.FirstBytes("@"), Server: decode.FirstBytes("@"), Stream: rsync},
	{Name: "GIT", Ports: []uint16{9418}, Client: decode.FirstBytes("0"), Stream: git},
	{Name: "SVN", Ports: []uint16{3690}, Client: decode.FirstBytes("("), Server: decode.FirstBytes("("), Stream: svn},
	{Name: "CVS", Ports: []uint16{2401}, Client: decode.FirstBytes("B"), Stream: cvs},
	{Name: "PERFORCE", Ports: []uint16{1666}, Stream: perforce},
	{Name: "ISCSI", Ports: []uint16{3260}, Client: decode.FirstBytes("\x43\x03"), Server: decode.FirstBytes("\x23"), Stream: iscsi},
	{Name: "NVME-TCP", Ports: []uint16{4420, 8009}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x01"), Stream: nvme},
	{Name: "NBD", Ports: []uint16{10809}, Server: decode.FirstBytes("N"), Client: decode.FirstBytes("\x00I"), Stream: nbd},
	{Name: "DRBD", Ports: []uint16{7788}, Client: decode.FirstBytes("\x83"), Server: decode.FirstBytes("\x83"), Stream: drbd},
	{Name: "CEPH", Ports: []uint16{6789, 3300}, Client: decode.FirstBytes("c"), Server: decode.FirstBytes("c"), Stream: ceph},
	{Name: "LUSTRE", Ports: []uint16{988}, Client: decode.FirstBytes("\x00\xaccE\xed\xee\xc1"), Server: decode.FirstBytes("cE\xed\xee\xc1"), Stream: lustre},
	{Name: "BACULA", Ports: []uint16{9101, 9102, 9103}, Client: decode.FirstBytes("\x00"), Stream: bacula},
	{Name: "AMANDA", Ports: []uint16{10080}, Client: decode.FirstBytes("A"), Server: decode.FirstBytes("A"), Stream: amandaStream, Datagram: amanda},
	{Name: "DROPBOX-LAN-SYNC", Ports: []uint16{17500}, Client: decode.FirstBytes("{"), Server: decode.FirstBytes("{"), Datagram: dropbox},
	{Name: "SYNCTHING", Ports: []uint16{21027, 22000}, Client: decode.FirstBytes("\x2e\x9d\x9e"), Server: decode.FirstBytes("\x2e\x9d\x9e"), Stream: syncthingStream, Datagram: syncthing},
	{Name: "MICROSOFT-DO", Ports: []uint16{7680}, Client: decode.FirstBytes("\x0e"), Server: decode.FirstBytes("\x0e"), Stream: deliveryOptimization},
	{Name: "FLUTE", Client: decode.FirstRange(0x10, 0x1f), Datagram: flute},
}, transfers)
