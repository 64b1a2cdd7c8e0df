package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/lab"
)

// unified is the statements of a policy by application, for any source and any service.
func unified(name, applications string, then ...string) string {
	return policy("trust", "untrust", name, "any", "any", then...) +
		"set security policies from-zone trust to-zone untrust policy " + name + " match dynamic-application [ " + applications + " ]\n"
}

// proxied makes the sessions of a permitting policy take the stream path.
func proxied(name string) string {
	return "set security policies from-zone trust to-zone untrust policy " + name + " then permit application-services tcp-proxy\n"
}

const told = `
set security dynamic-application profile profile1 redirect-message type custom-text content "THIS APPLICATION IS BLOCKED"
`

// web asks the web server for a page in the name of host.
func (w *world) web(host string, args ...string) (string, error) {
	return w.try(w.Client, "curl", append([]string{"-sS", "-m5", "-i", "-H", "Host: " + host, "http://" + lab.WebAddr4 + "/whoami"}, args...)...)
}

// The guide's example of unified policies, as it is but for what addresses and interfaces the lab
// has: the two applications are refused with the text, the rest is served; the page's session is
// found in the table and in the log.
// Rows: UP-1, UP-3, UP-4, UP-8, UP-17, FW-1, FW-5, FW-6, FW-7, FW-8, FW-12, FW-14, FW-15, O-2.
func TestGuideUnifiedPolicy(t *testing.T) {
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			config := told + `
set security policies from-zone trust to-zone untrust policy policy-1 match source-address any
set security policies from-zone trust to-zone untrust policy policy-1 match destination-address any
set security policies from-zone trust to-zone untrust policy policy-1 match application any
set security policies from-zone trust to-zone untrust policy policy-1 match dynamic-application junos:YAHOO-MAIL
set security policies from-zone trust to-zone untrust policy policy-1 match dynamic-application junos:FACEBOOK-ACCESS
set security policies from-zone trust to-zone untrust policy policy-1 then reject profile profile1
set security policies from-zone trust to-zone untrust policy policy-1 then log session-init
set security policies default-policy permit-all
`
			if path == "stream" {
				config += policy("trust", "untrust", "rest", "any", "any", "permit", "log session-init") + proxied("rest")
			}
			w := start(t, lab.Options{}, config)
			for _, host := range []string{"mail.yahoo.com", "www.facebook.com"} {
				out, err := w.web(host)
				if err != nil || !strings.HasPrefix(out, "HTTP/1.1 403 ") || !strings.Contains(out, "THIS APPLICATION IS BLOCKED") {
					t.Fatalf("%s: %v\n%s", host, err, out)
				}
				id := regexp.MustCompile(`Session (\d+)<`).FindStringSubmatch(out)
				if id == nil {
					t.Fatalf("the page names no session:\n%s", out)
				}
				if got := w.show("show security flow session session-identifier " + id[1]); !strings.Contains(got, "Session ID: "+id[1]+", Policy name: policy-1/") {
					t.Errorf("session %s of the page is not in the table:\n%s", id[1], got)
				}
				w.eventually("the refusal is in the log", func() bool {
					return strings.Contains(w.show("show security log session-identifier "+id[1]), "policy reject redirect")
				})
				why := w.show("show security flow session session-identifier " + id[1] + " explain")
				for _, want := range []string{"  policy-1/", ": reject, applications junos:FACEBOOK-ACCESS junos:YAHOO-MAIL\n", "nothing known\n", ", open\n", "Identification: junos:HTTP > junos:", "Decision: reject\n  By: security policies from-zone trust to-zone untrust policy policy-1, after "} {
					if !strings.Contains(why, want) {
						t.Errorf("%q is not in\n%s", want, why)
					}
				}
			}
			if out, err := w.web("www.example.net"); err != nil || !strings.HasPrefix(out, "HTTP/1.1 200 ") {
				t.Errorf("another application: %v\n%s", err, out)
			}
			detail := w.show("show security policies detail policy-name policy-1")
			if !regexp.MustCompile(`(?m)^  Dynamic Application:\njunos:FACEBOOK-ACCESS: \d+\njunos:YAHOO-MAIL: \d+\ndynapp-redir-profile: profile1\(1\)$`).MatchString(detail) {
				t.Errorf("the policy is shown as\n%s", detail)
			}
			if hits := w.show("show security policies hit-count"); !regexp.MustCompile(`policy-1\s+2 `).MatchString(hits) {
				t.Errorf("two sessions are not two hits:\n%s", hits)
			}
		})
	}
}

// Over a connection that is kept, the second request decides anew: refused, it gets no page, as the
// server has answered before; denied, the client hears nothing more.
// Rows: UP-14, UP-19, UP-20, FW-3, FW-44.
func TestSecondRequestOfAConnection(t *testing.T) {
	for _, action := range []string{"deny", "reject"} {
		t.Run(action, func(t *testing.T) {
			w := start(t, lab.Options{}, told+unified("no-video", "junos:YOUTUBE", action+" profile profile1", "log session-init")+
				policy("trust", "untrust", "rest", "any", "any", "permit"))
			c := w.connect(lab.WebAddr4 + ":80")
			r := bufio.NewReader(c)
			if err := request(c, r, "www.example.net"); err != nil {
				t.Fatal(err)
			}
			err := request(c, r, "www.youtube.com")
			if action == "deny" && !errors.Is(err, os.ErrDeadlineExceeded) || action == "reject" && !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the second request: %v", err)
			}
			w.eventually("the refusal is logged, without a page", func() bool {
				log := w.show("show security log message RT_FLOW_SESSION_DENY")
				return strings.Contains(log, "policy "+action) && !strings.Contains(log, "redirect")
			})
		})
	}
}

// request asks for a page on a connection and reads the answer to its end.
func request(c net.Conn, r *bufio.Reader, host string) error {
	if err := c.SetDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c, "GET /whoami HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if _, err := netip.ParseAddr(strings.TrimSpace(line)); err == nil { // who the server thinks it is
			return nil
		}
	}
}

// The application and with it the policy change with every request until the maximum of
// transactions; then they stay.
// Rows: UP-12, UP-15, UP-18, UP-20.
func TestMaximumTransactions(t *testing.T) {
	w := start(t, lab.Options{}, "set services application-identification maximum-transactions 3\n"+
		unified("video", "junos:YOUTUBE", "permit", "count")+unified("no-books", "junos:FACEBOOK-ACCESS", "reject")+
		policy("trust", "untrust", "rest", "any", "any", "permit"))
	c := w.connect(lab.WebAddr4 + ":80")
	r := bufio.NewReader(c)
	filter := "show security flow session destination-prefix " + lab.WebAddr4
	for n, host := range []string{"www.youtube.com", "www.example.net", "www.youtube.com", "www.facebook.com", "www.facebook.com"} {
		if err := request(c, r, host); err != nil {
			t.Fatalf("request %d for %s: %v", n+1, host, err)
		}
		want := []string{"video", "rest", "video", "video", "video"}[n]
		if got := w.show(filter); !strings.Contains(got, "Policy name: "+want+"/") {
			t.Errorf("after request %d, want policy %s:\n%s", n+1, want, got)
		}
	}
}

// sourceNAT translates the clients of trust to the address that they leave by.
const sourceNAT = `
set security nat source rule-set out from zone trust
set security nat source rule-set out to zone untrust
set security nat source rule-set out rule all match source-address 0.0.0.0/0
set security nat source rule-set out rule all then source-nat interface
`

// sshServer greets every client of a port as SSH servers do.
func (w *world) sshServer(port int) {
	w.listen(w.Web, fmt.Sprintf(":%d", port), func(c *net.TCPConn) {
		_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
		_, _ = io.Copy(io.Discard, c)
	})
}

// Applications are told apart on one port, whatever port it is, over IPv4 and IPv6, with and
// without translation, on both paths: SSH is refused after its greeting with RST, HTTP is served.
// Rows: UP-6, UP-16, UP-17, FW-2, FW-9, FW-23.
func TestApplicationsOnOnePort(t *testing.T) {
	config := unified("no-ssh", "junos:SSH", "reject", "log session-init") + unified("web", "junos:HTTP", "permit")
	for name, more := range map[string]string{"express": "", "translated": sourceNAT, "stream": proxied("web")} {
		t.Run(name, func(t *testing.T) {
			w := start(t, lab.Options{}, config+more)
			w.sshServer(2222)
			w.listen(w.Web, ":2223", func(c *net.TCPConn) {
				if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
					_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")
				}
			})
			for _, host := range []string{lab.WebAddr4, "[" + lab.WebAddr6 + "]"} {
				c, err := w.dial(w.Client, "tcp", host+":2222")
				if err == nil { // the RST may be faster than connect
					_, err = io.Copy(io.Discard, c)
				}
				if !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("SSH to %s: %v, want a RST", host, err)
				}
				if out, err := w.try(w.Client, "curl", "-sS", "-m5", "http://"+host+":2223/"); err != nil || out != "yes" {
					t.Errorf("HTTP to %s: %v %q", host, err, out)
				}
			}
			w.eventually("the refusals are logged", func() bool {
				return strings.Count(w.show("show security log message RT_FLOW_SESSION_DENY"), "policy reject") >= 2
			})
		})
	}
}

// Datagrams of a denied application stop in silence, too; a rejected one is answered with ICMP port
// unreachable.
// Rows: UP-17, FW-9, FW-23, TU-2.
func TestSilenceAndAnswer(t *testing.T) {
	w := start(t, lab.Options{}, unified("no-dns", "junos:DNS", "reject")+unified("no-ntp", "junos:NTP", "deny")+
		policy("trust", "untrust", "rest", "any", "any", "permit"))
	ntp := "\x23" + strings.Repeat("\x00", 39) + "\xe9\x12\x34\x56\x78\x9a\xbc\xde"
	for payload, want := range map[string]error{dnsQuery: syscall.ECONNREFUSED, ntp: os.ErrDeadlineExceeded} {
		port := map[string]int{dnsQuery: 53, ntp: 123}[payload]
		u, err := w.dial(w.Client, "udp", fmt.Sprintf("%s:%d", lab.EchoAddr4, port))
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(u, payload); !errors.Is(err, want) {
			t.Errorf("datagram to port %d: %v, want %v", port, err, want)
		}
	}
}

// dnsQuery asks for an address of www.example.net.
const dnsQuery = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03net\x00\x00\x01\x00\x01"

// soon is when what should have come by then will not come.
func soon() time.Time { return time.Now().Add(2 * time.Second) }

// ask sends a datagram and waits for an answer, 2 s at most.
func ask(c net.Conn, payload string) error {
	if err := c.SetDeadline(soon()); err != nil {
		return err
	}
	if _, err := io.WriteString(c, payload); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 100))
	return err
}

// Over TLS that is not decrypted there is no page: the connection ends cleanly, with what the policy
// says, and the log gives the reason.
// Rows: FW-44, FW-49, FW-53.
func TestRefusedOverTLS(t *testing.T) {
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			config := told + unified("no-video", "junos:YOUTUBE", "reject profile profile1", "log session-init") + policy("trust", "untrust", "rest", "any", "any", "permit")
			if path == "stream" {
				config += proxied("rest")
			}
			w := start(t, lab.Options{}, config)
			out, err := w.try(w.Client, "curl", "-k", "-sS", "-m5", "--resolve", "www.youtube.com:443:"+lab.WebAddr4, "https://www.youtube.com/whoami")
			if err == nil || strings.Contains(out, "timed out") || !strings.Contains(out, "reset") {
				t.Errorf("a refused name: %v %q, want a reset", err, out)
			}
			if out, err := w.try(w.Client, "curl", "-k", "-sS", "-m5", "--resolve", "www.example.net:443:"+lab.WebAddr4, "https://www.example.net/whoami"); err != nil {
				t.Errorf("another name: %v %q", err, out)
			}
			w.eventually("the refusal is logged, without a page", func() bool {
				log := w.show("show security log message RT_FLOW_SESSION_DENY")
				return strings.Contains(log, "policy reject") && !strings.Contains(log, "redirect")
			})
		})
	}
}

// What a policy on trial would refuse passes and is logged, with log-only on the policy or on the
// whole gateway; taken away, it is refused.
func TestLogOnly(t *testing.T) {
	const p = "security policies from-zone trust to-zone untrust policy no-video then log-only"
	for name, statement := range map[string]string{"policy": p, "gateway": "security policies log-only"} {
		t.Run(name, func(t *testing.T) {
			w := start(t, lab.Options{}, unified("no-video", "junos:YOUTUBE", "reject", "log session-init")+policy("trust", "untrust", "rest", "any", "any", "permit")+"set "+statement+"\n")
			if out, err := w.web("www.youtube.com"); err != nil || !strings.Contains(out, "200 OK") {
				t.Errorf("on trial: %v %q", err, out)
			}
			w.eventually("the refusal that was not is logged", func() bool {
				return strings.Contains(w.show("show security log message RT_FLOW_SESSION_DENY"), "policy reject (log-only)")
			})
			w.configure("delete " + statement)
			if out, err := w.web("www.youtube.com"); err == nil {
				t.Errorf("in force: %q", out)
			}
		})
	}
}

// While its application is not known a session is under the pre-id-default-policy, with the timeouts
// and logs of that.
// Rows: FW-11, UP-13.
func TestPreIDPolicy(t *testing.T) {
	w := start(t, lab.Options{}, unified("no-video", "junos:YOUTUBE", "deny")+policy("trust", "untrust", "rest", "any", "any", "permit", "log session-init")+`
set security policies pre-id-default-policy then log session-init
set security policies pre-id-default-policy then log session-close
set security policies pre-id-default-policy then session-timeout tcp 99
`)
	w.connect(lab.WebAddr4 + ":80")
	const filter = "flow session destination-prefix " + lab.WebAddr4
	if got := w.show("show security " + filter + " extensive"); !strings.Contains(got, "Maximum timeout: 99,") || !strings.Contains(got, "Dynamic application: junos:UNKNOWN,") {
		t.Errorf("an open session:\n%s", got)
	}
	w.show("clear security " + filter)
	w.eventually("its beginning and its end are logged under that policy", func() bool {
		log := w.show("show security log destination-address " + lab.WebAddr4)
		return strings.Contains(log, "RT_FLOW_SESSION_CREATE") && strings.Contains(log, "RT_FLOW_SESSION_CLOSE") && strings.Count(log, "pre-id-default-policy") == 2
	})
	if out, err := w.web("www.example.net"); err != nil {
		t.Fatal(err, out)
	}
	w.eventually("a session that is found is logged under its own", func() bool {
		return strings.Contains(w.show("show security log policy rest"), "RT_FLOW_SESSION_CREATE")
	})
}

// A policy may be looked up so many times for one session; then it is final.
// Rows: MA-12, ST-52.
func TestMaxLookups(t *testing.T) {
	for lookups, passes := range map[int]bool{1: true, 10: false} {
		t.Run(fmt.Sprint(lookups), func(t *testing.T) {
			w := start(t, lab.Options{}, fmt.Sprintf("set security policies unified-policy max-lookups %d\n", lookups)+
				unified("no-video", "junos:YOUTUBE", "reject")+policy("trust", "untrust", "rest", "any", "any", "permit"))
			if out, err := w.web("www.youtube.com"); (err == nil) != passes {
				t.Errorf("%v %q", err, out)
			}
		})
	}
}

// A changed policy holds for what runs: a session that waits for its application finds it under the
// new policies.
// Rows: UP-11, UP-17.
func TestPolicyChangeWhileOpen(t *testing.T) {
	w := start(t, lab.Options{}, unified("no-video", "junos:YOUTUBE", "reject")+policy("trust", "untrust", "rest", "any", "any", "permit"))
	open, kept := w.connect(lab.WebAddr4+":80"), w.connect(lab.WebAddr4+":80")
	r := bufio.NewReader(kept)
	if err := request(kept, r, "www.example.net"); err != nil {
		t.Fatal(err)
	}
	w.configure("set security policies from-zone trust to-zone untrust policy no-video match dynamic-application junos:FACEBOOK-ACCESS")
	if err := request(open, bufio.NewReader(open), "www.facebook.com"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the open session: %v, want a RST", err)
	}
	if err := request(kept, r, "www.example.net"); err != nil {
		t.Errorf("the running session: %v", err)
	}
	if err := request(kept, r, "www.facebook.com"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("what the running session then asks for: %v, want a RST", err)
	}
}

// Only what is named passes, and unknown names are refused with what they may have meant.
// Rows: AG-17, UP-40, FW-20.
func TestNamedOnly(t *testing.T) {
	w := start(t, lab.Options{}, unified("web", "junos:HTTP", "permit"))
	if out, err := w.web("www.example.net"); err != nil {
		t.Errorf("HTTP: %v %q", err, out)
	}
	tls := []string{"-k", "-sS", "--resolve", "www.example.net:443:" + lab.WebAddr4, "https://www.example.net/"}
	if out, err := w.try(w.Client, "curl", append(tls, within(false))...); err == nil {
		t.Errorf("HTTPS passes: %q", out)
	}
	const p = "set security policies from-zone trust to-zone untrust policy web "
	for statement, want := range map[string]string{
		p + "match dynamic-application junos:YOUTUB": "junos:YOUTUBE",
		p + "then permit application-services application-firewall rule-set rs\nset security application-firewall rule-sets rs default-rule permit": "Traditional AppFW and dynamic-application can't be applied to same policy",
	} {
		if err := w.gw.Configure(t.Context(), strings.Split(statement, "\n")...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", statement, err, want)
		}
	}
	w.configure("rollback 0", p+"match dynamic-application junos:SSL")
	if out, err := w.try(w.Client, "curl", append(tls, within(true))...); err != nil {
		t.Errorf("HTTPS that is named: %v %q", err, out)
	}
}
