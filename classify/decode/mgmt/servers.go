package mgmt

// What servers of applications speak with each other: AJP 1.3 (Apache Tomcat connectors), SCGI, uwsgi,
// ICAP (RFC 3507), Dubbo, Ice (ZeroC), D-Bus, KMIP, iSNS (RFC 4171), HTCP (RFC 2756), Corosync,
// Heartbeat, NSCA, failover of DHCP servers (draft-ietf-dhc-failover), the console and the authentication daemon of VMware, libvirt.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var servers = []decode.Decoder{
	{Name: "AJP", Ports: []uint16{8009}, Client: first("\x12"), Server: first("A"), Stream: ajp},
	{Name: "SCGI", Ports: []uint16{4000}, Client: digits, Stream: scgi},
	{Name: "UWSGI", Ports: []uint16{3031}, Client: first("\x00"), Stream: uwsgi},
	{Name: "ICAP", Ports: []uint16{1344, 11344}, Client: first("ORo"), Server: first("I"), Stream: icap},
	{Name: "DUBBO", Ports: []uint16{20880}, Client: first("\xda"), Server: first("\xda"), Stream: dubbo},
	{Name: "ZEROC-ICE", Ports: []uint16{4061}, Client: first("I"), Server: first("I"), Stream: ice, Datagram: iceDatagram},
	{Name: "D-BUS", Client: first("\x00"), Stream: dBus},
	{Name: "KMIP", Ports: []uint16{5696}, Client: first("\x42"), Server: first("\x42"), Stream: kmip},
	{Name: "ISNS", Ports: []uint16{3205}, Client: first("\x00"), Server: first("\x00\x80"), Stream: isnsStream, Datagram: isns},
	{Name: "HTCP", Ports: []uint16{4827}, PortsOnly: true, Datagram: htcp},
	{Name: "COROSYNC", Ports: []uint16{5404, 5405}, Client: first("\x70\xc0"), Server: first("\x70\xc0"), Datagram: corosync},
	{Name: "HEARTBEAT", Ports: []uint16{694}, Client: first("#"), Server: first("#"), Datagram: heartbeat},
	{Name: "NSCA", Ports: []uint16{5667}, PortsOnly: true, Stream: nsca},
	{Name: "VMWARE", Ports: []uint16{902}, Server: first("2"), Stream: vmwareStream},
	{Name: "VMWARE", Ports: []uint16{902}, PortsOnly: true, Client: first("\xa4"), Datagram: vmwareAlive},
	{Name: "DHCP-FAILOVER", Ports: []uint16{647, 847, 519}, Client: first("\x00\x01"), Stream: dhcpFailover},
	{Name: "LIBVIRT", Ports: []uint16{16509}, Client: first("\x00"), Server: first("\x00"), Stream: libvirt},
}

// ajp checks the mark, the length and the kind of the first packet of either side.
func ajp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		mark, kinds := "\x12\x34", "\x02\x07\x08\x0a"
		if from == decode.ToClient {
			mark, kinds = "AB", "\x03\x04\x05\x06\x09"
		}
		if v := decode.Magic(data, mark); v != decode.Match {
			return v
		}
		if len(data) < 5 {
			return decode.More
		}
		length, kind := int(decode.Uint16(data, 2)), data[4]
		if length == 0 || length > 8192 || bytes.IndexByte([]byte(kinds), kind) < 0 {
			return decode.No
		}
		switch kind {
		case 0x02: // a request: its method, and a version in words
			if len(data) < 9 {
				return decode.More
			}
			return decode.If(data[5] >= 1 && data[5] <= 28 && decode.Uint16(data, 6) <= 16 && data[8] == 'H')
		case 0x0a, 0x09:
			return decode.If(length == 1)
		}
		return decode.Match
	})
}

// scgi checks a netstring whose first header is the length of the content.
func scgi(_ *decode.Session, client, _ []byte) decode.Verdict {
	_, n := text.Number(client)
	switch {
	case n > 5:
		return decode.No
	case n == len(client):
		return decode.More
	}
	return decode.Magic(client[n:], ":CONTENT_LENGTH\x00")
}

// uwsgi checks that variables, each with the lengths of its name and value, begin a packet, the
// first with a name that web servers send.
func uwsgi(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 12 {
		return decode.More
	}
	size, name := int(decode.Little16(client, 1)), int(decode.Little16(client, 4))
	if size < 16 || client[3] != 0 || name < 4 || name > 32 || name+4 > size {
		return decode.No
	}
	for _, word := range [...]string{"QUERY_STRING", "REQUEST_METHOD", "REQUEST_URI", "CONTENT_TYPE", "SERVER_PROTOCOL", "HTTP_HOST", "PATH_INFO", "REMOTE_ADDR", "SERVER_NAME"} {
		if v := decode.Magic(client[6:], word); len(word) == name && v != decode.No {
			return v
		}
	}
	return decode.No
}

// icap checks a request line, or a status, with its version.
func icap(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		if from == decode.ToClient {
			return decode.Magic(data, "ICAP/1.0 ")
		}
		v := text.Begins(data, "OPTIONS icap://", "REQMOD icap://", "RESPMOD icap://", "OPTIONS icaps://", "REQMOD icaps://", "RESPMOD icaps://")
		if v != decode.Match {
			return v
		}
		line, _, ok := decode.Line(data)
		switch {
		case ok:
			return decode.If(bytes.HasSuffix(line, []byte(" ICAP/1.0")))
		case len(data) > 2048:
			return decode.No
		}
		return decode.More
	})
}

// dubbo checks the mark, a serialisation that exists, and the length.
func dubbo(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if v := decode.Magic(data, "\xda\xbb"); v != decode.Match {
			return v
		}
		if len(data) < 16 {
			return decode.More
		}
		return decode.If(data[2]&0x1f >= 1 && data[2]&0x1f <= 28 && decode.Uint32(data, 12) < 1<<24)
	})
}

// ice checks mark, versions, kind and size of a message.
func ice(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if v := decode.Magic(data, "IceP\x01"); v != decode.Match {
			return v
		}
		if len(data) < 14 {
			return decode.More
		}
		return decode.If(data[6] == 1 && data[8] <= 4 && data[9] <= 2 && decode.Little32(data, 10) >= 14)
	})
}

func iceDatagram(s *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 14 && ice(s, data, nil) == decode.Match && int(decode.Little32(data, 10)) == len(data))
}

// dBus checks the empty byte and the choice of a way to authenticate.
func dBus(_ *decode.Session, client, _ []byte) decode.Verdict {
	return text.Begins(client, "\x00AUTH EXTERNAL", "\x00AUTH ANONYMOUS", "\x00AUTH DBUS_COOKIE_SHA1", "\x00AUTH\r\n")
}

// kmip checks a request or answer: its tag and type, and the header that begins it.
func kmip(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		message, header := "\x42\x00\x78\x01", "\x42\x00\x77\x01"
		if from == decode.ToClient {
			message, header = "\x42\x00\x7b\x01", "\x42\x00\x7a\x01"
		}
		if v := decode.Magic(data, message); v != decode.Match {
			return v
		}
		if len(data) < 8 {
			return decode.More
		}
		return decode.Magic(data[8:], header)
	})
}

// isns checks version, function, length, flags and sequence of a message.
func isns(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12 {
		return decode.No
	}
	return decode.If(isnsHead(data) && int(decode.Uint16(data, 4))+12 == len(data))
}

func isnsStream(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 12 {
		if decode.Prefix(data, "\x00\x01") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(isnsHead(data))
}

// isnsHead says whether data begins with a message that is whole and carries attributes.
func isnsHead(data []byte) bool {
	function, length := decode.Uint16(data, 2), decode.Uint16(data, 4)
	const wholeMessage = 0x0c00 // first and last
	flags := decode.Uint16(data, 6)
	return decode.Uint16(data, 0) == 1 && (function >= 1 && function <= 13 || function >= 0x8001 && function <= 0x800d) &&
		length >= 4 && length%4 == 0 && flags&wholeMessage == wholeMessage && flags&0x03ff == 0 && decode.Uint16(data, 10) == 0
}

// htcp checks that the lengths of the datagram, of its data and of its signature agree.
func htcp(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 14 || int(decode.Uint16(data, 0)) != len(data) || data[2] != 0 || data[3] > 1 {
		return decode.No
	}
	body := int(decode.Uint16(data, 4))
	return decode.If(body >= 8 && 4+body+2 <= len(data) && 4+body+int(decode.Uint16(data, 4+body)) == len(data))
}

// corosync knows the mark of messages of the totem, in the order of bytes of either kind of
// machine.
func corosync(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 16 || data[2] != 3 || data[3] > 5 {
		return decode.No
	}
	return decode.If(string(data[:2]) == "\xc0\x70" || string(data[:2]) == "\x70\xc0")
}

// heartbeat checks the line that a message begins with, and its first value.
func heartbeat(_ *decode.Session, data []byte) decode.Verdict {
	return decode.Known(text.Begins(data, "###\nt=", "###\n(1)"))
}

// nsca checks the greeting of the server: a random vector of 128 bytes, and the time.
func nsca(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 && len(server) < 132 || len(server) > 132 {
		return decode.No
	}
	if len(server) < 132 {
		return decode.More
	}
	// Random bytes seldom repeat; the time is of this century's first half.
	stamp := decode.Uint32(server, 128)
	return decode.If(stamp > 1<<30 && stamp < 1<<31+1<<29 && !decode.Printable(server[:128]) && !decode.Zero(server[64:128]))
}

// vmwareStream knows the greeting of the authentication daemon.
func vmwareStream(_ *decode.Session, _, server []byte) decode.Verdict {
	return decode.Magic(server, "220 VMware Authentication Daemon")
}

// vmwareAlive knows the sign of life that a host sends to its manager.
func vmwareAlive(_ *decode.Session, data []byte) decode.Verdict { return decode.If(len(data) == 66) }

// libvirt checks a message of its remote calls: its length, the program and version, a procedure,
// a kind and a status that exist.
func libvirt(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if len(data) < 28 {
			if len(data) > 4 && decode.Prefix(data[4:], "\x20\x00\x80") == decode.None {
				return decode.No
			}
			return decode.More
		}
		program := decode.Uint32(data, 4)
		length := decode.Uint32(data, 0)
		return decode.If((program == 0x20008086 || program == 0x20008087 || program == 0x20008088) && decode.Uint32(data, 8) == 1 &&
			length >= 28 && length < 1<<25 && decode.Uint32(data, 16) < 6 && decode.Uint32(data, 24) < 3)
	})
}

// dhcpFailover checks the length, the kind and the fixed head of the first message, and that options
// fill it.
func dhcpFailover(_ *decode.Session, client, _ []byte) decode.Verdict {
	const head, kinds = 12, 15
	if len(client) < head+4 {
		if len(client) > 3 && (client[2] == 0 || client[2] > kinds || client[3] != head) {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Uint16(client, 0))
	switch {
	case client[2] == 0 || client[2] > kinds || client[3] != head || length < head+4 || length > 2048:
		return decode.No
	case len(client) < length:
		return decode.More
	}
	n, ok := chain(client[head:length], func(uint16, []byte) bool { return true })
	return decode.If(ok && n > 0)
}
