package scenario

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/lab"
	"sluice/manage/view"
)

// translatedEcho is an echo server behind source translation, and the size of a datagram's headers there.
var translatedEcho = []struct {
	network, address, nat string
	headers               uint64
}{
	{"tcp", lab.EchoAddr4Link1, lab.WAN1Gateway4, 0}, {"tcp", lab.EchoAddr6Link1, lab.WAN1Gateway6, 0},
	{"udp", lab.EchoAddr4Link1, lab.WAN1Gateway4, 28}, {"udp", lab.EchoAddr6Link1, lab.WAN1Gateway6, 48},
}

// The kernel carries settled sessions with source translation, over TCP and UDP and in both families: what arrives is
// what was sent, nothing of it passes the process, and it is counted to the byte. With offloads the checksums on the
// way are left to devices, without they are whole.
// Rows: DP-13.
func TestKernelCarriesTranslatedSessions(t *testing.T) {
	for name, options := range map[string]lab.Options{"offloads": {}, "whole packets": {Impair: true}} {
		t.Run(name, func(t *testing.T) {
			w := start(t, options, lab.PermitAll+hideBehindWAN1)
			for _, c := range translatedEcho {
				conn, s := w.settle(c.network, c.address)
				before := w.throughProcess()
				const messages, size = 200, 1200
				for range messages {
					if err := echoesRandom(conn, size); err != nil {
						t.Fatalf("%s %s: %v", c.network, c.address, err)
					}
				}
				if passed := w.throughProcess() - before; passed > messages/2 {
					t.Errorf("%s %s: %d packets of a carried session passed the process", c.network, c.address, passed)
				}
				now := w.session(conn)
				if now.Path != "offload" || now.Out.Destination.Addr().String() != c.nat {
					t.Errorf("%s %s: shown by path %q to %v, want offload to %s", c.network, c.address, now.Path, now.Out.Destination, c.nat)
				}
				for side, n := range map[string]uint64{"in": now.In.Bytes - s.In.Bytes, "out": now.Out.Bytes - s.Out.Bytes} {
					if want := messages * (size + c.headers); c.network == "udp" && n != want || n < want || n > 2*want {
						t.Errorf("%s %s: counted %d bytes %s, want %d", c.network, c.address, n, side, want)
					}
				}
				conn.Close()
			}
		})
	}
}

// Real programs: downloads, uploads, streams of TCP and of UDP both ways, in both families.
func TestProgramsOverTranslatedSessions(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1)
	for i, web := range []string{lab.WebAddr4Link1, lab.WebAddr6Link1} {
		port := strconv.Itoa(5301 + i)
		server, err := w.Web.Start("iperf3", "-s", "-B", web, "-p", port) // which answers datagrams from this address
		if err != nil {
			t.Fatal(err)
		}
		if err := server.WaitListening(t.Context(), "tcp", uint16(5301+i)); err != nil {
			t.Fatal(err)
		}
		host := web
		if strings.Contains(web, ":") {
			host = "[" + web + "]"
		}
		size := fmt.Sprint(lab.DownloadSize)
		if got := w.do(w.Client, "curl", "-sS", "-m20", "-o/dev/null", "-w%{size_download}", "http://"+host+"/download"); got != size {
			t.Errorf("downloaded %s bytes from %s, want %s", got, web, size)
		}
		w.do(w.Client, "curl", "-sS", "-m20", "-T", w.Dir+"/web/pages/download", "http://"+host+"/upload/nat")
		for _, flags := range []string{"-n 20M", "-n 20M -R", "-n 20M -P 4", "-n 1M -u -b 20M -l 1200", "-n 1M -u -b 20M -l 1200 -R"} {
			out := w.do(w.Client, "iperf3", append([]string{"-J", "-c", web, "-p", port}, strings.Fields(flags)...)...)
			var report struct {
				End struct {
					Received struct{ Bytes float64 } `json:"sum_received"`
					Sum      struct {
						Packets float64
						Lost    float64 `json:"lost_packets"`
					}
				}
			}
			if err := json.Unmarshal([]byte(out), &report); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(flags, "-u") {
				if s := report.End.Sum; s.Packets == 0 || s.Lost > s.Packets/2 {
					t.Errorf("iperf3 %s to %s: %v of %v datagrams were lost", flags, web, s.Lost, s.Packets)
				}
			} else if report.End.Received.Bytes < 1e6 {
				t.Errorf("iperf3 %s to %s: %v bytes arrived", flags, web, report.End.Received.Bytes)
			}
		}
	}
	w.eventually("the connections are over", func() bool { return len(w.sessions("nat protocol tcp")) == 0 })
	w.show("clear security flow session nat") // those of datagrams wait for more
	if out := w.show("show security flow session summary"); !strings.Contains(out, "Services-offload-sessions: 0") {
		t.Errorf("the kernel still carries sessions:\n%s", out)
	}
}

// A link whose MTU shrinks under a carried session, and one beyond the gateway: whoever sends too much is told, and
// goes on with less. What may be fragmented is.
func TestPathMTUOfCarriedSessions(t *testing.T) {
	for _, c := range []struct {
		name  string
		place func(w *world) error
	}{
		{"the gateway's WAN link", narrowWAN1},
		{"beyond the gateway", func(w *world) error {
			return errors.Join(w.Internet.IP("link set to-echo mtu 1400"), w.Echo.IP("link set eth0 mtu 1400"))
		}},
		{"the gateway's LAN", func(w *world) error {
			return errors.Join(w.Gateway.IP("link set lan0 mtu 1400"), w.Client.IP("link set eth0 mtu 1400"))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1)
			var open []net.Conn
			for _, echo := range translatedEcho {
				conn, _ := w.settle(echo.network, echo.address)
				open = append(open, conn)
			}
			if err := c.place(w); err != nil {
				t.Fatal(err)
			}
			for i, conn := range open {
				echo := translatedEcho[i]
				if echo.network == "tcp" {
					if err := echoesRandom(conn, 300000); err != nil {
						t.Errorf("tcp %s: %v", echo.address, err)
					}
					continue
				}
				for _, fragment := range []bool{false, true} {
					if echo.headers == 28 {
						discover := unix.IP_PMTUDISC_WANT
						if fragment {
							discover = unix.IP_PMTUDISC_DONT
						}
						control(t, conn, func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, discover) })
					}
					w.eventually(fmt.Sprintf("datagrams of 1,440 bytes pass to %s, fragmented by routers: %v", echo.address, fragment), func() bool {
						return echoesRandom(conn, 1440) == nil
					})
				}
			}
		})
	}
}

// A carried session comes back to the process, or ends, when a commit says so; what its connection says last is seen
// as ever, and its port at the link's address is free afterwards.
func TestCarriedTranslatedSessionsComeBack(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+hideBehindWAN1+"set security policies policy-rematch\n")
	conn, _ := w.settle("tcp", lab.EchoAddr4Link1)
	w.configure("set security flow no-services-offload")
	w.eventually("the session is with the process again", func() bool { return w.session(conn).Path == "express" })
	if err := echoesRandom(conn, 100000); err != nil {
		t.Errorf("after it came back: %v", err)
	}
	w.configure("delete security flow no-services-offload")
	conn.Close()
	w.gone(conn)

	ended, s := w.settle("udp", lab.EchoAddr4Link1)
	nat := s.Out.Destination
	w.show("clear security flow session nat")
	stray := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, s.Out.Source.Port()), nat.Port())
	stray = append(stray, 0, 13, 0, 0, 's', 't', 'r', 'a', 'y') // without checksum
	if err := w.Echo.Do(func() error {
		c, err := net.ListenPacket("ip4:udp", s.Out.Source.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.WriteTo(stray, &net.IPAddr{IP: nat.Addr().AsSlice()})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ended.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if n, err := ended.Read(make([]byte, 10)); err == nil {
		t.Errorf("%d bytes came to the client by a port that is free", n)
	}
	if err := echoesRandom(ended, 100); err != nil {
		t.Errorf("the client's next session: %v", err)
	}
	if again := w.session(ended); again.ID == s.ID {
		t.Errorf("session %d goes on after it was cleared", s.ID)
	}

	last, _ := w.settle("tcp", lab.EchoAddr6Link1)
	w.configure("set security policies from-zone trust to-zone untrust policy all then deny")
	w.gone(last)
	if _, err := last.Write([]byte("more")); err != nil {
		return
	}
	last.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
	if _, err := last.Read(make([]byte, 10)); err == nil {
		t.Error("a session that a commit forbids goes on")
	}
}

// settle opens a connection to the echo server at an address and uses it until the kernel carries the session.
func (w *world) settle(network, address string) (net.Conn, view.Session) {
	w.t.Helper()
	conn, err := w.dial(w.Client, network, net.JoinHostPort(address, strconv.Itoa(lab.PortEcho)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.eventually("the kernel carries the session by "+network+" to "+address, func() bool {
		for range 20 {
			if err := echoes(conn); err != nil {
				w.t.Fatalf("%s %s: %v", network, address, err)
			}
		}
		return w.session(conn).Path == "offload"
	})
	return conn, w.session(conn)
}

// session is the session of a connection of the client; its Path is "" when there is none.
func (w *world) session(conn net.Conn) view.Session {
	w.t.Helper()
	local := netip.MustParseAddrPort(conn.LocalAddr().String())
	for _, s := range w.sessions(fmt.Sprintf("source-prefix %s source-port %d", local.Addr(), local.Port())) {
		if s.State == "Valid" && s.Protocol == conn.LocalAddr().Network() {
			return s
		}
	}
	return view.Session{}
}

// gone waits until a connection of the client has no session.
func (w *world) gone(conn net.Conn) {
	w.t.Helper()
	w.eventually("the session is over", func() bool { return w.session(conn).Path == "" })
}

// throughProcess counts the packets that the process was given by the client's and the WAN links.
func (w *world) throughProcess() (packets uint64) {
	w.t.Helper()
	for _, device := range []string{"slu-lan0", "slu-wan0", "slu-wan1"} {
		var links []struct {
			Stats64 struct {
				TX struct{ Packets uint64 }
			}
		}
		if err := json.Unmarshal([]byte(w.do(w.Gateway, "ip", "-j", "-s", "link", "show", device)), &links); err != nil || len(links) != 1 {
			w.t.Fatalf("%s: %v", device, err)
		}
		packets += links[0].Stats64.TX.Packets
	}
	return packets
}

// echoesRandom says whether size random bytes over conn come back as they were.
func echoesRandom(conn net.Conn, size int) error {
	sent, got := make([]byte, size), make([]byte, size)
	rand.Read(sent)
	limit := 15 * time.Second
	if _, datagrams := conn.(*net.UDPConn); datagrams {
		limit = time.Second
	}
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	wrote := make(chan error, 1)
	go func() {
		_, err := conn.Write(sent)
		wrote <- err
	}()
	_, err := io.ReadFull(conn, got)
	if err := errors.Join(<-wrote, err); err != nil {
		return err
	}
	if !bytes.Equal(sent, got) {
		return errors.New("other bytes came back")
	}
	return nil
}

// control sets an option of a connection's socket.
func control(t *testing.T, conn net.Conn, set func(fd int) error) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { err = set(int(fd)) }), err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
