package tree

import (
	"strings"
	"testing"
)

// Rows: S-106.
func TestExpand(t *testing.T) {
	for _, c := range []struct{ name, lines, want, problems string }{
		{"at the top", "set groups g system host-name h\nset apply-groups g", "set system host-name h", ""},
		{"not applied", "set groups g system host-name h", "", ""},
		{"explicit statements win", "set groups g system host-name h\nset apply-groups g\nset system host-name mine", "set system host-name mine", ""},
		{"leaf-lists are taken whole", `
			set groups g security nat source rule-set r rule 1 match protocol [tcp udp]
			set apply-groups g
			set security nat source rule-set r rule 1 match protocol icmp`, "set security nat source rule-set r rule 1 match protocol icmp", ""},
		{"the earlier group wins", "set groups g system host-name one\nset groups h system host-name two\nset apply-groups [ h g ]", "set system host-name two", ""},
		{"an inner level wins", `
			set groups g interfaces <*> mtu 1400
			set groups h interfaces <*> mtu 1300
			set apply-groups g
			set interfaces eth1 apply-groups h
			set interfaces eth2`, "set interfaces eth1 mtu 1300\nset interfaces eth2 mtu 1400", ""},
		{"wildcards match entries and make none", `
			set groups g interfaces <ge-*> unit <*> family inet mtu 1400
			set groups g interfaces <eth?> description x
			set apply-groups g
			set interfaces ge-0/0/1 unit 0
			set interfaces ge-0/0/2
			set interfaces eth1
			set interfaces eth10`, `
			set interfaces ge-0/0/1 unit 0 family inet mtu 1400
			set interfaces ge-0/0/2
			set interfaces eth1 description x
			set interfaces eth10`, ""},
		{"a wildcard matches what the group itself makes", `
			set groups g interfaces <eth*> mtu 1400
			set groups g interfaces eth1
			set apply-groups g`, "set interfaces eth1 mtu 1400", ""},
		{"the name before the wildcard", `
			set groups g interfaces <*> mtu 1400
			set groups g interfaces eth1 mtu 1300
			set apply-groups g
			set interfaces eth1
			set interfaces eth2`, "set interfaces eth1 mtu 1300\nset interfaces eth2 mtu 1400", ""},
		{"both keys of a list", `
			set groups g security policies from-zone <*> to-zone untrust policy <*> then log session-close
			set apply-groups g
			set security policies from-zone trust to-zone untrust policy p then permit
			set security policies from-zone trust to-zone dmz policy p then permit`, `
			set security policies from-zone trust to-zone untrust policy p then permit
			set security policies from-zone trust to-zone untrust policy p then log session-close
			set security policies from-zone trust to-zone dmz policy p then permit`, ""},
		{"a choice that is made is kept", `
			set groups g security policies from-zone <*> to-zone <*> policy <*> then deny
			set apply-groups g
			set security policies from-zone a to-zone b policy p then permit
			set security policies from-zone a to-zone b policy q`, `
			set security policies from-zone a to-zone b policy p then permit
			set security policies from-zone a to-zone b policy q then deny`, ""},
		{"at a level", `
			set groups g interfaces <*> mtu 1400
			set interfaces eth1 apply-groups g
			set interfaces eth2`, "set interfaces eth1 mtu 1400\nset interfaces eth2", ""},
		{"inside a grouped list", `
			set groups g interfaces <*> mtu 1400
			set interfaces apply-groups g
			set interfaces eth1`, "set interfaces eth1 mtu 1400", ""},
		{"except", `
			set groups g interfaces <*> mtu 1400
			set apply-groups g
			set interfaces eth1 apply-groups-except g
			set interfaces eth2`, "set interfaces eth1\nset interfaces eth2 mtu 1400", ""},
		{"groups in groups", `
			set groups g system host-name h
			set groups k apply-groups g
			set groups k interfaces eth1
			set apply-groups k`, "set system host-name h\nset interfaces eth1", ""},
		{"a group inside itself", "set groups g apply-groups k\nset groups k apply-groups g\nset groups k interfaces eth1\nset apply-groups g", "set interfaces eth1",
			`group "g" inherits from itself`},
		{"a group that is not there", "set groups base system host-name h\nset interfaces eth1 apply-groups bsae", "set interfaces eth1",
			`[edit interfaces eth1] apply-groups names group "bsae", which does not exist (did you mean base?)`},
		{"an inactive group", "set groups g system host-name h\nset apply-groups g\ndeactivate groups g", "", `apply-groups names group "g", which does not exist`},
		{"inactive parts", `
			set groups g system host-name h
			set apply-groups g
			deactivate apply-groups
			set interfaces eth1 mtu 1400
			deactivate interfaces eth1 mtu
			set security nat source rule-set r rule 1 match protocol [tcp udp]
			deactivate security nat source rule-set r rule 1 match protocol udp`, "set interfaces eth1\nset security nat source rule-set r rule 1 match protocol tcp", ""},
		{"an inactive statement does not win", "set groups g system host-name h\nset apply-groups g\nset system host-name mine\ndeactivate system host-name", "set system host-name h", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := load(t, c.lines)
			before := tr.Clone()
			expanded, problems := tr.Expand()
			wantText(t, setOf(t, expanded), c.want)
			wantText(t, joinProblems(problems), c.problems)
			if !tr.Equal(before) {
				t.Error("expanding changed the tree")
			}
			checkIdentity(t, tr)
			checkSetForm(t, tr)
		})
	}
}

func TestShowInheritance(t *testing.T) {
	tr := load(t, `
set groups g interfaces <*> unit 0 family inet mtu 1400
set groups g security policies from-zone <*> to-zone <*> policy <*> match application [ x y ]
set apply-groups g
set interfaces eth1 description lan
set security policies from-zone a to-zone b policy p then permit
`)
	got, err := tr.ShowInheritance(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `interfaces {
    eth1 {
        description lan;
        ##
        ## '0' was inherited from group 'g'
        ##
        unit 0 {
            ##
            ## 'family' was inherited from group 'g'
            ##
            family {
                ##
                ## 'inet' was inherited from group 'g'
                ##
                inet {
                    ##
                    ## '1400' was inherited from group 'g'
                    ##
                    mtu 1400;
                }
            }
        }
    }
}
security {
    policies {
        from-zone a to-zone b {
            policy p {
                ##
                ## 'match' was inherited from group 'g'
                ##
                match {
                    ##
                    ## 'x' was inherited from group 'g'
                    ##
                    application [ x y ];
                }
                then {
                    permit;
                }
            }
        }
    }
}
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	level, err := tr.ShowInheritance(strings.Fields("security policies from-zone a to-zone b policy p match"))
	if err != nil || !strings.HasPrefix(level, "##\n## 'x' was inherited") {
		t.Errorf("%v\n%s", err, level)
	}
	if none, err := tr.ShowInheritance([]string{"system"}); err != nil || none != "" {
		t.Errorf("%v\n%s", err, none)
	}
}
