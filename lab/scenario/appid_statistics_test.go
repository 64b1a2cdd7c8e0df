package scenario

import (
	"fmt"
	"io"
	"net"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

// statistics are the rows of a statistics command, by name.
func (w *world) statistics(of string) map[string]view.StatisticsOfName {
	w.t.Helper()
	var answer view.ApplicationStatistics
	w.answer("show"+identification+"statistics "+of, &answer)
	rows := map[string]view.StatisticsOfName{}
	for _, r := range answer.Rows {
		rows[r.Name] = r
	}
	return rows
}

// Sessions are counted when they are over, with the bytes that the session table said they had,
// by application and by group, since the beginning and in this interval, until they are cleared.
// Rows: AI-34, AI-35, AI-36, AI-37, AI-39, AI-40, AI-41, AI-42, AI-43, 1/S-7, 1/O-15, 1/O-16, 1/O-42, 1/O-43.
func TestStatistics(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll+"set services application-identification statistics interval 1440\n")
	w.listen(w.Web, ":2222", answers(okPage))
	w.listen(w.Web, ":8022", greets(sshBanner))
	c := w.connect(lab.WebAddr4 + ":2222")
	if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	w.carries("destination-port 2222", "HTTP")
	if rows := w.statistics("applications"); len(rows) != 0 {
		t.Errorf("a session that is open is counted: %v", rows)
	}
	port := c.LocalAddr().(*net.TCPAddr).Port
	c.Close()
	var bytes uint64
	w.eventually("the session is counted", func() bool {
		for _, s := range w.sessions(fmt.Sprint("source-port ", port)) {
			bytes = max(bytes, s.In.Bytes+s.Out.Bytes)
		}
		return len(w.statistics("applications")) == 1
	})
	for of, name := range map[string]string{
		"applications": "HTTP", "applications details": "HTTP", "applications interval 0": "HTTP", "application-groups": "web", "application-groups interval 0": "web",
	} {
		row := w.statistics(of)["junos:"+name]
		if row.Name == "" {
			row = w.statistics(of)[name]
		}
		if row.Sessions != 1 || row.Bytes != bytes || row.Encrypted {
			t.Errorf("%s: %+v, want one session of %d bytes", of, row, bytes)
		}
		if of == "applications details" && row.DPI != 1 {
			t.Errorf("what decided: %+v", row)
		}
	}
	if rows := w.statistics("applications interval 1"); len(rows) != 0 {
		t.Errorf("in the interval before: %v", rows)
	}

	// The command clears everything; counters have their own.
	w.show("clear" + identification + "statistics")
	for _, of := range []string{"applications", "applications interval 0", "application-groups", "application-groups interval 0"} {
		if rows := w.statistics(of); len(rows) != 0 {
			t.Errorf("cleared, and %s are %v", of, rows)
		}
	}
	counters := func() map[string]uint64 {
		var answer view.AppIDCounters
		w.answer("show"+identification+"counter", &answer)
		m := map[string]uint64{}
		for _, c := range answer.Counters {
			m[c.Name] = c.Value
		}
		return m
	}
	if c := counters(); c["Sessions inspected"] != 1 || c["Sessions identified"] != 1 || c["Bytes inspected"] == 0 {
		t.Errorf("counters: %v", c)
	}
	w.show("clear" + identification + "counter")
	if c := counters(); c["Sessions inspected"] != 0 || c["Bytes inspected"] != 0 {
		t.Errorf("counters that were cleared: %v", c)
	}
}
