// Package users knows who sends from which address: the local authentication table.
//
// The table is filled by hand or by scripts, with commands; everybody in it counts as
// authenticated. It is kept over restarts. The files follow an entry: entry says what one may be,
// change adds and removes, keep writes it down; [Table.Lookup], the question that every new
// session asks, takes no lock.
package users

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gaissmai/bart"

	"sluice/policy"
)

// MaxEntries is how many addresses a table holds.
const MaxEntries = 65536

// Table maps addresses to users. It may be used by any number of goroutines.
type Table struct {
	entries atomic.Pointer[entries] // replaced whole by every change

	mu      sync.Mutex // orders changes
	db      *sql.DB    // nil: nothing is kept
	changed []func([]netip.Addr)
}

// entries are the entries at some moment; they are never changed.
type entries = bart.Table[*policy.User]

// Open reads the table that db keeps. Without db nothing outlives the process.
func Open(ctx context.Context, db *sql.DB) (*Table, error) {
	t := &Table{db: db}
	kept := new(entries)
	if db != nil {
		if err := t.read(ctx, kept); err != nil {
			return nil, fmt.Errorf("local authentication table: %w", err)
		}
	}
	t.entries.Store(kept)
	return t, nil
}

// Lookup is the user of an address, or nil. It neither locks nor allocates.
func (t *Table) Lookup(addr netip.Addr) *policy.User {
	all := t.entries.Load()
	if all.Size() == 0 {
		return nil
	}
	user, _ := all.Lookup(addr.Unmap())
	return user
}

// Entries lists the table, by address: IPv4 first.
func (t *Table) Entries() []Entry {
	var list []Entry
	for prefix, user := range t.entries.Load().AllSorted() {
		list = append(list, Entry{Address: prefix.Addr(), User: user.Name, Roles: slices.Clone(user.Roles)})
	}
	slices.SortFunc(list, func(a, b Entry) int { return a.Address.Compare(b.Address) })
	return list
}

// Known says whether source-identity NAME can match somebody in the table: a user, in any case, or
// a role.
func (t *Table) Known(name string) bool {
	for _, user := range t.entries.Load().All() {
		if strings.EqualFold(user.Name, name) || slices.Contains(user.Roles, name) {
			return true
		}
	}
	return false
}

// Names are the names of all users and roles.
func (t *Table) Names() []string {
	seen := map[string]bool{}
	for _, user := range t.entries.Load().All() {
		seen[user.Name] = true
		for _, role := range user.Roles {
			seen[role] = true
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// OnChange has f called after each change, with the addresses whose user is another one now. f must
// not change the table.
func (t *Table) OnChange(f func([]netip.Addr)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = append(t.changed, f)
}

// errFull says that the table holds no more.
var errFull = errors.New("the local authentication table is full: it holds " + fmt.Sprint(MaxEntries) + " addresses")
