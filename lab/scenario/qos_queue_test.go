package scenario

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sluice/lab"
)

// shaped makes the link to the internet as slow as 1 Mbit/s.
const shaped = "set class-of-service interfaces ge-0/0/1 unit 0 shaping-rate 1m\n"

// toHost is a policy for one destination under a rule set of its own, whose rule for anything does this.
func toHost(name, address string, then ...string) string {
	return "set security address-book global address " + name + " " + address + "\n" + treatAll(name, then...) +
		policy("trust", "untrust", name, name, "any", "permit application-services application-traffic-control rule-set "+name)
}

// treatAll is a rule set whose rule for anything does this.
func treatAll(name string, then ...string) string {
	rule := "set class-of-service application-traffic-control rule-sets " + name + " rule all "
	text := rule + "match application-any\n"
	for _, t := range then {
		text += rule + "then " + t + "\n"
	}
	return text
}

// flood is datagrams from the client to a host, and how many have arrived there.
type flood struct {
	to      net.Conn
	arrived atomic.Int64
}

// flood makes a flow to a port of h, which counts what arrives.
func (w *world) flood(h *lab.Host, address string) *flood {
	w.t.Helper()
	f := new(flood)
	at := w.listenUDP(h, address)
	go func() {
		for b := make([]byte, 2000); ; {
			if _, _, err := at.ReadFrom(b); err != nil {
				return
			}
			f.arrived.Add(1)
		}
	}()
	c, err := w.dial(w.Client, "udp", address)
	if err != nil {
		w.t.Fatal(err)
	}
	f.to = c
	return f
}

// send sends n datagrams of 1,000 bytes at four times the rate of a shaped link.
func (f *flood) send(n int) {
	for range n {
		_, _ = f.to.Write(bytes.Repeat([]byte("x"), 1000-28)) // refused, it is lost as on any wire
		time.Sleep(2 * time.Millisecond)
	}
}

// A link that is congested serves what has a low loss priority first, and drops what has a high one, in
// the queue of its class and beside the traffic that no rule treats; on an idle link nothing of it is lost.
// Packets that exceed a limiter with loss-priority-high are such.
// Rows: QS-6, QS-7, QS-9, QS-11, QS-12, QS-15, QS-34, C-46, C-48, C-51, C-55, ST-62.
func TestQoSQueues(t *testing.T) {
	limited := "set class-of-service application-traffic-control rate-limiters slow bandwidth-limit 8\n"
	for _, c := range []struct {
		name        string
		first, last []string
	}{
		{"loss priorities of a rule", []string{"forwarding-class fc", "loss-priority low"}, []string{"forwarding-class fc", "loss-priority high"}},
		{"what exceeds a limiter", []string{"forwarding-class best-effort"}, []string{"rate-limit client-to-server slow", "rate-limit loss-priority-high"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := start(t, lab.Options{NoServers: true}, limited+"set class-of-service forwarding-classes queue 5 fc\n"+
				toHost("first", lab.EchoAddr4, c.first...)+toHost("last", lab.DNSAddr4, c.last...))
			first, last := w.flood(w.Echo, lab.EchoAddr4+":9000"), w.flood(w.DNS, lab.DNSAddr4+":9000")
			last.send(50)
			w.eventually("on an idle link all arrives", func() bool { return last.arrived.Load() == 50 })
			if out := w.show("show security flow statistics"); !strings.Contains(out, "Packets dropped, rate-limit: 0\n") {
				t.Errorf("packets are dropped by a limiter:\n%s", out)
			}

			w.configure(strings.TrimSpace(shaped))
			last.arrived.Store(0)
			const n = 1000
			sent := make(chan bool)
			go func() {
				defer close(sent)
				last.send(n)
			}()
			first.send(n)
			<-sent
			w.eventually("some of what goes first arrives", func() bool { return first.arrived.Load() > n/4 })
			a, b := first.arrived.Load(), last.arrived.Load()
			t.Logf("%d of the first, %d of the last", a, b)
			if b > a/2 {
				t.Errorf("of %d datagrams each, %d arrive with a low loss priority and %d with a high one", n, a, b)
			}
			if out := w.do(w.Gateway, "tc", "qdisc", "show", "dev", "wan0"); !strings.Contains(out, "qdisc htb 5150: root") {
				t.Errorf("the link is not shaped:\n%s", out)
			}
			w.configure("delete class-of-service interfaces")
			if out := w.do(w.Gateway, "tc", "qdisc", "show", "dev", "wan0"); strings.Contains(out, "htb") {
				t.Errorf("the link is still shaped:\n%s", out)
			}
		})
	}
}

// sentBy is how many bytes a class of the queues of a device has sent.
func (w *world) sentBy(device, class string) (bytes int) {
	w.t.Helper()
	out := w.do(w.Gateway, "tc", "-s", "class", "show", "dev", device)
	if found := regexp.MustCompile(`class htb ` + class + ` .*\n Sent (\d+) bytes`).FindStringSubmatch(out); found != nil {
		bytes, _ = strconv.Atoi(found[1])
	}
	return bytes
}

// Both directions of a session wait in the queue of its class, on both paths, translated or not.
// Rows: QS-7, QS-9.
func TestQoSQueueOfBothDirections(t *testing.T) {
	for _, path := range []string{"express", "stream", "translated"} {
		t.Run(path, func(t *testing.T) {
			config := "set class-of-service forwarding-classes queue 5 fc\n" + treatAll("web", "forwarding-class fc", "loss-priority medium-high") +
				policy("trust", "untrust", "web", "any", "any", "permit application-services application-traffic-control rule-set web") +
				"set class-of-service interfaces ge-0/0/1 unit 0 shaping-rate 1g\nset class-of-service interfaces ge-0/0/0 unit 0 shaping-rate 1g\n"
			switch path {
			case "stream":
				config += proxied("web")
			case "translated":
				config += hide
			}
			w := start(t, lab.Options{}, config)
			const size = 400_000
			file := filepath.Join(w.Dir, "sent")
			if err := os.WriteFile(file, make([]byte, size), 0o644); err != nil {
				t.Fatal(err)
			}
			sent := 0
			for _, address := range []string{lab.WebAddr4, "[" + lab.WebAddr6 + "]"} {
				w.do(w.Client, "curl", "-gsS", "-m20", "-T", file, "http://"+address+"/upload/sent")
				w.do(w.Client, "curl", "-gsS", "-m20", "-r", fmt.Sprint("0-", size-1), "-o", file, "http://"+address+"/download")
				sent += size
				const place = "5150:36" // queue 5, the third of its loss priorities
				if up, down := w.sentBy("wan0", place), w.sentBy("lan0", place); up < sent || down < sent {
					t.Errorf("of %d bytes each way, %d and %d waited in the queue of their class", sent, up, down)
				}
			}
		})
	}
}

// A link marks the classes that its rewrite rule names, on both paths, whatever a rule says; other classes
// keep the mark of their rule.
// Rows: QS-3, QS-8, QS-7.
func TestQoSRewriteRules(t *testing.T) {
	const rewrite = `
set class-of-service forwarding-classes queue 4 shared
set class-of-service forwarding-classes class own queue-num 4
set class-of-service rewrite-rules dscp out forwarding-class shared loss-priority low code-point cs5
set class-of-service rewrite-rules dscp out forwarding-class shared loss-priority high code-point cs1
set class-of-service interfaces ge-0/0/1 unit 0 rewrite-rules dscp out
`
	for _, path := range []string{"express", "stream"} {
		t.Run(path, func(t *testing.T) {
			config := rewrite +
				toHost("low", lab.EchoAddr4, "forwarding-class shared", "dscp-code-point ef") +
				toHost("high", lab.WebAddr4, "forwarding-class shared", "loss-priority high") +
				toHost("own", lab.DNSAddr4, "forwarding-class own", "dscp-code-point ef")
			if path == "stream" {
				config += proxied("low") + proxied("high") + proxied("own")
			}
			w := start(t, lab.Options{NoServers: true}, config)
			for _, c := range []struct {
				host                     *lab.Host
				address                  string
				toServer, toClient, name string
			}{
				{w.Echo, lab.EchoAddr4, "101000", "101110", "the link knows the class"}, // the link to the client has no rewrite rule
				{w.Web, lab.WebAddr4, "001000", "000000", "by loss priority"},
				{w.DNS, lab.DNSAddr4, "101110", "101110", "the link does not know the class"},
			} {
				w.listen(c.host, ":9000", func(s *net.TCPConn) {
					b := make([]byte, 1)
					for {
						if _, err := s.Read(b); err != nil {
							return
						}
						_, _ = s.Write(b)
					}
				})
				toServer, toClient := w.watchMarks(c.host, "tcp dst port 9000"), w.watchMarks(w.Client, fmt.Sprint("tcp src port 9000 and host ", c.address))
				conn := w.connect(c.address + ":9000")
				if err := echoes(conn); err != nil {
					t.Fatal(err)
				}
				w.eventually(c.name, func() bool { return toServer.last() == c.toServer && toClient.last() == c.toClient })
			}
		})
	}
}
