package quic

// CRYPTO frames: RFC 9000 section 19. Clients cut their hello into many, in any order, over
// several packets.

import (
	"slices"
	"sync"

	"sluice/classify/decode"
	"sluice/classify/decode/internal/pieces"
	"sluice/classify/decode/tls"
)

// conversation is what is remembered between datagrams.
type conversation struct {
	destination [maxConnectionID]byte // connection identifier that the keys follow from
	length      int
	hello       pieces.Message
}

// plaintexts hold the content of a packet, and then the hello.
var plaintexts = sync.Pool{New: func() any {
	b := make([]byte, 0, 4096)
	return &b
}}

// Frame types.
const (
	framePadding   = 0x00
	framePing      = 0x01
	frameAck       = 0x02
	frameAckECN    = 0x03
	frameCrypto    = 0x06
	frameCryptoOld = 0x08 // in Google's last versions
)

// maxFrames is how many CRYPTO frames of a packet are looked at.
const maxFrames = 64

// cryptoFrame is a part of the hello.
type cryptoFrame struct {
	at   int
	data []byte
}

// cryptoFrames finds the CRYPTO frames in the content of a packet.
func cryptoFrames(plain []byte, found []cryptoFrame) []cryptoFrame {
	for len(plain) > 0 && len(found) < cap(found) {
		frame := plain[0]
		plain = plain[1:]
		switch frame {
		case framePadding, framePing:
		case frameAck, frameAckECN:
			var ok bool
			if plain, ok = skipAck(plain, frame == frameAckECN); !ok {
				return found
			}
		case frameCrypto, frameCryptoOld:
			at, n := tls.Varint(plain)
			length, m := tls.Varint(plain[n:])
			if n == 0 || m == 0 || at > pieces.MaxBytes || length > uint64(len(plain)-n-m) {
				return found
			}
			end := n + m + int(length)
			found = append(found, cryptoFrame{int(at), plain[n+m : end]})
			plain = plain[end:]
		default:
			return found
		}
	}
	return found
}

// skipAck leaves out the body of an ACK frame.
func skipAck(plain []byte, counts bool) (rest []byte, ok bool) {
	integers := uint64(4) // largest, delay, number of ranges, first range
	for i := uint64(0); i < integers; i++ {
		v, n := tls.Varint(plain)
		if n == 0 || v > 1<<20 && i == 2 {
			return nil, false
		}
		if i == 2 {
			integers += 2 * v
			if counts {
				integers += 3
			}
		}
		plain = plain[n:]
	}
	return plain, true
}

// readCrypto joins the frames of a packet with those of earlier packets, and tells of the hello.
func readCrypto(s *decode.Session, plain []byte, h *packetHeader, c *conversation) decode.Verdict {
	var room [maxFrames]cryptoFrame
	frames := cryptoFrames(plain, room[:0])
	joined := plaintexts.Get().(*[]byte)
	defer plaintexts.Put(joined)
	hello := (*joined)[:0]
	started := c != nil && c.length > 0
	if !started {
		slices.SortFunc(frames, func(a, b cryptoFrame) int { return a.at - b.at })
		for _, f := range frames {
			if f.at == len(hello) {
				hello = append(hello, f.data...)
			}
		}
	} else {
		for _, f := range frames {
			c.hello.Add(f.at, f.data)
		}
		hello = c.hello.Join(hello)
	}
	*joined = hello
	v := tellHello(s, hello, h.version)
	if v != decode.MatchMore {
		return v
	}
	if !started {
		c = &conversation{length: len(h.destination)}
		copy(c.destination[:], h.destination)
		for _, f := range frames {
			c.hello.Add(f.at, f.data)
		}
		s.Remember(c)
	}
	return decode.MatchMore
}

// tellHello tells what there is of the hello.
func tellHello(s *decode.Session, hello []byte, version uint32) decode.Verdict {
	const header = 4
	if version == q050 {
		s.Protocol("GQUIC")
		if tellTags(s, hello) {
			return decode.Match
		}
		return decode.MatchMore
	}
	if len(hello) < header {
		return decode.MatchMore
	}
	length := int(decode.Uint24(hello, 1))
	body := hello[header:]
	h, part := tls.ParseHello(body[:min(length, len(body))], length, false)
	if hello[0] != 1 || part == decode.None {
		return decode.Match // the packet is genuine, whatever it says
	}
	h.Tell(s, decode.QUICServerName, tls.OverQUIC, part)
	for list := h.ALPN; ; {
		protocol, rest, ok := tls.NextALPN(list)
		if !ok {
			break
		}
		if name := inside(string(protocol)); name != "" {
			if s.Carries(name); name == dnsOverQUIC {
				s.Application(name)
				s.Micro("DNS-ENCRYPTED")
			}
			break
		}
		list = rest
	}
	if part == decode.Whole {
		return decode.Match
	}
	return decode.MatchMore
}

const dnsOverQUIC = "DNS-OVER-QUIC"

// inside names the protocol that ALPN names (IANA TLS ALPN Protocol IDs). HTTP/3 is left out: it
// is what QUIC carries unless it says otherwise.
func inside(alpn string) string {
	switch {
	case len(alpn) >= 3 && alpn[:3] == "doq":
		return dnsOverQUIC
	case alpn == "smb":
		return "SMB"
	case len(alpn) >= 4 && alpn[:4] == "mqtt":
		return "MQTT"
	}
	return ""
}
