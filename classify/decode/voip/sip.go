package voip

// SIP: RFC 3261 (requests and status lines), RFC 3265, 3311, 3428, 3515 and 3903 (further methods).
// SDP: RFC 8866.

import (
	"bytes"
	"net/netip"

	"sluice/classify/decode"
)

var sipMethods = [...]string{
	"INVITE ", "ACK ", "BYE ", "CANCEL ", "REGISTER ", "OPTIONS ", "PRACK ", "SUBSCRIBE ", "NOTIFY ",
	"PUBLISH ", "INFO ", "REFER ", "MESSAGE ", "UPDATE ", "PING ", "SERVICE ", "BENOTIFY ", "NEGOTIATE ",
}

const sipVersion = "SIP/2.0"

// longestLine bounds the first line of text protocols.
const longestLine = 2048

// sipBytes are the first letters of methods and status lines.
var sipBytes = decode.FirstBytes("IABCROPSNMU")

// sipFirst judges what begins a message: a status line, or a request line as far as it is there.
func sipFirst(data []byte) decode.Verdict {
	if v := decode.Prefix(data, sipVersion+" ").Verdict(); v != decode.No {
		return v
	}
	for _, method := range sipMethods {
		switch decode.Prefix(data, method) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			line, _, whole := decode.Line(data)
			switch {
			case whole && len(line) <= longestLine && bytes.HasSuffix(line, []byte(" "+sipVersion)):
				return decode.Match
			case whole || len(data) > longestLine+2 || !sipURI(data[len(method):]):
				return decode.No
			}
			return decode.More
		}
	}
	return decode.No
}

// sipURI says whether data begins, as far as it goes, with a scheme that SIP uses.
func sipURI(data []byte) bool {
	return decode.PrefixFold(data, "SIP:") != decode.None || decode.PrefixFold(data, "SIPS:") != decode.None ||
		decode.PrefixFold(data, "TEL:") != decode.None || decode.PrefixFold(data, "URN:") != decode.None
}

func sipStream(s *decode.Session, client, server []byte) decode.Verdict {
	for _, data := range [...][]byte{client, server} {
		data = bytes.TrimLeft(data, "\r\n")
		if len(data) == 0 {
			continue
		}
		switch sipFirst(data) {
		case decode.No:
			return decode.No
		case decode.Match:
			sipMessage(s, data)
			if len(client) == 0 || len(server) == 0 {
				return decode.MatchMore
			}
		default:
			return decode.More
		}
	}
	if len(client) > 0 && len(server) > 0 {
		return decode.Match
	}
	return decode.More
}

func sipDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(bytes.Trim(data, "\r\n\x00")) == 0 { // keepalive
		if s.Port(5060) {
			return decode.More
		}
		return decode.No
	}
	if sipFirst(data) != decode.Match {
		return decode.No
	}
	sipMessage(s, data)
	return decode.MatchMore
}

// sipMessage tells what headers and body say.
func sipMessage(s *decode.Session, data []byte) {
	line, rest, _ := decode.Line(data)
	if !bytes.HasPrefix(line, []byte(sipVersion)) {
		_, uri, _ := bytes.Cut(line, []byte(" "))
		if uri, _, ok := bytes.Cut(uri, []byte(" ")); ok {
			s.Host(decode.SIPHost, uriHost(uri))
		}
	}
	for {
		var whole bool
		if line, rest, whole = decode.Line(rest); !whole {
			return
		}
		if len(line) == 0 {
			break
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return
		}
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("User-Agent")), bytes.EqualFold(name, []byte("Server")):
			s.Value(decode.SIPUserAgent, value)
		}
	}
	sdp(s, rest)
}

// uriHost is the host of "sip:user@host:port;parameters".
func uriHost(uri []byte) []byte {
	if _, rest, ok := bytes.Cut(uri, []byte(":")); ok {
		uri = rest
	}
	if _, host, ok := bytes.Cut(uri, []byte("@")); ok {
		uri = host
	}
	if end := bytes.IndexAny(uri, ":;?>"); end >= 0 {
		uri = uri[:end]
	}
	return uri
}

// sdp expects the media streams that a session description offers.
func sdp(s *decode.Session, body []byte) {
	Media(body, func(to netip.AddrPort) { expectMedia(s, to) })
}

// expectMedia expects a stream and, on the next port, its reports.
func expectMedia(s *decode.Session, to netip.AddrPort) {
	s.Expect(decode.Expected{Addr: to.Addr(), Port: to.Port(), Protocol: decode.UDP, Name: RTP})
	s.Expect(decode.Expected{Addr: to.Addr(), Port: to.Port() + 1, Protocol: decode.UDP, Name: RTCP})
}

// Protocols of media sessions.
const (
	RTP  = "RTP"
	RTCP = "RTCP"
)

// Media finds where the media streams of a session description (SDP) are to be sent. The reports of
// a stream go to the next port.
func Media(body []byte, found func(netip.AddrPort)) {
	var addr netip.Addr
	for {
		line, rest, whole := decode.Line(body)
		if !whole {
			line, rest = body, nil
		}
		switch {
		case bytes.HasPrefix(line, []byte("c=IN IP")) && len(line) > 9:
			text := line[9:]
			if end := bytes.IndexByte(text, '/'); end >= 0 {
				text = text[:end]
			}
			if parsed, err := netip.ParseAddr(string(text)); err == nil {
				addr = parsed
			}
		case bytes.HasPrefix(line, []byte("m=")):
			fields := bytes.Fields(line)
			if len(fields) >= 3 && addr.IsValid() && bytes.Contains(fields[2], []byte("RTP/")) {
				if port := decimal(fields[1]); port >= 1024 && port < 65535 {
					found(netip.AddrPortFrom(addr, uint16(port)))
				}
			}
		}
		if len(rest) == 0 {
			return
		}
		body = rest
	}
}

// decimal reads the number that data begins with, up to 99999.
func decimal(data []byte) int {
	n := 0
	for i, c := range data {
		if c < '0' || c > '9' || i == 5 {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
