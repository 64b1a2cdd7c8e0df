package tree

import (
	"strings"
	"testing"
)

func FuzzTokenize(f *testing.F) {
	for _, s := range []string{"", "a b", "[a,b] [ c ]", `"a \"b\\" # c`, "a{b;}/* c */", "\"open", "/* open", "a\nb", "\xff", "a/*b", `"x"y`} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, text string, lines bool) {
		l := &lexer{text: text, lines: lines}
		for at := -1; ; at = l.at {
			tok, bad := l.next()
			if bad != nil {
				if bad.offset < 0 || bad.offset > len(text) || bad.message == "" {
					t.Fatalf("fault %+v", bad)
				}
			} else if tok.kind == endOfText {
				return
			}
			if l.at <= at {
				t.Fatalf("stands still at %d of %q", l.at, text)
			}
			if bad != nil || tok.kind != wordToken {
				continue
			}
			again := &lexer{text: Quote(tok.text), lines: true}
			if w, bad := again.next(); bad != nil || w.text != tok.text || again.at != len(again.text) {
				t.Fatalf("%q is quoted as %s and read as %q, %v", tok.text, Quote(tok.text), w.text, bad)
			}
			if w, bad := (&lexer{text: enquote(tok.text), lines: true}).next(); bad != nil || w.text != tok.text || !w.quoted {
				t.Fatalf("%q is quoted as %s and read as %q, %v", tok.text, enquote(tok.text), w.text, bad)
			}
		}
	})
}

func FuzzRunStatement(f *testing.F) {
	for _, s := range strings.Split(sample, "\n") {
		f.Add(s, "")
	}
	for _, s := range []string{
		"delete", "delete policy p1", "insert policy p1 before policy p1", "rename policy p1 to policy p2", "copy policy p1 to p3",
		"replace pattern a with b", "replace pattern (.) with \\1& upto 2", "wildcard delete policy p*", "activate policy p1", "annotate policy p1 \"*\"",
		"set policy x match source-address [ a inactive: b ]", "deactivate policy p1 match destination-address a1", "unprotect policy p1", "protect policy p1",
	} {
		f.Add(s, "security policies from-zone trust to-zone untrust")
	}
	f.Fuzz(func(t *testing.T, statement, level string) {
		tr := load(t, sample)
		before := tr.Clone()
		at := strings.Fields(level)
		if err := tr.Run(at, statement); err != nil {
			if !tr.Equal(before) {
				t.Fatalf("refused (%v), but changed:\n%s", err, Compare(before, tr, nil))
			}
			return
		}
		checkIdentity(t, tr)
		checkSetForm(t, tr)
		tr.Complete(at, "set", statement)
		tr.Complete(at, "delete", statement)
	})
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	tr := New()
	tr.Load(LoadSetLines, nil, sample)
	f.Add(tr.Text())
	for _, s := range []string{
		"security { policies { inactive: from-zone a to-zone b { policy p { then { permit; log { session-init; } } } } } }",
		"new-thing { a [ b c ]; \"d e\" { f; } } interfaces { eth1 { mtu big; speed 10; } }",
		"interfaces eth1 mtu; security { flow { tcp-mss all-tcp mss 9 10; } }", "/* a */ /* b */ protect: inactive: system;", "system { host-name a { b; } }",
		"groups { g { interfaces { <*> { mtu 9000; } } } } apply-groups g; interfaces { apply-groups-except g; eth1; }",
		"security { address-book global { address a { 192.0.2.0/24; description \"x y\"; } address b 192.0.2.1 junk; } }",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tr, problems := Parse(text)
		if len(problems) > 0 {
			return
		}
		checkIdentity(t, tr)
	})
}
