package users

import (
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "github.com/mattn/go-sqlite3"

	"sluice/policy"
)

// database is one that outlives a table.
func database(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t *testing.T, db *sql.DB) *Table {
	t.Helper()
	table, err := Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func add(t *testing.T, table *Table, address, user string, roles ...string) {
	t.Helper()
	if err := table.Add(t.Context(), Entry{netip.MustParseAddr(address), user, roles}); err != nil {
		t.Fatal(err)
	}
}

// lines are the entries in short.
func lines(table *Table) []string {
	var list []string
	for _, e := range table.Entries() {
		list = append(list, fmt.Sprintf("%s %s %s", e.Address, e.User, strings.Join(e.Roles, ",")))
	}
	return list
}

// Rows: PR-75, PR-76, PR-79.
func TestEntriesComeAndGo(t *testing.T) {
	table := open(t, nil)
	add(t, table, "192.0.2.10", "ada", "staff", "eng", "staff")
	add(t, table, "192.0.2.9", "bob")
	add(t, table, "2001:db8::9", "Ada", "staff")
	add(t, table, "::ffff:192.0.2.11", "eve", "guest")
	want := []string{"192.0.2.9 bob ", "192.0.2.10 ada staff,eng", "192.0.2.11 eve guest", "2001:db8::9 Ada staff"}
	if got := lines(table); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	for addr, name := range map[string]string{
		"192.0.2.10": "ada", "::ffff:192.0.2.10": "ada", "2001:db8::9": "Ada", "192.0.2.11": "eve", "192.0.2.12": "", "2001:db8::a": "",
	} {
		got := ""
		if u := table.Lookup(netip.MustParseAddr(addr)); u != nil {
			got = u.Name
		}
		if got != name {
			t.Errorf("%s is %q, want %q", addr, got, name)
		}
	}

	add(t, table, "192.0.2.9", "carl", "boss")
	if u := table.Lookup(netip.MustParseAddr("192.0.2.9")); u.Name != "carl" || !slices.Equal(u.Roles, []string{"boss"}) {
		t.Errorf("a new entry of the address: %+v", u)
	}
	if n, err := table.Delete(t.Context(), "ADA"); n != 2 || err != nil {
		t.Errorf("deleting a user at two addresses: %d, %v", n, err)
	}
	if n, err := table.Delete(t.Context(), "192.0.2.11"); n != 1 || err != nil {
		t.Errorf("deleting an address: %d, %v", n, err)
	}
	for _, what := range []string{"ada", "192.0.2.11", "2001:db8::77", ""} {
		if _, err := table.Delete(t.Context(), what); err == nil {
			t.Errorf("deleting %q, which is not there, does not fail", what)
		}
	}
	if got := lines(table); !cmp.Equal(got, []string{"192.0.2.9 carl boss"}) {
		t.Errorf("left are %q", got)
	}
	if n, err := table.Clear(t.Context()); n != 1 || err != nil || len(table.Entries()) != 0 {
		t.Errorf("clearing: %d, %v", n, err)
	}
	if n, err := table.Clear(t.Context()); n != 0 || err != nil {
		t.Errorf("clearing an empty table: %d, %v", n, err)
	}
}

func TestTableOutlivesTheProcess(t *testing.T) {
	db := database(t)
	table := open(t, db)
	add(t, table, "192.0.2.1", "ada", "staff", "eng")
	add(t, table, "2001:db8::1", "bob")
	add(t, table, "192.0.2.2", "gone")
	add(t, table, "192.0.2.1", "ada", "boss")
	if _, err := table.Delete(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	want := []string{"192.0.2.1 ada boss", "2001:db8::1 bob "}
	if got := lines(open(t, db)); !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got))
	}
	if _, err := table.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := lines(open(t, db)); len(got) != 0 {
		t.Errorf("after clear %q is kept", got)
	}
}

// A change that cannot be kept does not hold either.
func TestChangeThatCannotBeKept(t *testing.T) {
	db := database(t)
	table := open(t, db)
	add(t, table, "192.0.2.1", "ada")
	db.Close()
	if err := table.Add(t.Context(), Entry{netip.MustParseAddr("192.0.2.2"), "bob", nil}); err == nil {
		t.Error("added without a database")
	}
	if _, err := table.Clear(t.Context()); err == nil {
		t.Error("cleared without a database")
	}
	if got := lines(table); !cmp.Equal(got, []string{"192.0.2.1 ada "}) {
		t.Errorf("the table holds %q", got)
	}
}

func TestBadEntries(t *testing.T) {
	table := open(t, nil)
	long := strings.Repeat("é", MaxName)
	add(t, table, "192.0.2.1", long, long)
	many := make([]string, MaxRoles+1)
	for i := range many {
		many[i] = fmt.Sprint("role", i)
	}
	addr := netip.MustParseAddr("192.0.2.2")
	for want, e := range map[string]Entry{
		"the address is missing":             {netip.Addr{}, "ada", nil},
		"without its interface":              {netip.MustParseAddr("fe80::1%eth0"), "ada", nil},
		"address 0.0.0.0: no host":           {netip.IPv4Unspecified(), "ada", nil},
		"address ff02::1: no host":           {netip.MustParseAddr("ff02::1"), "ada", nil},
		"address 127.0.0.1: no host":         {netip.MustParseAddr("127.0.0.1"), "ada", nil},
		"address 255.255.255.255: no host":   {netip.MustParseAddr("255.255.255.255"), "ada", nil},
		"the name of the user is missing":    {addr, "", nil},
		"the name of the role is missing":    {addr, "ada", []string{""}},
		"longer than 64 characters":          {addr, long + "x", nil},
		"gives that word another meaning":    {addr, "Authenticated-User", nil},
		`role "any"`:                         {addr, "ada", []string{"any"}},
		"cannot be the name of a user":       {addr, "192.0.2.7", nil},
		"not valid UTF-8":                    {addr, "a\xff", nil},
		`the character '\n' is not accepted`: {addr, "a\nb", nil},
		"the character ',' is not accepted":  {addr, "ada", []string{"a,b"}},
		"blanks at its ends":                 {addr, " ada", nil},
		"201 roles":                          {addr, "ada", many},
	} {
		if err := table.Add(t.Context(), Entry{netip.MustParseAddr("192.0.2.3"), "good", nil}, e); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", e, err, want)
		}
	}
	if len(table.Entries()) != 1 {
		t.Error("entries beside a bad one were added")
	}
}

func TestFullTable(t *testing.T) {
	table := open(t, nil)
	list := make([]Entry, MaxEntries)
	for i := range list {
		list[i] = Entry{netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "u", nil}
	}
	if err := table.Add(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	add(t, table, "10.0.0.7", "instead")
	if err := table.Add(t.Context(), Entry{netip.MustParseAddr("192.0.2.1"), "more", nil}); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("one more: %v", err)
	}
}

// Who wants to know is told the addresses of each change.
func TestOnChange(t *testing.T) {
	table := open(t, nil)
	var told []string
	table.OnChange(func(addrs []netip.Addr) {
		for _, a := range addrs {
			told = append(told, a.String())
		}
		told = append(told, ";")
	})
	add(t, table, "192.0.2.1", "ada")
	add(t, table, "::ffff:192.0.2.2", "bob")
	table.Delete(t.Context(), "nobody")
	table.Delete(t.Context(), "ada")
	table.Clear(t.Context())
	if got := strings.Join(told, " "); got != "192.0.2.1 ; 192.0.2.2 ; 192.0.2.1 ; 192.0.2.2 ;" {
		t.Errorf("told %q", got)
	}
}

func TestKnown(t *testing.T) {
	table := open(t, nil)
	add(t, table, "192.0.2.1", "Ada", "staff", "eng")
	for name, want := range map[string]bool{"ada": true, "staff": true, "Staff": false, "bob": false, "": false} {
		if table.Known(name) != want {
			t.Errorf("Known(%q) is %v", name, !want)
		}
	}
	if got := table.Names(); !slices.Equal(got, []string{"Ada", "eng", "staff"}) {
		t.Errorf("names %q", got)
	}
}

func TestLookupsWhileItChanges(t *testing.T) {
	table := open(t, nil)
	addr := netip.MustParseAddr("192.0.2.1")
	add(t, table, addr.String(), "ada", "a")
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if u := table.Lookup(addr); u == nil || u.Name != "ada" {
					t.Errorf("the user is %+v", u)
					return
				}
			}
		})
	}
	for i := range 200 {
		other := netip.AddrFrom4([4]byte{192, 0, 2, byte(i%200 + 2)})
		if err := table.Add(context.Background(), Entry{other, "bob", nil}, Entry{addr, "ada", []string{"a"}}); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	readers.Wait()
}

var user *policy.User

func TestLookupAllocatesNothing(t *testing.T) {
	table := open(t, nil)
	add(t, table, "192.0.2.1", "ada", "a")
	addr := netip.MustParseAddr("192.0.2.1")
	if n := testing.AllocsPerRun(100, func() { user = table.Lookup(addr) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkLookup(b *testing.B) {
	table, err := Open(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	list := make([]Entry, MaxEntries)
	for i := range list {
		list[i] = Entry{netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), "u", nil}
	}
	if err := table.Add(b.Context(), list...); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		user = table.Lookup(list[i*7919%MaxEntries].Address)
	}
}
