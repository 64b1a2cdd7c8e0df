// Package voip recognises telephony, conferences and live media: what arranges a call, what finds
// a path for it through address translators, and what it sounds and looks like on the wire.
package voip

import (
	"slices"

	"sluice/classify/decode"
)

// Decoders of this family, strongest features first.
var Decoders = slices.Concat([]decode.Decoder{
	{Name: "SIP", Ports: []uint16{5060, 5061}, Client: sipBytes, Server: sipBytes, Stream: sipStream},
	{Name: "SIP", Ports: []uint16{5060}, Client: sipBytes.Or(decode.FirstBytes("\r\x00")), Server: sipBytes.Or(decode.FirstBytes("\r\x00")), Datagram: sipDatagram},
	{Name: "RTSP", Ports: []uint16{554, 8554, 7070}, Client: rtspBytes, Server: decode.FirstBytes("RSOAGP$"), Stream: rtsp},
	{Name: "MGCP", Ports: []uint16{2427, 2727}, Client: mgcpBytes, Server: mgcpBytes, Datagram: mgcp},
	{Name: "MEGACO", Ports: []uint16{2944}, Client: decode.FirstBytes("M!"), Server: decode.FirstBytes("M!"), Datagram: megacoDatagram},
	{Name: "MEGACO", Ports: []uint16{2944}, Client: decode.FirstBytes("M!\x03"), Stream: megacoStream},
	{Name: "STUN", Ports: []uint16{3478, 3479, 19302, 19305}, Client: stunBytes, Server: stunBytes, Datagram: stunDatagram},
	{Name: "STUN", Ports: []uint16{3478}, Client: stunBytes, Server: stunBytes, Stream: stunStream},
	{Name: "RTMP", Ports: []uint16{1935}, Client: decode.FirstBytes("\x03\x06"), Server: decode.FirstBytes("\x03\x06"), Stream: rtmp},
	{Name: "MS-STREAMING", Ports: []uint16{1755}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: msMMS},
	{Name: "ICECAST", Ports: []uint16{8000}, Client: decode.FirstBytes("S"), Stream: icecast},
	{Name: "SHOUTCAST", Ports: []uint16{8000, 8001}, Server: decode.FirstBytes("IO"), Stream: shoutcast},
	{Name: "SCCP", Ports: []uint16{2000}, Stream: skinny},
	{Name: "H323", Ports: []uint16{1720}, Client: decode.FirstBytes("\x03"), Server: decode.FirstBytes("\x03"), Stream: q931},
	{Name: "RAS", Ports: []uint16{1718, 1719}, Datagram: ras},
	{Name: "IAX", Ports: []uint16{4569}, Client: decode.FirstRange(0x80, 0xff), Server: decode.FirstRange(0x80, 0xff), Datagram: iax2},
	{Name: "SRT", Client: decode.FirstBytes("\x80"), Server: decode.FirstBytes("\x80"), Datagram: srt},
	{Name: "MEETING-BFCP", Client: decode.FirstBytes("\x20\x40"), Server: decode.FirstBytes("\x20\x40\x30\x50"), Datagram: bfcp},
	{Name: "MPEG-TS", Client: decode.FirstBytes("\x47"), Datagram: mpegTS},
	{Name: "ZRTP", Client: decode.FirstBytes("\x10"), Server: decode.FirstBytes("\x10"), Datagram: zrtp},
	{Name: "AES67-SAP", Ports: []uint16{9875}, Client: decode.FirstRange(0x20, 0x3f), Datagram: sap},
	{Name: "MSRP", Ports: []uint16{2855}, Client: decode.FirstBytes("M"), Server: decode.FirstBytes("M"), Stream: msrp},
	{Name: "ASTERISK-AMI", Ports: []uint16{5038}, Server: decode.FirstBytes("A"), Stream: asteriskManager},
	{Name: "FREESWITCH-ESL", Ports: []uint16{8021}, Server: decode.FirstBytes("C"), Stream: freeSwitch},
	{Name: "MPD", Ports: []uint16{6600}, Server: decode.FirstBytes("O"), Stream: musicPlayer},
	{Name: "ARTNET", Ports: []uint16{6454}, Client: decode.FirstBytes("A"), Datagram: artNet},
	{Name: "KODI", Ports: []uint16{9777}, Client: decode.FirstBytes("X"), Datagram: kodi},
	{Name: "TEAMSPEAK", Ports: []uint16{9987, 8767}, Client: decode.FirstBytes("T\xf4"), Server: decode.FirstBytes("T\xf4"), Datagram: teamSpeak},
	{Name: "TEAMSPEAK", Ports: []uint16{2010}, PortsOnly: true, Client: decode.FirstBytes("\x01"), Datagram: teamSpeakList},
	{Name: "TEAMSPEAK", Ports: []uint16{10011, 14534, 51234}, Server: decode.FirstBytes("T["), Stream: teamSpeakQuery},
	{Name: "MUMBLE", Ports: []uint16{64738}, Client: decode.FirstBytes("\x00"), Datagram: mumble},
	{Name: "DISCORD-VOICE", Client: decode.FirstBytes("\x00\x13"), Server: decode.FirstBytes("\x00\x13"), Datagram: discord},
	{Name: "TELEGRAM", Datagram: telegramReflector},
	{Name: "ZOOM", Ports: []uint16{8801}, Client: decode.FirstRange(1, 5), Datagram: zoom},
	{Name: "VIBER", Ports: []uint16{7985, 7987}, Datagram: viberDatagram},
	{Name: "VIBER", Ports: []uint16{4244, 5242}, Stream: viberStream},
	{Name: "WHATSAPP", Ports: []uint16{5222}, Client: decode.FirstBytes("WE"), Stream: whatsApp},
	{Name: "LINE-CALL", Client: decode.FirstRange(0xd0, 0xdf), Server: decode.FirstRange(0xd0, 0xdf), Datagram: lineCall},
	{Name: "SD-RTN", Client: decode.FirstBytes("\x00"), Datagram: sdRTN},
	{Name: "SPOTIFY-CONNECT", Ports: []uint16{57621}, Client: decode.FirstBytes("S"), Datagram: spotifyDiscovery},
	{Name: "SPOTIFY-CONNECT", Ports: []uint16{4070}, Client: decode.FirstBytes("\x00"), Stream: spotify},
	{Name: "RTCP", Ports: []uint16{5005}, Client: decode.FirstRange(0x80, 0xbf), Server: decode.FirstRange(0x80, 0xbf), Datagram: rtcpDatagram},
	{Name: "RTP", Ports: []uint16{5004}, Datagram: rtpDatagram},
	{Name: "RTP", Stream: rtpStream},
}, phones)
