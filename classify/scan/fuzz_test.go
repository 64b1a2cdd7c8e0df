package scan

import (
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Whatever the expression is, it is refused or compiles, and finds the same in a value each time.
func FuzzMatch(f *testing.F) {
	for _, expression := range []string{
		".*install.*", `example\.com`, `^\x16\x03.{3}\x01`, `(a+)+$`, `[a-f]{2,9}(b|c)?$`, `\Qa.b(\E`, `(?i)x|y`, `[[:alpha:]]{2}`,
		`(?=a)`, `(a)\1`, `a{1000}`, `((a{9}){9}){9}`, `[ab].{12}c`, `(?<n>x)`, `(?#c)a{3}`, `\p{L}\x{41}`, "a\x00\xff", `a{,5}`, `\`, `[]`, `(?`,
	} {
		f.Add(expression, uint16(0), false, []byte("GET /install HTTP/1.1\r\n"))
		f.Add(expression, uint16(10), true, []byte("\x16\x03\x01\x00\x00\x01aabbcc"))
	}
	f.Fuzz(func(t *testing.T, expression string, depth uint16, chain bool, value []byte) {
		if len(expression) > 64 {
			return // long ones only take longer
		}
		m := appdb.Member{Context: decode.Stream, Directions: [2]bool{true, true}, Regexp: expression, Depth: int(depth)}
		p := appdb.Pattern{Name: "s", Chain: chain, Members: []appdb.Member{m}}
		if chain {
			p.Members = append(p.Members, m)
		}
		refused := check(expressionOf(m, chain))
		if refused != nil {
			return
		}
		db := appdb.New()
		db.Add(&appdb.Application{Name: "a", Patterns: []appdb.Pattern{p}})
		s, problems, err := Compile(t.Context(), db, Options{})
		if err != nil || len(problems) > 0 {
			t.Fatalf("%q passes the check, but: %v %v", expression, err, problems)
		}
		defer s.Close()
		find := func() bool {
			var progress classify.Progress
			return s.Match(&progress, decode.Stream, decode.ToServer, "TCP", &classify.Meta{Protocol: decode.TCP}, value) != nil
		}
		if first := find(); find() != first {
			t.Errorf("%q in %q is found once and once not", expression, value)
		}
	})
}

func expressionOf(m appdb.Member, chain bool) expression {
	return expression{m.Regexp, caseless(m.Context), m.Depth, chain}
}
