package scenario

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

const cacheEntries = "show" + identification + "application-system-cache"

// What the cache holds appears after a session, once for all of a server's, ends at its time
// whether or not it is hit, and goes when it is cleared or switched off.
// Rows: AI-12, AI-19, AI-20, AI-21, AI-28, AI-29, AI-30, AI-31, 1/S-3, 1/S-5, 1/S-6, 1/O-2.
func TestSystemCache(t *testing.T) {
	t.Parallel() // it mostly waits
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll)
	w.listen(w.Web, ":2222", answers(okPage))
	get := func() { w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+":2222/") }
	shows := func(lines ...string) {
		t.Helper()
		shown := w.show(cacheEntries)
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^ *` + line + ` *$`).MatchString(shown) {
				t.Errorf("no line %q in:\n%s", line, shown)
			}
		}
	}
	shows("application-cache: on", "Cache lookup for security-services: off", "Cache lookup for miscellaneous-services: on", "cache-entry-timeout: 3600 seconds")
	get()
	w.remembers(2222, "HTTP")
	get()
	if entries := w.cached(); len(entries) != 1 {
		t.Errorf("two sessions with one server are remembered as %v", entries)
	}
	shows(`IP address +Port +Protocol +Application`, `203\.0\.113\.80 +2222 +tcp +junos:HTTP`)
	w.show("clear" + identification + "application-system-cache")
	if entries := w.cached(); len(entries) != 0 {
		t.Errorf("cleared, and remembered: %v", entries)
	}

	w.configure("set services application-identification application-system-cache-timeout 4",
		"set services application-identification application-system-cache no-miscellaneous-services")
	shows("Cache lookup for miscellaneous-services: off", "cache-entry-timeout: 4 seconds")
	get()
	w.remembers(2222, "HTTP")
	w.eventually("an entry that is hit all the time grows old", func() bool {
		get()
		var cache view.ApplicationCache
		w.answer(cacheEntries, &cache)
		return len(cache.Entries) == 1 && cache.Entries[0].Left <= 1
	})
	w.eventually("the entry is over", func() bool { return len(w.cached()) == 0 })

	w.configure("set services application-identification no-application-system-cache")
	shows("application-cache: off")
	get()
	w.carries("destination-port 2222", "HTTP")
	if entries := w.cached(); len(entries) != 0 {
		t.Errorf("without a cache, and remembered: %v", entries)
	}
}

// A server that was one thing and then is another: who does not ask the cache is not deceived,
// and whoever lets security services ask it is warned.
// Rows: AI-24, AI-25, AI-26, AI-27, 1/S-4.
func TestPoisonedCache(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll)
	var evil atomic.Bool
	w.listen(w.Web, ":2222", func(c *net.TCPConn) {
		if evil.Load() {
			greets(sshBanner)(c)
		} else {
			answers(okPage)(c)
		}
	})
	become := func(bad bool, application string) {
		t.Helper()
		evil.Store(bad)
		c := w.connect(lab.WebAddr4 + ":2222")
		defer c.Close()
		if !bad {
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: www.example.net\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		w.carries(fmt.Sprint("source-port ", c.LocalAddr().(*net.TCPAddr).Port), application)
	}
	become(false, "HTTP")
	w.remembers(2222, "HTTP")
	become(true, "SSH")
	w.remembers(2222, "SSH") // what was seen last

	out, err := w.gw.Edit(t.Context(), "set services application-identification application-system-cache security-services", "commit")
	if err != nil || !strings.Contains(out, "warning") || !strings.Contains(out, "pass one application off as another") {
		t.Errorf("a cache that deceives is taken without a warning: %q, %v", out, err)
	}
	if status := w.show("show" + identification + "status"); !regexp.MustCompile(`Cache lookup security-services +Enabled`).MatchString(status) {
		t.Errorf("the status does not say that security services ask the cache:\n%s", status)
	}
	become(false, "SSH")
	become(true, "SSH")
	w.configure("delete services application-identification application-system-cache security-services")
	become(false, "HTTP")
	if shown := w.show("show" + identification + "counter"); !regexp.MustCompile(`Cache hits +2`).MatchString(shown) {
		t.Errorf("the hits are not counted:\n%s", shown)
	}
}

// The cache is emptied when a custom signature is made or changed, and left alone by a commit that
// fails or is about something else.
// Rows: AI-22, AI-23.
func TestCacheAndCustomSignatures(t *testing.T) {
	w := start(t, lab.Options{NoServers: true}, lab.PermitAll)
	w.listen(w.Web, ":2222", answers(okPage))
	get := func() { w.do(w.Client, "curl", "-sS", "-m5", "http://"+lab.WebAddr4+":2222/mine") }
	get()
	w.remembers(2222, "HTTP")
	const custom = "set services application-identification application mine over HTTP signature s member m01 "
	if err := w.gw.Configure(t.Context(), custom+"context http-url-parsed", custom+"pattern /mine(", custom+"direction client-to-server"); err == nil {
		t.Error("a pattern that does not compile is committed")
	}
	if _, err := w.gw.Edit(t.Context(), "rollback 0"); err != nil {
		t.Fatal(err)
	}
	w.configure("set system host-name other")
	w.remembers(2222, "HTTP")
	w.configure(custom+"context http-url-parsed", custom+"pattern .*/nothing", custom+"direction client-to-server",
		"set services application-identification application mine cacheable")
	if entries := w.cached(); len(entries) != 0 {
		t.Errorf("after a new signature these are remembered: %v", entries)
	}
	get()
	w.remembers(2222, "HTTP")
	w.configure(custom + "pattern .*/mine")
	get()
	w.eventually("it is remembered as what it is now", func() bool { return w.cached()[lab.WebAddr4+" 2222 tcp"] == "mine" })
}
