package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/lab"
	"sluice/manage/view"
)

// identification is what commands of application identification begin with after their verb.
const identification = " services application-identification "

// answer runs an operational command and decodes what it prints as JSON.
func (w *world) answer(command string, to any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(w.show(command+" | display json")), to); err != nil {
		w.t.Fatalf("%s: %v", command, err)
	}
}

// sessions are the sessions that a filter of "show security flow session" selects.
func (w *world) sessions(filter string) []view.Session {
	w.t.Helper()
	var list view.Sessions
	w.answer("show security flow session "+filter, &list)
	return list.Sessions
}

// carries waits until all sessions that a filter selects carry an application: the names of the
// protocol and of what runs over it, without prefix, as in "SSL/HTTPS", or "DNS".
func (w *world) carries(filter, application string) {
	w.t.Helper()
	var found []string
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		found = nil
		other := false
		for _, s := range w.sessions(filter) {
			name := strings.TrimPrefix(s.DynamicApplication, "junos:")
			if s.NestedApplication != "" {
				name += "/" + strings.TrimPrefix(s.NestedApplication, "junos:")
			}
			found = append(found, name)
			other = other || name != application
		}
		if len(found) > 0 && !other {
			return
		}
	}
	w.t.Errorf("sessions by %s carry %q, want %s", filter, found, application)
}

// cached is the application system cache: what was found at "address port protocol".
func (w *world) cached() map[string]string {
	w.t.Helper()
	var cache view.ApplicationCache
	w.answer("show"+identification+"application-system-cache", &cache)
	entries := map[string]string{}
	for _, e := range cache.Entries {
		entries[fmt.Sprint(e.Address, " ", e.Port, " ", e.Protocol)] = e.Application
	}
	return entries
}

// remembers waits until the cache says what the web server serves on a TCP port.
func (w *world) remembers(port int, application string) {
	w.t.Helper()
	found := ""
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if found = w.cached()[fmt.Sprintf("%s %d tcp", lab.WebAddr4, port)]; found == "junos:"+application {
			return
		}
	}
	w.t.Errorf("port %d is remembered as %q, want %s", port, found, application)
}

// greets makes a server that says something as soon as a client is there, and then listens.
func greets(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		_, _ = io.WriteString(c, text) // a client that is gone is no matter
		_, _ = io.Copy(io.Discard, c)
	}
}

// answers makes a server that answers the first thing a client says.
func answers(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) {
		if _, err := c.Read(make([]byte, 4096)); err == nil {
			greets(text)(c)
		}
	}
}

const (
	okPage    = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	sshBanner = "SSH-2.0-OpenSSH_9.6\r\n"
)

// What a session carries decides, not its port: web pages where SSH is usual, SSH where web pages
// are, and bytes that mean nothing where TLS is. All of it shows in the session table, the cache,
// the statistics and the filters.
// Rows: AI-1, AI-2, AI-9, AI-12, AI-13, AI-14, AI-16, AI-31, AI-68, 1/O-2, 1/O-9, 1/O-15.
func TestApplicationsOnAnyPort(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{NoServers: true}, config)
		w.listen(w.Web, ":22", answers(okPage))
		w.listen(w.Web, ":2222", answers(okPage))
		w.listen(w.Web, ":80", greets(sshBanner))
		w.listen(w.Web, ":443", answers("\x00\x01\x02\x03"))
		w.listen(w.Web, ":8443", greets("\x91\x82\x00nobody knows this"))

		for _, port := range []int{22, 2222} {
			if page := w.do(w.Client, "curl", "-sS", "-m5", fmt.Sprintf("http://%s:%d/", lab.WebAddr4, port)); page != "ok" {
				t.Errorf("port %d serves %q", port, page)
			}
			w.remembers(port, "HTTP")
		}
		ssh := w.connect(lab.WebAddr4 + ":80")
		if _, err := io.WriteString(ssh, "SSH-2.0-Go\r\n"); err != nil {
			t.Fatal(err)
		}
		w.carries("destination-port 80", "SSH")
		w.carries("dynamic-application junos:SSH", "SSH")
		w.carries("application ssh", "SSH")
		if list := w.sessions("application ssh"); len(list) != 1 || list[0].Encryption != "Yes" {
			t.Errorf("an SSH session is shown as %+v", list)
		}
		if _, err := w.gw.Show(t.Context(), "show security flow session dynamic-application junos:HTTTP"); err == nil || !strings.Contains(err.Error(), "junos:HTTP") {
			t.Errorf("a name that is misspelt: %v", err)
		}
		ssh.Close()
		w.remembers(80, "SSH")

		noise := []int{443, 8443}
		for _, port := range noise {
			c := w.connect(fmt.Sprintf("%s:%d", lab.WebAddr4, port))
			if _, err := c.Write([]byte{0x13, 0x37, 0xff, 0x00, 0xab, 0xcd, 0xef, 0x42}); err != nil {
				t.Fatal(err)
			}
			w.carries(fmt.Sprint("destination-port ", port), "UNKNOWN")
			c.Close()
		}
		for _, port := range noise {
			w.remembers(port, "UNKNOWN")
		}
		w.eventually("the statistics count the sessions that are over", func() bool {
			shown := w.show("show" + identification + "statistics applications")
			return regexp.MustCompile(`HTTP +2 +\d+ +No`).MatchString(shown) && regexp.MustCompile(`SSH +1 +\d+ +Yes`).MatchString(shown) &&
				regexp.MustCompile(`unknown +2 +\d+ +No`).MatchString(shown)
		})
		detail := w.show("show" + identification + "application detail junos:SSH")
		for _, want := range []string{"Application Name: junos:SSH", "Default ports: tcp/22", "Risk", "Category"} {
			if !strings.Contains(strings.ToLower(detail), strings.ToLower(want)) {
				t.Errorf("the details of SSH lack %q:\n%s", want, detail)
			}
		}
	})
}

// Real clients of the tools that a Debian machine has are known for what they do.
// Rows: AI-1, AI-3, AI-5, AI-6, AI-8.
func TestRealClients(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	w.listen(w.Web, ":8080", greets(sshBanner))
	w.do(w.Client, "curl", "-4", "-sS", "-m5", "--cacert", w.CA, "https://"+lab.WebName+"/")
	w.remembers(443, "HTTPS")
	w.do(w.Client, "dig", "+short", "@"+lab.DNSAddr4, lab.WebName)
	w.do(w.Client, "dig", "+short", "+tcp", "@"+lab.DNSAddr4, lab.WebName)
	for _, protocol := range []string{"udp", "tcp"} {
		w.eventually("DNS is remembered over "+protocol, func() bool { return w.cached()[lab.DNSAddr4+" 53 "+protocol] == "junos:DNS" })
	}
	ssh, err := w.Client.Start("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-p", "8080", "root@"+lab.WebAddr4)
	if err != nil {
		t.Fatal(err)
	}
	w.carries("destination-port 8080", "SSH")
	ssh.Kill()
	ping, err := w.Client.Start("ping", "-i0.2", lab.EchoAddr4)
	if err != nil {
		t.Fatal(err)
	}
	w.carries("protocol icmp", "ICMP/ICMP-ECHO")
	ping.Kill()
}

// A session's bytes go on while they are looked at, one by one; the answer is there in the end.
// Rows: AI-9, AI-10.
func TestOneByteAtATime(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{NoServers: true}, config)
		w.listen(w.Web, ":7", func(c *net.TCPConn) {
			answer := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("x", 1000)
			for b := make([]byte, 1); ; answer = answer[1:] {
				if _, err := c.Read(b); err != nil {
					return
				}
				_, _ = io.WriteString(c, answer[:1]) // a client that is gone is no matter
			}
		})
		c := w.connect(lab.WebAddr4 + ":7")
		const request = "GET /one/byte HTTP/1.1\r\nHost: " + lab.WebName + "\r\n\r\n"
		for i := range len(request) {
			if _, err := io.WriteString(c, request[i:i+1]); err != nil {
				t.Fatal(err)
			}
			// The next byte is sent when this one is answered.
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
		w.carries("destination-port 7", "HTTP")
	})
}

// Protocols in which the server speaks first are known by its greeting, before the client has said
// anything.
// Rows: AI-11.
func TestGreetingsTellTheApplication(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{NoServers: true}, config)
		for i, c := range []struct{ application, greeting string }{
			{"SSH", sshBanner},
			{"SMTP", "220 mail.example.net ESMTP Postfix\r\n"},
			{"POP3", "+OK POP3 server ready <1896.697170952@mail.example.net>\r\n"},
			{"IMAP", "* OK [CAPABILITY IMAP4rev1 STARTTLS] Dovecot ready.\r\n"},
			{"FTP", "220 (vsFTPd 3.0.3)\r\n"},
			{"MYSQL", "\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00\x0d\x39\x1d\x5a\x39\x0c\x21\x03\x00\xff\xff\xff\x02\x00\xff\xdf\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
				"\x2c\x13\x1d\x3a\x40\x6f\x7a\x10\x11\x32\x4c\x0e\x00mysql_native_password\x00"},
			{"VNC", "RFB 003.008\n"},
		} {
			port := 30001 + i
			w.listen(w.Web, fmt.Sprint(":", port), greets(c.greeting))
			conn := w.connect(fmt.Sprintf("%s:%d", lab.WebAddr4, port))
			if _, err := io.ReadFull(conn, make([]byte, len(c.greeting))); err != nil {
				t.Errorf("%s: the greeting does not arrive: %v", c.application, err)
			}
			if c.application == "FTP" {
				_, _ = io.WriteString(conn, "USER anonymous\r\n") // mail servers greet with the same number
			}
			w.carries(fmt.Sprint("destination-port ", port), c.application)
		}
	})
}

// Identification is switched off and on while sessions pass.
// Rows: AI-16, AI-17, 1/S-1, 1/S-2, 1/O-10, 1/O-11.
func TestIdentificationOffAndOn(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	held := w.connect(lab.EchoAddr4 + ":7")
	status := func(want string) {
		t.Helper()
		if shown := w.show("show" + identification + "status"); !regexp.MustCompile(`(?m)^Status +` + want).MatchString(shown) {
			t.Errorf("the status is not %s:\n%s", want, shown)
		}
		if err := echoes(held); err != nil {
			t.Errorf("a session from before does not go on: %v", err)
		}
	}
	get := func() { w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/") }
	status("Enabled")
	w.configure("set services application-identification no-application-identification")
	status("Disabled")
	get()
	if w.carries("destination-port 80", "UNKNOWN"); w.cached()[lab.WebAddr4+" 80 tcp"] != "" {
		t.Errorf("switched off, and remembered: %v", w.cached())
	}
	out, err := w.gw.Edit(t.Context(), "show services application-identification")
	if err != nil || !strings.Contains(out, "no-application-identification;") {
		t.Errorf("configuration mode shows %q, %v", out, err)
	}
	w.configure("delete services application-identification no-application-identification")
	out, err = w.gw.Edit(t.Context(), "set services application-identification packet-capture global max-packets 10",
		"edit services application-identification", "show packet-capture", "top", "rollback 0")
	if err != nil || !strings.Contains(out, "global;\nmax-packets 10;") {
		t.Errorf("configuration mode shows the capture as %q, %v", out, err)
	}
	status("Enabled")
	get()
	w.remembers(80, "HTTP")
}
