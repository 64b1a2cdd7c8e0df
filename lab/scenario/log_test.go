package scenario

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/lab"
	"sluice/manage/view"
)

// Session logs reach a syslog collector, over UDP and TCP, structured and plain, with what the
// client did in their fields (FW-52, FW-53).
// Rows: FW-23, C-10, C-40, C-42, S-107.
func TestLogsReachCollector(t *testing.T) {
	t.Parallel() // it mostly waits
	for _, transport := range []string{"udp", "tcp"} {
		for _, format := range []string{"sd-syslog", "syslog"} {
			t.Run(transport+" "+format, func(t *testing.T) {
				w := start(t, lab.Options{}, fmt.Sprintf(`
set security log stream collector host %s
set security log stream collector port 514
set security log stream collector format %s
set security log stream collector transport protocol %s
`, lab.DNSAddr4, format, transport)+
					policy("trust", "untrust", "no-telnet", "any", "junos-telnet", "deny", "log session-init")+lab.PermitAll)
				tool, err := lab.Binary("labhost")
				if err != nil {
					t.Fatal(err)
				}
				collector, err := w.DNS.Start(tool, "collect", "-port", "514")
				if err != nil {
					t.Fatal(err)
				}
				if err := collector.WaitListening(t.Context(), "tcp", 514); err != nil {
					t.Fatal(err)
				}
				// Until the gateway has noticed the collector, what it logs may be lost.
				w.eventually("create, close and deny arrive", func() bool {
					_, _ = w.try(w.Client, "curl", "-sS", "-m2", "http://"+lab.WebAddr4+"/")
					_, _ = w.try(w.Client, "curl", "-sS", "-m0.2", "telnet://"+lab.WebAddr4)
					log := collector.Output()
					return strings.Contains(log, "RT_FLOW_SESSION_CREATE") && strings.Contains(log, "RT_FLOW_SESSION_CLOSE") &&
						strings.Contains(log, "RT_FLOW_SESSION_DENY")
				})
				log := collector.Output()
				want := []string{`RT_FLOW_SESSION_CREATE.*192\.0\.2\.10/\d+->203\.0\.113\.80/80.*junos-http`, `RT_FLOW_SESSION_DENY.*junos-telnet`}
				if format == "sd-syslog" {
					want = []string{
						`<14>1 \S+ branch RT_FLOW - RT_FLOW_SESSION_CREATE \[junos@2636\S* .*source-address="192.0.2.10".*destination-address="203.0.113.80" destination-port="80".*service-name="junos-http".*policy-name="all"`,
						`RT_FLOW_SESSION_CLOSE \[junos@2636\S* reason="TCP CLIENT FIN".*bytes-from-server="[1-9]`,
						`RT_FLOW_SESSION_DENY \[junos@2636\S* .*policy-name="no-telnet"`,
					}
				}
				for _, re := range want {
					if !regexp.MustCompile(re).MatchString(log) {
						t.Errorf("no message matches %s in:\n%s", re, log)
					}
				}
			})
		}
	}
}

// stream is where logs go, by its name.
func (w *world) stream(name string) view.LogStream {
	w.t.Helper()
	var list view.LogStreams
	w.answer("show security log streams", &list)
	for _, s := range list.Streams {
		if s.Name == name {
			return s
		}
	}
	w.t.Fatalf("there is no stream %s: %+v", name, list)
	return view.LogStream{}
}

// record opens more sessions than records can wait in one place.
func (w *world) record() {
	w.t.Helper()
	p := w.labhost(w.Client, "sessions", "-to", lab.EchoAddr4, "-rate", "6000", "-time", "2s")
	if err := p.Wait(w.t.Context()); err != nil {
		w.t.Fatalf("%v: %s", err, p.Output())
	}
}

// Collectors that are gone, over TCP and TLS, cost nothing but drops that are counted and alarmed.
func TestCollectorGone(t *testing.T) {
	w := start(t, lab.Options{}, fmt.Sprintf(`
set security log stream dead host %s
set security log stream dead transport protocol tcp
set security log stream silent host %s
set security log stream silent port %d
set security log stream silent transport protocol tcp
`, lab.DeadAddr4, lab.EchoAddr4, lab.PortSilent)+lab.PermitAll)
	w.configure("set security log stream sealed host "+lab.DeadAddr4, "set security log stream sealed transport protocol tls ca-file "+w.CA)
	w.record()
	for i := range 100 {
		w.do(w.Client, "curl", "-sS", "-m5", fmt.Sprintf("http://%s/?%d", lab.WebAddr4, i))
	}
	for _, name := range []string{"stream dead", "stream sealed"} {
		w.eventually(name+" is down, and what it loses is counted and alarmed", func() bool {
			s, alarms := w.stream(name), w.show("show system alarms")
			return s.State == "down" && s.Sent == 0 && s.Dropped > 0 && regexp.MustCompile(name+".* is down").MatchString(alarms) && regexp.MustCompile(name+".* drops messages").MatchString(alarms)
		})
	}
	if s := w.stream("history"); s.Sent == 0 || s.Dropped > 0 {
		t.Errorf("the history beside them: %+v", s)
	}
	if err := w.gw.Stop(30 * time.Second); err != nil {
		t.Errorf("with a dead collector the gateway does not stop: %v", err)
	}
}
