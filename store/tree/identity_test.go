package tree

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

// samples are values of which every leaf of the grammar accepts at least one, and some that need
// quotes, look like keywords or like signs.
var samples = []string{
	"a", "policy", "then", "ipv4-only", "inactive:", "a b", `say "hi"`, `back\slash`, `end\`, "two\nlines", "[", "a,b", "#x", "/*", "?",
	"1", "5", "20", "80", "600", "1500", "65535", "tcp", "80-90", "http", "192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "192.0.2.0/255.255.0.255",
	"never", "any", "2030-01-02.03:04", "08:00", "17:30:05", "eth1", "ge-0/0/1", "trust", "default", "stream", "syslog", "info", "all", "ping", "bgp", "session", "udp",
	"2097152", "high", "m01", "juniper-local", "permit", "128k", "00:50:56:a6:5f:1f", "300", "101110", "af22",
}

// generator makes random statements by walking the grammar.
type generator struct{ *rand.Rand }

// value is a word that n accepts.
func (g generator) value(n *schema.Node, group bool) string {
	if group && n.IsKey && g.IntN(3) == 0 {
		return "<*>"
	}
	words := slices.Concat(samples, n.Enum)
	for range 1000 {
		if w := words[g.IntN(len(words))]; accepts(n, w) {
			return w
		}
	}
	panic("no sample value for " + n.Keyword)
}

func accepts(n *schema.Node, word string) bool {
	_, err := n.Normalize(word)
	return err == nil
}

// path is a random path from the top, as words to be typed.
func (g generator) path() string {
	var words []string
	n, group := schema.Root(), false
	for {
		if len(n.Children) == 0 || len(words) > 0 && n.Kind != schema.Container && g.IntN(12) == 0 {
			break
		}
		n = n.Children[g.IntN(len(n.Children))]
		if !n.IsValue {
			words = append(words, n.Keyword)
		}
		if n.Kind == schema.Leaf || n.Kind == schema.LeafList {
			words = append(words, enquoteMaybe(g, g.value(n, group)))
		}
		for i, k := range n.Keys {
			if i > 0 {
				words = append(words, k.Keyword)
			}
			words = append(words, enquoteMaybe(g, g.value(k, group)))
		}
		group = group || n.Any
		if !n.Holds() {
			break
		}
	}
	return strings.Join(words, " ")
}

func enquoteMaybe(g generator, word string) string {
	if q := Quote(word); q != word || g.IntN(2) == 0 {
		return q
	}
	return enquote(word)
}

// tree is a random configuration with marks and comments.
func (g generator) tree(t testing.TB) *Tree {
	tr := New()
	var paths []string
	for range 5 + g.IntN(60) {
		p := g.path()
		if err := tr.Run(nil, "set "+p); err != nil {
			t.Fatalf("set %s: %v", p, err)
		}
		paths = append(paths, p)
	}
	for range g.IntN(20) {
		words := strings.Fields(paths[g.IntN(len(paths))])
		p := strings.Join(words[:1+g.IntN(len(words))], " ")
		verb := []string{"deactivate", "activate", "annotate", "delete", "protect"}[g.IntN(5)]
		if verb == "annotate" {
			p += [...]string{` "a \"comment\""`, ` "two\nlines"`, ` "ends in \\"`}[g.IntN(3)]
		}
		// Many of these paths are refused, or are no longer there.
		_ = tr.Run(nil, verb+" "+p)
	}
	return tr
}

// checkIdentity fails unless every form of tr gives tr again.
func checkIdentity(t *testing.T, tr *Tree) {
	t.Helper()
	text := tr.Text()
	again, problems := Parse(text)
	if len(problems) > 0 || !again.Equal(tr) {
		t.Fatalf("the text does not give the tree again: %v\n%s\nbut\n%s", problems, text, again.Text())
	}
	if !tr.Clone().Equal(tr) {
		t.Fatal("a clone differs")
	}
	if d := Compare(tr, again, nil); d != "" {
		t.Fatalf("equal trees differ:\n%s", d)
	}
	js, err := tr.Show(JSON, nil)
	if err != nil || !json.Valid([]byte(js)) {
		t.Fatalf("not JSON: %v\n%s", err, js)
	}
	checkXML(t, tr)
	if _, err := tr.ShowInheritance(nil); err != nil {
		t.Fatal(err)
	}
	expanded, _ := tr.Expand()
	twice, _ := expanded.Expand()
	if !twice.Equal(expanded) {
		t.Fatalf("expanding twice differs from expanding once:\n%s", Compare(expanded, twice, nil))
	}
	tr.Decode()
}

func checkXML(t *testing.T, tr *Tree) {
	t.Helper()
	text, err := tr.Show(XML, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, text)
		}
	}
}

// checkSetForm fails unless the set form of tr, which has no unknown statements, makes tr.
func checkSetForm(t *testing.T, tr *Tree) {
	t.Helper()
	set, err := tr.Show(Set, nil)
	if err != nil {
		t.Fatal(err)
	}
	made := New()
	if problems := made.Load(LoadSet, nil, set); len(problems) > 0 || !made.Equal(tr) {
		t.Fatalf("the set form does not make the tree: %v\n%s\n%s", problems, set, Compare(tr, made, nil))
	}
}

// Text and set form give the tree again, with its order, marks and comments.
func TestRandomTreesSurviveTheirForms(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			tr := generator{rand.New(rand.NewPCG(seed, 1))}.tree(t)
			checkIdentity(t, tr)
			checkSetForm(t, tr)
		})
	}
}

// Comparing random trees says something exactly when they differ.
func TestCompareSeesEveryDifference(t *testing.T) {
	for seed := range uint64(200) {
		g := generator{rand.New(rand.NewPCG(seed, 2))}
		a := g.tree(t)
		b := a.Clone()
		for range 1 + g.IntN(4) {
			// Some of these are refused because something is protected.
			_ = b.Run(nil, "set "+g.path())
		}
		if (Compare(a, b, nil) == "") != a.Equal(b) {
			t.Errorf("seed %d: equal %v, difference\n%s", seed, a.Equal(b), Compare(a, b, nil))
		}
	}
}

// Every line that completion leads to is accepted.
func TestCompletionLeadsToStatements(t *testing.T) {
	for seed := range uint64(300) {
		g := generator{rand.New(rand.NewPCG(seed, 3))}
		tr := load(t, sample)
		line := ""
		for range 40 {
			found := tr.Complete(nil, "set", line)
			if len(found) == 0 {
				t.Fatalf("nothing may follow %q", line)
			}
			var words []string
			end := false
			for _, c := range found {
				switch {
				case c.Kind == EnterCompletion:
					end = true
				case c.Completable():
					words = append(words, c.Text)
				}
			}
			if len(words) == 0 && !end {
				break // only a value that must be thought of
			}
			if len(words) == 0 || end && g.IntN(3) == 0 {
				if err := tr.Run(nil, "unprotect system"); err != nil {
					t.Fatal(err)
				}
				if err := tr.Run(nil, "set "+line); err != nil {
					t.Fatalf("set %s: %v", line, err)
				}
				break
			}
			line += words[g.IntN(len(words))] + " "
		}
	}
}

// Decoding a tree that cannot be right says so and does not fail.
func TestDecodeOfRandomTrees(t *testing.T) {
	for seed := range uint64(200) {
		tr := generator{rand.New(rand.NewPCG(seed, 4))}.tree(t)
		cfg, problems := tr.Decode()
		if cfg == nil {
			t.Fatal("no configuration")
		}
		for _, p := range problems {
			if p.Message == "" {
				t.Errorf("seed %d: a problem without a message at %q", seed, p.Path)
			}
		}
	}
}
