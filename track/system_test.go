package track

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"sluice/store/schema"
)

// System messages reach the syslog servers and files that ask for the facility daemon, with their
// severity, and no others; session records go there in mode event alone.
// Rows: AI-99.
func TestSystemMessages(t *testing.T) {
	plain, structured, deaf := listenUDP(t), listenUDP(t), listenUDP(t)
	dir := t.TempDir()
	tracker := newTestTracker(t, Options{LogDir: dir, Now: func() time.Time { return testTime }})
	cfg := &schema.Config{}
	cfg.Security.Log.UTCTimestamp = true
	host := func(c net.PacketConn, selection schema.SyslogSelection, structured bool) schema.SyslogHost {
		at := netip.MustParseAddrPort(c.LocalAddr().String())
		return schema.SyslogHost{Address: at.Addr(), Port: at.Port(), SyslogSelection: selection, StructuredData: structured}
	}
	cfg.System.Syslog.Files = []schema.SyslogFile{{Name: "messages", SyslogSelection: schema.SyslogSelection{Any: "any"}}}
	for _, h := range []schema.SyslogHost{
		host(plain, schema.SyslogSelection{Any: "info"}, false),
		host(structured, schema.SyslogSelection{Daemon: "any", User: "none"}, true),
		host(deaf, schema.SyslogSelection{Any: "any", Daemon: "error"}, false),
	} {
		cfg.System.Syslog.Hosts = []schema.SyslogHost{h}
		commit(t, tracker, cfg)
		tracker.System("APPIDD_DEPRECATED_APPLIST", 5, "Obsolete apps: a, b\nc")
		tracker.FlowClose(fullSession(), ReasonClientFIN) // not in mode stream
	}
	tracker.System("APPIDD_APPPACK_INSTALL_RESULT", 3, "failed")

	if got, want := receive(t, plain), `<29>Oct 25 01:00:18 gw1 sluice\[\d+\]: APPIDD_DEPRECATED_APPLIST: Obsolete apps: a, b c`; !regexp.MustCompile("^" + want + "$").MatchString(got) {
		t.Errorf("plain: %q", got)
	}
	message, err := rfc5424.NewParser().Parse([]byte(receive(t, structured)))
	if err != nil {
		t.Fatal(err)
	}
	if m := message.(*rfc5424.SyslogMessage); *m.MsgID != "APPIDD_DEPRECATED_APPLIST" || *m.Appname != "sluice" || *m.Priority != 29 ||
		*m.Message != "Obsolete apps: a, b c" {
		t.Errorf("structured: %+v", m)
	}
	if got := receive(t, deaf); !strings.HasPrefix(got, "<27>") || !strings.HasSuffix(got, ": APPIDD_APPPACK_INSTALL_RESULT: failed") {
		t.Errorf("a server that wants errors got %q first", got)
	}
	eventually(t, "the file has all of them", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "messages"))
		return strings.Count(string(text), "APPIDD_") == 4 && !strings.Contains(string(text), "RT_FLOW")
	})

	cfg.Security.Log.Mode = "event"
	commit(t, tracker, cfg)
	tracker.FlowClose(fullSession(), ReasonClientFIN)
	if got := receive(t, deaf); !strings.Contains(got, "RT_FLOW_SESSION_CLOSE: session closed TCP CLIENT FIN") {
		t.Errorf("in mode event: %q", got)
	}
}

// A syslog server that is gone is an alarm that names its statement.
func TestSystemServerGone(t *testing.T) {
	gone := listenUDP(t)
	at := netip.MustParseAddrPort(gone.LocalAddr().String())
	gone.Close()
	tracker := newTestTracker(t, Options{})
	cfg := &schema.Config{}
	cfg.System.Syslog.Hosts = []schema.SyslogHost{{Address: at.Addr(), Port: at.Port(), SyslogSelection: schema.SyslogSelection{Any: "any"}}}
	commit(t, tracker, cfg)
	eventually(t, "an alarm", func() bool {
		tracker.System("TEST", 6, "text")
		for _, a := range tracker.Alarms() {
			if strings.HasPrefix(a.Text, "system syslog host 127.0.0.1 (127.0.0.1:") {
				return true
			}
		}
		return false
	})
}

// receive is the next message that arrives at c.
func receive(t *testing.T, c net.PacketConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, _, err := c.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}
