package tree

import (
	"errors"
	"strings"
	"testing"
)

// lines is text without surrounding blank lines and the tabs that indent it in a test.
func lines(text string) string {
	var out []string
	for _, l := range strings.Split(strings.TrimSpace(text), "\n") {
		out = append(out, strings.TrimLeft(l, "\t"))
	}
	return strings.Join(out, "\n")
}

// wantText fails unless got is want, apart from the indentation of want.
func wantText(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != lines(want) {
		t.Errorf("got\n%s\nwant\n%s", got, lines(want))
	}
}

// setOf is the set form of tr.
func setOf(t *testing.T, tr *Tree) string {
	t.Helper()
	text, err := tr.Show(Set, nil)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const zonePair = "security policies from-zone a to-zone b"

// Rows: 1/O-46.
func TestEdits(t *testing.T) {
	for _, c := range []struct{ name, start, at, statement, want string }{
		{"several leaves in one statement", "", "", "set interfaces eth1 mtu 1400 description lan",
			"set interfaces eth1 description lan\nset interfaces eth1 mtu 1400"},
		{"brackets without blanks, with commas", "", "", "set security nat source rule-set r rule 1 match protocol [tcp,udp] source-port [ 80 81]", `
			set security nat source rule-set r rule 1 match source-port 80
			set security nat source rule-set r rule 1 match source-port 81
			set security nat source rule-set r rule 1 match protocol tcp
			set security nat source rule-set r rule 1 match protocol udp`},
		{"a leaf-list accumulates without repeats", "set " + zonePair + " policy p match application [a b]", zonePair, "set policy p match application [ b c ]", `
			set security policies from-zone a to-zone b policy p match application a
			set security policies from-zone a to-zone b policy p match application b
			set security policies from-zone a to-zone b policy p match application c`},
		{"permit keeps its services", "set " + zonePair + " policy p then permit application-services tcp-proxy", "", "set " + zonePair + " policy p then permit",
			"set security policies from-zone a to-zone b policy p then permit application-services tcp-proxy"},
		{"a choice displaces its siblings", "set " + zonePair + " policy p then permit application-services tcp-proxy", "", "set " + zonePair + " policy p then deny",
			"set security policies from-zone a to-zone b policy p then deny"},
		{"a value without keyword is one of its choice", "set security address-book global address a dns-name www.example.com", "", "set security address-book global address a 192.0.2.0/24",
			"set security address-book global address a 192.0.2.0/24"},
		{"keywords may be shortened, names not", "", "", "set sec pol from a to b pol p th perm",
			"set security policies from-zone a to-zone b policy p then permit"},
		{"containers and entries that hold nothing are kept", "", "", "set interfaces ge-0/0/2 unit 0", "set interfaces ge-0/0/2 unit 0"},
		{"an empty container is kept", "", "", "set security nat source", "set security nat source"},
		{"values are normalised", "", "", "set applications application web protocol 6 destination-port http",
			"set applications application web protocol tcp\nset applications application web destination-port 80"},
		{"a remark ends the statement", "", "", "set system host-name a ## guide: set system host-name b", "set system host-name a"},
		{"quotes keep a word together", "", "", `set interfaces eth1 description "to the \"lab\"; example\.com"`,
			`set interfaces eth1 description "to the \"lab\"; example\.com"`},
		{"delete a leaf", "set interfaces eth1 mtu 1400 description lan", "", "delete interfaces eth1 mtu", "set interfaces eth1 description lan"},
		{"delete a leaf by its value", "set interfaces eth1 mtu 1400 description lan", "", "delete interfaces eth1 mtu 1400", "set interfaces eth1 description lan"},
		{"delete a member", "set " + zonePair + " policy p match application [a b c]", zonePair, "delete policy p match application b",
			"set " + zonePair + " policy p match application a\nset " + zonePair + " policy p match application c"},
		{"delete several members", "set " + zonePair + " policy p match application [a b c]", zonePair, "delete policy p match application [ a c ]",
			"set " + zonePair + " policy p match application b"},
		{"delete a subtree, and the containers that it leaves empty", "set system host-name a\nset " + zonePair + " policy p", "", "delete " + zonePair, "set system host-name a"},
		{"delete what a presence holds and keep it", "set " + zonePair + " policy p then permit application-services tcp-proxy", "", "delete " + zonePair + " policy p then permit application-services",
			"set " + zonePair + " policy p then permit"},
		{"delete all entries of a list", "set " + zonePair + " policy p\nset security zones security-zone a", "", "delete " + zonePair + " policy",
			"set " + zonePair + "\nset security zones security-zone a"},
		{"delete everything at a level", "set interfaces eth1 mtu 1400\nset system host-name a", "interfaces", "delete", "set system host-name a"},
		{"delete everything", "set interfaces eth1 mtu 1400\nset system host-name a", "", "delete", ""},
		{"insert before", "set " + zonePair + " policy p\nset " + zonePair + " policy q", zonePair, "insert policy q before policy p",
			"set " + zonePair + " policy q\nset " + zonePair + " policy p"},
		{"insert after, without the keyword", "set " + zonePair + " policy p\nset " + zonePair + " policy q\nset " + zonePair + " policy r", zonePair, "insert policy p after q",
			"set " + zonePair + " policy q\nset " + zonePair + " policy p\nset " + zonePair + " policy r"},
		{"insert a member", "set " + zonePair + " policy p match application [a b c]", zonePair, "insert policy p match application c before a", `
			set security policies from-zone a to-zone b policy p match application c
			set security policies from-zone a to-zone b policy p match application a
			set security policies from-zone a to-zone b policy p match application b`},
		{"insert in a grouped list", "set interfaces eth1 mtu 1400\nset interfaces eth2 mtu 1400", "interfaces", "insert eth2 before eth1",
			"set interfaces eth2 mtu 1400\nset interfaces eth1 mtu 1400"},
		{"a policy named before", "set " + zonePair + " policy p\nset " + zonePair + " policy before", zonePair, "insert policy before before policy p",
			"set " + zonePair + " policy before\nset " + zonePair + " policy p"},
		{"rename keeps the place", "set " + zonePair + " policy p then deny\nset " + zonePair + " policy q", zonePair, "rename policy p to policy to",
			"set " + zonePair + " policy to then deny\nset " + zonePair + " policy q"},
		{"rename an entry of two keys", "set " + zonePair + " policy p", "security policies", "rename from-zone a to-zone b to from-zone c to-zone d",
			"set security policies from-zone c to-zone d policy p"},
		{"rename in a grouped list", "set interfaces eth1 mtu 1400", "", "rename interfaces eth1 to eth9", "set interfaces eth9 mtu 1400"},
		{"rename normalises", "set interfaces eth1 unit 0 family inet address 192.0.2.1/24", "interfaces eth1 unit 0 family inet", "rename address 192.0.2.1/24 to address 192.0.2.7",
			"set interfaces eth1 unit 0 family inet address 192.0.2.7/32"},
		{"copy", "set " + zonePair + " policy p then deny\nset " + zonePair + " policy q", zonePair, "copy policy p to policy r",
			"set " + zonePair + " policy p then deny\nset " + zonePair + " policy q\nset " + zonePair + " policy r then deny"},
		{"deactivate", "set interfaces eth1 mtu 1400", "", "deactivate interfaces eth1", "set interfaces eth1 mtu 1400\ndeactivate interfaces eth1"},
		{"deactivate a member", "set " + zonePair + " policy p match application [a b]", zonePair, "deactivate policy p match application b", `
			set security policies from-zone a to-zone b policy p match application a
			set security policies from-zone a to-zone b policy p match application b
			deactivate security policies from-zone a to-zone b policy p match application b`},
		{"activate", "set interfaces eth1 mtu 1400\ndeactivate interfaces eth1", "interfaces", "activate eth1", "set interfaces eth1 mtu 1400"},
		{"annotate", "set interfaces eth1 mtu 1400", "interfaces", `annotate eth1 "to the lab"`, "set interfaces eth1 mtu 1400\nannotate interfaces eth1 \"to the lab\""},
		{"an empty annotation takes it away", "set interfaces eth1 mtu 1400\nannotate interfaces eth1 x", "interfaces", `annotate eth1 ""`, "set interfaces eth1 mtu 1400"},
		{"protect", "set interfaces eth1 mtu 1400", "", "protect interfaces", "set interfaces eth1 mtu 1400\nprotect interfaces"},
		{"unprotect", "set interfaces eth1 mtu 1400\nprotect interfaces", "", "unprotect interfaces", "set interfaces eth1 mtu 1400"},
		{"replace pattern", "set interfaces eth1 description eth1\nset security zones security-zone a interfaces eth1", "", `replace pattern "^eth(\d)$" with ens\1`,
			"set interfaces ens1 description ens1\nset security zones security-zone a interfaces ens1"},
		{"replace pattern upto", "set interfaces eth1 description eth\nset interfaces eth2 description eth", "", `replace pattern eth with ens upto 1`,
			"set interfaces ens1 description eth\nset interfaces eth2 description eth"},
		{"replace pattern at a level", "set interfaces eth1 description x\nset interfaces eth2 description x", "interfaces eth2", `replace pattern x with [&]`, ""},
		{"replace the whole match", "set interfaces eth1 description x\nset interfaces eth2 description x", "interfaces eth2", `replace pattern x with "<&$>"`,
			"set interfaces eth1 description x\nset interfaces eth2 description <x$>"},
		{"wildcard delete", "set interfaces ge-0/0/1 mtu 1400\nset interfaces ge-0/0/2 mtu 1400\nset interfaces eth1 mtu 1400", "", "wildcard delete interfaces ge-*", "set interfaces eth1 mtu 1400"},
		{"wildcard delete in a list", "set " + zonePair + " policy p1\nset " + zonePair + " policy p2\nset " + zonePair + " policy q", "", "wildcard delete " + zonePair + " policy p?", "set " + zonePair + " policy q"},
		{"wildcards in groups", "", "", "set groups g interfaces <ge-*> unit <*> family inet mtu 1400", "set groups g interfaces <ge-*> unit <*> family inet mtu 1400"},
		{"an unprotected part of a protected tree's sibling", "set interfaces eth1\nset system host-name a\nprotect interfaces", "", "set system host-name b",
			"set system host-name b\nset interfaces eth1\nprotect interfaces"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := load(t, c.start)
			err := tr.Run(strings.Fields(c.at), c.statement)
			if c.name == "replace pattern at a level" {
				if err == nil {
					t.Error("a list was taken as a replacement")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			wantText(t, setOf(t, tr), c.want)
			checkIdentity(t, tr)
			checkSetForm(t, tr)
		})
	}
}

func TestRefusals(t *testing.T) {
	const start = "set interfaces eth1 mtu 1400\nset " + zonePair + " policy p match application [x y]\nset " + zonePair + " policy q then permit\nset system host-name h\nprotect system"
	for _, c := range []struct{ at, statement, want string }{
		{"", "sett interfaces", `column 1: "sett" is not an edit command (expected activate, annotate, copy, deactivate, delete, insert, protect, rename, replace, set, unprotect, wildcard; did you mean set?)`},
		{"", "de interfaces", `column 1: "de" is ambiguous (expected deactivate, delete)`},
		{"", "set", "column 4: set needs a statement"},
		{"", "set interface eth1 mtuu 1500", `column 20: "mtuu" is not a statement here (expected description, device, disable, mtu, unit; did you mean mtu?)`},
		{"", "set s", `column 5: "s" is ambiguous (expected schedulers, security, services, system)`},
		{"", "set interfaces eth1 mtu", "column 24: mtu needs a value (expected <mtu>)"},
		{"", "set interfaces eth1 mtu 70000", "column 25: mtu 70000 is out of range (range 576..65535 bytes)"},
		{"", "set interfaces eth1 disable now", `column 29: "now" is not a statement here`},
		{"", "set " + zonePair + " policy", "policy needs a name (expected <name>)"},
		{"", "set security policies from-zone a", "from-zone is not complete (expected to-zone)"},
		{"", "set security policies from-zone a policy p", `column 35: "policy" cannot stand here (expected to-zone)`},
		{"", "set " + zonePair + " policy p match application [ x", "a list that is not closed (expected ])"},
		{"", "set " + zonePair + " policy p match application [ ]", "expected <application>"},
		{zonePair, "set policy p match application x y", "several values stand in brackets: [ a b ]"},
		{"", "set interfaces eth1 mtu [ 1500 ]", `"[" cannot stand here`},
		{"", `set system host-name "x`, "a quoted word that is not closed"},
		{"", "set system host-name x;", `column 23: ";" cannot stand here (quote it if it is part of a value)`},
		{"", "set interfaces eth1 unit 5000", "number 5000 is out of range (range 0..4094)"},
		{"", "set security zones security-zone a host-inbound-traffic system-services htpp", "did you mean http"},
		{"", "set security address-book global address a nonsense", `"nonsense" is not an address or prefix`},
		{"", "delete interfaces eth1 description", "column 24: statement not found"},
		{"", "delete interfaces eth1 mtu 1500", "statement not found"},
		{"", "delete interfaces eth1 mtu 1400 description", `"description" follows a complete statement`},
		{"", "delete interfaces eth7", "column 19: statement not found"},
		{"", "delete " + zonePair + " policy p match application [ x z ]", "statement not found"},
		{"interfaces eth7", "delete", "statement not found"},
		{"", "delete security policies from-zone a", "expected to-zone"},
		{"", "deactivate", "which statement?"},
		{"", "deactivate " + zonePair + " policy", "policy needs a name"},
		{zonePair, "insert policy p before policy z", "statement not found"},
		{zonePair, "insert policy p", "expected before, after"},
		{zonePair, "insert policy p before", "a name is missing"},
		{"", "insert interfaces eth1 mtu before disable", "only an entry of a list can be named here"},
		{zonePair, "rename policy p to policy q", "exists already"},
		{zonePair, "rename policy p to policy x then deny", "this does not name an entry of the same list"},
		{zonePair, "copy policy z to policy q", "statement not found"},
		{"", "rename interfaces eth1 to 7eth", "does not have the form of name"},
		{"", `annotate interfaces`, "annotate needs a statement"},
		{"", `annotate interfaces eth1 "*/"`, "a comment cannot contain */"},
		{"", "set system host-name x", `"system" is protected (unprotect it first)`},
		{"", "delete system host-name", `"system" is protected`},
		{"", "delete", `"system" is protected`},
		{"", "deactivate system services", "statement not found"},
		{"system", "set services ssh", `"system" is protected`},
		{"", "replace pattern h with i", `"host-name h" is protected`},
		{"", "replace pattern eth with 7", "does not have the form of name"},
		{"", "replace pattern ( with 7", "not a regular expression"},
		{"", "replace eth with 7", "the statement is not complete"},
		{"", "replace pattern a with b upto 0", "not a number of replacements"},
		{zonePair, "replace pattern [pq] with z", "the statement is not complete"},
		{zonePair, `replace pattern "^[pq]$" with z`, `"policy z" would exist twice`},
		{"", "wildcard delete interfaces xe-*", "statement not found"},
		{"nonsense", "set interfaces eth1", `edit level: "nonsense" is not a statement here`},
		{"", "set interfaces <*> mtu 1400", "does not have the form of name"},
	} {
		t.Run(c.statement, func(t *testing.T) {
			tr := load(t, start)
			if c.want == `"host-name h" is protected` {
				tr = load(t, strings.Replace(start, "protect system", "protect system host-name", 1))
			}
			before := tr.Clone()
			err := tr.Run(strings.Fields(c.at), c.statement)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if c.want == "statement not found" && !errors.Is(err, ErrNotFound) {
				t.Errorf("%v is not ErrNotFound", err)
			}
			if !tr.Equal(before) {
				t.Errorf("refused, but changed:\n%s", Compare(before, tr, nil))
			}
		})
	}
}

// A choice does not displace what is protected.
func TestProtectedChoice(t *testing.T) {
	tr := load(t, "set "+zonePair+" policy p then permit application-services tcp-proxy\nprotect "+zonePair+" policy p then permit application-services")
	if err := tr.Run(nil, "set "+zonePair+" policy p then deny"); err == nil {
		t.Errorf("a protected statement was displaced:\n%s", setOf(t, tr))
	}
}
