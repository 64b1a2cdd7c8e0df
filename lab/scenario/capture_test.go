package scenario

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/lab"
)

const (
	captureStatement = "services application-identification packet-capture"
	captureCounters  = "show services application-identification packet-capture counters"

	// hidden sources prove that captures show clients as they are.
	behindNAT = `
set security nat source rule-set out from zone trust
set security nat source rule-set out to zone untrust
set security nat source rule-set out rule all match source-address 0.0.0.0/0
set security nat source rule-set out rule all then source-nat interface
`
)

// captureWorld is a world with a server at every port from 4000 on that answers what it is sent, and
// nothing that anybody knows to be sent there.
type captureWorld struct {
	*world
	pcap string // the directory of captures
	file string // size bytes that mean nothing
}

func startCapturing(t *testing.T, size int, config string) *captureWorld {
	w := &captureWorld{world: start(t, lab.Options{}, config)}
	w.pcap = filepath.Join(w.gw.Dir, "pcap")
	w.file = filepath.Join(w.Dir, "noise")
	noise, random := make([]byte, size), rand.NewChaCha8([32]byte{7})
	random.Read(noise)
	if err := os.WriteFile(w.file, noise, 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

// serve opens a TCP server on the echo host that sends back what it gets.
func (w *captureWorld) serve(port int) {
	w.listen(w.Echo, fmt.Sprintf(":%d", port), func(c *net.TCPConn) {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if _, err := c.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

// send sends the noise over TCP with socat and reads the answer.
func (w *captureWorld) send(address string) {
	w.t.Helper()
	w.do(w.Client, "sh", "-c", "socat -t5 - TCP:"+address+" <"+w.file+" | cmp - "+w.file)
}

// datagrams sends the noise in datagrams of 500 bytes.
func (w *captureWorld) datagrams(address string) {
	w.t.Helper()
	w.do(w.Client, "socat", "-u", "-b500", "FILE:"+w.file, "UDP:"+address)
}

// files are the names of the captures.
func (w *captureWorld) files() []string {
	entries, _ := os.ReadDir(w.pcap)
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names
}

// captured waits for n files.
func (w *captureWorld) captured(n int) []string {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d captures", n), func() bool { return len(w.files()) == n })
	return w.files()
}

// remembered waits until the cache knows n servers of nothing known.
func (w *captureWorld) remembered(n int) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d servers in the cache", n), func() bool {
		return strings.Count(w.show("show services application-identification application-system-cache"), "UNKNOWN") >= n
	})
}

// captureCounter is the value of a counter.
func (w *captureWorld) captureCounter(name string) int {
	w.t.Helper()
	out := w.show(captureCounters)
	m := regexp.MustCompile(`(?m)^\s*` + name + `\s+(\d+)\s*$`).FindStringSubmatch(out)
	if m == nil {
		w.t.Fatalf("no counter %q in\n%s", name, out)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// fields prints fields of the packets of a capture that a filter selects, a line each.
func (w *captureWorld) fields(file, filter string, fields ...string) []string {
	w.t.Helper()
	args := []string{"-n", "-r", filepath.Join(w.pcap, file), "-Y", filter, "-T", "fields", "-E", "separator=,"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out := w.do(w.Client, "tshark", args...)
	var lines []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "Running as user") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// sum adds up lines of numbers.
func sum(t *testing.T, lines []string) (total int) {
	t.Helper()
	for _, line := range lines {
		n, err := strconv.Atoi(line)
		if err != nil {
			t.Fatal(err)
		}
		total += n
	}
	return total
}

// The second session with a server that nothing matches is captured, from its SYN on and as the
// client sees it, also behind source translation. What is known is not.
// Rows: AI-68, AI-69, AI-72, AI-74, AI-77, AI-80, AI-83, AI-85, AI-86, AI-87.
func TestCaptureByCache(t *testing.T) {
	w := startCapturing(t, 64<<10, lab.PermitAll+behindNAT+"set "+captureStatement+" global\nset "+captureStatement+" max-bytes 2048\n")
	if got := strings.Join(strings.Fields(w.show("show configuration "+captureStatement)), " "); !strings.Contains(got, "global; max-bytes 2048;") {
		t.Errorf("the configuration shows as %q", got)
	}
	w.serve(4000)
	w.send(lab.EchoAddr4 + ":4000")
	w.remembered(1)
	if files := w.files(); len(files) != 0 {
		t.Errorf("the first session left %v", files)
	}
	for range 2 {
		w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	}
	w.send(lab.EchoAddr4 + ":4000")
	file := w.captured(1)[0]
	if !regexp.MustCompile(`^203\.0\.113\.7_4000_6_\d+\.pcap$`).MatchString(file) {
		t.Errorf("the file is named %s", file)
	}
	if info, err := os.Stat(filepath.Join(w.pcap, file)); err != nil || info.Mode() != 0o640 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
	w.eventually("the session is counted", func() bool { return w.captureCounter("Active sessions being captured") == 0 })

	first := w.do(w.Client, "tcpdump", "-n", "-r", filepath.Join(w.pcap, file), "-c1")
	if !strings.Contains(first, "IP "+lab.ClientAddr4+".") || !strings.Contains(first, "Flags [S]") || !strings.Contains(first, "mss 1460") {
		t.Errorf("the first packet is %q, want the client's SYN with its options", first)
	}
	hosts := w.fields(file, "ip", "ip.src", "ip.dst")
	if want := []string{lab.ClientAddr4 + "," + lab.EchoAddr4, lab.EchoAddr4 + "," + lab.ClientAddr4}; !slices.Equal(slices.Sorted(maps.Keys(counts(hosts))), want) {
		t.Errorf("the capture is of %v, want both directions as the client sees them", counts(hosts))
	}
	if bytes := sum(t, w.fields(file, "ip", "frame.cap_len")); bytes > 2048 || bytes < 2000 {
		t.Errorf("%d bytes captured, want up to 2048", bytes)
	}
	w.agree()
}

// counts says how often each line stands there.
func counts(lines []string) map[string]int {
	m := map[string]int{}
	for _, line := range lines {
		m[line]++
	}
	return m
}

// agree compares the counters with what capinfos finds in the files.
func (w *captureWorld) agree() {
	w.t.Helper()
	packets := 0
	for _, file := range w.files() {
		out := w.do(w.Client, "capinfos", "-c", "-M", filepath.Join(w.pcap, file))
		m := regexp.MustCompile(`Number of packets:\s+(\d+)`).FindStringSubmatch(out)
		if m == nil {
			w.t.Fatalf("capinfos: %s", out)
		}
		n, _ := strconv.Atoi(m[1])
		packets += n
	}
	if n := w.captureCounter("Total sessions captured"); n != len(w.files()) {
		w.t.Errorf("%d sessions counted, %d files", n, len(w.files()))
	}
	if n := w.captureCounter("Total packets captured"); n != packets {
		w.t.Errorf("%d packets counted, %d in the files", n, packets)
	}
}

// Aggressive mode captures the first session, too; parallel sessions have files of their own, named
// by what the session table shows; datagrams have their limit, and the newest files stay.
// Rows: AI-75, AI-76, AI-78, AI-83, AI-87, T-11.
func TestCaptureAggressively(t *testing.T) {
	w := startCapturing(t, 20000, lab.PermitAll+"set "+captureStatement+" global\nset "+captureStatement+" aggressive-mode\nset "+captureStatement+" max-files 4\n")
	w.serve(4001)
	w.send("[" + lab.EchoAddr6 + "]:4001")
	file := w.captured(1)[0]
	if !regexp.MustCompile(`^2001-db8-f--7_4001_6_\d+\.pcap$`).MatchString(file) {
		t.Errorf("the file is named %s", file)
	}
	if flags := w.fields(file, "frame.number==1", "tcp.flags.syn", "tcp.flags.ack", "ipv6.src"); !slices.Equal(flags, []string{"1,0," + lab.ClientAddr6}) {
		t.Errorf("the first packet: %v", flags)
	}
	w.agree()

	// Two at a time.
	noise, err := os.ReadFile(w.file)
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn
	for range 2 {
		c := w.connect(lab.EchoAddr4 + ":4001")
		if _, err := c.Write(noise[:1000]); err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
	w.eventually("two sessions are being captured", func() bool { return w.captureCounter("Active sessions being captured") == 2 })
	var want []string
	for _, m := range regexp.MustCompile(`Session ID: (\d+)`).FindAllStringSubmatch(w.show("show security flow session destination-prefix "+lab.EchoAddr4), -1) {
		want = append(want, lab.EchoAddr4+"_4001_6_"+m[1]+".pcap")
	}
	for _, c := range open {
		if _, err := c.Write(noise[1000:]); err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	slices.Sort(want)
	if got := w.captured(3); len(want) != 2 || !slices.Equal(got[1:], want) && !slices.Equal(got[:2], want) {
		t.Errorf("files %v, want %v among them", got, want)
	}

	// Forty datagrams each to five servers.
	for port := 5000; port < 5005; port++ {
		server, err := w.Echo.Start("socat", "-u", fmt.Sprintf("UDP-RECV:%d", port), "OPEN:/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Kill)
		if err := server.WaitListening(t.Context(), "udp", uint16(port)); err != nil {
			t.Fatal(err)
		}
		w.datagrams(fmt.Sprintf("%s:%d", lab.EchoAddr4, port))
	}
	w.eventually("the newest files stay", func() bool {
		files := w.files()
		return len(files) == 4 && strings.Contains(files[0], "_5001_17_") && strings.Contains(files[3], "_5004_17_")
	})
	for _, file := range w.files() {
		if n := len(w.fields(file, "udp", "udp.length")); n != 10 {
			t.Errorf("%s has %d packets, want 10", file, n)
		}
	}
}

// On the stream path the two directions are what the gateway and the client said to each other.
// Rows: AI-75.
func TestCaptureOnTheStreamPath(t *testing.T) {
	w := startCapturing(t, 20000, lab.PermitAll+tcpProxy+behindNAT+"set "+captureStatement+" global\nset "+captureStatement+" aggressive-mode\n")
	w.serve(4007)
	w.send(lab.EchoAddr4 + ":4007")
	file := w.captured(1)[0]
	w.eventually("the session is counted", func() bool { return w.captureCounter("Active sessions being captured") == 0 })
	want := []string{"1,0," + lab.ClientAddr4, "1,1," + lab.EchoAddr4, "0,1," + lab.ClientAddr4}
	if got := w.fields(file, "frame.number<=3", "tcp.flags.syn", "tcp.flags.ack", "ip.src"); !slices.Equal(got, want) {
		t.Errorf("the handshake: %v, want %v", got, want)
	}
	w.agree()
}

// A policy's sessions are captured, another's are not; a policy that does not match what is unknown
// cannot ask for it.
// Rows: AI-73, AI-79, T-13.
func TestCaptureByPolicy(t *testing.T) {
	const p = "set security policies from-zone trust to-zone untrust policy "
	w := startCapturing(t, 20000, `
set applications application strange protocol tcp destination-port 4002
`+permit("P1", "strange")+permit("P2", "any")+
		p+"P1 match dynamic-application junos:UNKNOWN\n"+
		p+"P1 then permit application-services packet-capture\n"+
		p+"P2 match dynamic-application any\n"+
		"set "+captureStatement+" aggressive-mode\nset "+captureStatement+" max-bytes 2048\n")
	w.serve(4002)
	w.serve(4003)
	w.send(lab.EchoAddr4 + ":4003")
	w.send(lab.EchoAddr4 + ":4002")
	if file := w.captured(1)[0]; !strings.Contains(file, "_4002_6_") {
		t.Errorf("captured %s, want the session of the policy that asks for it", file)
	}
	w.agree()
	err := w.gw.Configure(t.Context(), strings.TrimSpace(p+"P2 then permit application-services packet-capture"))
	if err == nil || !strings.Contains(err.Error(), "match dynamic-application junos:UNKNOWN") {
		t.Errorf("capture of a policy that does not match junos:UNKNOWN: %v", err)
	}
}

// A session under TLS with a server name of nobody known is captured with that name.
// Rows: AI-84.
func TestCaptureOfStrangeNames(t *testing.T) {
	w := startCapturing(t, 1, lab.PermitAll+"set "+captureStatement+" global\nset "+captureStatement+" ssl-unknown\n")
	const name = "nobody-knows-this.example"
	for _, name := range []string{"www.youtube.com", name} {
		w.do(w.Client, "curl", "-sSk", "-m5", "--resolve", name+":443:"+lab.WebAddr4, "https://"+name+"/")
	}
	file := w.captured(1)[0]
	if names := w.fields(file, "tls.handshake.type==1", "tls.handshake.extensions_server_name"); !slices.Equal(names, []string{name}) {
		t.Errorf("server names in the capture: %v", names)
	}
}

// What ends before it is known is captured, unless that is switched off; a server is captured as
// often as configured; both clear commands work while a session is being captured.
// Rows: AI-82, AI-88, AI-89.
func TestCaptureIsCleared(t *testing.T) {
	t.Parallel() // it mostly waits
	w := startCapturing(t, 1, lab.PermitAll+"set "+captureStatement+" global\nset "+captureStatement+" aggressive-mode\nset "+captureStatement+" capture-limit 1\n")
	if err := os.WriteFile(w.file, []byte("GE"), 0o600); err != nil { // what may become a request of HTTP
		t.Fatal(err)
	}
	w.serve(4004)
	w.serve(4005)
	w.send(lab.EchoAddr4 + ":4004")
	w.captured(1)
	if n := w.captureCounter("Inconclusive sessions captured"); n != 1 {
		t.Errorf("%d inconclusive sessions counted, want 1", n)
	}
	w.send(lab.EchoAddr4 + ":4004") // once too often
	open := w.connect(lab.EchoAddr4 + ":4005")
	if err := echoes(open); err != nil {
		t.Fatal(err)
	}
	w.eventually("the open session alone is being captured", func() bool { return w.captureCounter("Active sessions being captured") == 1 })

	w.show("request services application-identification clear packet-capture all")
	w.show("clear services application-identification packet-capture counters")
	if files := w.files(); len(files) != 0 {
		t.Errorf("after clearing there is %v", files)
	}
	if n := w.captureCounter("Total sessions captured") + w.captureCounter("Inconclusive sessions captured"); n != 0 {
		t.Errorf("after clearing counters are not zero:\n%s", w.show(captureCounters))
	}
	w.send(lab.EchoAddr4 + ":4004")
	if file := w.captured(1)[0]; !strings.Contains(file, "_4004_6_") {
		t.Errorf("captured %s", file)
	}
	open.Close()
	w.captured(2)

	w.configure("set " + captureStatement + " no-inconclusive")
	w.serve(4006)
	w.send(lab.EchoAddr4 + ":4006")
	w.eventually("the session is ignored", func() bool { return w.captureCounter("Inconclusive sessions ignored") == 1 })
	if files := w.files(); len(files) != 2 {
		t.Errorf("files %v, want two", files)
	}
}

// With the disk full, captures are counted and lost, and traffic flows.
// Rows: AI-87.
func TestCaptureWithFullDisk(t *testing.T) {
	w := startCapturing(t, 20000, lab.PermitAll+"set "+captureStatement+" global\nset "+captureStatement+" aggressive-mode\n")
	if err := os.MkdirAll(w.pcap, 0o750); err != nil {
		t.Fatal(err)
	}
	pid := fmt.Sprint(w.gw.Pid())
	w.do(w.Gateway, "nsenter", "-t", pid, "-m", "mount", "-t", "tmpfs", "-o", "size=16k", "full", w.pcap)
	t.Cleanup(func() { _, _ = w.try(w.Gateway, "nsenter", "-t", pid, "-m", "umount", "-l", w.pcap) })
	const refused = "Ipc messages ignored because of storage limit"
	for port := 4010; port < 4016; port++ {
		w.serve(port)
		w.send(fmt.Sprintf("%s:%d", lab.EchoAddr4, port))
	}
	w.eventually("a capture is refused", func() bool { return w.captureCounter(refused) > 0 })
	if n := w.captureCounter("Total sessions captured"); n == 0 || n+w.captureCounter(refused) != 6 {
		t.Errorf("%d sessions captured, %d refused, of six", n, w.captureCounter(refused))
	}
	w.send(lab.EchoAddr4 + ":4010")
	if out := w.gw.Output(); strings.Count(out, "captures are not written") != 1 {
		t.Errorf("the log should tell of it once:\n%s", out)
	}
}
