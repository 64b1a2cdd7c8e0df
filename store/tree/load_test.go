package tree

import (
	"strings"
	"testing"

	"sluice/store/schema"
)

// joinProblems is problems on a line each.
func joinProblems(problems []schema.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}

func TestLoad(t *testing.T) {
	const start = "set system host-name h\nset interfaces eth1 mtu 1400 description lan\nset interfaces eth2 mtu 1400"
	for _, c := range []struct {
		name     string
		mode     LoadMode
		at, text string
		want     string // set form
		problems string
	}{
		{"set", LoadSet, "", "set interfaces eth1 mtu 1500\n# a remark\n\ndelete interfaces eth2\ndeactivate system\r\n", `
			set system host-name h
			deactivate system
			set interfaces eth1 description lan
			set interfaces eth1 mtu 1500`, ""},
		{"set at a level", LoadSet, "interfaces eth1", "set mtu 1500", `
			set system host-name h
			set interfaces eth1 description lan
			set interfaces eth1 mtu 1500
			set interfaces eth2 mtu 1400`, ""},
		{"set with wrong lines changes nothing", LoadSet, "", "set system host-name a\nset interfaces eth1 mtu 9\nset interfaces eth3 mtuu 1500\ndelete interfaces eth9\n\"open", start, `
			line 2: mtu 9 is out of range (range 576..65535 bytes)
			line 3: "mtuu" is not a statement here (expected description, device, disable, mtu, unit; did you mean mtu?)
			line 4: statement not found
			line 5: a quoted word that is not closed (end it with ")`},
		{"the right lines of a wrong text", LoadSetLines, "", "set interfaces eth1 mtu 9\nset system host-name a", strings.Replace(start, "host-name h", "host-name a", 1),
			"line 1: mtu 9 is out of range (range 576..65535 bytes)"},
		{"merge", LoadMerge, "", "system { host-name n; }\ninterfaces {\n eth3 mtu 1500;\n inactive: eth1 { disable; }\n}\n", `
			set system host-name n
			set interfaces eth1 description lan
			set interfaces eth1 disable
			set interfaces eth1 mtu 1400
			deactivate interfaces eth1
			set interfaces eth2 mtu 1400
			set interfaces eth3 mtu 1500`, ""},
		{"merge at a level", LoadMerge, "interfaces", "eth1 { mtu 1500; }", strings.Replace(start, "mtu 1400 description lan", "mtu 1500 description lan", 1), ""},
		{"override", LoadOverride, "", "interfaces { eth3; }", "set interfaces eth3", ""},
		{"override at a level", LoadOverride, "interfaces", "eth3;", "set system host-name h\nset interfaces eth3", ""},
		{"override with nothing", LoadOverride, "interfaces", "", "set system host-name h", ""},
		{"replace", LoadReplace, "", "interfaces { replace: eth1 { disable; } eth2 { disable; } }", `
			set system host-name h
			set interfaces eth1 disable
			set interfaces eth2 disable
			set interfaces eth2 mtu 1400`, ""},
		{"replace without a tag merges", LoadReplace, "", "interfaces { eth1 { disable; } }", `
			set system host-name h
			set interfaces eth1 description lan
			set interfaces eth1 disable
			set interfaces eth1 mtu 1400
			set interfaces eth2 mtu 1400`, ""},
		{"all problems of a text", LoadMerge, "", "system {\n host-name ?;\n hostname x;\n}\ninterfaces {\n eth1 { mtu; unit 0 { family inet } }\n 9eth { mtu 5; }\n}\nsecurity { log { ", start, `
			line 2: "?" does not have the form of host-name (expected Name of this gateway in prompts and logs, matching [A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?)
			line 3: "hostname" is not a statement here (expected host-name, services, syslog; did you mean host-name?)
			line 6: mtu needs a value (expected <mtu>)
			line 7: "9eth" does not have the form of name (expected Interface name, as Linux or the guide spells it (eth1, ge-0/0/1), matching [A-Za-z][A-Za-z0-9_./:-]*)
			line 9: a { that is not closed
			line 9: a { that is not closed`},
		{"a stray brace", LoadMerge, "", "system { host-name a; } }", start, "line 1: a } that closes nothing"},
		{"an unclosed comment", LoadMerge, "", "system { host-name a; }\n/* x", start, "line 2: a comment that is not closed (end it with */)"},
		{"a body where none may be", LoadMerge, "", "system { host-name a { b; } }", start, "line 1: a holds no statements"},
		{"shortened keywords in stored form", LoadMerge, "", "sys { host-name a; }", start, `line 1: "sys" is not a statement here (expected version, groups, system, schedulers, interfaces, routing-options, security, services, class-of-service, applications; did you mean system?)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := load(t, start)
			problems := tr.Load(c.mode, strings.Fields(c.at), c.text)
			wantText(t, joinProblems(problems), c.problems)
			wantText(t, setOf(t, tr), setOf(t, load(t, c.want)))
			checkIdentity(t, tr)
		})
	}
}

func TestLoadRespectsProtection(t *testing.T) {
	for mode, text := range map[LoadMode]string{
		LoadMerge: "system { host-name x; }", LoadOverride: "interfaces { eth1; }", LoadReplace: "replace: system { host-name x; }", LoadSet: "set system host-name x",
	} {
		tr := load(t, "set system host-name h\nprotect system")
		if got := joinProblems(tr.Load(mode, nil, text)); !strings.Contains(got, `"system" is protected`) {
			t.Errorf("mode %d: %q", mode, got)
		}
	}
}

// The text of a newer version is kept, statement by statement, and named when it is decoded.
func TestUnknownStatementsAreKept(t *testing.T) {
	const text = `
system {
    host-name branch;
    new-leaf [ a "b c" ];
    new-container "x y" {
        inactive: deep {
            deeper 1;
        }
    }
}
interfaces {
    eth1 {
        mtu 100000;
        mtuu 1500;
    }
}
security {
    address-book global {
        address a1 {
            192.0.2.0/24;
            geo-location CH;
        }
    }
    flow {
        aging newer-word 5;
    }
}
`
	tr, problems := Parse(text)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	checkIdentity(t, tr)
	for _, want := range []string{`new-leaf [ a "b c" ];`, "deeper 1;", "inactive: deep", "geo-location CH;", "newer-word 5;", "mtu 100000;"} {
		if !strings.Contains(tr.Text(), want) {
			t.Errorf("%q is lost:\n%s", want, tr.Text())
		}
	}
	cfg, problems := tr.Decode()
	wantText(t, joinProblems(problems), `
		[edit system new-leaf [ a "b c" ]] "new-leaf [ a \"b c\" ]" is not a statement of this version
		[edit system new-container "x y"] "new-container \"x y\"" is not a statement of this version
		[edit interfaces eth1 mtu 100000] mtu 100000 is out of range (range 576..65535 bytes)
		[edit interfaces eth1 mtuu 1500] "mtuu 1500" is not a statement of this version (did you mean mtu?)
		[edit security address-book global address a1 geo-location CH] "geo-location CH" is not a statement of this version
		[edit security flow aging newer-word 5] "newer-word 5" is not a statement of this version`)
	if cfg.System.HostName != "branch" || len(cfg.Interfaces) != 1 {
		t.Errorf("what is known is not decoded: %+v", cfg)
	}
	if err := tr.Run(nil, "set system new-leaf a"); err == nil {
		t.Error("an unknown statement was accepted from a user")
	}
}

// Stored set statements are read too.
func TestParseSetForm(t *testing.T) {
	tr, problems := Parse("# comment\n/* another */\nset system host-name a\ndeactivate system host-name\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	wantText(t, tr.Text(), "system {\n    inactive: host-name a;\n}")
	if _, problems = Parse("set nonsense"); len(problems) != 1 {
		t.Error(problems)
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	if _, problems := Parse(strings.Repeat("a{", 100000)); len(problems) == 0 {
		t.Error("accepted")
	}
}
