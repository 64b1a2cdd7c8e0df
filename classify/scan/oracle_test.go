package scan

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// phrase is a random expression over a and b that does not match the empty text.
func phrase(random *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"a", "b", ".", "[ab]"}[random.IntN(4)]
	}
	sub := func() string { return phrase(random, depth-1) }
	switch random.IntN(7) {
	case 0:
		return sub() + sub()
	case 1:
		return "(" + sub() + "|" + sub() + ")"
	case 2:
		return "(" + sub() + ")+"
	case 3:
		return "(" + sub() + "){1,3}" + sub()
	case 4:
		return "(" + sub() + ")?" + sub()
	case 5:
		return sub() + ".*" + sub()
	}
	return sub()
}

// alternative is an expression, perhaps tied to the beginning or the end.
type alternative struct {
	text  string
	atEnd bool
}

func (a alternative) String() string {
	if a.atEnd {
		return a.text + "$"
	}
	return a.text
}

func newAlternative(random *rand.Rand) alternative {
	a := alternative{phrase(random, 1+random.IntN(3)), random.IntN(4) == 0}
	if random.IntN(4) == 0 {
		a.text = "^" + a.text
	}
	return a
}

// ends are all places where a match of one of the alternatives ends, by brute force.
func ends(text string, alternatives []alternative) (all []int) {
	for _, a := range alternatives {
		re := regexp.MustCompile("(?s)(?:" + a.text + `)\z`)
		for i := 1; i <= len(text); i++ {
			if (!a.atEnd || i == len(text)) && re.MatchString(text[:i]) {
				all = append(all, i)
			}
		}
	}
	slices.Sort(all)
	return all
}

func randomText(random *rand.Rand) string {
	b := make([]byte, 1+random.IntN(14))
	for i := range b {
		b[i] = "aab"[random.IntN(3)]
	}
	return string(b)
}

// Depth and order are as brute force finds them.
func TestAgainstBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	meta := &classify.Meta{Protocol: decode.TCP}
	for round := range 12 {
		var sets [][][]alternative // by pattern, by member
		var depths []int
		db := appdb.New()
		for i := range 30 {
			members := make([][]alternative, 1+random.IntN(3))
			p := appdb.Pattern{Name: "s", Chain: len(members) > 1}
			depth := random.IntN(10)
			if p.Chain {
				depth = 0
			}
			for k := range members {
				var words []string
				for range 1 + random.IntN(2) {
					a := newAlternative(random)
					members[k] = append(members[k], a)
					words = append(words, a.String())
				}
				p.Members = append(p.Members, appdb.Member{Context: decode.Stream, Directions: both, Regexp: strings.Join(words, "|"), Depth: depth})
			}
			sets, depths = append(sets, members), append(depths, depth)
			a := app(fmt.Sprintf("%02d", i), p)
			db.Add(a)
		}
		s, problems, err := Compile(t.Context(), db, Options{})
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		for range 20 {
			text := randomText(random)
			want := ""
			for i, members := range sets {
				at, ok := 0, true
				for _, alternatives := range members {
					next := slices.IndexFunc(ends(text, alternatives), func(e int) bool { return e > at && (depths[i] == 0 || e <= depths[i]) })
					if ok = next >= 0; !ok {
						break
					}
					at = ends(text, alternatives)[next]
				}
				if ok {
					want = fmt.Sprintf("%02d", i)
					break
				}
			}
			got := ""
			var p classify.Progress
			if h := s.Match(&p, decode.Stream, decode.ToServer, "TCP", meta, []byte(text)); h != nil {
				got = h.Application.Name
			}
			if got != want {
				t.Errorf("round %d: %q: found %q, want %q", round, text, got, want)
				for _, name := range []string{got, want} {
					if a, ok := db.Lookup(name); ok {
						t.Errorf("%s is %+v", name, a.Patterns)
					}
				}
			}
		}
		s.Close()
	}
}
