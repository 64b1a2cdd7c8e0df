package validate

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"net"
	"net/netip"

	"github.com/miekg/dns"

	"sluice/classify"
	"sluice/classify/decode"
)

// sample is the beginning of a session.
type sample struct {
	protocol  string // as the base protocol is called in packages
	transport uint8
	port      uint16 // of the server; never the usual one, where the protocol can do without
	parts     []part
}

// part is what one side sends at once.
type part struct {
	direction classify.Direction
	bytes     []byte
}

// show shows the session to an engine, each part passed through change, and returns the base
// protocol that was found.
func (s *sample) show(engine *classify.Engine, change func([]byte) []byte) string {
	meta := &classify.Meta{
		Client:   netip.MustParseAddrPort("192.0.2.10:40000"),
		Server:   netip.AddrPortFrom(netip.MustParseAddr("198.51.100.20"), s.port),
		Protocol: s.transport,
	}
	var flow classify.Flow
	engine.Begin(&flow, meta)
	for _, p := range s.parts {
		if s.transport == decode.TCP {
			flow.Stream(p.direction, change(p.bytes))
		} else {
			flow.Datagram(p.direction, change(p.bytes))
		}
	}
	flow.Close()
	return flow.Result().Protocol
}

// samples are sessions of protocols that are on every network.
func samples() []sample {
	toServer := func(b []byte) part { return part{classify.ToServer, b} }
	toClient := func(b []byte) part { return part{classify.ToClient, b} }
	return []sample{
		{"HTTP", decode.TCP, 4080, []part{
			toServer([]byte("GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n")),
			toClient([]byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>")),
		}},
		{"SSL", decode.TCP, 4443, []part{toServer(clientHello("www.example.com"))}},
		{"SSH", decode.TCP, 4022, []part{
			toClient([]byte("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
			toServer([]byte("SSH-2.0-OpenSSH_9.6\r\n")),
		}},
		{"SMTP", decode.TCP, 4025, []part{
			toClient([]byte("220 mail.example.com ESMTP Postfix\r\n")),
			toServer([]byte("EHLO client.example.com\r\n")),
			toClient([]byte("250-mail.example.com\r\n250-PIPELINING\r\n250 8BITMIME\r\n")),
			toServer([]byte("MAIL FROM:<a@example.com>\r\n")),
		}},
		{"DNS", decode.UDP, 53, []part{toServer(question()), toClient(answer())}},
		{"NTP", decode.UDP, 123, []part{toServer(ntp(0x23)), toClient(ntp(0x24))}},
	}
}

// clientHello is the first flight of a TLS client.
func clientHello(name string) []byte {
	near, far := net.Pipe()
	go func() {
		// It fails for want of a server; its first flight is all that is wanted.
		_ = tls.Client(near, &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}).Handshake()
	}()
	defer far.Close()
	defer near.Close()
	buffer := make([]byte, 16<<10)
	n, err := far.Read(buffer)
	if err != nil {
		return nil // and the sample is not recognised
	}
	return buffer[:n]
}

func question() []byte { return pack(new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)) }

func answer() []byte {
	reply := new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA))
	reply.Answer = []dns.RR{&dns.A{
		Hdr: dns.RR_Header{Name: "www.example.com.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60},
		A:   net.IPv4(198, 51, 100, 7),
	}}
	return pack(reply)
}

// pack is a message in bytes, always of the same query.
func pack(m *dns.Msg) []byte {
	m.Id = 4711
	text, err := m.Pack()
	if err != nil {
		return nil // and the sample is not recognised
	}
	return text
}

// ntp is a message of NTP version 4; the first byte tells client from server.
func ntp(first byte) []byte {
	message := bytes.Repeat([]byte{0}, 48)
	message[0], message[1], message[2], message[3] = first, 2, 6, 0xec
	binary.BigEndian.PutUint64(message[40:], 0xe8f6_0000_8000_0000)
	return message
}
