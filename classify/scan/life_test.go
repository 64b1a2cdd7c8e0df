package scan

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/classify/decode"
)

// Without patterns there is nothing to ask for, and nothing to pay.
func TestNothing(t *testing.T) {
	b := newBench(t, app("empty"))
	if b.Wants(decode.Stream, decode.ToServer) || len(b.lanes) > 0 {
		t.Error("something is wanted")
	}
	b.is(decode.Stream, decode.ToServer, "TCP", "x", "")
	var none *Set
	if none.Wants(decode.Stream, decode.ToServer) {
		t.Error("no set wants something")
	}
}

// What cannot be compiled is left out, and the rest works.
func TestProblems(t *testing.T) {
	db := appdb.New()
	for name, regexp := range map[string]string{
		"good": "good", "bad": "(", "long": strings.Repeat("x", MaxLength+1),
		"late": `\Rx`, "empty": "x*",
	} {
		db.Add(app(name, one(in(decode.Stream, regexp))))
	}
	db.Add(app("none", appdb.Pattern{Name: "s"}))
	db.Add(app("many", appdb.Pattern{Name: "s", Members: make([]appdb.Member, MaxMembers+1)}))
	db.Add(app("nowhere", one(in(decode.NoContext, "x"))))
	s, problems, err := Compile(t.Context(), db, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var bad []string
	for _, p := range problems {
		bad = append(bad, p.Source)
	}
	slices.Sort(bad)
	if want := []string{"bad", "empty", "late", "long", "many", "none", "nowhere"}; !slices.Equal(bad, want) {
		t.Errorf("problems with %v", bad)
	}
	var p classify.Progress
	if h := s.Match(&p, decode.Stream, decode.ToServer, "TCP", &classify.Meta{Protocol: decode.TCP}, []byte("good")); h == nil || h.Application.Name != "good" {
		t.Error("what is good does not match")
	}
}

// Every signature of the predefined applications compiles and costs little.
func TestPredefined(t *testing.T) {
	db, problems := data.Load()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	n := 0
	for _, a := range db.Applications {
		for _, p := range a.Patterns {
			for _, m := range p.Members {
				n++
				if err := Check(m.Regexp, m.Context); err != nil {
					t.Errorf("%s: %s: %q: %v", a.Source, a.Short(), m.Regexp, err)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no signatures")
	}
	s, problems, err := Compile(t.Context(), db, Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	s.Close()
}

// endsAtOnce is a context that is done as soon as somebody has found that it is not.
type endsAtOnce struct {
	context.Context
	end context.CancelFunc
}

func (c endsAtOnce) Err() error {
	defer c.end()
	return c.Context.Err()
}

// A context that is done ends compiling. What was begun is finished for the next time.
func TestCancel(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s, _, err := Compile(endsAtOnce{ctx, cancel}, realistic(100), Options{CacheDir: dir})
	if err == nil {
		s.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	for begin := time.Now(); !slices.ContainsFunc(cached(t, dir), func(file string) bool { return strings.HasSuffix(file, cacheSuffix) }); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("was not finished")
		}
	}
	if s, _, err := Compile(ctx, realistic(100), Options{}); err == nil {
		s.Close()
		t.Error("compiled although nobody waits")
	}
}

// Sets are used, and closed while in use, by many.
func TestConcurrent(t *testing.T) {
	for range 5 {
		b := newBench(t, app("a", one(in(decode.Stream, "word"))), app("b", appdb.Pattern{Name: "s", Chain: true, Members: []appdb.Member{
			in(decode.Stream, "first"), in(decode.Stream, "second"),
		}}))
		var users sync.WaitGroup
		for range 16 {
			users.Go(func() {
				text := []byte("a first and a second " + strings.Repeat(".", 500))
				for range 300 {
					var p classify.Progress
					if h := b.Match(&p, decode.Stream, decode.ToServer, "TCP", &b.meta, text); h != nil && h.Application.Name != "b" {
						t.Errorf("found %s", h.Application.Name)
					}
				}
			})
		}
		users.Go(b.Close)
		users.Wait()
		b.is(decode.Stream, decode.ToServer, "TCP", "word", "")
	}
}

// Closing gives the memory back.
func TestMemory(t *testing.T) {
	resident := func() int {
		text, err := os.ReadFile("/proc/self/statm")
		if err != nil {
			t.Fatal(err)
		}
		var pages int
		for _, c := range strings.Fields(string(text))[1] {
			pages = pages*10 + int(c-'0')
		}
		return pages * os.Getpagesize()
	}
	db := appdb.New()
	for _, regexp := range []string{"^GET /", `^\x16\x03`, "[a-f]{4}x", `word.{8}end$`} {
		db.Add(app(regexp, one(in(decode.Stream, regexp))))
	}
	once := func() {
		s, _, err := Compile(t.Context(), db, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var p classify.Progress
		s.Match(&p, decode.Stream, decode.ToServer, "TCP", &classify.Meta{Protocol: decode.TCP}, []byte("GET / HTTP/1.1\r\n"))
		s.Close()
	}
	for range 20 {
		once()
	}
	before := resident()
	for range 200 {
		once()
	}
	if grown := resident() - before; grown > 16<<20 {
		t.Errorf("200 sets left %d KB behind", grown>>10)
	}
}
