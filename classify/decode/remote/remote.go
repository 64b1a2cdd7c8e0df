// Package remote recognises the protocols by which people work on another computer: terminals,
// desktops and what helps them.
package remote

import "sluice/classify/decode"

// Decoders of this family.
var Decoders = []decode.Decoder{
	{Name: "SSH", Ports: []uint16{22, 2222}, Client: decode.FirstBytes("S"), Server: decode.FirstRange(0x20, 0x7e).Or(decode.FirstBytes("\t\r\n")), Stream: ssh},
	{Name: "VNC", Ports: []uint16{5500, 5900, 5901, 5902}, Client: decode.FirstBytes("R"), Server: decode.FirstBytes("R"), Stream: vnc},
	{Name: "RDP", Ports: []uint16{3389}, Client: decode.FirstBytes("\x03"), Server: decode.FirstBytes("\x03"), Stream: rdp},
	{Name: "RDP-UDP", Ports: []uint16{3389}, Datagram: rdpDatagram},
	{Name: "SPICE", Ports: []uint16{5900, 5930}, Client: decode.FirstBytes("R"), Server: decode.FirstBytes("R"), Stream: spice},
	{Name: "X11", Ports: []uint16{6000, 6001, 6010}, Client: decode.FirstBytes("lB"), Server: decode.FirstBytes("\x00\x01\x02"), Stream: x11},
	{Name: "XDMCP", Ports: []uint16{177}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: xdmcp},
	{Name: "ICA", Ports: []uint16{1494, 2598}, Client: decode.FirstBytes("\x7f\x1a"), Server: decode.FirstBytes("\x7f\x1a"), Stream: ica},
	{Name: "TEAMVIEWER", Ports: []uint16{5938}, Client: decode.FirstBytes("\x17\x11"), Server: decode.FirstBytes("\x17\x11"), Stream: teamViewer},
	{Name: "TEAMVIEWER", Ports: []uint16{5938}, Datagram: teamViewerDatagram},
	{Name: "NOMACHINE", Ports: []uint16{4000}, Client: decode.FirstBytes("N"), Server: decode.FirstBytes("N"), Stream: noMachine},
	{Name: "NOMACHINE", Ports: []uint16{4000}, Client: decode.FirstBytes("\x01\x02\x03"), Server: decode.FirstBytes("\x01\x02\x03"), Datagram: noMachineDatagram},
	{Name: "RADMIN", Ports: []uint16{4899}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: radmin},
	{Name: "RUSTDESK", Ports: []uint16{21115, 21116, 21117, 21118}, Stream: rustDesk},
	{Name: "RUSTDESK", Ports: []uint16{21116}, Client: decode.FirstBytes("\x32\x42\x7a"), Datagram: rustDeskDatagram},
	{Name: "ADB", Ports: []uint16{5555}, Client: decode.FirstBytes("CAS"), Server: decode.FirstBytes("CAS"), Stream: adb},
	{Name: "BARRIER", Ports: []uint16{24800}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: barrier},
	{Name: "DAMEWARE", Ports: []uint16{6129}, Client: decode.FirstBytes("\x30"), Server: decode.FirstBytes("\x30"), Stream: dameware},
	{Name: "PCANYWHERE", Ports: []uint16{5632}, PortsOnly: true, Client: decode.FirstBytes("NS"), Server: decode.FirstBytes("NS"), Datagram: pcAnywhere},
	{Name: "APPLE-NET-ASSISTANT", Ports: []uint16{3283}, PortsOnly: true, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: netAssistant},
	{Name: "HP-VIRTGRP", Ports: []uint16{5223}, Client: decode.FirstBytes("\x16"), Server: decode.FirstBytes("\x17"), Stream: virtualGroups},
	{Name: "TELNET", Ports: []uint16{23, 2323}, Stream: telnet},
	{Name: "RLOGIN", Ports: []uint16{513}, Client: decode.FirstBytes("\x00"), Stream: rlogin},
	{Name: "RSH", Ports: []uint16{514}, PortsOnly: true, Client: decode.FirstBytes("\x000123456789"), Stream: rsh},
	{Name: "REXEC", Ports: []uint16{512}, PortsOnly: true, Client: decode.FirstBytes("\x000123456789"), Stream: rexec},
}
