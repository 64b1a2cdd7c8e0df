package kernel

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A socket of the gateway that has the client's address gets the server's answers; a packet with
// the same addresses that comes out of a TUN goes to the client.
func TestTransparentSockets(t *testing.T) {
	b := newBranch(t)
	d := b.desired()
	d.StreamServices = true
	b.up(t, d, swallow, swallow)
	b.server.serve("80")

	for _, c := range []struct{ client, server string }{
		{"192.0.2.10:40000", "198.51.100.10:80"},
		{"[2001:db8:1::10]:40000", "[2001:db8:2::10]:80"},
	} {
		upstream := b.dialFrom(t, netip.MustParseAddrPort(c.client), c.server)
		if upstream == nil {
			continue
		}
		text := make([]byte, 6)
		upstream.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := upstream.Read(text); err != nil || string(text[:n]) != "hello\n" {
			t.Errorf("%s as %s reads %q, %v", c.server, c.client, text[:n], err)
		}
		upstream.Close()
	}

	upstream := b.dialFrom(t, netip.MustParseAddrPort("192.0.2.10:40001"), "198.51.100.10:80")
	if upstream == nil {
		return
	}
	defer upstream.Close()
	heard := make(chan string, 100)
	b.client.do(func() {
		c, err := net.ListenPacket("ip4:tcp", "192.0.2.10")
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { c.Close() })
		go func() {
			for {
				p := make([]byte, 1500)
				n, from, err := c.ReadFrom(p)
				if err != nil {
					return
				}
				heard <- from.String() + " " + string(p[20:n])
			}
		}()
	})
	if _, err := b.lan.file.Write(tcp4("198.51.100.10:80", "192.0.2.10:40001", "from the TUN")); err != nil {
		t.Fatal(err)
	}
	select {
	case text := <-heard:
		if text != "198.51.100.10 from the TUN" {
			t.Errorf("the client heard %q", text)
		}
	case <-time.After(5 * time.Second):
		t.Error("the client does not get the packet of the TUN")
	}

	d.StreamServices = false
	b.set(t, d)
	if rules := b.must("ip rule; ip -6 rule; ip route show table all; ip -6 route show table all"); strings.Contains(rules, "9999") {
		t.Errorf("rules of stream services are left:\n%s", rules)
	}
}

// dialFrom connects to server from an address that is not the gateway's.
func (h *host) dialFrom(t *testing.T, client netip.AddrPort, server string) (c net.Conn) {
	t.Helper()
	h.do(func() {
		dialer := net.Dialer{
			LocalAddr: net.TCPAddrFromAddrPort(client),
			Control: func(network, _ string, raw syscall.RawConn) error {
				var err error
				raw.Control(func(fd uintptr) {
					if network == "tcp6" {
						err = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
					} else {
						err = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
					}
				})
				return err
			},
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		var err error
		if c, err = dialer.DialContext(ctx, "tcp", server); err != nil {
			t.Errorf("%s does not answer %s: %v", server, client, err)
			c = nil
		}
	})
	return c
}

// tcp4 is one TCP segment with the given payload.
func tcp4(from, to, payload string) []byte {
	src, dst := netip.MustParseAddrPort(from), netip.MustParseAddrPort(to)
	p := make([]byte, 40+len(payload))
	p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_TCP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], src.Addr().AsSlice())
	copy(p[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(p[10:], ^sum(0, p[:20]))
	s := p[20:]
	binary.BigEndian.PutUint16(s, src.Port())
	binary.BigEndian.PutUint16(s[2:], dst.Port())
	s[12], s[13] = 5<<4, 0x10 // ACK
	copy(s[20:], payload)
	pseudo := sum(sum(0, p[12:20]), []byte{0, unix.IPPROTO_TCP, byte(len(s) >> 8), byte(len(s))})
	binary.BigEndian.PutUint16(s[16:], ^sum(pseudo, s))
	return p
}

// sum adds b to a ones' complement sum.
func sum(start uint16, b []byte) uint16 {
	total := uint32(start)
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		total += word
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}
