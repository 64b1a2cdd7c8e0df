package scenario

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"sluice/lab"
)

// Examples of the guide, word for word.
const (
	exampleQoSLimitation = `
set class-of-service application-traffic-control rule-sets AQ2 rule 1 match application junos:GOOGLE
set class-of-service application-traffic-control rule-sets AQ2 rule 1 then forwarding-class network-control
set class-of-service application-traffic-control rule-sets AQ2 rule 1 then dscp-code-point 110001
set class-of-service application-traffic-control rule-sets AQ2 rule 1 then loss-priority high
set security policies from-zone trust to-zone untrust policy 1 match source-address any
set security policies from-zone trust to-zone untrust policy 1 match destination-address any
set security policies from-zone trust to-zone untrust policy 1 match application any
set security policies from-zone trust to-zone untrust policy 1 match dynamic-application junos:FTP
set security policies from-zone trust to-zone untrust policy 1 then permit application-services application-traffic-control rule-set AQ2
`
	exampleUnifiedQoS = `
set class-of-service application-traffic-control rule-sets RS1 rule 1 match application junos:FACEBOOK-APP
set class-of-service application-traffic-control rule-sets RS1 rule 1 then forwarding-class fc-appqos loss-priority medium-low dscp-code-point 101110 log
set class-of-service application-traffic-control rule-sets RS1 rule 1 then rate-limit client-to-server Ratelimit1
set class-of-service application-traffic-control rate-limiters Ratelimit1 bandwidth-limit 1000
set security ngfw default-profile application-traffic-control rule-set RS1
set security policies from-zone untrust to-zone trust policy from_internet match source-address any
set security policies from-zone untrust to-zone trust policy from_internet match destination-address any
set security policies from-zone untrust to-zone trust policy from_internet match application any
set security policies from-zone untrust to-zone trust policy from_internet match dynamic-application junos:FACEBOOK-APP
set security policies from-zone untrust to-zone trust policy from_internet then permit application-services application-traffic-control rule-set RS1
`
)

// The guide's example of AppQoS in a unified policy, as it is but for the forwarding class that it leaves
// out, without which it is refused: the application is marked both ways and counted.
// Rows: QS-12, QS-20, QS-45, QS-48, QS-50, O-13, O-15.
func TestGuideUnifiedQoS(t *testing.T) {
	w := start(t, lab.Options{}, "")
	err := w.gw.Configure(t.Context(), strings.Split(strings.TrimSpace(exampleUnifiedQoS), "\n")...)
	if err == nil || !strings.Contains(err.Error(), `forwarding class "fc-appqos" is not configured`) {
		t.Errorf("with a forwarding class that is not configured: %v", err)
	}
	w.configure(strings.Split(strings.TrimSpace(exampleUnifiedQoS+"set class-of-service forwarding-classes queue 5 fc-appqos"), "\n")...)
	w.listen(w.Client, ":80", func(c *net.TCPConn) {
		for r := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n192.0.2.1\n")
		}
	})
	toServer, toClient := w.watchMarks(w.Client, "tcp dst port 80"), w.watchMarks(w.Web, "tcp src port 80")
	c, err := w.dial(w.Web, "tcp", lab.ClientAddr4+":80")
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for range 2 {
		if err := request(c, r, "apps.facebook.com"); err != nil {
			t.Fatal(err)
		}
	}
	w.eventually("both directions are marked", func() bool { return toServer.has("101110") && toClient.has("101110") })
	shown := w.show("show security flow session application-traffic-control extensive")
	for _, want := range []string{"Application traffic control rule-set: RS1, Rule: 1\n", "Forwarding class: fc-appqos\n", "Loss priority: medium-low\n", "Rate limiter client to server: Ratelimit1\n"} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	for name, want := range map[string]string{"Sessions processed": "1", "Sessions marked": "1", "Client-to-server flows rate limited": "1", "Server-to-client flows rate limited": "0", "Session default ruleset hit": "0"} {
		if got := w.counter(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// The guide's limitation: a policy for one application and a rule for another commit with a warning, and
// nothing is marked.
// Rows: QS-57.
func TestGuideQoSLimitation(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, exampleQoSLimitation)
	w.listen(w.Web, ":21", ftpServer(w))
	toServer := w.watchMarks(w.Web, "tcp dst port 21")
	if out, err := w.try(w.Client, "curl", "-sS", "-m5", "ftp://"+lab.WebAddr4+"/"); err != nil || !strings.Contains(out, " pub") {
		t.Fatalf("%v %s", err, out)
	}
	w.eventually("the control session is seen", func() bool { return len(toServer.list()) > 5 })
	if toServer.has("110001") {
		t.Error("a session that the rule does not match is marked")
	}
	w.show("clear security flow session all")
	if out := w.show("show class-of-service application-traffic-control statistics rule"); !strings.Contains(out, "AQ2      1     0\n") {
		t.Errorf("the rule has hits:\n%s", out)
	}
}

// marking is a rule set that marks video, and anything else.
func marking(set, video, rest string) string {
	p := "set class-of-service application-traffic-control rule-sets " + set + " rule "
	return p + "video match application junos:YOUTUBE\n" + p + "video then dscp-code-point " + video + "\n" +
		p + "rest match application-any\n" + p + "rest then dscp-code-point " + rest + "\n"
}

// under is a policy for an application, with a rule set of its own unless set is "".
func under(name, application, set string) string {
	action := "permit"
	if set != "" {
		action += " application-services application-traffic-control rule-set " + set
	}
	return unified(name, application, action)
}

// Which rule set a session has while several policies are possible, and after: one session for each line
// of the guide's table, over both paths. What a session is marked with before its application is known
// shows on its first packet, and after that on its last.
// Rows: QS-41, QS-46 to QS-56.
func TestQoSOfUnifiedPolicies(t *testing.T) {
	const useDefault = "set security ngfw default-profile application-traffic-control rule-set RS1\n"
	const (
		none  = "000000"
		rest1 = "001000" // cs1, of RS1
		rest2 = "010000" // cs2, of RS2
		video = "101110" // ef, of RS1
		final = "100010" // af41, of RS3
	)
	sets := marking("RS1", "ef", "cs1") + marking("RS2", "af21", "cs2") + marking("RS3", "af41", "cs3")
	facebook, youtube := "www.facebook.com", "www.youtube.com"
	same := under("p1", "junos:FACEBOOK-ACCESS", "RS1") + under("p2", "junos:YOUTUBE", "RS1")
	other := under("p1", "junos:FACEBOOK-ACCESS", "RS1") + under("p2", "junos:GOOGLE", "RS2")
	without := under("p3", "junos:YOUTUBE", "")
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			w := start(t, lab.Options{}, sets)
			for _, c := range []struct {
				name, config, host      string
				before, after           string
				hits, ignored, withRule string
			}{
				{"no conflict", useDefault + same, youtube, rest1, video, "0", "0", "RS1"},
				{"one policy names none", same + strings.ReplaceAll(without, "YOUTUBE", "SSH"), youtube, rest1, video, "0", "0", "RS1"},
				{"the final policy names none", under("p1", "junos:FACEBOOK-ACCESS", "RS1") + without, youtube, rest1, none, "0", "0", ""},
				{"conflict without a default", other + under("p3", "junos:YOUTUBE", "RS3"), youtube, none, none, "0", "1", ""},
				{"conflict, and the final policy names the default", useDefault + other, facebook, rest1, rest1, "1", "0", "RS1"},
				{"conflict, and the final policy names none", useDefault + other + without, youtube, rest1, none, "1", "0", ""},
				{"conflict, and the final policy names another", useDefault + other + under("p3", "junos:YOUTUBE", "RS3"), youtube, rest1, video, "1", "0", "RS1"},
				{"no application in the policy", under("all", "none", "RS3"), youtube, "011000", final, "0", "0", "RS3"},
			} {
				config := c.config
				if path == "stream" {
					config += policy("trust", "untrust", "last", "any", "any", "permit") + proxied("last")
					for _, name := range []string{"p1", "p2", "p3", "all"} {
						if strings.Contains(config, "policy "+name+" ") {
							config += proxied(name)
						}
					}
				}
				w.configure(strings.Split(strings.TrimSpace(config), "\n")...)
				w.show("clear class-of-service application-traffic-control counter")
				toServer, toClient := w.watchMarks(w.Web, "tcp dst port 80"), w.watchMarks(w.Client, "tcp src port 80")
				conn := w.connect(lab.WebAddr4 + ":80")
				r := bufio.NewReader(conn)
				for range 3 {
					if err := request(conn, r, c.host); err != nil {
						t.Fatalf("%s: %v", c.name, err)
					}
				}
				w.eventually(c.name+": the marks are as they should be in the end", func() bool { return toServer.last() == c.after && toClient.last() == c.after })
				if got := toServer.list()[0]; got != c.before {
					t.Errorf("%s: the first packet has %s, want %s", c.name, got, c.before)
				}
				for name, want := range map[string]string{"Session default ruleset hit": c.hits, "Session ignored no default ruleset": c.ignored} {
					if got := w.counter(name); got != want {
						t.Errorf("%s: %s: %s, want %s", c.name, name, got, want)
					}
				}
				shown := w.show(fmt.Sprint("show security flow session extensive destination-port 80 source-port ", conn.LocalAddr().(*net.TCPAddr).Port))
				want := c.withRule
				if want == "" {
					want = "INVALID"
				}
				if !strings.Contains(shown, fmt.Sprintf("traffic control rule-set: %s, Rule: ", want)) {
					t.Errorf("%s: not %s is in\n%s", c.name, want, shown)
				}
				if c.ignored == "1" {
					id := regexp.MustCompile(`Session ID: (\d+),`).FindStringSubmatch(shown)
					why := w.show("show security flow session session-identifier " + id[1] + " explain")
					if !strings.Contains(why, "Application traffic control: none for good, as the policies that were possible disagreed and there is no default\n") {
						t.Errorf("%s is not explained:\n%s", c.name, why)
					}
				}
				conn.Close()
				w.show("clear security flow session all")
				w.configure("rollback 1")
			}
		})
	}
}

// The code point that a client gives its packets goes through, and comes back when its session is marked
// no more.
// Rows: QS-55.
func TestOriginalCodePoint(t *testing.T) {
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			config := marking("RS1", "ef", "cs1") + under("p1", "junos:FACEBOOK-ACCESS", "RS1") + under("p2", "junos:YOUTUBE", "")
			if path == "stream" {
				config += proxied("p1") + proxied("p2")
			}
			w := start(t, lab.Options{}, config)
			toServer := w.watchMarks(w.Web, "tcp dst port 80")
			var conn net.Conn
			if err := w.Client.Do(func() (err error) {
				d := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
					return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, 0b011010<<2) }) // af31
				}}
				conn, err = d.DialContext(t.Context(), "tcp", lab.WebAddr4+":80")
				return err
			}); err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			for range 2 {
				if err := request(conn, r, "www.youtube.com"); err != nil {
					t.Fatal(err)
				}
			}
			w.eventually("the client's own code point is back", func() bool { return toServer.last() == "011010" })
			if got := toServer.list()[0]; got != "001000" {
				t.Errorf("the first packet has %s", got)
			}
		})
	}
}

// What is inside TLS counts where the SSL proxy opens it, for which AppQoS is reason enough: the web
// requests of a session are marked in both directions. Where it stays closed it is no web traffic.
// Rows: QS-1.
func TestQoSInsideTLS(t *testing.T) {
	const web = `
set class-of-service application-traffic-control rule-sets RS rule web match application [ junos:HTTP junos:HTTP2 ]
set class-of-service application-traffic-control rule-sets RS rule web then dscp-code-point af22
`
	config := web + policy("trust", "untrust", "all", "any", "any", "permit application-services application-traffic-control rule-set RS") +
		strings.Replace(sslProfile, "set security zones security-zone trust application-tracking\n", "", 1)
	w := startSSL(t, config)
	toServer, toClient := w.watchMarks(w.Web, "tcp dst port 443"), w.watchMarks(w.Client, "tcp src port 443")
	if out, err := w.fetch("https://" + lab.WebName + "/"); err != nil || !strings.Contains(out, "hello") {
		t.Fatalf("%v: %s", err, out)
	}
	w.eventually("both directions are marked", func() bool { return toServer.has("010100") && toClient.has("010100") })

	w.configure("delete security policies from-zone trust to-zone untrust policy all then permit application-services ssl-proxy")
	toServer = w.watchMarks(w.Web, "tcp dst port 443")
	w.do(w.Client, "curl", "-sS", "-m10", "--cacert", w.CA, "--resolve", lab.WebName+":443:"+lab.WebAddr4, "https://"+lab.WebName+"/")
	w.eventually("the session is seen", func() bool { return len(toServer.list()) > 5 })
	if toServer.has("010100") {
		t.Error("a session whose TLS stays closed is marked as web traffic")
	}
}
