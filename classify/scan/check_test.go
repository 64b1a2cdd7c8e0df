package scan

import (
	"errors"
	"strings"
	"testing"

	"sluice/classify/decode"
)

// What is wrong with an expression is said in words, with its place or its figure.
func TestCheck(t *testing.T) {
	for expression, want := range map[string]string{
		// CS-30, CS-34: those of the guide.
		".*install.*":                          "",
		".*agent1.*":                           "",
		`example\.com`:                         "",
		`(a+)+$`:                               "", // costs a backtracking engine years
		`(x+x+)+y`:                             "",
		`^\x16\x03.{3}`:                        "",
		`[[:alpha:]]{2}`:                       "",
		`\Qa.b(\E`:                             "",
		`(?i)spotify/`:                         "",
		`(?<name>a)b`:                          "",
		`[]\]]x{2}`:                            "",
		`a{,5}`:                                "",
		`[a-z0-9-]{1,63}\.example\.(com|net)`:  "",
		`\r\nUser-Agent: [^\r\n]{0,64}Spotify`: "",
		`^GET /[^ ]{1,100}\.php\?id=[0-9]{1,20} HTTP`: "",
		``:                                 "the expression is empty",
		strings.Repeat("a", MaxLength+1):   "513 bytes long, at most 512",
		`x*`:                               "matches the empty text",
		`^`:                                "matches the empty text",
		`.*`:                               "matches the empty text",
		`abc|`:                             "matches the empty text",
		`foo(?=bar)`:                       "character 4: look-ahead is not supported",
		`foo(?!bar)`:                       "character 4: look-ahead is not supported",
		`(?<=foo)bar`:                      "character 1: look-behind is not supported",
		`x(?<!foo)bar`:                     "character 2: look-behind is not supported",
		`(a)b\1`:                           "character 5: a back-reference is not supported",
		`(?<n>a)\k<n>`:                     "character 8: a back-reference is not supported",
		`(?P<n>a)(?P=n)`:                   "character 9: a back-reference is not supported",
		`(?>a)b`:                           "character 1: an atomic group is not supported",
		`a++b`:                             "character 2: a possessive repeat is not supported",
		`a{2,3}+b`:                         "character 7: a possessive repeat is not supported",
		`(?R)`:                             "character 1: recursion is not supported",
		`(a)(?1)`:                          "character 6: a call of a group is not supported",
		`(?(1)a|b)`:                        "character 1: a condition is not supported",
		`(*UTF8)x`:                         "character 1: a control verb is not supported",
		`(?x) a b`:                         "character 3: free layout is not supported",
		`foo\Kbar`:                         `\K at character 4 not supported`,
		`(abc`:                             "missing close parenthesis for group started at character 1",
		`abc)`:                             "unmatched parentheses at character 4",
		`*a`:                               "invalid repeat at character 1",
		`a{3,2}`:                           "invalid repeat at character 2",
		`[a`:                               "unterminated character class starting at character 1",
		`a\`:                               `unescaped \ at end of input, character 2`,
		`caf` + "\u00e9":                   `character 4 is not ASCII: write "é" as \xc3\xa9`,
		"a\xffb":                           `character 2 is not ASCII: write "\xff" as \xff`,
		"a\x00b":                           `character 2 is not ASCII: write "\x00" as \x00`,
		`\x{20ac}`:                         `hexadecimal value is greater than \xFF at character 1`,
		`.*.*.*x{1001,}`:                   "too large: 1004 characters when its repeats are written out, at most 1000",
		`((((a{100}){100}){100}){100}){9}`: "too large",
		`x{4294967297}`:                    "too large",
		`a(?#x){2000}`:                     "too large: 2000 characters",
		`a.{0,900}b(?#x){5}`:               "too expensive: scanning takes up to",
		`(?i)(ab|cd|ef|gh.{3,40}){20}`:     "too expensive: scanning takes up to",
		`[ab].{12}c`:                       "too expensive: compiled, it takes",
		`a(b|c.{1,30}d){1,30}e`:            "too complex",
	} {
		err := Check(expression, decode.Stream)
		switch {
		case want == "" && err != nil:
			t.Errorf("%q is refused: %v", expression, err)
		case want != "" && err == nil:
			t.Errorf("%q is accepted", expression)
		case want != "" && !strings.Contains(err.Error(), want):
			t.Errorf("%q: %v, want %q", expression, err, want)
		}
	}
}

// What was found out once is known.
func TestVerdicts(t *testing.T) {
	m := memory{answers: map[expression]error{}}
	for i := range maxVerdicts + 10 {
		m.put(expression{depth: i}, errEmpty)
	}
	if n := len(m.answers); n > maxVerdicts {
		t.Errorf("%d verdicts", n)
	}
	if err, known := m.get(expression{depth: maxVerdicts + 1}); !known || !errors.Is(err, errEmpty) {
		t.Error("the last verdict is not known")
	}
}
