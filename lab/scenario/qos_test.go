package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/lab"
)

// Examples of the guide, word for word.
const (
	exampleMicroQoS = `
set class-of-service application-traffic-control rate-limiters RL1 bandwidth-limit 1000
set class-of-service application-traffic-control rule-sets RS1 rule 1 match application junos:MODBUS-READ-COILS
set class-of-service application-traffic-control rule-sets RS1 rule 1 then dscp-code-point 111110
set class-of-service application-traffic-control rule-sets RS1 rule 1 then loss-priority high
set class-of-service application-traffic-control rule-sets RS1 rule 1 then rate-limit client-to-server RL1
set class-of-service application-traffic-control rule-sets RS1 rule 1 then log
set security policies from-zone untrust to-zone trust policy 1 match source-address any
set security policies from-zone untrust to-zone trust policy 1 match destination-address any
set security policies from-zone untrust to-zone trust policy 1 match application any
set security policies from-zone untrust to-zone trust policy 1 then permit application-services application-traffic-control rule-set RS1
`
	exampleQoS = `
set class-of-service forwarding-classes queue 4 my-app-fc
set class-of-service application-traffic-control rate-limiters test-r1 bandwidth-limit 100
set class-of-service application-traffic-control rate-limiters test-r1 burst-size-limit 13000
set class-of-service application-traffic-control rate-limiters test-r2 bandwidth-limit 200
set class-of-service application-traffic-control rate-limiters test-r2 burst-size-limit 26000
set class-of-service application-traffic-control rule-sets app-test1 rule 0 match application junos:FTP
set class-of-service application-traffic-control rule-sets app-test1 rule 0 match application junos:HTTP
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then forwarding-class my-app-fc
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then dscp-code-point af22
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then loss-priority low
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then rate-limit client-to-server test-r2
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then rate-limit server-to-client test-r2
set class-of-service application-traffic-control rule-sets app-test1 rule 0 then log
set class-of-service application-traffic-control rule-sets app-test1 rule 1 match application-any
set class-of-service application-traffic-control rule-sets app-test1 rule 1 then rate-limit client-to-server test-r2
set class-of-service application-traffic-control rule-sets app-test1 rule 1 then rate-limit server-to-client test-r2
set class-of-service application-traffic-control rule-sets app-test1 rule 1 then log
set security policies from-zone trust to-zone untrust policy p1 match source-address any
set security policies from-zone trust to-zone untrust policy p1 match destination-address any
set security policies from-zone trust to-zone untrust policy p1 match application any
set security policies from-zone trust to-zone untrust policy p1 then permit application-services application-traffic-control rule-set app-test1
`
)

// marks captures what arrives at a host and what fits filter. It says how many packets arrived with each
// traffic class (RFC 2474: the code point and two bits), the last of them first.
type marks struct {
	capture *lab.Process
}

// watchMarks begins to capture at h.
func (w *world) watchMarks(h *lab.Host, filter string) marks {
	w.t.Helper()
	return marks{w.capture(h, "eth0", "v", filter)}
}

// tos matches the traffic class of a packet in the output of tcpdump.
var tos = regexp.MustCompile(`(?m)IP \(tos (0x[0-9a-f]+),|IP6 \((?:class (0x[0-9a-f]+), )?`)

// list is the code points of the packets so far, in their order.
func (m marks) list() (points []string) {
	for _, found := range tos.FindAllStringSubmatch(m.capture.Output(), -1) {
		var class uint8
		_, _ = fmt.Sscanf(found[1]+found[2], "0x%x", &class)
		points = append(points, fmt.Sprintf("%06b", class>>2))
	}
	return points
}

// last is the code point of the last packet.
func (m marks) last() string {
	if points := m.list(); len(points) > 0 {
		return points[len(points)-1]
	}
	return ""
}

// has says whether a packet had the code point.
func (m marks) has(point string) bool { return strings.Contains(strings.Join(m.list(), " "), point) }

// mostly says whether more than half of the packets, of some, had the code point.
func (m marks) mostly(point string) bool {
	points := m.list()
	marked := len(slices.DeleteFunc(slices.Clone(points), func(p string) bool { return p != point }))
	return marked > 2 && marked > len(points)/2
}

// counter is a value of the counters of application traffic control.
func (w *world) counter(name string) string {
	w.t.Helper()
	out := w.show("show class-of-service application-traffic-control counter")
	found := regexp.MustCompile(`(?m)^  ` + name + ` +(\d+)$`).FindStringSubmatch(out)
	if found == nil {
		w.t.Fatalf("%s is not among\n%s", name, out)
	}
	return found[1]
}

// The guide's example of micro-applications in a rule, as it is but for the statement that tells them
// apart: reading coils is marked both ways, logged and under the limiter; another function is not.
// Rows: MA-29, QS-12, QS-13, QS-20, QS-35, QS-36, QS-38, QS-43, QS-46, QS-58.
func TestGuideMicroQoS(t *testing.T) {
	w := start(t, lab.Options{}, exampleMicroQoS+"set services application-identification micro-apps\n")
	w.modbusServer(w.Client)
	toServer, toClient := w.watchMarks(w.Client, "tcp dst port 502"), w.watchMarks(w.Web, "tcp src port 502")
	c := w.modbusClient()
	for range 3 {
		if !c.ask(readCoils) {
			t.Fatal("coils are not read")
		}
	}
	w.eventually("both directions are marked", func() bool { return toServer.last() == "111110" && toClient.last() == "111110" })
	if first := toServer.list()[0]; first != "000000" {
		t.Errorf("the first packet, whose application is not known, has %s", first)
	}
	shown := w.show("show security flow session application-traffic-control extensive")
	for _, want := range []string{
		"Application traffic control rule-set: RS1, Rule: 1\n", "DSCP code point: 111110\n", "Loss priority: high\n", "Rate limiter client to server: RL1\n",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not in\n%s", want, shown)
		}
	}
	w.eventually("the rule is logged", func() bool {
		return regexp.MustCompile(`APPQOS_LOG_EVENT: \S+ rule-match 203\.0\.113\.80/\d+->192\.0\.2\.10/502 tcp MODBUS-READ-COILS RS1 1 mark rate-limit ` +
			`dscp-code-point=111110 loss-priority=high client-to-server=RL1\n`).MatchString(w.show("show security log message APPQOS_LOG_EVENT"))
	})
	out := w.show("show class-of-service application-traffic-control statistics rate-limiter")
	if !regexp.MustCompile(`(?m)^pic: 0/0\n  Ruleset +Application +Client-to-server +Rate\(kbps\) +Server-to-client +Rate\(kbps\)\n  RS1 +MODBUS-READ-COILS +RL1 +1000 +N/A +N/A$`).MatchString(out) {
		t.Errorf("the limiters are shown as\n%s", out)
	}
	out = w.show("show class-of-service application-traffic-control statistics rule")
	if !regexp.MustCompile(`(?m)^pic: 0/0\n  Ruleset +Rule +Hits\n  RS1 +1 +1$`).MatchString(out) {
		t.Errorf("the rules are shown as\n%s", out)
	}
	for range 2 {
		if !c.ask(writeCoil) {
			t.Fatal("a coil is not written")
		}
	}
	w.eventually("what no rule names has no mark any more", func() bool { return toServer.last() == "000000" && toClient.last() == "000000" })
	if shown := w.show("show security flow session application-traffic-control extensive"); !strings.Contains(shown, "rule-set: RS1, Rule: INVALID\n") {
		t.Errorf("a session that no rule matches is shown as\n%s", shown)
	}
}

// The guide's example of AppQoS, as it is, over both paths: web traffic is marked in both directions,
// anything else is not, and all of it together goes no faster than the limiter.
// Rows: QS-1, QS-12, QS-14, QS-16, QS-18, QS-19, QS-21, QS-22, QS-27 to QS-29, QS-32, QS-33, QS-36, QS-37,
// QS-38, QS-39, QS-40, QS-42 to QS-44, QS-61, O-12 to O-15.
func TestGuideQoS(t *testing.T) {
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			config := exampleQoS
			if path == "stream" {
				config += proxied("p1")
			}
			w := start(t, lab.Options{}, config)
			for _, address := range []string{lab.WebAddr4, "[" + lab.WebAddr6 + "]"} {
				toServer, toClient := w.watchMarks(w.Web, "tcp dst port 80"), w.watchMarks(w.Client, "tcp src port 80")
				file := filepath.Join(w.Dir, "downloaded")
				began := time.Now()
				_, err := w.try(w.Client, "curl", "-gsS", "-m3", "-o", file, "http://"+address+"/download")
				took := time.Since(began)
				if err == nil {
					t.Fatal("64 MiB are there in 3 s")
				}
				info, err := os.Stat(file)
				if err != nil {
					t.Fatal(err)
				}
				const rate, burst = 200_000 / 8, 26_000
				most := int64(burst + rate*took.Seconds())
				t.Logf("%d bytes in %v, of at most %d", info.Size(), took, most)
				if info.Size() > most || info.Size() < most/5 {
					t.Errorf("%d bytes in %v are not what 200 kbit/s and a burst of 26000 bytes let through (%d)", info.Size(), took, most)
				}
				// All but the handshake and the request: their application is not known yet.
				w.eventually("both directions are marked", func() bool { return toServer.mostly("010100") && toClient.mostly("010100") })
			}
			toServer := w.watchMarks(w.Echo, fmt.Sprint("tcp dst port ", lab.PortEcho))
			c := w.connect(fmt.Sprint(lab.EchoAddr4, ":", lab.PortEcho))
			if err := echoes(c); err != nil {
				t.Fatal(err)
			}
			w.eventually("the packets are seen", func() bool { return len(toServer.list()) > 2 })
			if toServer.has("010100") {
				t.Error("what is no web traffic is marked as such")
			}
			w.show("clear security flow session all")
			w.eventually("the sessions are counted for their rules", func() bool {
				return regexp.MustCompile(`(?m)^  app-test1 +0 +2\n  app-test1 +1 +1$`).MatchString(w.show("show class-of-service application-traffic-control statistics rule"))
			})
			for name, want := range map[string]string{
				"Sessions processed": "3", "Sessions marked": "2", "Sessions honored": "0", "Sessions rate limited": "3",
				"Client-to-server flows rate limited": "3", "Server-to-client flows rate limited": "3",
				"Session default ruleset hit": "0", "Session ignored no default ruleset": "0",
			} {
				if got := w.counter(name); got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
			w.show("clear class-of-service application-traffic-control counter")
			w.show("clear class-of-service application-traffic-control statistics rule")
			if got := w.counter("Sessions processed"); got != "0" {
				t.Errorf("%s sessions after the counters were cleared", got)
			}
		})
	}
}

// The data sessions of FTP are treated as their control session is, whoever opens them.
// Rows: QS-27, QS-61.
func TestQoSOfFTPData(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, exampleQoS)
	w.listen(w.Web, ":21", ftpServer(w))
	for _, flags := range [][]string{{"--ftp-pasv"}, {"--ftp-port", lab.ClientAddr4}} {
		data := w.watchMarks(w.Client, "tcp and host "+lab.WebAddr4+" and not port 21 and greater 80")
		if out, err := w.try(w.Client, "curl", append(flags, "-sS", "-m5", "ftp://"+lab.WebAddr4+"/")...); err != nil || !strings.Contains(out, " pub") {
			t.Fatalf("%v: %v %s", flags, err, out)
		}
		w.eventually("what is listed is marked", func() bool { return data.has("010100") })
	}
	w.show("clear security flow session all")
	w.eventually("the four sessions count for the rule of FTP", func() bool {
		return regexp.MustCompile(`(?m)^  app-test1 +0 +4\n  app-test1 +1 +0$`).MatchString(w.show("show class-of-service application-traffic-control statistics rule"))
	})
}
