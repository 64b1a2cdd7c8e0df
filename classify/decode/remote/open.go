package remote

// RustDesk: its published rendezvous.proto, in Protocol Buffers; over TCP each message is behind
// its length. Android Debug Bridge: protocol.txt of the Android sources. Barrier and Synergy:
// ProtocolTypes.h of their sources.

import "sluice/classify/decode"

// rustDesk recognises a message of the rendezvous server behind its length. The two lowest bits
// of the first byte say how many bytes the length has.
func rustDesk(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.No
	}
	n := int(client[0]&3) + 1
	if n > 2 {
		return decode.No
	}
	if len(client) < n+2 {
		return decode.More
	}
	length := int(client[0])
	if n == 2 {
		length |= int(client[1]) << 8
	}
	length >>= 2
	if length < 4 || length > 1024 {
		return decode.No
	}
	message := client[n:]
	if !rustDeskField(message[0]) {
		return decode.No
	}
	if len(message) < length {
		return decode.More
	}
	return rustDeskMessage(message[:length])
}

func rustDeskDatagram(s *decode.Session, data []byte) decode.Verdict {
	if s.Direction == decode.ToClient {
		if s.Index == 0 {
			return decode.No
		}
		return decode.More
	}
	return rustDeskMessage(data)
}

// Fields of RendezvousMessage that a client begins with, as tags of Protocol Buffers.
const (
	rustDeskRegister = 6<<3 | 2
	rustDeskPunch    = 8<<3 | 2
	rustDeskKey      = 15<<3 | 2
)

func rustDeskField(tag byte) bool {
	return tag == rustDeskRegister || tag == rustDeskPunch || tag == rustDeskKey
}

// rustDeskMessage recognises a message of one field, whose own first field is an identifier of
// digits.
func rustDeskMessage(data []byte) decode.Verdict {
	const identifier, shortest, longest = 1<<3 | 2, 6, 16
	if len(data) < 4 || !rustDeskField(data[0]) {
		return decode.No
	}
	at, length := 2, int(data[1])
	if length >= 0x80 {
		length, at = length&0x7f|int(data[2])<<7, 3
	}
	body := data[at:]
	if len(body) != length || length < 2 || body[0] != identifier {
		return decode.No
	}
	n := int(body[1])
	if n < shortest || n > longest || len(body) < 2+n || !digits(body[2:2+n]) {
		return decode.No
	}
	return decode.Match
}

// adb recognises the first message: a command, two arguments, length, checksum, and the command
// again with all bits turned.
func adb(_ *decode.Session, client, server []byte) decode.Verdict {
	const header, largest = 24, 1 << 20
	for _, data := range [...][]byte{client, server} {
		if len(data) == 0 {
			continue
		}
		known := decode.None
		for _, command := range [...]string{"CNXN", "AUTH", "STLS"} {
			known = max(known, decode.Prefix(data, command))
		}
		switch {
		case known == decode.None:
			return decode.No
		case len(data) < header:
			continue
		case decode.Little32(data, 20) != ^decode.Little32(data, 0) || decode.Little32(data, 12) > largest:
			return decode.No
		}
		return decode.Match
	}
	return decode.More
}

// barrier recognises the greeting of the server: its length, a name and the version.
func barrier(_ *decode.Session, client, server []byte) decode.Verdict {
	verdict := decode.No
	for _, data := range [...][]byte{server, client} {
		if len(data) == 0 {
			continue
		}
		if verdict = barrierGreeting(data); verdict != decode.No {
			return verdict
		}
	}
	return verdict
}

func barrierGreeting(data []byte) decode.Verdict {
	const header, version = 4, 4
	if decode.Prefix(data, "\x00\x00\x00") == decode.None {
		return decode.No
	}
	if len(data) < header {
		return decode.More
	}
	for _, name := range [...]string{"Barrier", "Synergy"} {
		length := int(data[3])
		switch decode.Prefix(data[header:], name) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			// The client adds its own name.
			if length < len(name)+version {
				return decode.No
			}
			return decode.Match
		}
	}
	return decode.No
}
