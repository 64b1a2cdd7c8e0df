package alg

import (
	"bytes"
	"net/netip"
	"strconv"

	"sluice/classify/decode"
	"sluice/classify/decode/voip"
)

// messages reads the messages of RTSP (RFC 2326, RFC 7826) or SIP (RFC 3261): a line, headers and a
// body, in a datagram each or one after another in a stream.
type messages struct {
	ends
	read   func(m *messages, fromServer bool, head, body []byte)
	part   [2][]byte // of a message whose end is not there yet
	broken [2]bool   // the side does not send messages, or one that is too long
}

// longestMessage bounds a message.
const longestMessage = 64 << 10

// Pass reads the messages that data completes. Nothing is written anew.
func (m *messages) Pass(fromServer bool, data []byte) []byte {
	side := 0
	if fromServer {
		side = 1
	}
	if m.broken[side] {
		return data
	}
	all := data
	if len(m.part[side]) > 0 {
		all = append(m.part[side], data...)
	}
	for {
		if all = bytes.TrimLeft(all, "\r\n\x00"); len(all) == 0 {
			break
		}
		n := interleaved(all)
		if n == 0 {
			n = m.message(fromServer, all)
		}
		if n == 0 || n > len(all) {
			break
		}
		all = all[n:]
	}
	m.part[side] = append(m.part[side][:0], all...)
	if len(all) > longestMessage {
		m.part[side], m.broken[side] = nil, true
	}
	return data
}

// interleaved is the length of a frame of media in the control session ("$", channel, length: RFC 2326
// section 10.12), or 0 where data does not begin with one.
func interleaved(data []byte) int {
	const header = 4
	switch {
	case data[0] != '$':
		return 0
	case len(data) < header:
		return header
	}
	return header + int(decode.Uint16(data, 2))
}

// message reads the message that data begins with, and returns its length; 0 while its end is not there.
func (m *messages) message(fromServer bool, data []byte) int {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return 0
	}
	head, body := data[:end+2], data[end+4:]
	length := 0
	for line := range bytes.Lines(head) {
		if v, ok := header(line, "Content-Length", "l"); ok {
			length, _ = strconv.Atoi(string(v)) // 0 where it is no number
		}
	}
	if length < 0 || length > longestMessage {
		length = 0
	}
	if length > len(body) {
		return 0
	}
	m.read(m, fromServer, head, body[:length])
	return len(head) + 2 + length
}

// header is the value of a header line with one of two names.
func header(line []byte, name, short string) (value []byte, ok bool) {
	key, value, ok := bytes.Cut(line, []byte(":"))
	key = bytes.TrimSpace(key)
	if !ok || !bytes.EqualFold(key, []byte(name)) && !bytes.EqualFold(key, []byte(short)) {
		return nil, false
	}
	return bytes.TrimSpace(value), true
}

// media expects a stream and, on the next port, its reports.
func (m *messages) media(byServer bool, to netip.AddrPort, call string) {
	m.sessions.Expect(Expected{ByServer: byServer, To: to, Protocol: decode.UDP, Name: voip.RTP, Call: call})
	reports := netip.AddrPortFrom(to.Addr(), to.Port()+1)
	m.sessions.Expect(Expected{ByServer: byServer, To: reports, Protocol: decode.UDP, Name: voip.RTCP, Call: call})
}

// rtsp expects the streams that the server has agreed to, and ends them with TEARDOWN.
func rtsp(m *messages, fromServer bool, head, _ []byte) {
	if !fromServer {
		if bytes.HasPrefix(head, []byte("TEARDOWN ")) {
			m.sessions.Over("")
		}
		return
	}
	voip.TransportPorts(head, func(atServer bool, port uint16) {
		m.media(atServer, netip.AddrPortFrom(m.own(atServer), port), "")
	})
}

// sip expects the streams that either side offers or accepts, and ends those of a call with BYE.
func sip(m *messages, fromServer bool, head, body []byte) {
	call := ""
	for line := range bytes.Lines(head) {
		if v, ok := header(line, "Call-ID", "i"); ok {
			call = string(v[:min(len(v), longestLine)])
		}
	}
	if bytes.HasPrefix(head, []byte("BYE ")) || bytes.HasPrefix(head, []byte("CANCEL ")) {
		m.sessions.Over(call)
		return
	}
	voip.Media(body, func(to netip.AddrPort) {
		// A client is called at its own address; a server may leave the media to another one.
		if fromServer || to.Addr().Unmap() == m.client.Addr().Unmap() {
			m.media(fromServer, to, call)
		}
	})
}
