package sigpack

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// feed is a repository with its server and its time.
type feed struct {
	*Repository
	*clock
	server *Server
	http   *httptest.Server
	root   []byte
}

func newFeed(t *testing.T) *feed {
	t.Helper()
	c := &clock{at: begin}
	f := &feed{clock: c, Repository: &Repository{Dir: t.TempDir(), Keys: filepath.Join(t.TempDir(), "keys"), Clock: c.now}}
	if err := NewKeys(f.Keys); err != nil {
		t.Fatal(err)
	}
	if err := f.Create(); err != nil {
		t.Fatal(err)
	}
	f.server = &Server{Repository: f.Repository, WithdrawAfter: 2, Logger: slog.New(slog.DiscardHandler)}
	f.http = httptest.NewServer(f.server)
	t.Cleanup(f.http.Close)
	var err error
	if f.root, err = f.Root(); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *feed) publish(t *testing.T, infos ...Info) {
	t.Helper()
	for _, info := range infos {
		if _, err := f.Publish(file(t, built(t, info, sampleApps))); err != nil {
			t.Fatal(err)
		}
	}
}

func (f *feed) client(t *testing.T) *Client {
	return &Client{Trust: Trust{Root: f.root, Dir: filepath.Join(t.TempDir(), "trust"), Clock: f.clock.now}, URL: f.http.URL, HTTP: f.http.Client()}
}

// copied is a copy of a directory.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A gateway sees what is published, of which kind, and gets it whole (AI-96, AI-156, AI-159).
func TestFeed(t *testing.T) {
	f := newFeed(t)
	c := f.client(t)
	if all, err := c.Versions(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("an empty feed: %v %v", all, err)
	}
	f.publish(t, major(3585), major(3598), minor(3588, 3585), minor(3605, 3598))
	all, err := c.Versions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, v := range all {
		got = append(got, fmt.Sprintf("%d %s %d", v.Version, v.Kind, v.Base))
	}
	if want := []string{"3605 Minor 3598", "3598 Major 3598", "3588 Minor 3585", "3585 Major 3585"}; !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	for _, version := range []int{3605, 3585} { // an older one, when it is asked for (AI-163)
		dir := filepath.Join(t.TempDir(), "new")
		p, err := c.Fetch(t.Context(), version, dir)
		if err != nil {
			t.Fatal(err)
		}
		if p.Version != version || p.Dir != dir || len(p.Notes) != 0 {
			t.Errorf("%+v", p)
		}
		if err := Verify(dir, p.Digest); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Fetch(t.Context(), 1, filepath.Join(t.TempDir(), "new")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a version that is not there: %v", err)
	}
	// A directory is a feed, too (AI-95).
	for _, path := range []string{f.Dir, "file://" + f.Dir} {
		c := f.client(t)
		c.URL = path
		if _, err := c.Fetch(t.Context(), 3598, filepath.Join(t.TempDir(), "new")); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "ftp://feed", "feed.example", "http://"} {
		c.URL = bad
		if _, err := c.Versions(t.Context()); err == nil {
			t.Errorf("feed %q", bad)
		}
	}
}

// What cannot be published is refused.
func TestPublish(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(10))
	other := minor(12, 10)
	other.ProtocolBundle.Version = "9.9.9-9"
	for says, text := range map[string][]byte{
		"version 10 is there already":        built(t, major(10), sampleApps),
		"which the repository does not have": built(t, minor(12, 11), sampleApps),
		"has protocol bundle":                built(t, other, sampleApps),
		"no gzip archive":                    []byte("nothing"),
		"signature of SAMPLE":                built(t, major(11), strings.Replace(sampleApps, "^Sample/", "^Sample(", 1)),
	} {
		if _, err := f.Publish(file(t, text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v does not say %q", err, says)
		}
	}
	if err := f.Create(); err == nil {
		t.Error("a repository was made where there is one")
	}
	if all, _ := f.Versions(); len(all) != 1 {
		t.Errorf("%v", all)
	}
}

// Keys are their owner's alone.
func TestKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if err := NewKeys(dir); err != nil {
		t.Fatal(err)
	}
	for _, role := range roles {
		info, err := os.Stat(keyFile(dir, role))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		if key, err := readKey(keyFile(dir, role)); err != nil || len(key) != ed25519.PrivateKeySize {
			t.Error(err)
		}
	}
	if err := NewKeys(dir); err == nil {
		t.Error("keys were replaced")
	}
	root := keyFile(dir, "root")
	if err := os.Chmod(root, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := readKey(root); err == nil || !strings.Contains(err.Error(), "lets others read it") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(root, []byte("x"), 0o600); err != nil || os.Chmod(root, 0o600) != nil {
		t.Fatal(err)
	}
	if _, err := readKey(root); err == nil || !strings.Contains(err.Error(), "no private key") {
		t.Errorf("%v", err)
	}
}

// Without a root nothing is trusted, and with another one nothing of this feed.
func TestTrust(t *testing.T) {
	f, other := newFeed(t), newFeed(t)
	f.publish(t, major(1))
	c := f.client(t)
	c.Root = nil
	if _, err := c.Versions(t.Context()); err == nil || !strings.Contains(err.Error(), "no root of trust is configured") {
		t.Errorf("%v", err)
	}
	c.Root = other.root
	if _, err := c.Versions(t.Context()); !errors.Is(err, ErrSignature) {
		t.Errorf("another feed's root: %v", err)
	}
	c.Root = []byte("{}")
	if _, err := c.Versions(t.Context()); err == nil {
		t.Error("no root at all")
	}
}

// What was changed on the way or on the server is refused.
func TestTampering(t *testing.T) {
	for name, pattern := range map[string]string{"package": "targets/*.tar.gz", "timestamp": "metadata/timestamp.json",
		"snapshot": "metadata/2.snapshot.json", "targets": "metadata/2.targets.json"} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t)
			f.publish(t, major(1))
			found, _ := filepath.Glob(filepath.Join(f.Dir, pattern))
			if len(found) != 1 {
				t.Fatalf("%q", found)
			}
			text, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			if name == "package" {
				text[len(text)/2] ^= 1
			} else {
				text = bytes.Replace(text, []byte(`"expires": "202`), []byte(`"expires": "203`), 1)
			}
			if err := os.WriteFile(found[0], text, 0o600); err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "new")
			_, err = f.client(t).Fetch(t.Context(), 1, dir)
			if !errors.Is(err, ErrChecksum) && !errors.Is(err, ErrSignature) {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("the package is there")
			}
		})
	}
}

// A server that shows an old state of the feed is refused, and so is one that shows nothing new
// for longer than the word holds.
func TestRollbackAndFreeze(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	old := copied(t, f.Dir)
	c := f.client(t)
	f.publish(t, major(2))
	if _, err := c.Versions(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := f.Dir
	f.Repository.Dir = old
	if _, err := c.Versions(t.Context()); !errors.Is(err, ErrRollback) {
		t.Errorf("an old state: %v", err)
	}
	if all, err := f.client(t).Versions(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("a gateway that has seen nothing else: %v %v", all, err)
	}
	f.Repository.Dir = now
	f.pass(timestampHolds - time.Hour)
	if _, err := c.Versions(t.Context()); err != nil {
		t.Error(err)
	}
	f.pass(2 * time.Hour)
	if _, err := c.Versions(t.Context()); !errors.Is(err, ErrExpired) {
		t.Errorf("a frozen feed: %v", err)
	}
	if _, err := f.client(t).Versions(t.Context()); !errors.Is(err, ErrExpired) {
		t.Errorf("a frozen feed, to a new gateway: %v", err)
	}
	if err := f.Refresh(); err != nil {
		t.Fatal(err)
	}
	if all, err := c.Versions(t.Context()); err != nil || len(all) != 2 {
		t.Errorf("a renewed feed: %v %v", all, err)
	}
	f.pass(targetsHolds * 3 / 4)
	if err := f.Refresh(); err != nil {
		t.Fatal(err)
	}
	f.pass(timestampHolds - time.Hour)
	if _, err := c.Versions(t.Context()); err != nil {
		t.Errorf("the others' word was renewed, too: %v", err)
	}
	f.pass(rootHolds)
	if err := f.Refresh(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Versions(t.Context()); !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), "root 1") {
		t.Errorf("a root that is too old: %v", err)
	}
}

// Every key can be replaced; gateways follow, also those that slept meanwhile. Who has the old
// keys can publish nothing any more.
func TestRotation(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	c, sleeper := f.client(t), f.client(t)
	if _, err := c.Versions(t.Context()); err != nil {
		t.Fatal(err)
	}
	stolen := copied(t, f.Keys)
	if err := os.Chmod(stolen, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, role := range append(roles, "root") {
		if err := f.Rotate(role); err != nil {
			t.Fatal(err)
		}
		f.publish(t, major(2+i))
		if all, err := c.Versions(t.Context()); err != nil || len(all) != 2+i {
			t.Errorf("after the rotation of %s: %v %v", role, all, err)
		}
	}
	if all, err := sleeper.Versions(t.Context()); err != nil || len(all) != 6 {
		t.Errorf("a gateway that slept: %v %v", all, err)
	}
	if err := f.Rotate("nobody"); err == nil {
		t.Error("a role that does not exist")
	}
	thief := &Repository{Dir: f.Dir, Keys: stolen, Clock: f.clock.now}
	for _, role := range roles {
		if err := os.Chmod(keyFile(stolen, role), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := thief.Publish(file(t, built(t, major(66), sampleApps))); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Versions(t.Context()); !errors.Is(err, ErrSignature) {
		t.Errorf("signed with stolen keys: %v", err)
	}
}

// A withdrawn version is known, and given to nobody (AI-155).
func TestWithdraw(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1), major(2))
	var archive bytes.Buffer
	if err := f.Archive(&archive, 2); err != nil {
		t.Fatal(err)
	}
	target := ""
	if found, _ := filepath.Glob(filepath.Join(f.Dir, "targets/*sigpack-2.tar.gz")); len(found) == 1 {
		target = "/targets/" + filepath.Base(found[0])
	}
	if err := f.Withdraw(2, "it loops"); err != nil {
		t.Fatal(err)
	}
	c := f.client(t)
	if all, err := c.Versions(t.Context()); err != nil || len(all) != 2 || !all[0].Withdrawn || all[1].Withdrawn {
		t.Errorf("%v %v", all, err)
	}
	if _, err := c.Fetch(t.Context(), 2, filepath.Join(t.TempDir(), "new")); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "it loops") {
		t.Errorf("%v", err)
	}
	if err := f.Archive(io.Discard, 2); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an archive of it: %v", err)
	}
	// An archive that was made before shows an older state than the gateway has seen.
	if _, err := OpenArchive(t.Context(), file(t, archive.Bytes()), c.Trust, filepath.Join(t.TempDir(), "new")); !errors.Is(err, ErrRollback) {
		t.Errorf("an archive of before: %v", err)
	}
	answer, err := http.Get(f.http.URL + target)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusGone {
		t.Errorf("the server still gives it: %s", answer.Status)
	}
	if err := f.Withdraw(9, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// Failures that several gateways report withdraw a major version; one gateway, successes and minor
// versions withdraw nothing (AI-154, AI-155).
func TestReports(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1), minor(2, 1))
	report := func(from string, version int, ok bool) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, "/reports", strings.NewReader(fmt.Sprintf(`{"device": "d", "version": %d, "ok": %v}`, version, ok)))
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		f.server.ServeHTTP(w, r)
		if w.Code != http.StatusNoContent {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	withdrawn := func() []int {
		t.Helper()
		all, err := f.Versions()
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int
		for _, v := range all {
			if v.Withdrawn {
				numbers = append(numbers, v.Version)
			}
		}
		return numbers
	}
	report("192.0.2.1:1000", 1, false)
	report("192.0.2.1:1001", 1, false)
	report("192.0.2.2:1000", 1, true)
	report("[2001:db8::1]:1", 2, false)
	report("192.0.2.9:1", 2, false)
	report("192.0.2.8:1", 77, false)
	if got := withdrawn(); len(got) != 0 {
		t.Errorf("withdrawn too early: %v", got)
	}
	report("[2001:db8:0:1::1]:1", 1, false)
	if got := withdrawn(); !slices.Equal(got, []int{1}) {
		t.Errorf("withdrawn: %v", got)
	}
	c := f.client(t)
	if err := c.Report(t.Context(), Report{Device: "branch", Version: 2, OK: true}); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(f.Dir, "reports.jsonl"))
	if err != nil || !strings.Contains(string(text), `"device":"branch","version":2,"ok":true}`) || strings.Count(string(text), "\n") != 8 {
		t.Errorf("%v\n%s", err, text)
	}
	for _, bad := range []string{"", "[]", `{"device": "` + strings.Repeat("x", maxReport) + `"}`} {
		answer, err := http.Post(f.http.URL+"/reports", "application/json", strings.NewReader(bad))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusBadRequest {
			t.Errorf("%.20q: %s", bad, answer.Status)
		}
	}
	c.URL = f.Dir
	if err := c.Report(t.Context(), Report{}); err != nil {
		t.Errorf("a directory takes no reports, quietly: %v", err)
	}
}

// The server gives what is signed and nothing else.
func TestServer(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	if err := os.WriteFile(filepath.Join(f.Dir, "reports.jsonl"), []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/metadata/timestamp.json": 200, "/metadata/1.root.json": 200, "/metadata/9.root.json": 404, "/": 404, "/metadata/": 404,
		"/reports.jsonl": 404, "/reports": 404, "/metadata/../reports.jsonl": 404, "/metadata/%2e%2e/reports.jsonl": 404, "/.lock": 404,
	} {
		request, err := http.NewRequest(http.MethodGet, f.http.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, not %d", path, answer.StatusCode, want)
		}
	}
	answer, err := http.Post(f.http.URL+"/metadata/timestamp.json", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMethodNotAllowed {
		t.Error(answer.Status)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before, _ := os.ReadFile(filepath.Join(f.Dir, "metadata/timestamp.json"))
	f.server.Renew(ctx)
	if after, _ := os.ReadFile(filepath.Join(f.Dir, "metadata/timestamp.json")); bytes.Equal(before, after) {
		t.Error("the word was not renewed")
	}
	f.Keys = t.TempDir()
	f.server.Renew(t.Context()) // returns, as there are no keys
}

// A download that was cut off goes on where it was.
func TestResume(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	var mu sync.Mutex
	var ranges []string
	cut := true
	f.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, "/targets/") {
			f.server.ServeHTTP(w, r)
			return
		}
		ranges = append(ranges, r.Header.Get("Range"))
		if !cut {
			f.server.ServeHTTP(w, r)
			return
		}
		cut = false
		text, _ := os.ReadFile(filepath.Join(f.Dir, r.URL.Path))
		w.Header().Set("Content-Length", fmt.Sprint(len(text)))
		w.Write(text[:500])
	})
	c := f.client(t)
	dir := filepath.Join(t.TempDir(), "new")
	if _, err := c.Fetch(t.Context(), 1, dir); err == nil {
		t.Fatal("a download that was cut off")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a part of the package is there")
	}
	if _, err := c.Fetch(t.Context(), 1, dir); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=500-"}; !slices.Equal(ranges, want) {
		t.Errorf("ranges %q, not %q", ranges, want)
	}
	left, _ := filepath.Glob(filepath.Join(c.Dir, "*/fetch/*.part"))
	if len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A server that sends more than was signed, or sends without end, is refused.
func TestEndlessServer(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	c := f.client(t)
	for _, part := range []string{"/targets/", "/metadata/timestamp.json", "/metadata/2.root.json"} {
		f.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasPrefix(r.URL.Path, part) {
				f.server.ServeHTTP(w, r)
				return
			}
			for zeros := make([]byte, 64<<10); ; {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		})
		if _, err := c.Fetch(t.Context(), 1, filepath.Join(t.TempDir(), "new")); !errors.Is(err, ErrHostile) && !errors.Is(err, ErrChecksum) {
			t.Errorf("%s: %v", part, err)
		}
	}
}

// A feed may want a user and a password, which are not shown (AI-18).
func TestCredentials(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "branch" || password != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		f.server.ServeHTTP(w, r)
	}))
	defer closed.Close()
	c := f.client(t)
	for login, ok := range map[string]bool{"branch:s3cret@": true, "branch:other-s3cret@": false, "": false} {
		c.URL = strings.Replace(closed.URL, "://", "://"+login, 1)
		_, err := c.Versions(t.Context())
		if (err == nil) != ok || err != nil && (!strings.Contains(err.Error(), "401") || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("with %q: %v", login, err)
		}
		if shown := Shown(c.URL); strings.Contains(shown, "s3cret") || !strings.HasSuffix(shown, strings.TrimPrefix(closed.URL, "http://")) {
			t.Errorf("shown as %q", shown)
		}
	}
	if path := "/var/tmp/a feed"; Shown(path) != path {
		t.Errorf("shown as %q", Shown(path))
	}
}

// The feed can be reached through a proxy: with CONNECT when it is an https feed (AI-111, AI-112).
func TestProxy(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	secure := httptest.NewTLSServer(f.server)
	defer secure.Close()
	var mu sync.Mutex
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.Host)
		mu.Unlock()
		if r.Method != http.MethodConnect {
			r.URL.Path = strings.TrimPrefix(r.URL.Path, "")
			f.server.ServeHTTP(w, r)
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer here.Close()
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		done := make(chan struct{})
		go func() { io.Copy(there, here); there.Close(); close(done) }()
		io.Copy(here, there)
		here.Close()
		<-done
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := f.client(t)
	c.URL, c.Proxy, c.HTTP = "http://feed.example", address, nil
	if _, err := c.Fetch(t.Context(), 1, filepath.Join(t.TempDir(), "new")); err != nil {
		t.Error(err)
	}
	if !slices.Contains(asked, "GET feed.example") {
		t.Errorf("the proxy was asked %q", asked)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(address), TLSClientConfig: &tls.Config{RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	defer transport.CloseIdleConnections()
	c.URL, c.HTTP = secure.URL, &http.Client{Transport: transport}
	if _, err := c.Versions(t.Context()); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(asked, "CONNECT "+strings.TrimPrefix(secure.URL, "https://")) {
		t.Errorf("the proxy was asked %q", asked)
	}
}

// An offline archive is believed like a feed, except that its word may be old, which is said
// (AI-164).
func TestArchive(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1), minor(2, 1))
	if err := f.Rotate("root"); err != nil {
		t.Fatal(err)
	}
	var archive, again bytes.Buffer
	if err := f.Archive(&archive, 2); err != nil {
		t.Fatal(err)
	}
	if err := f.Archive(&again, 2); err != nil || !bytes.Equal(archive.Bytes(), again.Bytes()) {
		t.Errorf("a second archive has other bytes, or %v", err)
	}
	open := func(text []byte, trust Trust) (*Fetched, error) {
		return OpenArchive(t.Context(), file(t, text), trust, filepath.Join(t.TempDir(), "new"))
	}
	trust := f.client(t).Trust
	p, err := open(archive.Bytes(), trust)
	if err != nil || p.Version != 2 || len(p.Notes) != 0 {
		t.Fatalf("%+v %v", p, err)
	}
	f.pass(timestampHolds * 2)
	if p, err = open(archive.Bytes(), trust); err != nil || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "the archive is old") {
		t.Errorf("%+v %v", p, err)
	}
	if p, err = open(archive.Bytes(), f.client(t).Trust); err != nil || len(p.Notes) != 1 {
		t.Errorf("to a new gateway: %+v %v", p, err)
	}
	if _, err := open(archive.Bytes(), Trust{Root: newFeed(t).root, Dir: t.TempDir(), Clock: f.clock.now}); !errors.Is(err, ErrSignature) {
		t.Errorf("another feed's root: %v", err)
	}
	if _, err := open(archive.Bytes()[:archive.Len()/2], trust); !errors.Is(err, ErrHostile) {
		t.Errorf("a truncated archive: %v", err)
	}
	if _, err := open(handMade(t, plain("metadata/../../escaped.json", "{}")), trust); !errors.Is(err, ErrHostile) {
		t.Errorf("an archive that leads elsewhere: %v", err)
	}
	if _, err := open(built(t, major(1), sampleApps), trust); !errors.Is(err, ErrHostile) {
		t.Errorf("a package that nobody signed: %v", err)
	}
	if _, err := OpenArchive(t.Context(), "/nonexistent.tar.gz", trust, t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	f.pass(targetsHolds)
	if _, err := open(archive.Bytes(), trust); !errors.Is(err, ErrExpired) {
		t.Errorf("an archive that is far too old: %v", err)
	}
}

// Gateways may ask at the same time, also for the same version.
func TestTogether(t *testing.T) {
	f := newFeed(t)
	f.publish(t, major(1))
	c := f.client(t)
	var wait sync.WaitGroup
	above := t.TempDir()
	for i := range 4 {
		wait.Go(func() {
			if _, err := c.Fetch(t.Context(), 1, filepath.Join(above, fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}
