package tree

import (
	"strings"
	"testing"
)

// Every layout of the curly form in one configuration.
// Rows: OC-24, OC-27, 5/O-16, 5/O-18, 5/O-19.
func TestCurlyForm(t *testing.T) {
	tr := load(t, `
set system services ssh
set interfaces ge-0/0/1 unit 0 family inet address 192.0.2.1/24
set interfaces ge-0/0/1 unit 0 family inet address 192.0.2.2/24 primary
set interfaces ge-0/0/1 unit 0 family inet6 address 2001:db8::1/64
set interfaces ge-0/0/2 unit 0 family inet
deactivate interfaces ge-0/0/2 unit 0 family inet
set interfaces ge-0/0/3
set routing-options static route default next-hop 192.0.2.254
set routing-options static route 198.51.100.0/24 next-hop [192.0.2.7 192.0.2.8] metric 5
set schedulers scheduler work daily start-time 08:00:00 stop-time 17:30
set security address-book global address a1 192.0.2.0/24
set security address-book global address a2 192.0.2.0/24
set security address-book global address a2 description "the lab; 2"
set security address-book global address a3 dns-name ipv4.example.com ipv4-only
set security address-book global address a4 dns-name "ipv4-only"
set security log stream s host 192.0.2.9 port 5514
set security policies from-zone a to-zone b policy p match application [ x y z ]
deactivate security policies from-zone a to-zone b policy p match application y
set security policies from-zone a to-zone b policy p then permit
annotate security policies "first\nsecond"
deactivate security policies from-zone a to-zone b policy p
protect security policies from-zone a to-zone b
`)
	want := `system {
    services {
        ssh;
    }
}
schedulers {
    scheduler work {
        daily {
            start-time 08:00 stop-time 17:30;
        }
    }
}
interfaces {
    ge-0/0/1 {
        unit 0 {
            family inet {
                address 192.0.2.1/24;
                address 192.0.2.2/24 {
                    primary;
                }
            }
            family inet6 {
                address 2001:db8::1/64;
            }
        }
    }
    ge-0/0/2 {
        unit 0 {
            family {
                inactive: inet;
            }
        }
    }
    ge-0/0/3;
}
routing-options {
    static {
        route 0.0.0.0/0 next-hop 192.0.2.254;
        route 198.51.100.0/24 {
            next-hop [ 192.0.2.7 192.0.2.8 ];
            metric 5;
        }
    }
}
security {
    log {
        stream s {
            host 192.0.2.9 port 5514;
        }
    }
    address-book global {
        address a1 192.0.2.0/24;
        address a2 {
            description "the lab; 2";
            192.0.2.0/24;
        }
        address a3 {
            dns-name ipv4.example.com ipv4-only;
        }
        address a4 {
            dns-name "ipv4-only";
        }
    }
    /* first
       second */
    policies {
        protect: from-zone a to-zone b {
            inactive: policy p {
                match {
                    application [ x inactive: y z ];
                }
                then {
                    permit;
                }
            }
        }
    }
}
`
	if got := tr.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	checkIdentity(t, tr)
	checkSetForm(t, tr)
}

// Rows: OC-24, OC-27, TR-55, O-18, 5/O-16, 5/O-17, 5/O-19.
func TestShowAtALevel(t *testing.T) {
	tr := load(t, `
set interfaces eth1 mtu 1400
set interfaces eth1 description "a <b> & c"
set interfaces eth2
set security policies from-zone a to-zone b policy p match application [ x y ]
set security policies from-zone a to-zone b policy p then permit
deactivate security policies from-zone a to-zone b policy p match application y
deactivate interfaces eth2
annotate interfaces eth1 lab
`)
	for _, c := range []struct {
		at     string
		format Format
		want   string
	}{
		{"interfaces eth1", Curly, "description \"a <b> & c\";\nmtu 1400;"},
		{"interfaces eth1 mtu", Curly, "mtu 1400;"},
		{"security policies from-zone a to-zone b policy p match application", Curly, "application [ x inactive: y ];"},
		{"security policies from-zone a to-zone b policy p match application x", Curly, "application [ x inactive: y ];"},
		{"security policies from-zone a to-zone b policy p then permit", Curly, "permit;"},
		{"security policies from-zone a to-zone b policy", Curly, `policy p {
    match {
        application [ x inactive: y ];
    }
    then {
        permit;
    }
}`},
		{"security zones", Curly, ""},
		{"interfaces eth9", Set, ""},
		{"interfaces", Set, "set interfaces eth1 description \"a <b> & c\"\nset interfaces eth1 mtu 1400\nannotate interfaces eth1 \"lab\"\nset interfaces eth2\ndeactivate interfaces eth2"},
		{"security policies from-zone a to-zone b policy p then", Set, "set security policies from-zone a to-zone b policy p then permit"},
		{"interfaces", JSON, `{
    "configuration": {
        "interfaces": [
            {
                "@": {
                    "comment": "lab"
                },
                "name": "eth1",
                "description": "a \u003cb\u003e \u0026 c",
                "mtu": 1400
            },
            {
                "@": {
                    "inactive": true
                },
                "name": "eth2"
            }
        ]
    }
}`},
		{"security policies from-zone a to-zone b policy p match", JSON, `{
    "configuration": {
        "security": {
            "policies": {
                "from-zone": [
                    {
                        "from-zone": "a",
                        "to-zone": "b",
                        "policy": [
                            {
                                "name": "p",
                                "match": {
                                    "application": [
                                        "x",
                                        "y"
                                    ],
                                    "@application": {
                                        "inactive y": true
                                    }
                                }
                            }
                        ]
                    }
                ]
            }
        }
    }
}`},
		{"interfaces", XML, `<configuration>
    <interfaces>
        <!-- lab -->
        <entry>
            <name>eth1</name>
            <description>a &lt;b&gt; &amp; c</description>
            <mtu>1400</mtu>
        </entry>
        <entry inactive="inactive">
            <name>eth2</name>
        </entry>
    </interfaces>
</configuration>`},
		{"security policies from-zone a to-zone b policy p", XML, `<configuration>
    <security>
        <policies>
            <from-zone>
                <from-zone>a</from-zone>
                <to-zone>b</to-zone>
                <policy>
                    <name>p</name>
                    <match>
                        <application>x</application>
                        <application inactive="inactive">y</application>
                    </match>
                    <then>
                        <permit/>
                    </then>
                </policy>
            </from-zone>
        </policies>
    </security>
</configuration>`},
	} {
		got, err := tr.Show(c.format, strings.Fields(c.at))
		if err != nil || strings.TrimSuffix(got, "\n") != c.want {
			t.Errorf("%s in format %d: %v\n%s\nwant\n%s", c.at, c.format, err, got, c.want)
		}
	}
	if _, err := tr.Show(Curly, []string{"nonsense"}); err == nil {
		t.Error("nonsense is a level")
	}
}

func TestCompare(t *testing.T) {
	const start = `
set system host-name h
set interfaces eth1 mtu 1400
set interfaces eth2
set security policies from-zone a to-zone b policy p match application x
set security policies from-zone a to-zone b policy q then permit
set security policies from-zone a to-zone b policy r then deny
`
	for _, c := range []struct{ name, edits, at, want string }{
		{"nothing", "", "", ""},
		{"a leaf", "set system host-name i", "", `[edit system]
-   host-name h;
+   host-name i;`},
		{"new and gone", "set interfaces eth3 mtu 1500\ndelete interfaces eth2", "", `[edit interfaces]
-   eth2;
+   eth3 {
+       mtu 1500;
+   }`},
		{"a whole level", "delete interfaces", "", `[edit]
-  interfaces {
-      eth1 {
-          mtu 1400;
-      }
-      eth2;
-  }`},
		{"a leaf-list", "set security policies from-zone a to-zone b policy p match application y", "", `[edit security policies from-zone a to-zone b policy p match]
-       application x;
+       application [ x y ];`},
		{"order", "insert security policies from-zone a to-zone b policy r before policy p", "", `[edit security policies from-zone a to-zone b]
!     policy r { ... }`},
		{"order after another", "insert security policies from-zone a to-zone b policy p after policy q", "security policies", `[edit security policies from-zone a to-zone b]
!     policy q { ... }`},
		{"inactive", "deactivate interfaces eth1", "", `[edit interfaces]
!   inactive: eth1 { ... }`},
		{"inactive leaf", "deactivate system host-name", "", `[edit system]
!   inactive: host-name h;`},
		{"protected", "protect interfaces", "", `[edit]
!  protect: interfaces { ... }`},
		{"annotated", "annotate interfaces eth1 lab", "", `[edit interfaces]
+   /* lab */
    eth1 { ... }`},
		{"renamed", "rename security policies from-zone a to-zone b policy q to policy s", "", `[edit security policies from-zone a to-zone b]
-     policy q {
-         then {
-             permit;
-         }
-     }
+     policy s {
+         then {
+             permit;
+         }
+     }`},
		{"several levels", "set system services ssh\nset interfaces eth1 mtu 1500\nset interfaces eth1 disable", "", `[edit system]
+   services {
+       ssh;
+   }
[edit interfaces eth1]
+    disable;
-    mtu 1400;
+    mtu 1500;`},
		{"elsewhere", "set system host-name i", "interfaces", ""},
		{"a level that is new", "set security flow allow-dns-reply", "security flow", `[edit security flow]
+    allow-dns-reply;`},
		{"a level that is gone", "delete security policies from-zone a to-zone b policy q", "security policies from-zone a to-zone b policy q", `[edit security policies from-zone a to-zone b policy q]
-      then {
-          permit;
-      }`},
	} {
		t.Run(c.name, func(t *testing.T) {
			old := load(t, start)
			new := old.Clone()
			if problems := new.Load(LoadSet, nil, c.edits); len(problems) > 0 {
				t.Fatal(problems)
			}
			if got := strings.TrimSuffix(Compare(old, new, strings.Fields(c.at)), "\n"); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
	old := load(t, "set interfaces eth1\ndeactivate interfaces eth1")
	new := load(t, "set interfaces eth1")
	if got := Compare(old, new, nil); got != "[edit interfaces]\n!   active: eth1;\n" {
		t.Errorf("activated: %s", got)
	}
}
