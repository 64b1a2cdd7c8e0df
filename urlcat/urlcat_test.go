package urlcat

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// objects makes a category of each list of patterns, by its name.
func objects(lists map[string][]string) *schema.UTMObjects {
	o := new(schema.UTMObjects)
	for name, patterns := range lists {
		o.Patterns = append(o.Patterns, schema.URLPattern{Name: name, Value: patterns})
		o.Categories = append(o.Categories, schema.URLCategory{Name: name, Value: []string{name}})
	}
	slices.SortFunc(o.Categories, func(a, b schema.URLCategory) int { return strings.Compare(a.Name, b.Name) })
	return o
}

// Rows: PR-66, S-86, S-87.
func TestCategories(t *testing.T) {
	table, problems := Compile(objects(map[string][]string{
		"host":    {"www.Example.com", "http://single."},
		"below":   {"http://*.example.com"},
		"path":    {"https://www.example.com/news/", "www.example.com/a"},
		"marks":   {"http://www.example.ne?", "http://www.example.n??"},
		"address": {"203.0.113.10", "http://[2001:DB8:0::1]/x", "203.0.113.0"},
	}), false)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for request, want := range map[string]string{
		"www.example.com":              "below host",
		"WWW.EXAMPLE.COM.":             "below host",
		"www.example.com:8080":         "below host",
		"example.com":                  "",
		"a.b.example.com":              "below",
		"notexample.com":               "",
		"www.example.com.evil.test":    "",
		"www.example.com /news":        "below host",
		"www.example.com /news/":       "below host path",
		"www.example.com /news/1?q=a":  "below host path",
		"www.example.com /newsletter":  "below host",
		"www.example.com /a":           "below host path",
		"www.example.com /a?b":         "below host path",
		"www.example.com /a/b":         "below host path",
		"www.example.com /ab":          "below host",
		"www.example.com /x/../a":      "below host path",
		"www.example.com //a":          "below host path",
		"www.example.com /%61":         "below host path",
		"www.example.net":              "marks",
		"www.example.ne":               "",
		"www.example.nets":             "",
		"www.example.n":                "",
		"a.www.example.net":            "",
		"single":                       "host",
		"203.0.113.10":                 "address",
		"203.0.113.10:80 /":            "address",
		"203.0.113.11":                 "",
		"[2001:db8::1]":                "",
		"[2001:db8::1]:80 /x/y":        "address",
		"2001:db8::1 /x":               "address",
		"":                             "",
		strings.Repeat("a", 300):       "",
		".example.com":                 "below",
		"www.example.com garbage":      "below host",
		"www.example.com /%zz/../a%00": "below host",
	} {
		host, target, _ := strings.Cut(request, " ")
		if got := strings.Join(table.Categories(host, target), " "); got != want {
			t.Errorf("%q is in %q, want %q", request, got, want)
		}
	}
	var none *Table
	if none.Categories("www.example.com", "/") != nil || none.Len() != 0 || none.Names() != nil {
		t.Error("a table that is not there has categories")
	}
}

func TestBadPatterns(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "missing",
		"http://":               "missing",
		"ftp://example.com":     "scheme",
		"*":                     "beginning",
		"*.":                    "missing",
		"*example.com":          "beginning",
		"www.*.com":             "beginning",
		"*.example.???.com":     "beginning",
		"http://?":              "leave nothing",
		"example.com:80":        "without port",
		"user@example.com":      "without port",
		"a b.example":           "blanks",
		"a..b":                  "empty",
		"ex!ample.com":          "character",
		"exämple.com":           "xn--",
		"example.com/*":         "all below it",
		"example.?????????":     "at most 8",
		strings.Repeat("a", 64): "too long",
	} {
		_, problems := Compile(objects(map[string][]string{"list": {text}}), false)
		if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Message, want) || !strings.Contains(problems[0].Path, "url-pattern list") {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
}

// A file's hosts hold with all names below them; what is wrong in it is told by its line.
func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := &schema.UTMObjects{Categories: []schema.URLCategory{{Name: "ads", File: file}}}
	write("# advertisers\n\nads.example\nhttp://news.example/ads # their own\r\n*.track.example\n203.0.113.7\n")
	table, problems := Compile(o, false)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for request, in := range map[string]bool{
		"ads.example": true, "x.ads.example": true, "news.example": false, "news.example /ads/1": true,
		"track.example": false, "a.track.example": true, "203.0.113.7": true, "1.203.0.113.7": true,
	} {
		host, target, _ := strings.Cut(request, " ")
		if got := len(table.Categories(host, target)) == 1; got != in {
			t.Errorf("%q: %v, want %v", request, got, in)
		}
	}
	write("good.example\n\nbad host\n")
	if _, problems = Compile(o, false); len(problems) != 1 || !strings.Contains(problems[0].Message, "line 3") || problems[0].Warning {
		t.Errorf("a bad line: %v", problems)
	}
	write(strings.Repeat("bad host\n", 1000))
	if _, problems = Compile(o, false); len(problems) != maxProblems {
		t.Errorf("%d problems of a bad file", len(problems))
	}
	write(strings.Repeat("a", 1<<17))
	if _, problems = Compile(o, false); len(problems) != 1 || !strings.Contains(problems[0].Message, "too long") {
		t.Errorf("an endless line: %v", problems)
	}
	os.Remove(file)
	if _, problems = Compile(o, false); len(problems) != 1 || problems[0].Warning {
		t.Errorf("no file: %v", problems)
	}
	if _, problems = Compile(o, true); len(problems) != 1 || !problems[0].Warning {
		t.Errorf("no file any more: %v", problems)
	}
	for _, name := range []string{"list", t.TempDir(), "/dev/zero"} {
		o.Categories[0].File = name
		if _, problems = Compile(o, false); len(problems) != 1 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestTarget(t *testing.T) {
	for target, want := range map[string]string{
		"/a?b": "/a?b", "http://host/x": "/x", "http://host": "/", "*": "", "host:443": "", "": "", "/x?u=http://y/z": "/x?u=http://y/z",
	} {
		if got := string(Target([]byte(target))); got != want {
			t.Errorf("%q: %q, want %q", target, got, want)
		}
	}
}

// FuzzPattern: no pattern and no request breaks anything; a pattern that is accepted matches the
// host that it names.
func FuzzPattern(f *testing.F) {
	for _, text := range []string{"www.example.com", "http://*.example.com/a", "www.example.n??", "[2001:db8::1]/x", "203.0.113.1", "a/%2e%2e/?#", "a/%2523", "xn--a.b"} {
		f.Add(text, text, "/"+text)
	}
	f.Fuzz(func(t *testing.T, text, host, target string) {
		table, problems := Compile(objects(map[string][]string{"c": {text}}), false)
		table.Categories(host, target)
		if len(problems) > 0 {
			return
		}
		p, _ := parsePattern(text)
		name := p.host
		if p.below {
			name = "x." + name
		}
		name = strings.ReplaceAll(name, "?", "x")
		// The path as it stands: what is read once is not read again ("%2523" is "%23", and not "#").
		_, rest, schemed := strings.Cut(text, "://")
		if !schemed {
			rest = text
		}
		_, path, _ := strings.Cut(strings.TrimSpace(rest), "/")
		if len(table.Categories(name, "/"+path)) != 1 {
			t.Errorf("%q does not match %q %q", text, name, "/"+path)
		}
	})
}

func hundredThousand() *schema.UTMObjects {
	patterns := make([]string, 100_000)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("host%d.example%d.com", i, i%997)
	}
	return objects(map[string][]string{"many": patterns, "wild": {"*.example1.com", "www.example.n??"}})
}

func BenchmarkCompile(b *testing.B) {
	o := hundredThousand()
	for b.Loop() {
		if table, _ := Compile(o, false); table.Len() < 100_000 {
			b.Fatal(table.Len())
		}
	}
}

func BenchmarkCategories(b *testing.B) {
	table, _ := Compile(hundredThousand(), false)
	b.ReportAllocs()
	for b.Loop() {
		table.Categories("a.b.host998.example1.com", "/index.html")
	}
}
