package scenario

import (
	"bufio"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"sluice/lab"
)

// ruled is a policy whose sessions a rule set decides about.
func ruled(name, application, set string, then ...string) string {
	return permit(name, application, append([]string{"log session-init", "permit application-services application-firewall rule-set " + set}, then...)...)
}

// The guide's example that denies some applications, between the lab's zones: the two stop in
// silence, the rest of HTTP passes; what each rule decided is counted, and found in the session.
// Rows: FW-18, FW-19, FW-22, FW-25, FW-29, FW-36, FW-38, FW-43, FW-52, FW-53, FW-63, FW-65, O-3.
func TestGuideDenySome(t *testing.T) {
	w := start(t, lab.Options{}, `
set security policies from-zone trust to-zone untrust policy policy1 match source-address any
set security policies from-zone trust to-zone untrust policy policy1 match destination-address any
set security policies from-zone trust to-zone untrust policy policy1 match application junos-http
set security policies from-zone trust to-zone untrust policy policy1 then permit application-services application-firewall rule-set rs1
set security application-firewall rule-sets rs1 rule r1 match dynamic-application [junos:FACEBOOK-CHAT junos:FACEBOOK-FARMVILLE]
set security application-firewall rule-sets rs1 rule r1 then deny
set security application-firewall rule-sets rs1 default-rule permit
set security policies from-zone trust to-zone untrust policy policy1 then log session-init
`)
	for _, host := range []string{"www.messenger.com", "www.farmville.com"} {
		if out, err := w.web(host, "-m1"); err == nil || !strings.Contains(out, "timed out") {
			t.Errorf("%s: %v %q, want silence", host, err, out)
		}
	}
	c := w.connect(lab.WebAddr4 + ":80")
	if got := w.show("show security application-firewall rule-set rs1"); !strings.Contains(got, "appid pending: 1\n") {
		t.Errorf("a session that has said nothing is not pending:\n%s", got)
	}
	if err := request(c, bufio.NewReader(c), "www.facebook.com"); err != nil {
		t.Errorf("the rest: %v", err)
	}
	got := w.show("show security application-firewall rule-set all")
	if !regexp.MustCompile(`(?s)Rule: r1\n.*Action: deny\n +Number of sessions matched: 2\n.*Default rule: permit\n +Number of sessions matched: 1\n.*appid pending: 0\n`).MatchString(got) {
		t.Errorf("the rule set is shown as\n%s", got)
	}
	for filter, want := range map[string]string{
		"application-firewall": "Total sessions: 3",
		"application-firewall-rule-set rs1 dynamic-application FACEBOOK-CHAT":      "Total sessions: 1",
		"application-firewall-rule-set rs2":                                        "Total sessions: 0",
		"application-firewall dynamic-application junos:FACEBOOK-ACCESS extensive": "Application firewall rule-set: rs1, Rule: default-rule\n",
	} {
		if got := w.show("show security flow session " + filter); !strings.Contains(got, want) {
			t.Errorf("%s: %q is not in\n%s", filter, want, got)
		}
	}
	w.eventually("the refusals are logged", func() bool {
		return strings.Count(w.show("show security log message RT_FLOW_SESSION_DENY"), "appfw deny") == 2
	})
}

// The guide's example that permits some applications: they pass, and what is unknown; the rest is
// denied. Without the application that stands for unknown, the default rule decides about that.
// Rows: FW-8, FW-39, FW-40, FW-50, FW-51.
func TestGuidePermitSome(t *testing.T) {
	w := start(t, lab.Options{}, `
set security policies from-zone trust to-zone untrust policy policy2 match source-address any
set security policies from-zone trust to-zone untrust policy policy2 match destination-address any
set security policies from-zone trust to-zone untrust policy policy2 match application any
set security policies from-zone trust to-zone untrust policy policy2 then permit application-services application-firewall rule-set rs2
set security application-firewall rule-sets rs2 rule r1 match dynamic-application [junos:FACEBOOK-ACCESS junos:UNKNOWN]
set security application-firewall rule-sets rs2 rule r1 then permit
set security application-firewall rule-sets rs2 default-rule deny
set services application-identification application-system-cache security-services
`)
	if out, err := w.web("www.facebook.com"); err != nil {
		t.Errorf("the permitted application: %v %q", err, out)
	}
	if out, err := w.web("www.youtube.com", "-m1"); err == nil || !strings.Contains(out, "timed out") {
		t.Errorf("another application: %v %q, want silence", err, out)
	}
	w.listen(w.Web, ":4711", func(c *net.TCPConn) { _, _ = io.Copy(c, c) })
	if err := w.babble(); err != nil {
		t.Errorf("what is unknown: %v", err)
	}
	w.configure("delete security application-firewall rule-sets rs2 rule r1 match dynamic-application junos:UNKNOWN")
	if err := w.babble(); err == nil {
		t.Error("what is unknown passes the default rule")
	}
}

// babble sends 24 KB that mean nothing to a server, and waits for them to come back.
func (w *world) babble() error {
	c := w.connect(lab.WebAddr4 + ":4711")
	chunk := []byte(strings.Repeat("\x9c\x01\xfe\x83\x55", 200))
	for range 24 {
		if _, err := c.Write(chunk); err != nil {
			return err
		}
		if err := readAll(c, len(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// readAll reads n bytes, within 2 s.
func readAll(c net.Conn, n int) error {
	if err := c.SetReadDeadline(soon()); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, n))
	return err
}

// The guide's example of groups: a member that an earlier rule permits passes, its siblings are
// denied; when the rules change places, it is denied, too.
// Rows: FW-26, FW-30, FW-31, FW-32, FW-34, C-23.
func TestGuideGroups(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{}, exampleGroups+ruled("other-ports", "any", "social-network"))
	passes := func(want bool, host, port string) bool {
		out, err := w.try(w.Client, "curl", "-sS", within(want), "-H", "Host: "+host, "http://"+lab.WebAddr4+":"+port+"/whoami")
		if err != nil && !strings.Contains(out, "timed out") {
			t.Errorf("%s: %q", host, out)
		}
		return err == nil
	}
	w.listen(w.Web, ":8088", func(c *net.TCPConn) {
		if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")
		}
	})
	for host, want := range map[string]bool{"chat.google.com": true, "www.facebook.com": false, "www.linkedin.com": false, "www.example.net": true} {
		for _, port := range []string{"80", "8088"} {
			if got := passes(want, host, port); got != want {
				t.Errorf("%s on port %s passes: %v", host, port, got)
			}
		}
	}
	w.configure("insert security application-firewall rule-sets social-network rule denied-sites before rule google-rule")
	if passes(false, "chat.google.com", "80") {
		t.Error("the first rule that matches does not decide")
	}
	if got := w.show("show services application-identification application-group junos:social-networking"); !strings.Contains(got, "GOOGLETALK") {
		t.Errorf("the group is shown as\n%s", got)
	}
}

// The guide's fragments of block pages, completed: the text or the address of the profile where the
// rule asks for it, the default text without a profile, and none where the rule does not ask.
// Rows: FW-37, FW-44, FW-45, FW-46, FW-47, FW-48, FW-53.
func TestGuideBlockMessages(t *testing.T) {
	t.Parallel() // it mostly waits
	const rules = `
set security application-firewall rule-sets Ruleset-1 rule 1 match dynamic-application junos:FACEBOOK-CHAT
set security application-firewall rule-sets Ruleset-1 rule 1 then reject block-message
set security application-firewall rule-sets Ruleset-1 rule 2 match dynamic-application junos:YOUTUBE
set security application-firewall rule-sets Ruleset-1 rule 2 then deny
set security application-firewall rule-sets Ruleset-1 default-rule permit
`
	for _, c := range []struct{ name, profile, want string }{
		{"text", "set security application-firewall profile Redirect-Profile block-message type custom-text content \"YOUR APPLICATION IS BLOCKED AS PER THE ORGANIZATION POLICY\"\n", "HTTP/1.1 403 (?s:.*)YOUR APPLICATION IS BLOCKED AS PER THE ORGANIZATION POLICY"},
		{"address", "set security application-firewall profile Redirect-Profile block-message type custom-redirect-url content http://abc.company.com/information\n", "HTTP/1.1 302 (?s:.*)Location: http://abc.company.com/information\r\n"},
		{"default", "", `HTTP/1.1 403 (?s:.*), Application Firewall has blocked your request to application FACEBOOK-CHAT at 203\.0\.113\.80:80 accessed from 192\.0\.2\.10:\d+\.`},
	} {
		for _, path := range []string{"express", "stream"} {
			t.Run(c.name+" "+path, func(t *testing.T) {
				config := c.profile + rules + ruled("all", "any", "Ruleset-1")
				if c.profile != "" {
					config += "set security application-firewall rule-sets Ruleset-1 profile Redirect-Profile\n"
				}
				if path == "stream" {
					config += proxied("all")
				}
				w := start(t, lab.Options{}, config)
				out, err := w.web("www.messenger.com")
				if err != nil || !regexp.MustCompile(c.want).MatchString(out) {
					t.Errorf("page: %v\n%s", err, out)
				}
				if out, err := w.web("www.youtube.com", "-m1"); err == nil {
					t.Errorf("a rule without block-message: %q", out)
				}
				got := w.show("show security application-firewall rule-set Ruleset-1")
				if !regexp.MustCompile(`(?s)Rule: 1\n.*matched: 1\n +Number of sessions redirected: 1\n.*Rule: 2\n.*matched: 1\n +Number of sessions redirected: 0\n`).MatchString(got) {
					t.Errorf("counts:\n%s", got)
				}
				w.eventually("both reasons are logged", func() bool {
					log := w.show("show security log message RT_FLOW_SESSION_DENY")
					return strings.Contains(log, "appfw reject redirect") && strings.Contains(log, "appfw deny")
				})
			})
		}
	}
}

// The application firewall looks at the session and not at what its server was before, unless security
// services are to ask the cache: then a server that was something else is taken for that.
// Rows: UP-33, FW-66, C-25, C-59.
func TestFirewallAndCache(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, `
set security application-firewall rule-sets rs rule r match dynamic-application junos:HTTP
set security application-firewall rule-sets rs rule r then deny block-message
set security application-firewall rule-sets rs default-rule permit
`+ruled("all", "any", "rs"))
	var web atomic.Bool
	w.listen(w.Web, ":2222", func(c *net.TCPConn) {
		if web.Load() {
			answers(okPage)(c)
		} else {
			greets(sshBanner)(c)
		}
	})
	wasSSH := func() { // the cache learns it
		web.Store(false)
		c := w.connect(lab.WebAddr4 + ":2222")
		if err := readAll(c, len(sshBanner)); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
		w.remembers(2222, "SSH")
		web.Store(true)
	}
	wasSSH()
	get := func() string {
		out, _ := w.try(w.Client, "curl", "-sS", "-m5", "-i", "http://"+lab.WebAddr4+":2222/")
		return out
	}
	if out := get(); !strings.Contains(out, "Application Firewall has blocked your request to application HTTP") {
		t.Errorf("HTTP from a server that was SSH: %q, want the page", out)
	}
	w.show("clear services application-identification application-system-cache")
	wasSSH()
	w.configure("set services application-identification application-system-cache security-services")
	if out := get(); !strings.HasPrefix(out, "HTTP/1.1 200") {
		t.Errorf("what the cache takes for SSH: %q, want the server's answer", out)
	}
}

// A control session and its data session are judged each by its own application: a rule for the one
// leaves the other to the default rule; when the control session is denied, there is no other.
// Rows: FW-41, FW-42.
func TestControlAndDataSessions(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, `
set security application-firewall rule-sets rs rule r match dynamic-application [ junos:FTP junos:FTP-DATA ]
set security application-firewall rule-sets rs rule r then permit
set security application-firewall rule-sets rs default-rule deny
`+ruled("all", "any", "rs"))
	w.listen(w.Web, ":2121", ftpServer(w))
	lists := func(want bool) bool {
		out, err := w.try(w.Client, "curl", "-sS", within(want), "--ftp-pasv", "ftp://"+lab.WebAddr4+":2121/")
		return err == nil && strings.Contains(out, " pub")
	}
	if !lists(true) {
		t.Error("both are permitted, and nothing is listed")
	}
	w.configure("delete security application-firewall rule-sets rs rule r match dynamic-application junos:FTP-DATA")
	if lists(false) {
		t.Error("the data session passes in the name of its control session")
	}
	w.eventually("the data session is refused", func() bool {
		return strings.Contains(w.show("show security log message RT_FLOW_SESSION_DENY"), " FTP-DATA ")
	})
	w.configure("set security application-firewall rule-sets rs rule r match dynamic-application junos:FTP-DATA",
		"delete security application-firewall rule-sets rs rule r match dynamic-application junos:FTP")
	before := len(w.sessions("dynamic-application junos:FTP-DATA"))
	if lists(false) || len(w.sessions("dynamic-application junos:FTP-DATA")) > before { // those from before may have ended
		t.Error("a denied control session leads to a data session")
	}
}

// A rejecting rule answers at once: TCP with RST, UDP with ICMP port unreachable; on IPv6, too.
// Rows: FW-23, FW-37, FW-53.
func TestRuleRejects(t *testing.T) {
	w := start(t, lab.Options{}, `
set security application-firewall rule-sets rs rule r match dynamic-application [ junos:HTTP junos:DNS ]
set security application-firewall rule-sets rs rule r then reject
set security application-firewall rule-sets rs default-rule permit
`+ruled("all", "any", "rs"))
	for _, host := range []string{lab.WebAddr4, "[" + lab.WebAddr6 + "]"} {
		c := w.connect(host + ":80")
		if err := request(c, bufio.NewReader(c), "www.example.net"); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("HTTP to %s: %v", host, err)
		}
	}
	u, err := w.dial(w.Client, "udp", lab.DNSAddr4+":53")
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(u, dnsQuery); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("DNS: %v, want port unreachable", err)
	}
	w.eventually("the reason is logged", func() bool {
		return strings.Count(w.show("show security log message RT_FLOW_SESSION_DENY"), "appfw reject") >= 3
	})
}
