package voip

// Live media: RTSP (RFC 2326, RFC 7826), RTMP (Adobe's specification 1.0, section 5.2), MMS
// ([MS-MMSP]), Icecast and SHOUTcast sources, SRT (draft-sharabayko-srt, handshake), MPEG transport
// streams (ISO 13818-1).

import (
	"bytes"
	"net/netip"

	"sluice/classify/decode"
)

var rtspMethods = [...]string{
	"OPTIONS ", "DESCRIBE ", "SETUP ", "PLAY ", "PAUSE ", "TEARDOWN ", "ANNOUNCE ", "RECORD ",
	"GET_PARAMETER ", "SET_PARAMETER ", "REDIRECT ", "PLAY_NOTIFY ",
}

var rtspBytes = decode.FirstBytes("ODSPTARG$")

// rtsp accepts a request line or status line, and expects the media that SETUP arranges.
func rtsp(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		switch rtspRequest(s, client) {
		case decode.More:
			return decode.More
		case decode.No:
			return decode.No
		}
		rtspTransport(s, client)
		rtspTransport(s, server)
		if len(client)+len(server) > 4096 || bytes.Contains(client, []byte("PLAY ")) || bytes.Contains(client, []byte("RECORD ")) {
			return decode.Match
		}
		return decode.MatchMore
	}
	return decode.Prefix(server, "RTSP/").Verdict()
}

func rtspRequest(s *decode.Session, data []byte) decode.Verdict {
	for _, method := range rtspMethods {
		switch decode.Prefix(data, method) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			line, _, whole := decode.Line(data)
			switch {
			case len(line) > longestLine, !whole && len(data) > longestLine+2:
				return decode.No
			case !whole:
				return decode.More
			}
			if !bytes.HasSuffix(line, []byte(" RTSP/1.0")) && !bytes.HasSuffix(line, []byte(" RTSP/2.0")) {
				return decode.No
			}
			if _, host, ok := bytes.Cut(line, []byte("://")); ok {
				if end := bytes.IndexAny(host, "/: "); end > 0 {
					s.Host(decode.HTTPHost, host[:end])
				}
			}
			return decode.Match
		}
	}
	if v := decode.Prefix(data, "RTSP/1.").Verdict(); v != decode.No {
		return v
	}
	return decode.No
}

// rtspTransport expects the ports of Transport headers.
func rtspTransport(s *decode.Session, data []byte) {
	TransportPorts(data, func(atServer bool, port uint16) {
		addr := s.Client.Addr()
		if atServer {
			addr = s.Server.Addr()
		}
		expectMedia(s, netip.AddrPortFrom(addr, port))
	})
}

// TransportPorts finds the ports of media streams in the Transport headers of RTSP: of the client, or
// the server. The reports of a stream go to the next port.
func TransportPorts(data []byte, found func(atServer bool, port uint16)) {
	for _, side := range [...]string{"client_port=", "server_port="} {
		rest := data
		for range 4 {
			at := bytes.Index(rest, []byte(side))
			if at < 0 {
				break
			}
			rest = rest[at+len(side):]
			if port := decimal(rest); port >= 1024 && port < 65535 {
				found(side[0] == 's', uint16(port))
			}
		}
	}
}

// rtmp accepts the handshake: version, time, four zero bytes (or the player's version) and 1528
// bytes of anything, answered by the same.
func rtmp(s *decode.Session, client, server []byte) decode.Verdict {
	const handshake = 1 + 1536
	for _, data := range [...][]byte{client, server} {
		for i := 5; i < min(len(data), 9) && data[0] == 3; i++ {
			if data[i] != 0 && (data[5] == 0 || data[5] > 0x80) {
				return decode.No
			}
		}
		if len(data) > 0 && data[0] != 3 && data[0] != 6 {
			return decode.No
		}
	}
	if len(client) == 0 {
		return decode.No
	}
	zero := len(client) >= 9 && decode.Uint32(client, 5) == 0 && client[0] == 3
	switch {
	case len(client) < handshake:
		s.Want(decode.ToServer, handshake)
		return decode.More
	case zero && (len(server) >= 9 || client[1]|client[2]|client[3]|client[4] != 0):
		return decode.Match
	case len(server) == 0:
		return decode.More
	case server[0] == client[0] && len(client) == handshake && len(server) >= handshake:
		return decode.Match
	case server[0] == client[0] && client[0] == 3:
		return decode.Match
	}
	return decode.No
}

// msMMS accepts a message of the Microsoft Media Server: session id, then 0xb00bface, and "MMS ".
func msMMS(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	const magic = "\xce\xfa\x0b\xb0"
	if decode.Prefix(data[min(4, len(data)):], magic) == decode.None || len(data) >= 16 && string(data[12:16]) != "MMS " {
		return decode.No
	}
	if len(data) < 16 {
		return decode.More
	}
	return decode.Match
}

// icecast accepts a source that announces its stream.
func icecast(_ *decode.Session, client, _ []byte) decode.Verdict {
	switch decode.Prefix(client, "SOURCE /") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	line, _, whole := decode.Line(client)
	switch {
	case len(line) > longestLine, !whole && len(client) > longestLine+2:
		return decode.No
	case !whole:
		return decode.More
	}
	if bytes.HasSuffix(line, []byte(" ICE/1.0")) || bytes.Contains(line, []byte(" HTTP/1.")) {
		return decode.Match
	}
	return decode.No
}

// shoutcast accepts the answer to a listener, and the one to a source.
func shoutcast(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) == 0 {
		if decode.Prefix(client, "GET /") == decode.None && len(client) > 64 {
			return decode.No
		}
		return decode.More
	}
	return max(decode.Prefix(server, "ICY 200 OK\r\n").Verdict(), decode.Prefix(server, "OK2\r\nicy-caps").Verdict())
}

// srt accepts a handshake: a control packet of type 0 with the fields of version 4 or 5.
func srt(_ *decode.Session, data []byte) decode.Verdict {
	const handshake = 16 + 48
	if len(data) < handshake || decode.Uint32(data, 0) != 0x80000000 || decode.Uint32(data, 4) != 0 {
		return decode.No
	}
	version, mtu, window := decode.Uint32(data, 16), decode.Uint32(data, 28), decode.Uint32(data, 32)
	if version != 4 && version != 5 || mtu < 76 || mtu > 9000 || window == 0 || window > 1<<20 || decode.Uint32(data, 40) == 0 {
		return decode.No
	}
	switch decode.Uint32(data, 36) {
	case 1, 0, 0xffffffff, 0xfffffffe, 0xfffffffd:
		return decode.Match
	}
	return decode.No
}

// mpegTS accepts datagrams made of whole packets of 188 bytes, each with its sync byte: several at
// once, or one datagram after another.
func mpegTS(s *decode.Session, data []byte) decode.Verdict {
	const packet = 188
	if len(data)%packet != 0 {
		return decode.No
	}
	for at := 0; at < len(data); at += packet {
		if data[at] != 0x47 || data[at+1]&0x80 != 0 || data[at+3]&0x30 == 0 && data[at+1]&0x1f != 0x1f {
			return decode.No
		}
	}
	if len(data) >= 3*packet || s.Memory() != nil {
		return decode.Match
	}
	s.Remember(true)
	return decode.More
}
