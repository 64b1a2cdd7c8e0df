package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// number refuses what is no digit.
func number(text string) error {
	if strings.Trim(text, "0123456789") != "" {
		return fmt.Errorf("%q is no number", text)
	}
	return nil
}

func table() *Table[string] {
	return NewTable(map[string]string{"add": "Add", "show": "Show", "show session": "Sessions", "show session all": "All", "show version": "Version", "set": "Set"}, []Command[string]{
		{Words: "show session", Do: "session", Options: []Option{
			{Name: "port", Help: "Port", Value: &Value{Name: "port", Help: "1..9", Check: number}},
			{Name: "protocol", Help: "Protocol", Value: &Value{Name: "protocol", Words: []string{"tcp", "udp"}}},
			{Name: "brief", Group: "style"}, {Name: "extensive", Group: "style"},
			{Name: "zone", Bare: true, Value: &Value{Name: "zone", Help: "Zone", Live: "zone"}},
		}},
		{Words: "show session all", Also: "show sessions all", Do: "all"},
		{Words: "add", Do: "add", Options: []Option{
			{Name: "user", Help: "User", Value: &Value{Name: "user"}},
			{Name: "roles", Help: "Roles", Value: &Value{Name: "role", Help: "Digits", List: true, Check: number}},
		}},
		{Words: "show version", Do: "version", Options: []Option{{Name: "of", Help: "Of what", Required: true, Value: &Value{Name: "what"}}}},
		{Words: "set", Do: "set", Rest: &Value{Name: "statement", Help: "Statement", Live: "statement"}},
	})
}

func TestResolve(t *testing.T) {
	for line, want := range map[string]struct {
		do   string
		args Args
	}{
		"show session":               {"session", Args{}},
		"show sessions all":          {"all", Args{}},
		"show sessions trust":        {"session", Args{"zone": "trust"}},
		"sh ses all":                 {"all", Args{}},
		"show session port 5 prot u": {"session", Args{"port": "5", "protocol": "udp"}},
		"show session trust ext":     {"session", Args{"zone": "trust", "extensive": ""}},
		`show session "all"`:         {"session", Args{"zone": "all"}},
		`show session "a b" brief`:   {"session", Args{"zone": "a b", "brief": ""}},
		"show version of it":         {"version", Args{"of": "it"}},
		"add roles 1 user a":         {"add", Args{"user": "a", "roles": "1"}},
		"add roles [ 1 22 ] user a":  {"add", Args{"user": "a", "roles": "1\n22"}},
		"add roles [1 2] user [":     {"add", Args{"user": "[", "roles": "1\n2"}},
		"add user a roles [ ]":       {"add", Args{"user": "a", "roles": ""}},
		`set  a  "b c" [ d e ] `:     {"set", Args{"statement": `a  "b c" [ d e ]`}},
	} {
		m, err := table().Resolve(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if m.Command.Do != want.do || !cmp.Equal(m.Args, want.args) {
			t.Errorf("%q: %s %v", line, m.Command.Do, m.Args)
		}
	}
}

func TestResolveErrors(t *testing.T) {
	for line, want := range map[string]Error{
		"add roles":                  {9, `a value is missing after "roles"`, "<role>: Digits"},
		"add roles [ 1":              {13, "this list is not closed", "end it with ]"},
		"add roles [ 1 x ]":          {14, `"x" is no number`, "Digits"},
		`add roles "[1"`:             {10, `"[1" is no number`, "Digits"},
		"s":                          {0, `"s" is ambiguous`, "it may be set, show"},
		"show nothing":               {5, `unknown word "nothing" after "show"`, "expected session, version"},
		"show sesion":                {5, `unknown word "sesion" after "show"`, "did you mean session, version?"},
		"show":                       {4, "the command is not complete", "it goes on with session, version"},
		"show version":               {12, `"of" is missing`, "Of what"},
		"show version of":            {15, `a value is missing after "of"`, "<what>: "},
		"show session p":             {13, `"p" is ambiguous after "show session"`, "it may be port, protocol"},
		"show session port x":        {18, `"x" is no number`, "1..9"},
		"show session protocol x":    {22, `"x" is not one of the accepted words`, "it may be tcp, udp"},
		"show session all trust":     {17, `unknown word "trust" after "show session all"`, "nothing more is expected here"},
		"show session brief a brief": {21, `unknown word "brief" after "show session"`, "expected port, protocol"},
		`show "session"`:             {5, `unknown word "session" after "show"`, "did you mean session, version?"},
		`show session "a b`:          {13, "this quote is not closed", `end the text with "`},
	} {
		_, err := table().Resolve(line)
		var got *Error
		if !errors.As(err, &got) || *got != want {
			t.Errorf("%q: %+v", line, err)
		}
	}
}

func TestComplete(t *testing.T) {
	live := func(source string, args Args) []Completion {
		switch source {
		case "zone":
			return []Completion{{"trust", "Inside", KindLive}, {"untrust", "Outside", KindLive}}
		case "statement":
			return []Completion{{"<" + args["statement"] + ">", "", KindWord}}
		}
		return nil
	}
	for line, want := range map[string]string{
		"":                        "add set show",
		"add roles [ 1 ":          "<role>",
		"add roles [ 1 ] ":        "<[Enter]> user |",
		"s":                       "set show",
		"sh":                      "show",
		"show ":                   "session version",
		"show session ":           "<[Enter]> all brief extensive port protocol <zone> trust untrust |",
		"show session p":          "port protocol <zone>",
		"show session un":         "untrust",
		"show session trust ":     "<[Enter]> brief extensive port protocol |",
		"show session port ":      "<port>",
		"show session protocol t": "tcp",
		"show session brief ":     "<[Enter]> port protocol <zone> trust untrust |",
		`show session "un`:        "untrust",
		"show sessions un":        "untrust",
		"show version ":           "of",
		"show version of it ":     "<[Enter]> |",
		"set sec":                 "<sec>",
		"set sec pol ":            "<sec pol >",
	} {
		list, err := table().Complete(line, live)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		var texts []string
		for _, c := range list {
			texts = append(texts, c.Text)
		}
		if got := strings.Join(texts, " "); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
	if _, err := table().Complete("show nothing ", live); err == nil {
		t.Error("what stands before the end is wrong, and nothing said so")
	}
}

func TestCut(t *testing.T) {
	got := Cut(`show | match "a|b\"|c" |  count`, "|")
	want := []Segment{{"show", 0}, {`match "a|b\"|c"`, 7}, {"count", 26}}
	if !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if got := Cut("a; b\n\nc", ";\n"); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

// FuzzSplit: every word lies where it says, and quoting a word gives it back.
func FuzzSplit(f *testing.F) {
	for _, line := range []string{"", "show version", `set x "a \"b\" \\ c" [ d ]`, `"open`, "a\tb\"c d\"e | f ; g", "\\", `"\`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		tokens, err := Split(line)
		end := 0
		for _, token := range tokens {
			if token.Start < end || token.End <= token.Start || token.End > len(line) {
				t.Fatalf("%q: word at %d to %d after %d", line, token.Start, token.End, end)
			}
			end = token.End
			again, err := Split(Quote(token.Text))
			if err != nil || len(again) != 1 || again[0].Text != token.Text {
				t.Fatalf("%q quoted is %q, read as %v, %v", token.Text, Quote(token.Text), again, err)
			}
		}
		if (err != nil) != InQuotes(line) {
			t.Fatalf("%q: error %v, in quotes %v", line, err, InQuotes(line))
		}
		length := 0
		for _, segment := range Cut(line, "|;") {
			if line[segment.Start:segment.Start+len(segment.Text)] != segment.Text {
				t.Fatalf("%q: segment %+v", line, segment)
			}
			length += len(segment.Text)
		}
		if length > len(line) {
			t.Fatalf("%q: segments are longer than the line", line)
		}
		_, _ = table().Resolve(line)
		_, _ = table().Complete(line, nil)
	})
}
