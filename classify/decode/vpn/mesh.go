package vpn

// Meshes: tinc (its manual, "The meta-protocol"), VTun (its server's greeting), ZeroTier
// (Packet.hpp of its protocol), Nebula (package header), n2n (its protocol notes), SoftEther
// (PACK format of its sources), fastd (its protocol documentation, handshake).

import (
	"bytes"

	"sluice/classify/decode"
)

// tinc accepts the ID line that both sides begin with, "0 name 17" or "0 name 17.7", and expects
// the datagrams of the tunnel.
func tinc(s *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(data) == 0 {
		data = server
	}
	line, _, whole := decode.Line(data)
	if !whole {
		line = data
	}
	if decode.Prefix(line, "0 ") == decode.None || len(line) > 80 {
		return decode.No
	}
	name, version := line[min(2, len(line)):], []byte(nil)
	if i := bytes.IndexByte(name, ' '); i >= 0 {
		name, version = name[:i], name[i+1:]
	}
	for _, c := range name {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return decode.No
		}
	}
	if !whole {
		return decode.More
	}
	version, minor, _ := bytes.Cut(version, []byte("."))
	if len(name) == 0 || len(minor) > 2 || string(version) != "17" {
		return decode.No
	}
	s.Expect(decode.Expected{Addr: s.Server.Addr(), Port: s.Server.Port(), Protocol: decode.UDP, Name: "TINC"})
	return decode.Match
}

func vtun(_ *decode.Session, _, server []byte) decode.Verdict {
	switch decode.Prefix(server, "VTUN server ver ") {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}

// zeroTier accepts a HELLO, which is not encrypted and names its sender twice.
func zeroTier(_ *decode.Session, data []byte) decode.Verdict {
	const (
		source, flags, verb, body = 13, 18, 27, 28
		identity                  = body + 5 + 8
	)
	if len(data) < identity+5+1+64 || data[flags]&0x30 != 0 || data[verb]&0x1f != 1 {
		return decode.No
	}
	if version := data[body]; version < 4 || version > 32 {
		return decode.No
	}
	if string(data[source:source+5]) == string(data[identity:identity+5]) && data[source] != 0xff && data[identity+5] <= 1 {
		return decode.Match
	}
	return decode.No
}

// nebula accepts the first handshake message, which has no index yet, and the second.
func nebula(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 16+32 || decode.Uint32(data, 0) != 0x10000000 || decode.Uint32(data, 8) != 0 {
		return decode.No
	}
	if index, counter := decode.Uint32(data, 4), decode.Uint32(data, 12); index == 0 && counter == 1 || index != 0 && counter == 2 {
		return decode.Match
	}
	return decode.No
}

// n2n accepts packets without header encryption: version, time to live, flags and type, and the
// name of the community, padded with zeroes.
func n2n(_ *decode.Session, data []byte) decode.Verdict {
	community := 20
	if data[0] == 2 {
		community = 16
	}
	if len(data) < 4+community || data[1] == 0 || data[1] > 16 {
		return decode.No
	}
	flags := decode.Uint16(data, 2)
	if kind := flags & 0x1f; kind == 0 || kind > 12 || flags&0xff00 != 0 {
		return decode.No
	}
	name := data[4 : 4+community]
	n := bytes.IndexByte(name, 0)
	if n < 2 || !decode.Printable(name[:n]) {
		return decode.No
	}
	for _, c := range name[n:] {
		if c != 0 {
			return decode.No
		}
	}
	return decode.Match
}

// fastd accepts a handshake: records of kind and length that end with the datagram, the first of
// them saying which step it is.
func fastd(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 16 || data[1] != 0 || int(decode.Uint16(data, 2)) != len(data)-4 && decode.Uint16(data, 2) != 0 {
		return decode.No
	}
	if decode.Little16(data, 4) != 0 || decode.Little16(data, 6) != 1 || data[8] < 1 || data[8] > 3 {
		return decode.No
	}
	for at := 4; at < len(data); {
		if len(data) < at+4 || decode.Little16(data, at) > 0x20 {
			return decode.No
		}
		if at += 4 + int(decode.Little16(data, at+2)); at > len(data) {
			return decode.No
		}
	}
	return decode.Match
}

// softEther accepts the datagrams by which its nodes pass address translators: PACKs whose first
// element is "opcode", and the server's answer to the one-byte request.
func softEther(s *decode.Session, data []byte) decode.Verdict {
	switch {
	case len(data) == 1 && data[0] == 'A':
		return decode.More
	case decode.Prefix(data, "IP=") == decode.Whole && len(data) < 64 && bytes.Contains(data, []byte(",PORT=")):
		return decode.Match
	case len(data) >= 14 && decode.Uint24(data, 0) == 0 && data[3] > 0 && decode.Uint32(data, 4) == 7 && string(data[8:14]) == "opcode":
		return decode.Match
	}
	return decode.No
}
