package scenario

import (
	"strings"
	"testing"

	"sluice/lab"
)

// localTable leads the commands of the local authentication table.
const localTable = " security user-identification local-authentication-table "

// Two clients of one network, told apart by who sends from their addresses: a policy for a role
// admits one of them, the table decides from the next session on, also after a restart, and running
// sessions follow it.
// Rows: TR-22, TR-23, TR-24, TR-36, PR-73, PR-76, PR-77, PR-78, PR-79, 4/C-8, 4/C-9, 4/C-10, 4/C-11.
func TestSourceIdentity(t *testing.T) {
	const other = "192.0.2.11" // the client has ten addresses
	w := start(t, lab.Options{}, policy("trust", "untrust", "staff", "any", "any", "permit", "log session-init session-close")+`
set security policies from-zone trust to-zone untrust policy staff match source-identity role1
`+policy("trust", "untrust", "strangers", "any", "any", "reject", "log session-init")+`
set security policies from-zone trust to-zone untrust policy strangers match source-identity unauthenticated-user
`+policy("trust", "untrust", "rest", "any", "any", "reject"))
	get := func(from string) bool {
		out, err := w.try(w.Client, "curl", "-sS", "-m5", "--interface", from, "http://"+lab.WebAddr4+"/")
		if err != nil && !strings.Contains(out, "Connection refused") && !strings.Contains(out, "Failed to connect") {
			t.Errorf("from %s: %s", from, out)
		}
		return err == nil
	}
	expect := func(when string, client, second bool) {
		t.Helper()
		if got := get(lab.ClientAddr4); got != client {
			t.Errorf("%s: the first client passes: %v, want %v", when, got, client)
		}
		if got := get(other); got != second {
			t.Errorf("%s: the second client passes: %v, want %v", when, got, second)
		}
	}
	if hits := w.show("show security policies hit-count"); !strings.Contains(hits, "staff") {
		t.Errorf("hits:\n%s", hits)
	}
	expect("nobody is known", false, false)
	w.show("request" + localTable + "add user-name user1 ip-address " + lab.ClientAddr4 + " roles role1")
	w.show("request" + localTable + "add user user2 ip-address " + other + " role [ role2 role3 ]")
	expect("one has the role", true, false)
	w.eventually("the log names user and roles", func() bool {
		log := w.show("show security log policy staff | display json")
		return strings.Contains(log, `"user1"`) && strings.Contains(log, `"role1"`)
	})
	w.eventually("the log names who is nobody", func() bool {
		return strings.Contains(w.show("show security log policy strangers | display json"), `"unauthenticated user"`)
	})

	w.gw.Kill()
	gw, err := w.RestartGateway(t.Context(), w.gw.Dir)
	if err != nil {
		t.Fatal(err)
	}
	w.gw = gw
	if all := w.show("show" + localTable + "all extensive"); !strings.Contains(all, "Username: user2\n  Roles: role2, role3") {
		t.Errorf("after a restart:\n%s", all)
	}
	c := w.connect(lab.EchoAddr4 + ":7")
	if err := echoes(c); err != nil {
		t.Fatal(err)
	}
	w.show("request" + localTable + "delete user1")
	w.eventually("the session of a user who is gone ends", func() bool {
		return !strings.Contains(w.show("show security flow session"), "/7;")
	})
	w.show("request" + localTable + "add user user2 ip-address " + other + " role role1")
	expect("the other has the role", false, true)
	w.show("clear" + localTable)
	expect("the table is empty", false, false)
}
