package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/store/schema"
)

func TestCheckStatements(t *testing.T) {
	input := `# a comment
set system host-name gw

   set interfaces eth1 description "## not a comment"   ## a comment
set interfaces eth2 description "a \" ## lan" ## another
set nonsense
set interfaces eth1 mtu 1
delete interfaces eth2
`
	accepted, refused := CheckStatements(strings.NewReader(input), "branch.set", false)
	if accepted != 4 || len(refused) != 2 {
		t.Fatalf("%d accepted, refused %v", accepted, refused)
	}
	for i, want := range []string{"branch.set:6: set nonsense: ", "branch.set:7: set interfaces eth1 mtu 1: "} {
		if got := refused[i].String(); !strings.HasPrefix(got, want) || refused[i].Reason == "" {
			t.Errorf("refusal %q, want %q…", got, want)
		}
	}
}

func TestCheckStatementsCommit(t *testing.T) {
	input := "set system host-name gw\nset interfaces eth1 description lan\n"
	e := &engine{name: "one"}
	e.refuse(
		schema.Problem{Path: "system host-name", Message: "a warning", Warning: true},
		schema.Problem{Path: "interfaces eth1", Message: "no such device", Hint: "did you mean eth0?"},
		schema.Problem{Path: "security zones", Message: "none"},
		schema.Problem{Message: "something"},
	)
	accepted, refused := CheckStatements(strings.NewReader(input), "f", true, e)
	var got []string
	for _, r := range refused {
		got = append(got, r.String())
	}
	want := []string{
		"f:2: set interfaces eth1 description lan: no such device (did you mean eth0?)",
		"f: security zones: none",
		"f: (whole configuration): something",
	}
	if accepted != 2 || !slices.Equal(got, want) {
		t.Errorf("%d accepted, refused\n%s", accepted, strings.Join(got, "\n"))
	}
	if len(e.applied) != 0 {
		t.Error("a check applied something")
	}
}

// What a commit would warn of is told apart from what it would refuse.
func TestCheckWarnings(t *testing.T) {
	input := "set system host-name gw\nset security flow allow-dns-reply\nset interfaces eth1 description lan\n"
	e := &engine{name: "one"}
	e.refuse(
		schema.Problem{Path: "interfaces eth1", Message: "no such device", Warning: true},
		schema.Problem{Path: "system host-name", Message: "taken"},
	)
	report := Check(strings.NewReader(input), "f", true, e)
	if report.Accepted != 3 {
		t.Errorf("%d accepted", report.Accepted)
	}
	if want := []string{"f:1: set system host-name gw: taken"}; !slices.Equal(printed(report.Refused), want) {
		t.Errorf("refused %q, want %q", printed(report.Refused), want)
	}
	want := []string{
		"f:2: set security flow allow-dns-reply: allow-dns-reply has no effect in this version",
		"f:3: set interfaces eth1 description lan: no such device",
	}
	if !slices.Equal(printed(report.Warned), want) {
		t.Errorf("warned of %q, want %q", printed(report.Warned), want)
	}
	if report := Check(strings.NewReader(input), "f", false, e); len(report.Refused)+len(report.Warned) != 0 {
		t.Errorf("without the checks of a commit: %+v", report)
	}
	if accepted, refused := CheckStatements(strings.NewReader("set security flow allow-dns-reply\n"), "f", true); accepted != 1 || len(refused) != 0 {
		t.Errorf("a warning counts as refused: %v", refused)
	}
}

// printed are refusals as they are shown.
func printed(list []Refusal) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.String())
	}
	return out
}

// A line that is too long is refused, not silently cut or forgotten.
func TestCheckStatementsLongLine(t *testing.T) {
	input := "set system host-name gw\nset interfaces eth1 description " + strings.Repeat("x", maxStatement) + "\nset system host-name gw2\n"
	accepted, refused := CheckStatements(strings.NewReader(input), "f", false)
	if accepted != 1 || len(refused) != 1 || refused[0].Line != 2 {
		t.Errorf("%d accepted, refused %.200s", accepted, fmt.Sprint(refused))
	}
}
