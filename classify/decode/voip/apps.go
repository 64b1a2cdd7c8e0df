package voip

// Calls and voice chats with protocols of their own, from what is publicly documented or plain to
// see in their traffic: Discord (voice connections, IP discovery), Telegram (reflector of
// libtgvoip), Zoom (session establishment of its media servers), Viber, WhatsApp, LINE, Agora, TeamSpeak,
// Mumble (its protocol documentation, UDP ping).

import (
	"bytes"

	"sluice/classify/decode"
)

// discord accepts the discovery of one's own address, and keepalives.
func discord(_ *decode.Session, data []byte) decode.Verdict {
	switch len(data) {
	case 8:
		if decode.Uint32(data, 0) == 0x1337cafe {
			return decode.Match
		}
	case 74:
		kind, length := decode.Uint16(data, 0), decode.Uint16(data, 2)
		if length != 70 {
			return decode.No
		}
		address, _, _ := bytes.Cut(data[8:72], []byte{0})
		if kind == 1 && len(address) == 0 && decode.Uint32(data, 68) == 0 || kind == 2 && len(address) >= 7 && decode.Printable(address) {
			return decode.Match
		}
	}
	return decode.No
}

// telegramReflector accepts the messages to and from its relays: the tag of the peer, twelve bytes
// of ones, and what is asked.
func telegramReflector(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 32 {
		return decode.No
	}
	for _, at := range [...]int{16, 20, 24} {
		if decode.Uint32(data, at) != 0xffffffff {
			return decode.No
		}
	}
	if decode.Uint32(data, 0) == 0xffffffff || decode.Uint32(data, 0) == 0 {
		return decode.No
	}
	switch decode.Uint32(data, 28) {
	case 0xfeffffff, 0xfdffffff, 0xffffffff, 0xc77215c0, 0x1c37d927:
		return decode.Match
	}
	return decode.No
}

// zoomSeen is what the last message of each direction asked, which the answer repeats.
type zoomSeen struct {
	kind [2]byte
	echo [2][12]byte
}

// zoom accepts the first exchange with a media server: the answer has the identifier of the
// request (kinds 1 and 2), or its time (kinds 3 and 4).
func zoom(s *decode.Session, data []byte) decode.Verdict {
	kind := data[0]
	var echo [12]byte
	switch {
	case (kind == 1 || kind == 2) && len(data) >= 19 && data[1] == 0 && data[2] <= 4:
		echo = [12]byte(data[3:15])
	case (kind == 3 || kind == 4) && len(data) >= 13 && len(data) < 256 && decode.Uint24(data, 1) == 0:
		echo = [12]byte(data[1:13])
	case kind == 5 && zoomMedia(data):
		return decode.Match
	default:
		return decode.No
	}
	seen, _ := s.Memory().(*zoomSeen)
	if seen == nil {
		seen = &zoomSeen{}
		s.Remember(seen)
	}
	other := s.Direction.Reverse()
	if kind&1 == 0 && seen.kind[other] == kind-1 && seen.echo[other] == echo {
		return decode.Match
	}
	seen.kind[s.Direction], seen.echo[s.Direction] = kind, echo
	return decode.More
}

// zoomMedia says whether data is RTP or RTCP in Zoom's two headers (Michel and others, "Enabling
// passive measurement of Zoom performance"): the outer one of 8 bytes, and an inner one whose first
// byte tells sound, pictures, a shared screen, or reports.
func zoomMedia(data []byte) bool {
	const outer = 8
	if len(data) < outer+40 {
		return false
	}
	var at int
	switch data[outer] {
	case 15:
		at = 19
	case 16:
		at = 24
	case 13:
		at = 27
	case 33, 34, 35:
		at = 16
		return data[outer+at]>>6 == 2 && data[outer+at+1] >= rtcpSender && data[outer+at+1] <= rtcpExtended
	default:
		return false
	}
	p, ok := parseRTP(data[outer+at:])
	return ok && (p.kind >= 96 && p.kind <= 127)
}

// viberSeen is what a request said that its answer repeats.
type viberSeen struct {
	kind    byte
	session [2]byte
	call    [8]byte
}

// viberDatagram accepts a request and its answer, which repeats the numbers of session and call.
func viberDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 12 || data[3] != 0 {
		return decode.No
	}
	seen, _ := s.Memory().(*viberSeen)
	kind, session := data[2], [2]byte(data[0:2])
	var call [8]byte
	switch {
	case kind == 0x19 && len(data) == 34, kind == 0x1a && len(data) == 20:
		call = [8]byte(data[4:12])
	case (kind == 0x01 || kind == 0x0c) && len(data) >= 76 && len(data) <= 400 && data[5] == 0:
		call = [8]byte(data[6:14])
	case kind == 0x09 || kind == 0x0b || kind == 0x11:
		if seen != nil {
			return decode.More
		}
		return decode.No
	default:
		return decode.No
	}
	answers := seen != nil && (seen.kind == 0x19 && kind == 0x1a || seen.kind == 0x01 && kind == 0x0c)
	if answers && seen.session == session && seen.call == call {
		return decode.Match
	}
	if seen == nil || kind == 0x19 || kind == 0x01 {
		s.Remember(&viberSeen{kind, session, call})
		return decode.More
	}
	return decode.No
}

// viberStream accepts the first message of a client: its length, two numbers, and the marks of the
// protocol's version.
func viberStream(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 10 {
		if len(client) > 1 && client[1] > 1 {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Little16(client, 0))
	if length < 24 || length > 256 || client[6] != 0xfc || client[7] != 0xff || client[9] != 0x80 {
		return decode.No
	}
	if len(client) < length {
		s.Want(decode.ToServer, length)
		return decode.More
	}
	return decode.Match
}

// whatsApp accepts the prologue of its chat protocol, "WA" and a version, perhaps behind "ED" and
// routing information, and the first frame with its length of three bytes.
func whatsApp(_ *decode.Session, client, _ []byte) decode.Verdict {
	data := client
	switch decode.Prefix(data, "ED\x00\x01") {
	case decode.Partly:
		return decode.More
	case decode.Whole:
		if len(data) < 7 {
			return decode.More
		}
		routing := int(decode.Uint24(data, 4))
		if routing > 256 {
			return decode.No
		}
		data = data[min(len(data), 7+routing):]
	}
	switch decode.Prefix(data, "WA") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	if len(data) < 8 {
		return decode.More
	}
	if data[2] > 0x20 || data[3] > 0x20 || decode.Uint24(data, 4) > 4096 {
		return decode.No
	}
	switch data[7] {
	case 0xf8, 0x12, 0x0a:
		return decode.Match
	}
	return decode.No
}

// lineCall accepts a message that sets up a call: a header with the length of what follows it, a
// counter, and the kind.
func lineCall(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 64 || data[0]>>4 != 0xd || data[0]&8 == 0 {
		return decode.No
	}
	if int(decode.Uint16(data, 0)&0x7ff) == len(data)-4 && decode.Uint16(data, 4) == 0x0602 {
		return decode.Match
	}
	return decode.No
}

// sdRTN accepts the hello of Agora's network, whose tags are those of early QUIC.
func sdRTN(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 64 || data[4] != 0 || data[5] != 0 {
		return decode.No
	}
	head := data[:min(len(data), 96)]
	if bytes.Contains(head, []byte("SNI\x00")) && bytes.Contains(head, []byte(".agora.io")) {
		return decode.Match
	}
	return decode.No
}

// teamSpeak accepts the start of a session, of version 3 (by its name) and 2 (by its classes).
func teamSpeak(_ *decode.Session, data []byte) decode.Verdict {
	if decode.Prefix(data, "TS3INIT1") == decode.Whole {
		return decode.Match
	}
	if len(data) >= 24 && decode.Uint32(data, 0) == 0xf4be0300 || len(data) >= 24 && decode.Uint32(data, 0) == 0xf4be0400 {
		return decode.Match
	}
	return decode.No
}

// teamSpeakList accepts a server's registration with the list of servers, and its confirmation.
func teamSpeakList(s *decode.Session, data []byte) decode.Verdict {
	asked, _ := s.Memory().([4]byte)
	switch {
	case s.Direction == decode.ToServer && len(data) == 4 && data[3] == 1:
		s.Remember([4]byte(data))
		return decode.More
	case s.Direction == decode.ToClient && len(data) == 8 && asked != [4]byte{} && [4]byte(data) == asked:
		return decode.Match
	}
	return decode.No
}

func teamSpeakQuery(_ *decode.Session, _, server []byte) decode.Verdict {
	return max(decode.Prefix(server, "TS3\n\r").Verdict(), decode.Prefix(server, "[TS]\r\n").Verdict())
}

// mumble accepts the ping that lists of servers use, and its answer.
func mumble(s *decode.Session, data []byte) decode.Verdict {
	asked, _ := s.Memory().([8]byte)
	switch {
	case len(data) == 12 && decode.Uint32(data, 0) == 0:
		s.Remember([8]byte(data[4:12]))
		return decode.More
	case len(data) == 24 && asked != [8]byte{} && [8]byte(data[4:12]) == asked && decode.Uint16(data, 0) == 1:
		return decode.Match
	}
	return decode.No
}
