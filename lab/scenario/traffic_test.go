package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/lab"
)

// What people do every day passes, on either path and in either address family, and the server
// sees the client's own address.
// Rows: FW-24.
func TestEverydayTraffic(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{}, config)
		size := fmt.Sprint(lab.DownloadSize)
		for _, c := range []struct {
			name    string
			want    string
			command string
		}{
			{"HTTP by name", "hello from the internet", "curl -sS -m10 http://" + lab.WebName + "/"},
			{"HTTP over IPv6", "hello from the internet", "curl -6 -sS -m10 http://" + lab.WebName + "/"},
			{"HTTPS", "hello from the internet", "curl -sS -m10 --cacert " + w.CA + " https://" + lab.WebName + "/"},
			{"HTTPS over IPv6", "hello from the internet", "curl -6 -sS -m10 --cacert " + w.CA + " https://" + lab.WebName + "/"},
			{"the client's address", lab.ClientAddr4, "curl -sS -m10 http://" + lab.WebAddr4 + "/whoami"},
			{"the client's IPv6 address", lab.ClientAddr6, "curl -sS -m10 http://[" + lab.WebAddr6 + "]/whoami"},
			{"another address of the client", "192.0.2.15", "curl -sS -m10 --interface 192.0.2.15 http://" + lab.WebAddr4 + "/whoami"},
			{"download", size, "curl -sS -m20 -o /dev/null -w %{size_download} http://" + lab.WebAddr4 + "/download"},
			{"download over IPv6", size, "curl -sS -m20 -o /dev/null -w %{size_download} http://[" + lab.WebAddr6 + "]/download"},
			{"upload", size, "curl -sS -m20 -T " + w.Dir + "/web/pages/download -w %{size_upload} http://" + lab.WebAddr4 + "/upload/a"},
			{"DNS", lab.WebAddr4, "dig +short @" + lab.DNSAddr4 + " " + lab.WebName},
			{"DNS over IPv6", lab.WebAddr6, "dig +short @" + lab.DNSAddr6 + " " + lab.WebName + " AAAA"},
			{"DNS over TCP", strings.Repeat("x", 250), "dig +short +bufsize=512 @" + lab.DNSAddr4 + " " + lab.LargeName + " TXT"},
			{"ping", " 0% packet loss", "ping -c1 -W5 " + lab.EchoAddr4},
			{"ping6", " 0% packet loss", "ping -c1 -W5 " + lab.EchoAddr6},
			{"fragments", " 0% packet loss", "ping -c1 -W5 -s4000 " + lab.EchoAddr4},
			{"fragments over IPv6", " 0% packet loss", "ping -c1 -W5 -s4000 " + lab.EchoAddr6},
			{"the largest packet", " 0% packet loss", "ping -c1 -W5 -s65000 " + lab.EchoAddr4},
			{"large datagrams", "", "dig +short +bufsize=4096 +notcp +ignore @" + lab.DNSAddr4 + " " + lab.LargeName + " TXT"},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := *w
				w.t = t
				command := strings.Fields(c.command)
				if out := w.do(w.Client, command[0], command[1:]...); !strings.Contains(out, c.want) {
					t.Errorf("%s: %q is not in %q", c.command, c.want, out)
				}
			})
		}
	})
}

// The gateway is one hop on the way, between the client and its provider's router.
func TestTraceroute(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	for _, c := range []struct {
		flags []string
		hops  []string
	}{
		{[]string{lab.WebAddr4}, []string{lab.LAN4, lab.WAN0ISP4, lab.WebAddr4}},
		{[]string{"-I", lab.WebAddr4}, []string{lab.LAN4, lab.WAN0ISP4, lab.WebAddr4}},
		{[]string{"-T", "-p", "80", lab.WebAddr4}, []string{lab.LAN4, lab.WAN0ISP4, lab.WebAddr4}},
		{[]string{"-6", lab.WebAddr6}, []string{lab.LAN6, lab.WAN0ISP6, lab.WebAddr6}},
	} {
		out := w.do(w.Client, "traceroute", append([]string{"-n", "-q", "1", "-w", "2", "-m", "5"}, c.flags...)...)
		var hops []string
		for _, line := range strings.Split(strings.TrimSpace(out), "\n")[1:] {
			hops = append(hops, strings.Fields(line)[1])
		}
		if strings.Join(hops, " ") != strings.Join(c.hops, " ") {
			t.Errorf("traceroute %v goes by %v, want %v", c.flags, hops, c.hops)
		}
	}
}

// UDP is answered, from the address that was asked, over either link.
func TestUDPBothWays(t *testing.T) {
	w := start(t, lab.Options{}, lab.PermitAll)
	for _, to := range []string{
		"203.0.113.7:7", "[2001:db8:f::7]:7", "203.0.113.135:7", "[2001:db8:f:1::7]:7",
	} {
		c, err := w.dial(w.Client, "udp", to)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if err := echoes(c); err != nil {
				t.Fatalf("%s: %v", to, err)
			}
		}
	}
}

// Routes decide the link: what the table sends over link 1 is seen there and nowhere else.
// Rows: S-76.
func TestTwoLinksByRoute(t *testing.T) {
	w := start(t, lab.Options{Impair: true}, lab.PermitAll)
	for _, c := range []struct {
		address    string
		used, idle int
	}{{lab.WebAddr4, 0, 1}, {lab.WebAddr4Link1, 1, 0}, {"[" + lab.WebAddr6 + "]", 0, 1}, {"[" + lab.WebAddr6Link1 + "]", 1, 0}} {
		bytes := func(link int) uint64 {
			out, in := w.Links[link].Stats()
			return out.Bytes + in.Bytes
		}
		used, idle := bytes(c.used), bytes(c.idle)
		w.do(w.Client, "curl", "-sS", "-m20", "-o/dev/null", "-r0-999999", "http://"+c.address+"/download")
		if n := bytes(c.used) - used; n < 1e6 {
			t.Errorf("%s: link %d carried %d bytes of a megabyte", c.address, c.used, n)
		}
		if n := bytes(c.idle) - idle; n > 20000 {
			t.Errorf("%s: link %d carried %d bytes and should have carried none", c.address, c.idle, n)
		}
	}
	// A route that changes takes new sessions along.
	w.configure("set routing-options static route " + lab.WebAddr4 + "/32 next-hop " + lab.WAN1ISP4)
	out, _ := w.Links[1].Stats()
	w.do(w.Client, "ping", "-c20", "-i0.01", "-W2", lab.WebAddr4)
	w.eventually("after the route changed link 1 has carried 20 pings", func() bool {
		now, _ := w.Links[1].Stats()
		return now.Packets-out.Packets >= 20
	})
}

// A smaller MTU on the way is told to the client, at the gateway's own link and beyond it.
func TestPathMTU(t *testing.T) {
	for _, c := range []struct {
		name  string
		place func(w *world) error
	}{
		{"on the gateway's WAN link", func(w *world) error {
			if err := w.Gateway.IP("link set wan0 mtu 1400"); err != nil {
				return err
			}
			return w.Internet.IP("link set isp0 mtu 1400")
		}},
		{"in the internet", func(w *world) error { return w.Internet.IP("link set to-web mtu 1400") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBothPaths(t, func(t *testing.T, config string) {
				w := start(t, lab.Options{}, config)
				if err := c.place(w); err != nil {
					t.Fatal(err)
				}
				w.meetsSmallMTU(lab.WebAddr4, lab.WebAddr6)
			})
		})
	}
}

// meetsSmallMTU has the client send what is too large for the way to a web server, which passes 1,400 bytes:
// it is told, in both families, and lowers what it sends.
func (w *world) meetsSmallMTU(web4, web6 string) {
	w.t.Helper()
	if out, err := w.try(w.Client, "ping", "-c2", "-i0.1", "-W2", "-Mdo", "-s1450", web4); err == nil || !strings.Contains(out, "mtu") && !strings.Contains(out, "rag needed") {
		w.t.Errorf("a packet too large for the way: %q", out)
	}
	if out, err := w.try(w.Client, "ping", "-c2", "-i0.1", "-W2", "-Mdo", "-s1440", web6); err == nil || !strings.Contains(out, "mtu") && !strings.Contains(out, "oo big") {
		w.t.Errorf("an IPv6 packet too large for the way: %q", out)
	}
	w.do(w.Client, "ping", "-c3", "-i0.2", "-W2", "-Mdo", "-s1372", web4) // one answer will do
	const size = 8 << 20
	upload := filepath.Join(w.Dir, "upload")
	if err := os.WriteFile(upload, make([]byte, size), 0o600); err != nil {
		w.t.Fatal(err)
	}
	for _, address := range []string{web4, "[" + web6 + "]"} {
		w.do(w.Client, "curl", "-sS", "-m20", "-T", upload, "http://"+address+"/upload/b")
		w.do(w.Client, "curl", "-sS", "-m20", "-o/dev/null", fmt.Sprintf("-r0-%d", size-1), "http://"+address+"/download")
	}
}

// Over a link with delay and loss everything still arrives, whole.
func TestBadLink(t *testing.T) {
	onBothPaths(t, func(t *testing.T, config string) {
		w := start(t, lab.Options{Impair: true}, config)
		bad := lab.Impairment{Delay: 5e6, Jitter: 2e6, Loss: 0.01}
		if err := w.Links[0].Set(bad, bad); err != nil {
			t.Fatal(err)
		}
		const part = "3000000"
		out := w.do(w.Client, "curl", "-sS", "-m25", "-o/dev/null", "-r0-2999999", "-w%{size_download}", "http://"+lab.WebAddr4+"/download")
		if out != part {
			t.Errorf("downloaded %s of %s bytes", out, part)
		}
		if _, in := w.Links[0].Stats(); in.Lost == 0 {
			t.Error("the link lost nothing: this test proves nothing")
		}
	})
}
