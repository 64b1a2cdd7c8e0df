package scenario

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"sluice/lab"
)

// raw sends packets of an IP protocol from the client to the echo host until a session carries an
// application.
func (w *world) raw(protocol int, payload []byte, application string) {
	w.t.Helper()
	var c net.Conn
	if err := w.Client.Do(func() (err error) {
		c, err = net.Dial(fmt.Sprint("ip4:", protocol), lab.EchoAddr4)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if _, err := c.Write(payload); err != nil {
			w.t.Fatal(err)
		}
	}
	w.carries(fmt.Sprint("protocol ", protocol), application)
}

// Protocols beside TCP and UDP are applications too.
// Rows: AI-6.
func TestIPProtocols(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll)
	esp := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 0x1000), 1), make([]byte, 48)...)
	w.raw(50, esp, "IPP-ESP")
	w.raw(47, []byte{0, 0, 0x08, 0, 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 59, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2}, "IPP-GRE")
	w.raw(89, append([]byte{2, 1, 0, 44}, make([]byte, 40)...), "IPP-OSPF")

	// SCTP: ports, tag 0, checksum, and one INIT chunk.
	init := binary.BigEndian.AppendUint32([]byte{0xc3, 0x50, 0x27, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20}, 0x01020304)
	init = append(init, 0, 1, 0, 0, 0, 10, 0, 10, 0, 0, 0, 1)
	binary.LittleEndian.PutUint32(init[8:], crc32.Checksum(init, crc32.MakeTable(crc32.Castagnoli)))
	w.raw(132, init, "IPP-SCTP")
}

// ftpServer is the smallest server that curl can list a directory from, passively or actively.
func ftpServer(w *world) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		say := func(format string, args ...any) { fmt.Fprintf(c, format+"\r\n", args...) }
		var data func() (net.Conn, error)
		call := func(address string) {
			own := &net.TCPAddr{IP: c.LocalAddr().(*net.TCPAddr).IP}
			data = func() (net.Conn, error) { return w.dialFrom(w.Web, "tcp", own, address) }
			say("200 as you like")
		}
		say("220 ready")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			verb, argument, _ := strings.Cut(lines.Text(), " ")
			switch strings.ToUpper(verb) {
			case "USER":
				say("331 password, please")
			case "PASS":
				say("230 welcome")
			case "PWD":
				say(`257 "/"`)
			case "EPSV":
				var l net.Listener
				if err := w.Web.Do(func() (err error) { l, err = net.Listen("tcp", ":0"); return err }); err != nil {
					return
				}
				defer l.Close()
				data = l.Accept
				say("229 entering passive mode (|||%d|)", l.Addr().(*net.TCPAddr).Port)
			case "EPRT":
				part := strings.Split(argument, "|")
				call(net.JoinHostPort(part[2], part[3]))
			case "PORT":
				part := strings.Split(argument, ",")
				high, _ := strconv.Atoi(part[4])
				low, _ := strconv.Atoi(part[5])
				call(fmt.Sprint(strings.Join(part[:4], "."), ":", high<<8|low))
			case "LIST", "RETR":
				conn, err := data()
				if err != nil {
					say("425 %v", err)
					continue
				}
				say("150 here it comes")
				_, _ = io.WriteString(conn, "drwxr-xr-x 2 0 0 4096 Nov 22 10:00 pub\r\n") // a client that is gone is no matter
				conn.Close()
				say("226 done")
			case "QUIT":
				say("221 bye")
				return
			case "TYPE", "CWD":
				say("200 fine")
			default:
				say("500 what")
			}
		}
	}
}

// The data sessions of FTP are known as such: passive ones and those that the server opens.
// Rows: AI-136.
func TestFTPData(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll+policy("untrust", "trust", "in", "any", "any", "permit"))
	w.listen(w.Web, ":2121", ftpServer(w))
	url := "ftp://" + lab.WebAddr4 + ":2121/"
	for _, mode := range []struct {
		flags  []string
		filter string
	}{
		{[]string{"--ftp-pasv"}, "source-prefix " + lab.ClientAddr4},
		{[]string{"--ftp-port", lab.ClientAddr4}, "source-prefix " + lab.WebAddr4},
	} {
		if listing := w.do(w.Client, "curl", append(mode.flags, "-sS", "-m5", url)...); !strings.Contains(listing, " pub") {
			t.Errorf("%v: %q", mode.flags, listing)
		}
		found := 0
		for _, s := range w.sessions(mode.filter) {
			if s.In.Destination == netip.AddrPortFrom(netip.MustParseAddr(lab.WebAddr4), 2121) {
				if s.DynamicApplication != "junos:FTP" {
					t.Errorf("%v: the control session is %s", mode.flags, s.DynamicApplication)
				}
				continue
			}
			if found++; s.DynamicApplication != "junos:FTP-DATA" {
				t.Errorf("%v: the data session %v is %s", mode.flags, s.In, s.DynamicApplication)
			}
		}
		if found == 0 {
			t.Errorf("%v: no data session", mode.flags)
		}
	}
}

// Frames of 9,192 bytes pass and are identified, where the interfaces are set so.
// Rows: AI-46, 1/S-42.
func TestJumboFrames(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+"set interfaces ge-0/0/0 mtu 9192\nset interfaces ge-0/0/1 mtu 9192\n")
	for host, devices := range map[*lab.Host][]string{w.Client: {"eth0"}, w.Internet: {"isp0", "to-web"}, w.Web: {"eth0"}} {
		for _, device := range devices {
			if err := host.IP("link set " + device + " mtu 9192"); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.do(w.Client, "ping", "-c1", "-W2", "-Mdo", "-s", fmt.Sprint(9192-28), lab.WebAddr4)
	c := w.connect(lab.WebAddr4 + ":80")
	// One segment of one frame.
	request := "GET / HTTP/1.1\r\nHost: www.example.net\r\nX: " + strings.Repeat("x", 7000) + "\r\n\r\n"
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	w.carries("destination-port 80", "HTTP")
	for _, s := range w.sessions("destination-port 80") {
		if s.In.Packets > 4 || s.In.Bytes < 7000 {
			t.Errorf("the request came in %d packets of %d bytes together", s.In.Packets, s.In.Bytes)
		}
	}
}
