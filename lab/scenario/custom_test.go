package scenario

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// customSignatures are the guide's custom applications of all kinds, and its policy.
const customSignatures = `
set services application-identification custom-application-byte-limit 400
set services application-identification application test cacheable
set services application-identification application test priority high
set services application-identification application my_custom_tcp over TCP signature s1 member m01 context stream
set services application-identification application my_custom_tcp over TCP signature s1 member m01 pattern .*install.*
set services application-identification application my_custom_tcp over TCP signature s1 member m01 direction any
set services application-identification application my_custom_tcp over TCP signature s1 member m01 depth 100
set services application-identification application my_custom_ftp over FTP signature sig1 member m01 depth 60
set services application-identification application my_custom_ftp over FTP signature sig1 member m01 context ftp-file-name
set services application-identification application my_custom_ftp over FTP signature sig1 member m01 pattern .*install.*
set services application-identification application my_custom_ftp over FTP signature sig1 member m01 direction client-to-server
set services application-identification application my_custom_http over HTTP signature s1 member m01 context http-header-host
set services application-identification application my_custom_http over HTTP signature s1 member m01 pattern .*agent1.*
set services application-identification application my_custom_http over HTTP signature s1 member m01 direction client-to-server
set services application-identification application my_custom_http over HTTP signature s1 member m01 depth 100
set services application-identification application my_custom_ssl over SSL signature s1 member m01 context ssl-server-name
set services application-identification application my_custom_ssl over SSL signature s1 member m01 pattern "example\.com"
set services application-identification application my_custom_ssl over SSL signature s1 member m01 direction client-to-server
set services application-identification application my_custom_ssl over SSL signature s1 member m01 depth 100
set services application-identification application my_custom_icmp icmp-mapping type 100
set services application-identification application my_custom_icmp icmp-mapping code 1
set services application-identification application my_custom_address address-mapping ADDR-SAMPLE filter ip 192.0.2.1/24
set services application-identification application my_custom_address address-mapping ADDR-SAMPLE filter port-range udp 5000-6000
set services application-identification application my_custom_ip_proto ip-protocol-mapping protocol 2
set security policies from-zone untrust to-zone trust policy 1 match source-address any
set security policies from-zone untrust to-zone trust policy 1 match destination-address any
set security policies from-zone untrust to-zone trust policy 1 match application any
set security policies from-zone untrust to-zone trust policy 1 match dynamic-application my_custom_http
set security policies from-zone untrust to-zone trust policy 1 then permit
set security zones security-zone trust application-tracking
`

// forApplications is a policy on applications that lets the server's or client's side choose what
// happens: its sessions are those of names.
func forApplications(from, to, name, names string, then ...string) string {
	return policy(from, to, name, "any", "any", then...) +
		fmt.Sprintf("set security policies from-zone %s to-zone %s policy %s match dynamic-application %s\n", from, to, name, names)
}

// applicationOf is what the session table says of the applications of the only session that a filter
// selects: protocol, application and extended application, as one text.
func (w *world) applicationOf(filter string) string {
	w.t.Helper()
	text := w.show("show security flow session extensive " + filter)
	m := regexp.MustCompile(`Dynamic application: (\S+),(?: Dynamic nested application: (\S+),)?(?: Extended application: (\S+),)?`).FindAllStringSubmatch(text, -1)
	if len(m) != 1 {
		w.t.Fatalf("%d sessions are selected by %s:\n%s", len(m), filter, text)
	}
	return strings.TrimRight(strings.ReplaceAll(strings.Join(m[0][1:], " "), "junos:", ""), " ")
}

// becomes waits until the session that a filter selects has some applications.
func (w *world) becomes(filter, want string) {
	w.t.Helper()
	got := ""
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = w.applicationOf(filter); got == want {
			return
		}
	}
	w.t.Errorf("%s: %s, want %s", filter, got, want)
}

// say opens a connection from the client and sends something. It stays open.
func (w *world) say(address, text string) *net.TCPConn {
	w.t.Helper()
	c := w.connect(address)
	if _, err := c.Write([]byte(text)); err != nil {
		w.t.Fatal(err)
	}
	return c
}

// from is the filter for the session of a connection.
func from(c net.Conn) string {
	_, port, _ := net.SplitHostPort(c.LocalAddr().String())
	return "source-port " + port
}

// rawSocket is a raw socket of a protocol on a host.
func (w *world) rawSocket(h *lab.Host, network string) *net.IPConn {
	w.t.Helper()
	var c *net.IPConn
	if err := h.Do(func() (err error) {
		c, err = net.ListenIP(network, nil)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	return c
}

// arrives says whether packets with a payload, sent again and again, come through to a raw socket or
// to that of a datagram server.
func (w *world) arrives(send func(), at net.PacketConn, payload []byte) bool {
	w.t.Helper()
	buffer := make([]byte, 2048)
	for range 5 {
		send()
		deadline := time.Now().Add(150 * time.Millisecond)
		for {
			if err := at.SetReadDeadline(deadline); err != nil {
				w.t.Fatal(err)
			}
			n, _, err := at.ReadFrom(buffer)
			if err != nil {
				break
			}
			if bytes.HasSuffix(buffer[:n], payload) {
				return true
			}
		}
	}
	return false
}

// silent serves TCP on a port of the web server, and says nothing.
func (w *world) silent(address string) {
	w.listen(w.Web, address, func(c *net.TCPConn) {
		_, _ = bufio.NewReader(c).WriteTo(new(bytes.Buffer))
	})
}

// The guide's custom applications, as they stand, on a running gateway: its policy lets one web host
// in from outside and nothing else; what the others are is told by the session table.
// Rows: CS-1 to CS-4, CS-24 to CS-28, CS-30, CS-31, CS-33, CS-36, CS-46 to CS-50, ST-1 to ST-8, ST-14, OC-3.
func TestCustomSignatures(t *testing.T) {
	w := start(t, lab.Options{}, customSignatures+lab.PermitAll)
	t.Run("policy by HTTP host", func(t *testing.T) {
		w := *w
		w.t = t
		w.listen(w.Client, ":8088", func(c *net.TCPConn) {
			if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"))
			}
		})
		if out := w.do(w.Web, "curl", "-sS", "-m5", "-H", "Host: agent1.lab", "http://"+lab.ClientAddr4+":8088/"); out != "hello" {
			t.Errorf("agent1.lab answers %q", out)
		}
		if out, err := w.try(w.Web, "curl", "-sS", "-m1", "-H", "Host: agent2.lab", "http://"+lab.ClientAddr4+":8088/"); err == nil {
			t.Errorf("agent2.lab passes: %q", out)
		}
	})
	t.Run("stream and its depth", func(t *testing.T) {
		w := *w
		w.t = t
		w.silent(":4711")
		text := strings.Repeat("x", 110) + "install" + strings.Repeat("x", 83)
		w.becomes(from(w.say(lab.WebAddr4+":4711", text[30:])), "UNKNOWN my_custom_tcp")
		beyond := w.say(lab.WebAddr4+":4711", text)
		w.eventually("the 200 bytes have passed", func() bool {
			return strings.Contains(w.show("show security flow session extensive "+from(beyond)), "Dynamic application") && w.carried(from(beyond)) >= 200
		})
		if got := w.applicationOf(from(beyond)); got != "UNKNOWN" {
			t.Errorf("a pattern beyond the depth: %s", got)
		}
		w.configure("set services application-identification application my_custom_tcp over TCP signature s1 member m01 depth 200")
		w.becomes(from(w.say(lab.WebAddr4+":4711", text)), "UNKNOWN my_custom_tcp")
		w.configure("rollback 1")
	})
	t.Run("TLS server name", func(t *testing.T) {
		w := *w
		w.t = t
		for port, c := range map[string]struct{ name, want string }{"40001": {"example.com", "SSL my_custom_ssl"}, "40002": {"other.test", "SSL HTTPS"}} {
			command := w.Client.Command(t.Context(), "openssl", "s_client", "-bind", lab.ClientAddr4+":"+port, "-connect", lab.WebAddr4+":443", "-servername", c.name)
			stdin, err := command.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			w.eventually("there is a session to "+c.name, func() bool {
				return strings.Contains(w.show("show security flow session source-port "+port), "Session ID")
			})
			w.becomes("source-port "+port, c.want)
			stdin.Close()
			_ = command.Wait() // it ends as its input does
		}
	})
	t.Run("shown", func(t *testing.T) {
		w := *w
		w.t = t
		out := w.show("show services application-identification application detail test")
		if !regexp.MustCompile(`(?s)Application Name: test\s+Application type: TEST\s+Description: N/A\s+Application ID: 167772\d\d\s+Priority: high`).MatchString(out) {
			t.Errorf("application test is shown as:\n%s", out)
		}
		if list := w.show("show services application-identification application"); !strings.Contains(list, "my_custom_ftp") || !strings.Contains(list, "junos:HTTP") {
			t.Error("the list of applications lacks custom or predefined ones")
		}
	})
}

// carried is the number of bytes of what the client has sent in a session, headers included.
func (w *world) carried(filter string) (n int) {
	m := regexp.MustCompile(`In: .*Bytes: (\d+)`).FindStringSubmatch(w.show("show security flow session " + filter))
	if m != nil {
		fmt.Sscan(m[1], &n)
	}
	return n
}

// ftpServer serves one file under any name, in passive mode.
func (w *world) ftpServer(address, host string) {
	w.listen(w.Web, address, func(c *net.TCPConn) {
		var data net.Listener
		defer func() {
			if data != nil {
				data.Close()
			}
		}()
		fmt.Fprintf(c, "220 lab FTP server ready\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			verb, _, _ := strings.Cut(lines.Text(), " ")
			switch strings.ToUpper(verb) {
			case "USER":
				fmt.Fprintf(c, "331 password please\r\n")
			case "PASS":
				fmt.Fprintf(c, "230 logged in\r\n")
			case "PWD":
				fmt.Fprintf(c, "257 \"/\"\r\n")
			case "EPSV":
				if err := w.Web.Do(func() (err error) {
					data, err = net.Listen("tcp", host+":0")
					return err
				}); err != nil {
					return
				}
				_, port, _ := net.SplitHostPort(data.Addr().String())
				fmt.Fprintf(c, "229 Entering Extended Passive Mode (|||%s|)\r\n", port)
			case "SIZE":
				fmt.Fprintf(c, "213 5\r\n")
			case "RETR":
				fmt.Fprintf(c, "150 here it comes\r\n")
				if d, err := data.Accept(); err == nil {
					fmt.Fprint(d, "hello")
					d.Close()
				}
				fmt.Fprintf(c, "226 done\r\n")
			case "QUIT":
				fmt.Fprintf(c, "221 bye\r\n")
				return
			default:
				fmt.Fprintf(c, "200 fine\r\n")
			}
		}
	})
}

// A file name decides in the middle of an FTP session.
// Rows: CS-29, CS-35.
func TestCustomFileName(t *testing.T) {
	w := start(t, lab.Options{}, customSignatures+forApplications("trust", "untrust", "no-installer", "my_custom_ftp", "reject", "log session-init")+lab.PermitAll)
	w.ftpServer(":21", lab.WebAddr4)
	if out := w.do(w.Client, "curl", "-sS", "-m10", "ftp://"+lab.WebAddr4+"/readme.txt"); out != "hello" {
		t.Errorf("another file: %q", out)
	}
	if out, err := w.try(w.Client, "curl", "-sS", "-m10", "ftp://"+lab.WebAddr4+"/setup_install.exe"); err == nil || strings.Contains(out, "hello") {
		t.Errorf("the installer passes: %q", out)
	}
	if hits := w.show("show security policies hit-count"); !regexp.MustCompile(`no-installer\s+[1-9]`).MatchString(hits) {
		t.Errorf("policy no-installer has no hits:\n%s", hits)
	}
}

// What is known by the first packet is refused with it: a message of ICMP, another protocol, a
// server's address; nothing else is touched.
// Rows: CS-10 to CS-12, CS-14, CS-15, CS-18, CS-20, CS-44, CS-48, ST-9 to ST-13.
func TestCustomMappings(t *testing.T) {
	w := start(t, lab.Options{}, customSignatures+`
set services application-identification application both address-mapping echo filter ip `+lab.EchoAddr4+`/32
set services application-identification application both ip-protocol-mapping protocol 253
set services application-identification application six icmp-mapping type 200
set services application-identification application ours address-mapping web filter ip `+lab.WebAddr4+`/32
set services application-identification application ours address-mapping web filter port-range tcp 80
set services application-identification application ours priority low
`+forApplications("trust", "untrust", "no", "[ my_custom_icmp my_custom_ip_proto six ]", "deny", "count")+lab.PermitAll+
		forApplications("untrust", "trust", "sip", "my_custom_address", "permit"))
	t.Run("ICMP", func(t *testing.T) {
		w := *w
		w.t = t
		icmp := w.rawSocket(w.Client, "ip4:icmp")
		at := w.rawSocket(w.Echo, "ip4:icmp")
		for _, c := range []struct {
			kind, code byte
			want       bool
		}{{100, 1, false}, {100, 2, true}, {101, 1, true}, {200, 0, false}} {
			message := []byte{c.kind, c.code, 0, 0, 0x12, c.kind, 0, c.code, 'l', 'a', 'b', c.kind, c.code, 0}
			message[2], message[3] = checksum(message)
			if got := w.arrives(func() { _, _ = icmp.WriteTo(message, &net.IPAddr{IP: net.ParseIP(lab.EchoAddr4)}) }, at, message); got != c.want {
				t.Errorf("type %d code %d arrives: %v", c.kind, c.code, got)
			}
		}
		w.do(w.Client, "ping", "-c2", "-i0.1", "-W2", lab.EchoAddr4)
		icmp6, at6 := w.rawSocket(w.Client, "ip6:ipv6-icmp"), w.rawSocket(w.Echo, "ip6:ipv6-icmp")
		message := []byte{200, 1, 0, 0, 0, 1, 2, 3, 's', 'i', 'x'}
		if !w.arrives(func() { _, _ = icmp6.WriteTo(message, &net.IPAddr{IP: net.ParseIP(lab.EchoAddr6)}) }, at6, message[4:]) {
			t.Error("ICMPv6 of the same type does not arrive")
		}
	})
	t.Run("IP protocol", func(t *testing.T) {
		w := *w
		w.t = t
		for protocol, want := range map[string]bool{"2": false, "253": true} {
			c, at := w.rawSocket(w.Client, "ip4:"+protocol), w.rawSocket(w.Echo, "ip4:"+protocol)
			message := []byte("\x16\x00\x09\x04protocol" + protocol)
			if got := w.arrives(func() { _, _ = c.WriteTo(message, &net.IPAddr{IP: net.ParseIP(lab.EchoAddr4)}) }, at, message); got != want {
				t.Errorf("protocol %s arrives: %v", protocol, got)
			}
		}
		// By protocol and by address it is the protocol's; both are one application here, and a
		// session that is only the address's is named by that.
		w.becomes("protocol 253", "UNKNOWN both")
	})
	t.Run("address, from the first packet", func(t *testing.T) {
		w := *w
		w.t = t
		for port, want := range map[string]string{"5500": "UNKNOWN my_custom_address", "6001": "UNKNOWN"} {
			var at net.PacketConn
			if err := w.Client.Do(func() (err error) {
				at, err = net.ListenPacket("udp", lab.ClientAddr4+":"+port)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer at.Close()
			c, err := w.dial(w.Web, "udp", lab.ClientAddr4+":"+port)
			if err != nil {
				t.Fatal(err)
			}
			message := []byte("to port " + port)
			if !w.arrives(func() { _, _ = c.Write(message) }, at, message) {
				t.Errorf("UDP to port %s does not arrive", port)
			}
			w.becomes("destination-port "+port, want)
		}
		// Only the destination counts, not where a session comes from.
		c, err := w.dial(w.Client, "udp", lab.EchoAddr4Link1+":7")
		if err != nil {
			t.Fatal(err)
		}
		if err := echoes(c); err != nil {
			t.Fatal(err)
		}
		if got := w.applicationOf(from(c)); strings.Contains(got, "my_custom") {
			t.Errorf("traffic from the prefix is %s", got)
		}
	})
	t.Run("address against a predefined application", func(t *testing.T) {
		w := *w
		w.t = t
		c := w.say(lab.WebAddr4+":80", "GET /whoami HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n")
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		w.becomes(from(c), "HTTP ours")
	})
}

// checksum is that of an ICMP message whose own is zero (RFC 1071), for an even length.
func checksum(message []byte) (high, low byte) {
	sum := uint32(0)
	for i := 0; i < len(message); i += 2 {
		sum += uint32(message[i])<<8 | uint32(message[i+1])
	}
	sum = sum>>16 + sum&0xffff
	sum += sum >> 16
	return byte(^sum >> 8), byte(^sum)
}

// Of several custom applications in one session, that by protocol comes before that by address, and
// that by stream is named beside that by address.
// Rows: CS-10, CS-16.
func TestCustomPrecedence(t *testing.T) {
	w := start(t, lab.Options{}, `
set services application-identification application by_protocol ip-protocol-mapping protocol 253
set services application-identification application by_address address-mapping echo filter ip `+lab.EchoAddr4+`/32
set services application-identification application by_stream over UDP signature s1 member m01 context stream
set services application-identification application by_stream over UDP signature s1 member m01 pattern "lab [a-z]+"
set services application-identification application by_stream over UDP signature s1 member m01 direction any
`+forApplications("trust", "untrust", "named", "by_stream", "permit", "log session-init")+lab.PermitAll)
	c := w.rawSocket(w.Client, "ip4:253")
	w.arrives(func() { _, _ = c.WriteTo([]byte("by both"), &net.IPAddr{IP: net.ParseIP(lab.EchoAddr4)}) }, w.rawSocket(w.Echo, "ip4:253"), []byte("by both"))
	w.becomes("protocol 253", "UNKNOWN by_protocol")
	for text, want := range map[string]string{"lab protocol": "UNKNOWN by_stream by_address", "something else": "UNKNOWN by_address"} {
		u, err := w.dial(w.Client, "udp", lab.EchoAddr4+":7004")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := u.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		w.becomes(from(u), want)
		if got := w.show("show security flow session " + from(u)); strings.Contains(want, "by_stream") && !strings.Contains(got, "Policy name: named/") {
			t.Errorf("%q is not under policy named:\n%s", text, got)
		}
	}
}

// Custom applications against predefined ones: low priority gives way, high does not, and what is
// changed while traffic runs holds for new sessions.
// Rows: CS-37 to CS-43, CS-57, CS-58, ST-3, ST-14, UP-11.
func TestCustomPriority(t *testing.T) {
	w := start(t, lab.Options{}, `
set services application-identification application ours cacheable
set services application-identification application ours over HTTP signature s1 member m01 context http-header-host
set services application-identification application ours over HTTP signature s1 member m01 pattern youtube
set services application-identification application ours over HTTP signature s1 member m01 direction client-to-server
set services application-identification application late over HTTP signature s1 member m01 context http-header-user-agent
set services application-identification application late over HTTP signature s1 member m01 pattern latecomer
set services application-identification application late over HTTP signature s1 member m01 direction client-to-server
set services application-identification application late priority high
set services application-identification custom-application-byte-limit 400
`+lab.PermitAll)
	get := func(host, agent string) string {
		c := w.say(lab.WebAddr4+":80", "GET /whoami HTTP/1.1\r\nHost: "+host+"\r\nX-Long: "+strings.Repeat("x", 900)+"\r\nUser-Agent: "+agent+"\r\n\r\n")
		if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		return from(c)
	}
	w.becomes(get("www.youtube.com", "curl"), "HTTP YOUTUBE")
	w.becomes(get("www.example.net", "latecomer"), "HTTP")
	w.eventually("the cache knows the server", func() bool {
		return strings.Contains(w.show("show services application-identification application-system-cache"), lab.WebAddr4)
	})
	w.configure("delete services application-identification custom-application-byte-limit", "set services application-identification application ours priority high")
	if cache := w.show("show services application-identification application-system-cache"); strings.Contains(cache, lab.WebAddr4) {
		t.Errorf("the cache was not emptied:\n%s", cache)
	}
	w.becomes(get("www.youtube.com", "curl"), "HTTP ours")
	w.becomes(get("www.example.net", "latecomer"), "HTTP late")
	w.configure("set services application-identification application ours over HTTP signature s1 member m01 pattern vimeo")
	w.becomes(get("www.youtube.com", "curl"), "HTTP YOUTUBE")
	w.becomes(get("www.vimeo.com", "curl"), "HTTP ours")
}

// A pattern that does not compile, or costs too much, is refused at commit with its place and the
// reason, and what runs goes on; custom applications keep the package where it is.
// Rows: CS-5 to CS-7, CS-9, CS-17, CS-34, CS-54, CS-58.
func TestCustomSignaturesRefused(t *testing.T) {
	w := start(t, lab.Options{}, customSignatures+lab.PermitAll)
	const root = "services application-identification application "
	for _, c := range []struct {
		statements []string
		want       []string
	}{
		{[]string{`set ` + root + `my_custom_tcp over TCP signature s1 member m01 pattern "(a)\1"`}, []string{root + "my_custom_tcp over TCP signature s1 member m01", "a back-reference is not supported"}},
		{[]string{`set ` + root + `my_custom_tcp over TCP signature s1 member m01 pattern "(a.{1,500}b.{1,500}c){1,90}"`}, []string{root + "my_custom_tcp over TCP signature s1 member m01", "at most 1000 are allowed"}},
		{[]string{`set ` + root + `my_custom_tcp over TCP signature s1 member m01 context http-header-hots`}, []string{"http-header-host"}},
		{[]string{`set ` + root + `my_custom_tcp over TPC signature s1 member m01 context stream`}, []string{"there is no protocol TPC"}},
		{[]string{`set ` + root + `my_custom_address address-mapping ADDR-SAMPLE filter ip 192.0.*.1`}, []string{"192.0.*.1"}},
		{[]string{`set ` + root + `junos:MINE cacheable`}, []string{"junos:"}},
		{[]string{`set ` + root + `another icmp-mapping type 100`, `set ` + root + `another icmp-mapping code 1`}, []string{"my_custom_icmp icmp-mapping"}},
	} {
		err := w.gw.Configure(t.Context(), append(c.statements, "show | compare")...)
		if err == nil {
			t.Errorf("%s is accepted", c.statements)
			w.configure("rollback 1")
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in %v", c.statements, want, err)
			}
		}
		if _, err := w.gw.Show(t.Context(), "configure; rollback 0; exit"); err != nil {
			t.Fatal(err)
		}
	}
	w.silent(":4711")
	w.becomes(from(w.say(lab.WebAddr4+":4711", "please install")), "UNKNOWN my_custom_tcp")
	const uninstall = "request services application-identification uninstall"
	out, err := w.gw.Show(t.Context(), uninstall)
	if err == nil && !strings.Contains(w.show(uninstall+" status"), "my_custom") {
		t.Errorf("the package was uninstalled: %s%s", out, w.show(uninstall+" status"))
	}
}

// The names of a server's certificate tell a custom application where the certificate is to be seen, as
// it is before TLS 1.3.
// Rows: CS-32.
func TestCustomSubjectAltName(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll+`
set services application-identification application ours over SSL signature s1 member m01 context ssl-subject-alt-name
set services application-identification application ours over SSL signature s1 member m01 pattern "`+strings.ReplaceAll(lab.WebName, ".", `\.`)+`"
set services application-identification application ours over SSL signature s1 member m01 direction server-to-client
set services application-identification application ours priority high
`)
	w.do(w.Client, "curl", "-ksS", "-m5", "--tls-max", "1.2", "https://"+lab.WebAddr4+"/")
	w.carries("destination-port 443", "SSL/ours")
}
