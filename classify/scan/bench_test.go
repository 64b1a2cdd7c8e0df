package scan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flier/gohs/hyperscan"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// realistic makes stream signatures of the sorts that there are: headers of HTTP, server names,
// the first bytes of binary protocols, addresses of pages.
func realistic(n int) *appdb.Database {
	random := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		b := make([]byte, 4+random.IntN(8))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz"[random.IntN(26)]
		}
		return string(b)
	}
	db := appdb.New()
	for i := range n {
		var e string
		switch i % 25 {
		case 0, 1, 2, 3, 4, 5, 6, 7, 8, 9:
			e = `\r\nHost: [a-z0-9.-]{0,32}` + word() + `\.com\r\n`
		case 10, 11, 12, 13, 14:
			e = `\x00` + word() + `\.` + word() + `\.net`
		case 15, 16, 17, 18, 19:
			e = `User-Agent: ` + strings.ToUpper(word()[:1]) + word() + `/[0-9.]{1,8}`
		case 20, 21, 22:
			e = fmt.Sprintf(`^\x%02x\x%02x.{2}\x%02x\x00`, random.IntN(256), random.IntN(256), random.IntN(256))
		default:
			e = `^(GET|POST) /` + word() + `/[a-z]{1,16}\.php`
		}
		db.Add(&appdb.Application{Name: fmt.Sprintf("A%d", i), Patterns: []appdb.Pattern{{Name: "s", Members: []appdb.Member{
			{Context: decode.Stream, Directions: [2]bool{true, true}, Regexp: e},
		}}}})
	}
	return db
}

// realisticTexts are beginnings of sessions: requests, pages, compressed and encrypted bytes.
func realisticTexts(size int) [][]byte {
	random := rand.New(rand.NewPCG(5, 6))
	fill := func(text string, low, span int) []byte {
		b := []byte(text)
		for len(b) < size {
			b = append(b, byte(low+random.IntN(span)))
		}
		return b[:size]
	}
	var texts [][]byte
	for i := range 16 {
		texts = append(texts,
			fill(fmt.Sprintf("POST /upload/%d.html?q=%%20a HTTP/1.1\r\nHost: www%d.something.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nCookie: ", i, i), '!', 90),
			fill("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><head><title>Page</title>", 'a', 26),
			fill("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0, 256),
			fill("220 mail.example.org ESMTP ready\r\n", ' ', 95),
		)
	}
	return texts
}

func BenchmarkMatch(b *testing.B) {
	s, problems, err := Compile(b.Context(), realistic(1000), Options{CacheDir: b.TempDir()})
	if err != nil || len(problems) > 0 {
		b.Fatal(err, problems)
	}
	defer s.Close()
	meta := classify.Meta{Protocol: decode.TCP}
	for _, size := range []int{1, 32, 260, 1400, 4096} {
		texts := realisticTexts(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var p classify.Progress
			for i := 0; b.Loop(); i++ {
				s.Match(&p, decode.Stream, decode.ToServer, "TCP", &meta, texts[i%len(texts)])
			}
		})
	}
}

// BenchmarkGohs is the same through gohs, for comparison.
func BenchmarkGohs(b *testing.B) {
	all, _ := collect(realistic(1000))
	var patterns []*hyperscan.Pattern
	for e := range places(all)[place{decode.Stream, decode.ToServer}] {
		patterns = append(patterns, e.pattern(len(patterns)))
	}
	db, err := hyperscan.NewBlockDatabase(patterns...)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	scratch, err := hyperscan.NewScratch(db)
	if err != nil {
		b.Fatal(err)
	}
	defer scratch.Free()
	for _, size := range []int{1, 32, 260, 1400, 4096} {
		texts := realisticTexts(size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				db.Scan(texts[i%len(texts)], scratch, func(uint, uint64, uint64, uint, any) error { return nil }, nil)
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	db := realistic(1000)
	for _, from := range []string{"source", "cache"} {
		b.Run(from, func(b *testing.B) {
			dir := ""
			if from == "cache" {
				dir = b.TempDir()
				warm(b, db, dir)
			}
			for b.Loop() {
				warm(b, db, dir)
			}
		})
	}
}

func warm(b *testing.B, db *appdb.Database, dir string) {
	s, _, err := Compile(context.Background(), db, Options{CacheDir: dir})
	if err != nil {
		b.Fatal(err)
	}
	s.Close()
}

func BenchmarkCheck(b *testing.B) {
	e := expression{regexp: `\r\nHost: [a-z0-9.-]{0,32}example\.com\r\n`}
	begin := time.Now()
	for b.Loop() {
		if err := check(e); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(time.Since(begin).Milliseconds())/float64(b.N), "ms/op")
}
