package proxy

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"sluice/policy"
	"sluice/users"
)

// userPolicies permits a service to a role, one to a user, one to whom nobody knows, and one to
// everybody.
const userPolicies = `
set security zones security-zone trust interfaces lan0
set security zones security-zone untrust interfaces wan0
set security policies global policy staff match source-address any destination-address any application junos-http
set security policies global policy staff match source-identity [ staff bob ]
set security policies global policy staff then permit
set security policies global policy staff then log session-init session-close
set security policies global policy known match source-address any destination-address any application junos-https
set security policies global policy known match source-identity authenticated-user
set security policies global policy known then permit
set security policies global policy known then log session-init
set security policies global policy strangers match source-address any destination-address any application [ junos-ssh junos-http ]
set security policies global policy strangers match source-identity unauthenticated-user
set security policies global policy strangers then reject
set security policies global policy strangers then log session-init
set security policies global policy lost match source-address any destination-address any application junos-smtp
set security policies global policy lost match source-identity unknown-user
set security policies global policy lost then permit
set security policies global policy lost then log session-init
set security policies global policy all match source-address any destination-address any application junos-dns-udp
set security policies global policy all match source-identity any
set security policies global policy all then permit
set security policies global policy all then log session-init
set security policies global policy rest match source-address any destination-address any application junos-ntp
set security policies global policy rest then permit
set security policies global policy rest then log session-init
`

// withUsers is a bench whose engine knows users.
func withUsers(t *testing.T, text string) (*bench, *users.Table) {
	t.Helper()
	table, err := users.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, text)
	b.Engine.users = table
	table.OnChange(b.UsersChanged)
	return b, table
}

func login(t *testing.T, table *users.Table, addr, name string, roles ...string) {
	t.Helper()
	if err := table.Add(t.Context(), users.Entry{Address: netip.MustParseAddr(addr), User: name, Roles: roles}); err != nil {
		t.Fatal(err)
	}
}

// Rows: TR-21, TR-22, TR-23, TR-24, TR-36, PR-72, PR-73, PR-76, PR-78.
func TestSourceIdentityDecidesAndIsLogged(t *testing.T) {
	b, table := withUsers(t, userPolicies)
	login(t, table, "192.0.2.10", "ada", "eng", "staff")
	login(t, table, "192.0.2.11", "Bob")
	for _, c := range []struct {
		name, client, server string
		udp                  bool
		logged               string // "" for nothing
		policy, user, roles  string
	}{
		{"role", "192.0.2.10:1001", "198.51.100.20:80", false, "create", "staff", "ada", "eng,staff"},
		{"user without roles", "192.0.2.11:1002", "198.51.100.20:80", false, "create", "staff", "Bob", ""},
		{"authenticated-user", "192.0.2.11:1003", "198.51.100.20:443", false, "create", "known", "Bob", ""},
		{"nobody where somebody is asked for", "192.0.2.12:1004", "198.51.100.20:443", false, "", "", "", ""},
		{"unauthenticated-user", "192.0.2.12:1005", "198.51.100.20:22", false, "deny policy reject", "strangers", "unauthenticated user", ""},
		{"somebody where nobody is asked for", "192.0.2.10:1006", "198.51.100.20:22", false, "", "", "", ""},
		{"unknown-user", "192.0.2.12:1007", "198.51.100.20:25", false, "create", "lost", "unknown user", ""},
		{"any, known", "192.0.2.10:1008", "198.51.100.20:53", true, "create", "all", "ada", "eng,staff"},
		{"any, unknown", "192.0.2.12:1009", "198.51.100.20:53", true, "create", "all", "unauthenticated user", ""},
		{"no identity asked for", "192.0.2.10:1010", "198.51.100.20:123", true, "create", "rest", "", ""},
	} {
		if c.udp {
			b.from(b.lan, udp(t, c.client, c.server))
		} else {
			b.from(b.lan, newConversation(c.client, c.server).up(2))
		}
		list, last := b.log.take()
		if c.logged == "" && len(list) == 0 {
			continue
		}
		if !slices.Equal(list, []string{c.logged}) || last.Policy != c.policy || last.User != c.user || last.Roles != c.roles {
			t.Errorf("%s: logged %q by policy %q, user %q, roles %q; want %q, %q, %q, %q",
				c.name, list, last.Policy, last.User, last.Roles, c.logged, c.policy, c.user, c.roles)
		}
	}
	for _, s := range b.Sessions(Filter{Policy: "staff"}) {
		b.Clear(Filter{ID: s.ID})
		if _, last := b.log.take(); last.User == "" {
			t.Errorf("the close of session %d names no user", s.ID)
		}
	}
}

// A change of the table judges the running sessions of its addresses again, and no others.
func TestSessionsFollowTheirUser(t *testing.T) {
	b, table := withUsers(t, userPolicies+`
set security policies global policy visitors match source-address any destination-address any application junos-http
set security policies global policy visitors match source-identity visitor
set security policies global policy visitors then permit
`)
	login(t, table, "192.0.2.10", "ada", "staff")
	login(t, table, "192.0.2.11", "bob")
	first, second := newConversation("192.0.2.10:1001", "198.51.100.20:80"), newConversation("192.0.2.11:1002", "198.51.100.20:80")
	first.connect(b)
	second.connect(b)
	policies := func() string {
		text := ""
		for _, s := range b.Sessions(Filter{}) {
			text += s.In.Source.String() + " " + s.Policy + ";"
		}
		return text
	}
	wait := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); policies() != want; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("sessions are %q, want %q", policies(), want)
			}
		}
	}
	wait("192.0.2.10:1001 staff;192.0.2.11:1002 staff;")
	b.log.take()

	login(t, table, "192.0.2.10", "ada", "eng", "staff") // still permitted
	login(t, table, "192.0.2.10", "ada", "visitor")
	wait("192.0.2.10:1001 visitors;192.0.2.11:1002 staff;")
	if out := b.from(b.lan, first.up(16)); len(out) != 1 {
		t.Error("a session that another policy permits does not go on")
	}
	if _, err := table.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	wait("192.0.2.11:1002 staff;")
	if _, err := table.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait("")
	if last := b.logged("close policy delete"); last.User != "bob" {
		t.Errorf("the end of a session whose user has left is that of %q", last.User)
	}
}

// An entry that comes while a session is being opened is not lost on it.
func TestUserThatComesAsTheSessionOpens(t *testing.T) {
	b, table := withUsers(t, userPolicies)
	late := &lateUsers{table: table, first: true, come: func() { login(t, table, "192.0.2.12", "eve", "guest") }}
	b.Engine.users = late
	b.from(b.lan, newConversation("192.0.2.12:1001", "198.51.100.20:25").up(2))
	for deadline := time.Now().Add(5 * time.Second); len(b.Sessions(Filter{})) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a session of somebody who is known now stays with the policy of unknown users")
		}
	}
}

// lateUsers answers the first question, and then the answer changes.
type lateUsers struct {
	table *users.Table
	first bool
	come  func()
}

func (l *lateUsers) Lookup(addr netip.Addr) *policy.User {
	user := l.table.Lookup(addr)
	if l.first {
		l.first = false
		l.come()
	}
	return user
}
