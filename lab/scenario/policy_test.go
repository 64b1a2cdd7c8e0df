package scenario

import (
	"errors"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sluice/lab"
)

// Each action looks from the client as the statement says: permit passes, reject refuses at once
// (RST for TCP, ICMP port unreachable for UDP), deny says nothing.
// Rows: UP-2, FW-23, C-6, C-8.
func TestActions(t *testing.T) {
	w := start(t, lab.Options{}, `
set applications application door-1 protocol tcp destination-port 9001
set applications application door-2 protocol udp destination-port 9002
set applications application door-3 protocol tcp destination-port 9003
set applications application door-4 protocol udp destination-port 9004
set applications application-set closed application door-1
set applications application-set closed application door-2
set applications application-set silent application door-3
set applications application-set silent application door-4
`+policy("trust", "untrust", "closed", "any", "closed", "reject", "count", "log session-init")+
		policy("trust", "untrust", "silent", "any", "silent", "deny", "count", "log session-init")+
		lab.PermitAll)

	for _, host := range []string{"203.0.113.7", "[2001:db8:f::7]"} {
		if _, err := w.dial(w.Client, "tcp", host+":9001"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("rejected TCP to %s: %v, want a refusal", host, err)
		}
		c, err := w.dial(w.Client, "udp", host+":9002")
		if err != nil {
			t.Fatal(err)
		}
		if err := echoes(c); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("rejected UDP to %s: %v, want port unreachable", host, err)
		}
		if out, err := w.try(w.Client, "curl", "-sS", "-m1", "http://"+host+":9003/"); err == nil || !strings.Contains(out, "timed out") {
			t.Errorf("denied TCP to %s: %q, want silence", host, out)
		}
		if c, err = w.dial(w.Client, "udp", host+":9004"); err != nil {
			t.Fatal(err)
		}
		if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte{'x'}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("denied UDP to %s: %v, want silence", host, err)
		}
	}
	hits := w.show("show security policies hit-count")
	for _, name := range []string{"closed", "silent"} {
		if !regexp.MustCompile(name + `\s+[1-9]`).MatchString(hits) {
			t.Errorf("policy %s has no hits:\n%s", name, hits)
		}
	}
	if sessions := w.show("show security flow session"); strings.Contains(sessions, "/9001") || strings.Contains(sessions, "/9003") {
		t.Errorf("refused connections are in the session table:\n%s", sessions)
	}
}

// What no policy permits does not pass: from a zone without policies, from outside, or by another port.
// Rows: ST-53.
func TestDefaultDeny(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{}, permit("web", "junos-http"))
	w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
	for _, c := range []struct {
		name    string
		host    *lab.Host
		address string
	}{
		{"another service", w.Client, "https://" + lab.WebAddr4 + "/"},
		{"another zone", w.Guest, "http://" + lab.WebAddr4 + "/"},
		{"another zone, IPv6", w.Guest, "http://[" + lab.WebAddr6 + "]/"},
		{"from outside", w.Web, "http://" + lab.ClientAddr4 + ":8005/"},
		{"from the guest to the client", w.Guest, "http://" + lab.ClientAddr4 + ":8005/"},
	} {
		w.listenOnce(w.Client, ":8005")
		if out, err := w.try(c.host, "curl", "-k", "-sS", "-m1", c.address); err == nil || !strings.Contains(out, "timed out") {
			t.Errorf("%s passes: %q", c.name, out)
		}
	}
}

// listenOnce opens a TCP server at address unless there is one already.
func (w *world) listenOnce(h *lab.Host, address string) {
	w.t.Helper()
	probe := "127.0.0.1" + address
	if c, err := w.dial(h, "tcp", probe); err == nil {
		c.Close()
		return
	}
	w.listen(h, address, func(*net.TCPConn) {})
}

// Policies hold in their order, and insert changes it.
func TestOrderAndInsert(t *testing.T) {
	w := start(t, lab.Options{}, permit("all", "any", "count")+
		policy("trust", "untrust", "no-web", "any", "junos-http", "reject"))
	get := func() error {
		_, err := w.try(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+"/")
		return err
	}
	if err := get(); err != nil {
		t.Errorf("the first policy permits: %v", err)
	}
	w.configure("insert security policies from-zone trust to-zone untrust policy no-web before policy all")
	if err := get(); err == nil {
		t.Error("the inserted policy does not hold")
	}
	w.configure("rollback 1")
	if err := get(); err != nil {
		t.Errorf("after the rollback: %v", err)
	}
	w.configure("deactivate security policies from-zone trust to-zone untrust policy all")
	if err := get(); err == nil {
		t.Error("the deactivated policy still permits")
	}
}

// Address books: prefixes, ranges, sets, names from DNS, and everything but those.
// Rows: ST-45, 5/S-52, 5/S-53, 5/S-55.
func TestAddresses(t *testing.T) {
	w := start(t, lab.Options{}, `
set security address-book global address web dns-name `+lab.WebName+`
set security address-book global address few range-address 203.0.113.6 to 203.0.113.8
set security address-book global address six 2001:db8:f::7/128
set security address-book global address-set echoes address few
set security address-book global address-set echoes address six
`+policy("trust", "untrust", "to-web", "web", "junos-http", "permit")+
		policy("trust", "untrust", "to-echo", "echoes", "any", "permit")+
		policy("trust", "untrust", "not-dns", "echoes", "junos-icmp-all", "permit")+`
set security policies from-zone trust to-zone untrust policy not-dns match destination-address-excluded
`)
	w.eventually("the DNS name is resolved and permits", func() bool {
		_, err := w.try(w.Client, "curl", "-sS", "-m1", "http://"+lab.WebAddr4+"/")
		return err == nil
	})
	w.do(w.Client, "curl", "-6", "-sS", "-m5", "http://["+lab.WebAddr6+"]/")
	for _, address := range []string{"203.0.113.7:7", "[2001:db8:f::7]:7"} {
		c, err := w.dial(w.Client, "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := echoes(c); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	w.do(w.Client, "ping", "-c1", "-W2", lab.DNSAddr4)
	if out, err := w.try(w.Client, "curl", "-sS", "-m1", "http://"+lab.WebAddr4Link1+"/"); err == nil {
		t.Errorf("an address that no book names is reached: %q", out)
	}
}

// A session whose policy is changed so that it no longer matches goes on, unless policy-rematch is
// set; a session whose policy no longer permits anything ends in any case.
func TestPolicyRematch(t *testing.T) {
	t.Parallel() // it mostly waits
	const p = "security policies from-zone trust to-zone untrust policy all "
	narrow := []string{"delete " + p + "match destination-address", "set " + p + "match destination-address elsewhere"}
	deny := []string{"delete " + p + "then permit", "set " + p + "then deny"}
	for _, c := range []struct {
		name, rematch string
		change        []string
		ends          bool
	}{
		{"narrowed", "", narrow, false},
		{"narrowed with rematch", "set security policies policy-rematch\n", narrow, true},
		{"denied", "", deny, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBothPaths(t, func(t *testing.T, config string) {
				w := start(t, lab.Options{}, config+c.rematch+"set security address-book global address elsewhere 198.51.100.200/32\n")
				conn := w.connect("203.0.113.7:7")
				if err := echoes(conn); err != nil {
					t.Fatal(err)
				}
				w.configure(c.change...)
				if !c.ends {
					if err := echoes(conn); err != nil {
						t.Errorf("the running session ended: %v", err)
					}
					return
				}
				w.eventually("the session is gone", func() bool {
					return !strings.Contains(w.show("show security flow session destination-prefix "+lab.EchoAddr4), "Session ID")
				})
				if echoesSoon(conn) {
					t.Error("the session still carries bytes")
				}
			})
		})
	}
}

// The gateway itself answers what its zones accept and nothing else.
// Rows: WP-25, ST-55, FW-16, C-16.
func TestHostInbound(t *testing.T) {
	w := start(t, lab.Options{}, `
set security zones security-zone guest interfaces ge-0/0/3.0 host-inbound-traffic system-services ssh
`)
	w.listen(w.Gateway, ":22", func(c *net.TCPConn) { _, _ = c.Write([]byte("SSH-2.0-lab\r\n")) })
	ssh := func(want bool, h *lab.Host, address string) bool {
		out, err := w.try(h, "curl", "-sS", within(want), "telnet://"+address+":22")
		return err == nil && strings.HasPrefix(out, "SSH-2.0")
	}
	for _, a := range []string{lab.LAN4, lab.LAN6} {
		w.do(w.Client, "ping", "-c1", "-W2", a)
	}
	if ssh(false, w.Client, lab.LAN4) {
		t.Error("the trust zone reaches ssh, which it does not accept")
	}
	if !ssh(true, w.Guest, lab.Guest4) || !ssh(true, w.Guest, "["+lab.Guest6+"]") {
		t.Error("the guest interface does not reach ssh, which it accepts")
	}
	if _, err := w.try(w.Guest, "ping", "-c1", "-W1", lab.Guest4); err == nil {
		t.Error("the guest zone pings the gateway, which it does not accept")
	}
	if _, err := w.try(w.Web, "ping", "-c1", "-W1", lab.WAN0Gateway4); err == nil {
		t.Error("the untrust zone pings the gateway, which it does not accept")
	}
}
