package scenario

import (
	"errors"
	"io"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"sluice/lab"
)

// Over a minute and more, the guide's first update comes for the session that still has packets; one
// that is idle has its own with its next packet, and one that was over before has none.
// Rows: TR-7, TR-8, TR-9, TR-10, TR-11.
func TestTrackingVolumeUpdates(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{}, exampleTracking+permit("all", "any"))
	collector := w.collect(w.Client, logHost+"/25")
	w.listen(w.Echo, ":9008", func(c *net.TCPConn) {
		_ = c.SetKeepAlive(false)
		_, _ = io.Copy(c, c)
	})
	began := time.Now()
	idle := w.connect(lab.EchoAddr4 + ":9008")
	if err := errors.Join(idle.SetKeepAlive(false), echoes(idle)); err != nil {
		t.Fatal(err)
	}
	w.do(w.Client, "curl", "-sS", "-m5", "http://["+lab.WebAddr6+"]/")
	w.listen(w.Web, ":8080", trickle)
	if _, err := w.Client.Start("curl", "-sS", "-o", "/dev/null", "http://"+lab.WebAddr4+":8080/"); err != nil {
		t.Fatal(err)
	}
	updates := func() []message { return messages(collector, "APPTRACK_SESSION_VOL_UPDATE") }
	for len(updates()) == 0 {
		if time.Since(began) > 2*time.Minute {
			t.Fatal("after two minutes no update has come")
		}
		time.Sleep(100 * time.Millisecond)
	}
	m := updates()[0]
	w.expect(m, map[string]string{"destination-address": lab.WebAddr4, "destination-port": "8080", "application": "HTTP", "policy-name": "all", "destination-interface-name": "ge-0/0/1.0"})
	if elapsed, err := strconv.Atoi(m.values["elapsed-time"]); err != nil || elapsed < 60 || elapsed > 75 {
		t.Errorf("the update came after %s s", m.values["elapsed-time"])
	}
	if bytes, err := strconv.Atoi(m.values["bytes-from-server"]); err != nil || bytes < 500_000 {
		t.Errorf("%s bytes of a minute at 20 kB/s", m.values["bytes-from-server"])
	}
	w.eventually("the idle session's minute is over", func() bool { return time.Since(began) > 62*time.Second })
	if n := len(updates()); n != 1 {
		t.Errorf("%d updates, want only that of the session with packets", n)
	}
	if err := idle.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := echoes(idle); err != nil {
		t.Fatal(err)
	}
	w.eventually("the idle session's update with its next packet", func() bool {
		list := updates()
		return len(list) == 2 && list[1].values["destination-port"] == "9008"
	})
	if counters := w.show("show security application-tracking counters"); !regexp.MustCompile(`Session volume updates\s+2\b`).MatchString(counters) {
		t.Errorf("two updates arrived, but the counters are\n%s", counters)
	}
}

// trickle answers a request with packet after packet, until the client has gone.
func trickle(c *net.TCPConn) {
	_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	for err == nil {
		_, err = c.Write(make([]byte, 2<<10))
		time.Sleep(100 * time.Millisecond)
	}
}
