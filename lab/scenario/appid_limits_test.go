package scenario

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

// noise is n bytes, the same each time, that belong to no protocol; a session that begins with them
// stays undecided for as long as it may, over TCP and over UDP.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(7, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// inspected says how much of all sessions was looked at since the counters were cleared, and how
// many sessions are looked at now.
func (w *world) inspected() (packets, bytes uint64, sessions uint64) {
	w.t.Helper()
	var answer view.AppIDCounters
	w.answer("show"+identification+"counter", &answer)
	values := map[string]uint64{}
	for _, c := range answer.Counters {
		values[c.Name] = c.Value
	}
	return values["Packets inspected"], values["Bytes inspected"], values["Sessions under app detection"]
}

// How much of a session is looked at, by the statements, over TCP and UDP; what was known by then
// is the answer, and statistics say how it came about.
// Rows: AI-47, AI-48, AI-50, AI-51, AI-52, AI-53, AI-54, AI-55, AI-56, AI-58, AI-59, AI-60, AI-61, AI-62,
// 1/S-10, 1/S-11, 1/S-12, 1/S-13, 1/S-14, 1/S-15, 1/S-16.
func TestInspectionLimits(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll+"set services application-identification\n")
	sunk := w.sink(7999)
	// However slow the machine is, nothing is sent twice: the packets are what the statements count.
	if err := w.Client.Sysctl("net/ipv4/tcp_early_retrans", "0"); err != nil {
		t.Fatal(err)
	}
	if err := w.Client.IP("route add " + lab.WebAddr4 + " via " + lab.LAN4 + " rto_min 10s"); err != nil {
		t.Fatal(err)
	}
	const limit = "inspection-limit "
	const fast = "enable-performance-mode"
	for _, c := range []struct {
		name       string
		statements []string
		network    string
		first      string // what the session begins with; noise follows in pieces of 100 bytes
		last       int    // the piece with which the inspection ends, 0 for never
		known      string // the row of the statistics that tells it, where they are looked at
		how        string // and its column
	}{
		{"bytes by default", nil, "tcp", "", 60, "unknown", "limits"},
		{"bytes", []string{limit + "tcp byte-limit 500"}, "tcp", "", 5, "", ""},
		{"bytes and packets, packets later", []string{limit + "tcp byte-limit 500", limit + "tcp packet-limit 8"}, "tcp", "", 8, "", ""},
		{"bytes and packets, bytes later", []string{limit + "tcp byte-limit 500", limit + "tcp packet-limit 2"}, "tcp", "", 5, "", ""},
		{"packets", []string{limit + "tcp byte-limit 0", limit + "tcp packet-limit 3"}, "tcp", "", 3, "", ""},
		{"no limit, but of all", []string{limit + "tcp byte-limit 0", "global-offload-byte-limit 700"}, "tcp", "", 7, "", ""},
		{"known before", []string{limit + "tcp byte-limit 600"}, "tcp", "POST / HTTP/1.1\r\nX: " + strings.Repeat("x", 80), 6, "HTTP", "pre-match"},
		{"datagrams by default", nil, "udp", "", 10, "", ""},
		{"datagrams", []string{limit + "udp packet-limit 3"}, "udp", "", 3, "", ""},
		{"bytes of datagrams", []string{limit + "udp packet-limit 0", limit + "udp byte-limit 400"}, "udp", "", 4, "", ""},
		{"performance mode", []string{fast}, "tcp", "", 2, "", ""},
		{"performance mode over UDP", []string{fast}, "udp", "", 2, "", ""},
		{"performance mode with a threshold", []string{fast + " max-packet-threshold 4"}, "tcp", "", 4, "", ""},
		{"the lowest of all", []string{fast + " max-packet-threshold 50", "global-offload-byte-limit 300"}, "tcp", "", 3, "", ""},
		{"no limit at all", []string{limit + "tcp byte-limit 0", "global-offload-byte-limit 0"}, "tcp", "", 0, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := *w
			w.t = t
			commands := []string{"delete services application-identification", "set services application-identification statistics interval 1440"}
			for _, s := range c.statements {
				commands = append(commands, "set services application-identification "+s)
			}
			w.configure(commands...)
			if shown := strings.Contains(w.show("show"+identification+"status"), "DPI Performance mode:"); shown != strings.Contains(strings.Join(c.statements, " "), fast) {
				t.Errorf("the status says performance mode: %v", shown)
			}
			w.show("clear" + identification + "counter; clear" + identification + "statistics")
			conn, err := w.dial(w.Client, c.network, lab.WebAddr4+":7999")
			if err != nil {
				t.Fatal(err)
			}
			pieces := []byte(c.first + string(noise(7000)))
			for n := 1; n <= 70; n++ {
				if _, err := conn.Write(pieces[100*(n-1) : 100*n]); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(sunk, make([]byte, 100)); err != nil {
					t.Fatal(err)
				}
				if n == c.last-1 || n == 70 {
					if _, _, sessions := w.inspected(); sessions != 1 {
						t.Fatalf("after %d bytes %d sessions are looked at", 100*n, sessions)
					}
				}
				if n == c.last {
					break
				}
			}
			if _, bytes, sessions := w.inspected(); c.last > 0 && (sessions != 0 || bytes != uint64(100*c.last)) {
				t.Errorf("%d bytes were looked at, want %d; %d sessions are open", bytes, 100*c.last, sessions)
			}
			conn.Close()
			w.show("clear security flow session destination-port 7999")
			if c.known == "" {
				return
			}
			w.eventually("the session is counted by how it was decided", func() bool {
				row := w.statistics("applications details")[c.known]
				return map[string]uint64{"limits": row.Limits, "pre-match": row.PreMatch}[c.how] == 1 && row.DPI == 0
			})
		})
	}
}

// sink makes the web server take whatever comes to a port, over TCP and UDP, and say nothing; what
// has come can be read.
func (w *world) sink(port int) io.Reader {
	w.t.Helper()
	out, in := io.Pipe()
	w.t.Cleanup(func() { out.Close() })
	w.listen(w.Web, fmt.Sprint(":", port), func(c *net.TCPConn) { _, _ = io.Copy(in, c) })
	var c net.PacketConn
	if err := w.Web.Do(func() (err error) {
		c, err = net.ListenPacket("udp", fmt.Sprint(":", port))
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	go io.Copy(in, c.(*net.UDPConn)) //nolint:errcheck // it ends when the socket is closed
	return out
}

// Near the ceiling of memory new sessions are not looked at, those that are being looked at are
// identified, and when they are over new ones are again.
// Rows: AI-64, AI-65, 1/S-18.
func TestMemoryCeiling(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll+"set services application-identification max-memory 1\n")
	w.listen(w.Web, ":2222", answers(okPage))
	w.listen(w.Web, ":7999", greets(""))
	if status := w.show("show" + identification + "status"); !regexp.MustCompile(`Max TCP session packet memory +1048576`).MatchString(status) {
		t.Errorf("the ceiling does not show:\n%s", status)
	}
	first := w.connect(lab.WebAddr4 + ":2222")
	if _, err := io.WriteString(first, "GET / HTT"); err != nil {
		t.Fatal(err)
	}
	w.eventually("the first session is looked at", func() bool { _, _, n := w.inspected(); return n == 1 })
	var others []net.Conn
	full := false
	for !full && len(others) < 4000 {
		for range 100 {
			c := w.connect(lab.WebAddr4 + ":7999")
			if _, err := c.Write(noise(1000)); err != nil {
				t.Fatal(err)
			}
			others = append(others, c)
		}
		_, _, sessions := w.inspected()
		full = sessions < uint64(len(others))
	}
	if !full {
		t.Fatalf("%d sessions are looked at, and the ceiling is not reached", len(others))
	}
	get := func() { w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+":2222/") }
	get()
	if entry, there := w.cached()[lab.WebAddr4+" 2222 tcp"]; there {
		t.Errorf("beyond the ceiling a session is identified as %s", entry)
	}
	if _, err := io.WriteString(first, "P/1.1\r\nHost: www.example.net\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	w.remembers(2222, "HTTP")
	w.show("clear" + identification + "application-system-cache")
	for _, c := range others {
		c.Close()
	}
	w.eventually("new sessions are identified again", func() bool {
		get()
		return w.cached()[lab.WebAddr4+" 2222 tcp"] == "junos:HTTP"
	})
}
