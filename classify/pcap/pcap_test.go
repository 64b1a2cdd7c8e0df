package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"
)

// join puts bytes one behind the other.
func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// ipv4 is an IPv4 packet.
func ipv4(protocol byte, payload []byte) []byte {
	header := []byte{0x45, 0, 0, 0, 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2}
	binary.BigEndian.PutUint16(header[2:], uint16(20+len(payload)))
	return join(header, payload)
}

// ipv6 is an IPv6 packet, with a destination options header.
func ipv6(protocol byte, payload []byte) []byte {
	header := make([]byte, 48)
	header[0], header[6], header[40] = 0x60, 60, protocol
	binary.BigEndian.PutUint16(header[4:], uint16(8+len(payload)))
	src, dst := netip.MustParseAddr("2001:db8::1").As16(), netip.MustParseAddr("2001:db8::2").As16()
	copy(header[8:], src[:])
	copy(header[24:], dst[:])
	return join(header, payload)
}

// udp is a UDP datagram from port 1000.
func udp(port uint16, payload string) []byte {
	header := make([]byte, 8)
	binary.BigEndian.PutUint16(header, 1000)
	binary.BigEndian.PutUint16(header[2:], port)
	binary.BigEndian.PutUint16(header[4:], uint16(8+len(payload)))
	return join(header, []byte(payload))
}

var (
	packet = ipv4(protoUDP, udp(53, "payload"))
	macs   = []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}
)

func TestLinks(t *testing.T) {
	ethernet := join(macs, []byte{8, 0}, packet)
	for name, f := range map[string]Frame{
		"Ethernet":          {Link: LinkEthernet, Data: ethernet},
		"Ethernet, IPv6":    {Link: LinkEthernet, Data: join(macs, []byte{0x86, 0xdd}, ipv6(protoUDP, udp(53, "payload")))},
		"VLAN in VLAN":      {Link: LinkEthernet, Data: join(macs, []byte{0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0}, packet)},
		"MPLS, two labels":  {Link: LinkEthernet, Data: join(macs, []byte{0x88, 0x47, 0, 0, 0x10, 64, 0, 0, 0x21, 64}, packet)},
		"MPLS, pseudowire":  {Link: LinkEthernet, Data: join(macs, []byte{0x88, 0x47, 0, 0, 0x11, 64, 0, 0, 0, 0}, ethernet)},
		"PPPoE":             {Link: LinkEthernet, Data: join(macs, []byte{0x88, 0x64, 0x11, 0, 0, 1, 0, 0, 0, 0x21}, packet)},
		"LLC and SNAP":      {Link: LinkEthernet, Data: join(macs, []byte{0, 40, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, packet)},
		"Linux cooked":      {Link: LinkLinux, Data: join(make([]byte, 14), []byte{8, 0}, packet)},
		"Linux cooked 2":    {Link: LinkLinux2, Data: join([]byte{8, 0}, make([]byte, 18), packet)},
		"raw":               {Link: LinkRaw, Data: packet},
		"BSD null":          {Link: LinkNull, Data: join([]byte{2, 0, 0, 0}, packet)},
		"loop":              {Link: LinkLoop, Data: join([]byte{0, 0, 0, 2}, packet)},
		"PPP":               {Link: LinkPPP, Data: join([]byte{0xff, 3, 0, 0x21}, packet)},
		"PPP, compressed":   {Link: LinkPPPSerial, Data: join([]byte{0x21}, packet)},
		"PPI with Ethernet": {Link: LinkPPI, Data: join([]byte{0, 0, 8, 0, 1, 0, 0, 0}, ethernet)},
		"Cisco HDLC":        {Link: LinkCiscoHDLC, Data: join([]byte{0x0f, 0, 8, 0}, packet)},
	} {
		ip, ok := f.IP()
		p, parsed := Parse(ip)
		if !ok || !parsed || string(p.Payload) != "payload" || p.Dst.Port() != 53 || p.Protocol != protoUDP {
			t.Errorf("%s: %v %v, got %+v", name, ok, parsed, p)
		}
		for cut := range f.Data { // frames that were cut short do no harm
			short := Frame{Link: f.Link, Data: f.Data[:cut]}
			if ip, ok := short.IP(); ok {
				Parse(ip)
			}
		}
	}
	if _, ok := (&Frame{Link: LinkEthernet, Data: join(macs, []byte{8, 6}, make([]byte, 28))}).IP(); ok {
		t.Error("ARP was taken for IP")
	}
}

func TestTunnels(t *testing.T) {
	ethernet := join(macs, []byte{8, 0}, packet)
	outer := func(port uint16, parts ...[]byte) []byte { return ipv4(protoUDP, udp(port, string(join(parts...)))) }
	for name, ip := range map[string][]byte{
		"IP in IP":           ipv4(protoIPIP, packet),
		"IP in IPv6 twice":   ipv6(protoIPIP, ipv4(protoIPIP, packet)),
		"GRE with key":       ipv4(protoGRE, join([]byte{0x20, 0, 8, 0, 0, 0, 0, 7}, packet)),
		"GRE with Ethernet":  ipv4(protoGRE, join([]byte{0, 0, 0x65, 0x58}, ethernet)),
		"PPTP":               ipv4(protoGRE, join([]byte{0x30, 0x81, 0x88, 0x0b, 0, 40, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21}, packet)),
		"GTP":                outer(portGTP, []byte{0x30, 0xff, 0, 40, 0, 0, 0, 1}, packet),
		"GTP with extension": outer(portGTP, []byte{0x34, 0xff, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0}, packet),
		"VXLAN":              outer(portVXLAN, []byte{8, 0, 0, 0, 0, 0, 1, 0}, ethernet),
		"CAPWAP":             outer(portCAPWAP, []byte{0, 0x10, 2, 0, 0, 0, 0, 0}, ethernet),
		"TZSP":               outer(portTZSP, []byte{1, 0, 0, 1, 10, 1, 99, 0, 1}, ethernet),
	} {
		if p, ok := Parse(ip); !ok || string(p.Payload) != "payload" || p.Dst.Port() != 53 {
			t.Errorf("%s: %v, got %+v", name, ok, p)
		}
		for cut := range ip {
			Parse(ip[:cut])
		}
	}
	if p, ok := Parse(outer(portGTP, []byte{0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0})); !ok || p.Dst.Port() != portGTP {
		t.Errorf("a GTP echo became %+v", p)
	}
}

func TestTCP(t *testing.T) {
	segment := []byte{0, 80, 4, 0, 0, 0, 0, 9, 0, 0, 0, 7, 0x60, 0x12, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 'x'}
	p, ok := Parse(ipv4(protoTCP, segment))
	if !ok || p.Seq != 9 || p.Ack != 7 || p.TCPFlags != 0x12 || string(p.Payload) != "x" || p.Src.Port() != 80 {
		t.Errorf("%+v", p)
	}
	later := ipv4(protoTCP, segment)
	later[7] = 3
	if p, ok := Parse(later); !ok || !p.Later || p.Payload != nil {
		t.Errorf("a later fragment became %+v", p)
	}
}

// classic is a pcap file with one frame.
func classic(order binary.AppendByteOrder, magic uint32) []byte {
	file := order.AppendUint32(nil, magic)
	file = append(file, make([]byte, 16)...)
	file = order.AppendUint32(file, uint32(LinkRaw))
	for _, v := range []uint32{1e9, 500, uint32(len(packet)), uint32(len(packet))} {
		file = order.AppendUint32(file, v)
	}
	return append(file, packet...)
}

// modern is a pcapng file with an interface in units of 1/1024 s, an unknown block, and the frame in
// each of the blocks that can hold one.
func modern(order binary.AppendByteOrder) []byte {
	block := func(kind uint32, body []byte) []byte {
		body = append(body, make([]byte, (4-len(body)%4)%4)...)
		b := order.AppendUint32(nil, kind)
		b = order.AppendUint32(b, uint32(12+len(body)))
		return order.AppendUint32(append(b, body...), uint32(12+len(body)))
	}
	words := func(values ...uint32) (b []byte) {
		for _, v := range values {
			b = order.AppendUint32(b, v)
		}
		return b
	}
	options := order.AppendUint16(order.AppendUint16(nil, 9), 1)
	options = append(options, 0x80|10, 0, 0, 0, 0, 0, 0, 0)
	size := uint32(len(packet))
	return join(
		block(blockSection, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)),
		block(blockInterface, join(order.AppendUint16(nil, uint16(LinkRaw)), []byte{0, 0, 0, 0, 0, 0}, options)),
		block(0xbad, words(1, 2)),
		block(blockEnhanced, join(words(0, 0, 1e9, size, size), packet)),
		block(blockPacket, join(order.AppendUint16(nil, 0), []byte{0, 0}, words(0, 1e9, size, size), packet)),
		block(blockSimple, join(words(size), packet)),
	)
}

func TestFormats(t *testing.T) {
	for name, c := range map[string]struct {
		file   []byte
		frames int
		at     time.Time
	}{
		"little endian":        {classic(binary.LittleEndian, magicMicro), 1, time.Unix(1e9, 500_000)},
		"big endian":           {classic(binary.BigEndian, magicMicro), 1, time.Unix(1e9, 500_000)},
		"nanoseconds":          {classic(binary.LittleEndian, magicNano), 1, time.Unix(1e9, 500)},
		"pcapng":               {modern(binary.LittleEndian), 3, time.Unix(976562, 500_000_000)},
		"pcapng, big endian":   {modern(binary.BigEndian), 3, time.Unix(976562, 500_000_000)},
		"pcapng, two sections": {join(modern(binary.BigEndian), modern(binary.LittleEndian)), 6, time.Unix(976562, 500_000_000)},
	} {
		r, err := NewReader(bytes.NewReader(c.file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n := 0
		for ; ; n++ {
			f, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if n == 0 && !f.Time.Equal(c.at) {
				t.Errorf("%s: captured at %v, want %v", name, f.Time.UnixNano(), c.at.UnixNano())
			}
			if ip, ok := f.IP(); !ok || !bytes.Equal(ip, packet) {
				t.Errorf("%s: frame %d is %x", name, n, f.Data)
			}
		}
		if n != c.frames {
			t.Errorf("%s: %d frames, want %d", name, n, c.frames)
		}
	}
}

func TestOtherFiles(t *testing.T) {
	for _, file := range []string{"", "abc", "PK\x03\x04 something else", "\xd4\xc3\xb2\xa1short"} {
		if _, err := NewReader(bytes.NewReader([]byte(file))); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", file, err)
		}
	}
	damaged := classic(binary.LittleEndian, magicMicro)
	binary.LittleEndian.PutUint32(damaged[32:], 1<<30)
	r, err := NewReader(bytes.NewReader(damaged))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); !errors.Is(err, ErrFormat) {
		t.Errorf("a frame of a gigabyte: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(classic(binary.LittleEndian, magicMicro))
	f.Add(modern(binary.BigEndian))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := NewReader(bytes.NewReader(file))
		for err == nil {
			var frame Frame
			if frame, err = r.Next(); err == nil {
				if ip, ok := frame.IP(); ok {
					Parse(ip)
				}
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add(packet, uint32(LinkRaw))
	f.Add(ipv6(protoUDP, udp(portGTP, "\x34\xff\x00\x28\x00\x00\x00\x01\x00\x00\x00\x85\x01\x00\x00\x00")), uint32(LinkRaw))
	f.Add(join(macs, []byte{0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0}, packet), uint32(LinkEthernet))
	f.Fuzz(func(t *testing.T, data []byte, link uint32) {
		frame := Frame{Link: LinkType(link), Data: data}
		if ip, ok := frame.IP(); ok {
			Parse(ip)
		}
		Parse(data)
	})
}
