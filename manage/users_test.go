package manage

import (
	"strings"
	"testing"

	"sluice/manage/api"
	"sluice/users"
)

var _ Users = (*users.Table)(nil)

// Both spellings of the guide fill the table, and what is wrong is said.
// Rows: PR-77, PR-79, 4/C-8, 4/C-9, 4/C-10, 4/C-11.
func TestLocalAuthenticationTable(t *testing.T) {
	f := start(t)
	const table = " security user-identification local-authentication-table "
	if got := refused(t, f, "show"+table+"all"); !strings.Contains(got, "no local authentication table") {
		t.Errorf("without a table: %s", got)
	}
	known, err := users.Open(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	f.server.options.Users = known

	for _, line := range []string{
		"request" + table + "add user-name user1 ip-address 192.0.2.2 roles role1",
		"request" + table + "add user ada ip-address 192.0.2.10 role [ staff eng ]",
		"request" + table + `add user "Bob B" ip-address 2001:db8::1`,
		"request" + table + "add user ada ip-address 192.0.2.11 role [staff]",
	} {
		if out := f.run(t, line); out != "" {
			t.Errorf("%s: %q", line, out)
		}
	}
	for line, want := range map[string]string{
		"request" + table + "add ip-address 192.0.2.3":                             "name of the user is missing",
		"request" + table + "add user a":                                           `"ip-address" is missing`,
		"request" + table + "add user a ip-address 192.0.2.256":                    "not an address",
		"request" + table + "add user a user-name b ip-address 192.0.2.3":          `unknown word "user-name"`,
		"request" + table + "add user a ip-address 192.0.2.3 role [ b":             "not closed",
		"request" + table + "add user any ip-address 192.0.2.3":                    "another meaning",
		"request" + table + "add user a ip-address 224.0.0.1":                      "no host sends",
		"request" + table + "delete carl":                                          `no user "carl"`,
		"request" + table + "delete 192.0.2.77":                                    "no address 192.0.2.77",
		"request" + table + "delete":                                               "whom to delete is missing",
		"show security user-identification local-authentication-table brief":       "unknown word",
		"show security user-identification local-authentication-table all brief e": "unknown word",
	} {
		if got := refused(t, f, line); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	brief := f.run(t, "show"+table+"all brief")
	if want := "Total entries: 4\nSource IP    Username  Roles\n192.0.2.2    user1     role1\n192.0.2.10   ada       staff, eng\n192.0.2.11   ada       staff\n2001:db8::1  Bob B\n"; brief != want {
		t.Errorf("brief:\n%s", brief)
	}
	if all := f.run(t, "show"+table+"all"); all != brief {
		t.Errorf("all is not brief:\n%s", all)
	}
	if got := f.run(t, "show"+table+"all extensive"); !strings.Contains(got, "  Ip-address: 192.0.2.10\n  Username: ada\n  Roles: staff, eng\n") {
		t.Errorf("extensive:\n%s", got)
	}
	f.run(t, "request"+table+"add user-name carl ip-address 192.0.2.12")
	f.run(t, "request"+table+"delete user-name carl")
	f.run(t, "request"+table+"delete ada")
	f.run(t, "request"+table+"delete ip-address 2001:db8::1")
	if got := f.run(t, "show"+table+"all"); strings.Contains(got, "ada") || !strings.Contains(got, "Total entries: 1") {
		t.Errorf("after delete:\n%s", got)
	}
	f.run(t, "clear"+table)
	if got := f.run(t, "show"+table+"all"); got != "Total entries: 0\n" {
		t.Errorf("after clear:\n%s", got)
	}
}

// refused runs a command that must fail and returns why it did.
func refused(t *testing.T, f *fixture, line string) string {
	t.Helper()
	_, err := f.client.Command(t.Context(), api.Command{Line: line})
	if err == nil {
		t.Errorf("%s: not refused", line)
		return ""
	}
	return err.Error()
}
