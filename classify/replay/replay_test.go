package replay

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/pcap"
)

const applications = `
protocol HTTP
  category Web
protocol DNS
  category Infrastructure
application SHOP
  category Web
  hosts shop.example
`

func newEngine(t testing.TB) *classify.Engine {
	t.Helper()
	db := appdb.New()
	db.Load("test.apps", strings.NewReader(applications))
	engine, problems := classify.Compile(db, classify.NewState(nil), classify.Options{})
	for _, p := range problems {
		t.Fatal(p)
	}
	return engine
}

var client, server = netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("198.51.100.1:8080")

// packet is an IPv4 packet from one end to another.
func packet(protocol byte, from, to netip.AddrPort, transport []byte) []byte {
	header := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0}
	src, dst := from.Addr().As4(), to.Addr().As4()
	header = append(append(header, src[:]...), dst[:]...)
	binary.BigEndian.PutUint16(header[2:], uint16(20+len(transport)))
	binary.BigEndian.PutUint16(transport, from.Port())
	binary.BigEndian.PutUint16(transport[2:], to.Port())
	return append(header, transport...)
}

func tcp(from, to netip.AddrPort, flags byte, seq, ack uint32, payload string) []byte {
	segment := make([]byte, 20, 20+len(payload))
	binary.BigEndian.PutUint32(segment[4:], seq)
	binary.BigEndian.PutUint32(segment[8:], ack)
	segment[12], segment[13] = 5<<4, flags
	return packet(6, from, to, append(segment, payload...))
}

const request = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"

// capture is a pcap file of raw IP packets, a millisecond apart.
func capture(packets ...[]byte) []byte {
	file := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	file = append(file, make([]byte, 16)...)
	file = binary.LittleEndian.AppendUint32(file, uint32(pcap.LinkRaw))
	for i, p := range packets {
		for _, v := range []int{1e9, i * 1000, len(p), len(p)} {
			file = binary.LittleEndian.AppendUint32(file, uint32(v))
		}
		file = append(file, p...)
	}
	return file
}

func TestReplay(t *testing.T) {
	const syn, ack = 2, 16
	flows, err := Replay(newEngine(t), bytes.NewReader(capture(
		tcp(server, client, syn|ack, 70, 11, ""), // the SYN is missing
		tcp(client, server, ack, 31, 71, request[20:]),
		tcp(client, server, ack, 11, 71, request[:20]),
		tcp(server, client, ack, 71, 31, "HTTP/1.1 200 OK\r\n\r\n"),
	)))
	if err != nil || len(flows) != 1 {
		t.Fatalf("%d flows, %v", len(flows), err)
	}
	f := flows[0]
	if f.Client != client || f.Server != server || f.Result.Application != "junos:SHOP" || !f.Result.Final {
		t.Errorf("%+v", f)
	}
	if f.Packets != 4 || f.AnswerPackets != 2 || f.AnswerBytes != len(request) {
		t.Errorf("%d packets, answer after %d packets and %d bytes", f.Packets, f.AnswerPackets, f.AnswerBytes)
	}
}

// Captures know nothing of each other, though they have an engine in common.
func TestCapturesAreApart(t *testing.T) {
	engine := newEngine(t)
	table := NewTable(engine)
	table.Packet(time.Unix(1e9, 0), tcp(client, server, 16, 1, 1, request[:10]))
	other := NewTable(engine)
	other.Packet(time.Unix(1e9, 0), tcp(client, server, 16, 11, 1, request[10:]))
	for _, f := range append(table.Close(), other.Close()...) {
		if f.Result.Application != "" {
			t.Errorf("%+v", f.Result)
		}
	}
}

func TestDamagedCapture(t *testing.T) {
	file := capture(tcp(client, server, 16, 1, 1, request))
	whole, err := Replay(newEngine(t), bytes.NewReader(append(file, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0)))
	if err == nil || len(whole) != 1 {
		t.Errorf("%d flows, %v", len(whole), err)
	}
}

func BenchmarkReplay(b *testing.B) {
	engine := newEngine(b)
	var packets [][]byte
	for i := range 1000 {
		from := netip.AddrPortFrom(client.Addr(), uint16(20000+i))
		packets = append(packets, tcp(from, server, 2, 0, 0, ""), tcp(server, from, 18, 0, 1, ""), tcp(from, server, 16, 1, 1, request),
			tcp(server, from, 16, 1, 50, "HTTP/1.1 200 OK\r\n\r\n"))
	}
	at := time.Unix(1e9, 0)
	for b.Loop() {
		t := NewTable(engine)
		for _, p := range packets {
			t.Packet(at, p)
		}
		t.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(packets)), "ns/packet")
}
