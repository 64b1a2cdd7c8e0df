package scenario

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// hide translates what leaves by the gateway's addresses.
const hide = `
set security nat source rule-set hide from zone trust
set security nat source rule-set hide to zone untrust
set security nat source rule-set hide rule all match source-address 0.0.0.0/0
set security nat source rule-set hide rule all then source-nat interface
`

// only permits one application to the internet, and nothing else.
func only(application, dynamic string) string {
	return policy("trust", "untrust", "only", "any", application, "permit", "log session-close") +
		"set security policies from-zone trust to-zone untrust policy only match dynamic-application " + dynamic + "\n"
}

// ended waits until a session was logged as closed with all of what is given.
func (w *world) ended(of ...string) {
	w.t.Helper()
	w.eventually("a session is closed with "+strings.Join(of, ", "), func() bool {
	lines:
		for line := range strings.Lines(w.show("show security log message RT_FLOW_SESSION_CLOSE")) {
			for _, part := range of {
				if !strings.Contains(line, part) {
					continue lines
				}
			}
			return true
		}
		return false
	})
}

// listenUDP opens a UDP socket on h.
func (w *world) listenUDP(h *lab.Host, address string) net.PacketConn {
	w.t.Helper()
	var c net.PacketConn
	if err := h.Do(func() (err error) {
		c, err = net.ListenPacket("udp4", address)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// opening lets the policy of only open TLS.
const opening = `
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect trusted-ca all
set security policies from-zone trust to-zone untrust policy only then permit application-services ssl-proxy profile-name inspect
`

// The data sessions of a permitted FTP session pass in its name, in either direction, also where the
// client is translated, or where a policy opens TLS, which it is not; with the application layer gateway off, each is judged by itself.
// Rows: FW-41, FW-42.
func TestFTPDataFollowsControl(t *testing.T) {
	t.Parallel() // it mostly waits
	for name, config := range map[string]string{"addresses kept": "", "translated": hide, "SSL proxy": opening, "SSL proxy, translated": hide + opening} {
		t.Run(name, func(t *testing.T) {
			w := start(t, lab.Options{NoServers: true}, "")
			w.authority(filepath.Join(t.TempDir(), "root.pem"))
			w.configure(strings.Split(strings.TrimSpace(only("junos-ftp", "junos:FTP")+config), "\n")...)
			w.listen(w.Web, ":21", ftpServer(w))
			lists := func(want bool, host string, flags ...string) bool {
				out, err := w.try(w.Client, "curl", append(flags, "-sS", within(want), "ftp://"+host+"/")...)
				return err == nil && strings.Contains(out, " pub")
			}
			active, passive := []string{"--ftp-port", lab.ClientAddr4}, []string{"--ftp-pasv"}
			for _, flags := range [][]string{passive, active, append(active, "--disable-eprt")} {
				if !lists(true, lab.WebAddr4, flags...) {
					t.Errorf("%v: nothing is listed", flags)
				}
			}
			if !strings.Contains(config, hide) && !lists(true, "["+lab.WebAddr6+"]", "--ftp-port", "["+lab.ClientAddr6+"]") {
				t.Error("over IPv6 nothing is listed")
			}
			w.ended("TCP CLIENT FIN", lab.ClientAddr4, " only untrust trust ", " FTP-DATA ")
			w.ended(" only trust untrust ", " FTP-DATA ")
			w.configure("set security alg ftp disable")
			if lists(false, lab.WebAddr4, passive...) || lists(false, lab.WebAddr4, active...) {
				t.Error("without application layer gateway a data session passes that no policy permits")
			}
		})
	}
}

// A file that looks like a web page is FTP data all the same; the data session ends with its control
// session; one that nobody has announced does not pass, and a denied control session announces none.
// Rows: FW-41, TR-25.
func TestDataSessionEndsWithControl(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{NoServers: true}, only("junos-ftp", "junos:FTP"))
	data := w.listener(w.Web, ":2000")
	port := data.Addr().(*net.TCPAddr).Port
	w.listen(w.Web, ":21", func(c *net.TCPConn) {
		for say := "220 ready"; ; {
			fmt.Fprintf(c, "%s\r\n", say)
			line, err := bufio.NewReader(c).ReadString('\n')
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "EPSV"):
				say = fmt.Sprintf("229 entering extended passive mode (|||%d|)", port)
			default:
				say = "200 fine"
			}
		}
	})
	talk := func() (net.Conn, func(string)) {
		c := w.connect(lab.WebAddr4 + ":21")
		r := bufio.NewReader(c)
		line := func() {
			if _, err := r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		line()
		return c, func(command string) {
			_, _ = fmt.Fprintf(c, "%s\r\n", command) // reading tells
			line()
		}
	}
	passes := func(want bool) (net.Conn, bool) {
		var c net.Conn
		err := w.Client.Do(func() (err error) {
			c, err = net.DialTimeout("tcp", fmt.Sprint(lab.WebAddr4, ":", port), patience(want))
			return err
		})
		return c, err == nil
	}
	control, say := talk()
	say("USER me")
	if _, ok := passes(false); ok {
		t.Error("a data session passes that nobody has announced")
	}
	say("EPSV")
	c, ok := passes(true)
	if !ok {
		t.Fatal("an announced data session does not pass")
	}
	server, err := data.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := passes(false); ok {
		t.Error("a second data session passes by the announcement of one")
	}
	if _, err := io.WriteString(server, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"); err != nil {
		t.Fatal(err)
	}
	if err := readAll(c, 20); err != nil {
		t.Fatal(err)
	}
	w.carries(fmt.Sprint("destination-port ", port), "FTP-DATA")
	if err := control.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = control.Close()
	w.ended("parent closed", " FTP-DATA ")
	_ = server.Close()
	_ = c.Close()

	w.configure("set security policies from-zone trust to-zone untrust policy only match dynamic-application junos:SSH",
		"delete security policies from-zone trust to-zone untrust policy only match dynamic-application junos:FTP")
	denied := w.connect(lab.WebAddr4 + ":21")
	_, _ = io.WriteString(denied, "USER me\r\nEPSV\r\n") // lost, when it is denied
	if _, ok := passes(false); ok {
		t.Error("a denied control session leads to a data session")
	}
}

// A server of TFTP answers from another port; the transfer passes in the name of the request, also where
// the client is translated.
// Rows: FW-41.
func TestTFTPFollowsRequest(t *testing.T) {
	for name, config := range map[string]string{"addresses kept": "", "translated": hide} {
		t.Run(name, func(t *testing.T) {
			w := start(t, lab.Options{NoServers: true}, only("junos-tftp", "junos:TFTP")+config)
			requests := w.listenUDP(w.Web, ":69")
			go func() {
				request := make([]byte, 600)
				for {
					_, from, err := requests.ReadFrom(request)
					if err != nil {
						return
					}
					answer, err := w.dial(w.Web, "udp", from.String())
					if err != nil {
						return
					}
					_, _ = answer.Write(append([]byte{0, 3, 0, 1}, "the file"...)) // the client asks again
				}
			}()
			out, err := w.try(w.Client, "curl", "-sS", "-m5", "tftp://"+lab.WebAddr4+"/file")
			if err != nil || out != "the file" {
				t.Errorf("%q, %v", out, err)
			}
			w.carries("source-prefix "+lab.WebAddr4, "TFTP")
		})
	}
}

// The streams that RTSP and SIP have arranged pass in the name of the session that did, either way; they
// end as that says so.
// Rows: FW-41, TR-25.
func TestMediaFollowsControl(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, only("[ junos-rtsp junos-sip ]", "[ junos:RTSP junos:SIP ]"))
	rtp := binary.BigEndian.AppendUint32([]byte{0x80, 0, 0, 1, 0, 0, 0, 1}, 0x01020304)
	rtp = append(rtp, make([]byte, 160)...)
	arrives := func(want bool, from, to net.PacketConn, host string) bool {
		address := netip.MustParseAddrPort(to.LocalAddr().String())
		if _, err := from.WriteTo(rtp, net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), address.Port()))); err != nil {
			t.Fatal(err)
		}
		_ = to.SetReadDeadline(time.Now().Add(patience(want)))
		_, _, err := to.ReadFrom(make([]byte, 500))
		return err == nil
	}
	client, server := w.listenUDP(w.Client, ":6000"), w.listenUDP(w.Web, ":7000")
	if arrives(false, client, server, lab.WebAddr4) || arrives(false, server, client, lab.ClientAddr4) {
		t.Fatal("a stream passes that nobody has arranged")
	}

	w.listen(w.Web, ":554", func(c *net.TCPConn) {
		for lines := bufio.NewScanner(c); lines.Scan(); {
			if lines.Text() == "" {
				fmt.Fprint(c, "RTSP/1.0 200 OK\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;client_port=6000-6001;server_port=7000-7001\r\n\r\n")
			}
		}
	})
	c := w.connect(lab.WebAddr4 + ":554")
	r := bufio.NewReader(c)
	ask := func(request string) {
		_, _ = fmt.Fprintf(c, "%s rtsp://%s/film RTSP/1.0\r\nCSeq: 1\r\n\r\n", request, lab.WebAddr4) // reading tells
		for line := ""; line != "\r\n"; {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	ask("SETUP")
	if !arrives(true, server, client, lab.ClientAddr4) {
		t.Error("the film does not arrive")
	}
	w.carries("source-port 7000", "RTP")
	ask("TEARDOWN")
	w.ended(" ALG: ", " RTP ")

	phone, exchange := w.listenUDP(w.Client, ":5060"), w.listenUDP(w.Web, ":5060")
	say := func(from, to net.PacketConn, host, line, media string) {
		t.Helper()
		message := line + "\r\nVia: SIP/2.0/UDP " + lab.ClientAddr4 + ";branch=z9hG4bK1\r\nFrom: <sip:a@example.net>;tag=1\r\nTo: <sip:b@example.net>\r\n" +
			"Call-ID: one@example.net\r\nCSeq: 1 INVITE\r\nContent-Length: " + fmt.Sprint(len(media)) + "\r\n\r\n" + media
		address := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(host), 5060))
		if _, err := from.WriteTo([]byte(message), address); err != nil {
			t.Fatal(err)
		}
		if err := to.SetReadDeadline(soon()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := to.ReadFrom(make([]byte, 2000)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	offer := func(host string, port int) string {
		return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\n", host, host, port)
	}
	ear, mouth := w.listenUDP(w.Client, ":6002"), w.listenUDP(w.Web, ":7002")
	say(phone, exchange, lab.WebAddr4, "INVITE sip:b@example.net SIP/2.0", offer(lab.ClientAddr4, 6002))
	if !arrives(true, mouth, ear, lab.ClientAddr4) {
		t.Error("what is called does not reach the caller")
	}
	say(exchange, phone, lab.ClientAddr4, "SIP/2.0 200 OK", offer(lab.WebAddr4, 7002))
	if !arrives(true, ear, mouth, lab.WebAddr4) {
		t.Error("the caller does not reach what is called")
	}
	say(phone, exchange, lab.WebAddr4, "BYE sip:b@example.net SIP/2.0", "")
	w.eventually("no stream of the call is left", func() bool { return len(w.sessions("source-port 7002")) == 0 })
}
