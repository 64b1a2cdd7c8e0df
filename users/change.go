package users

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sluice/policy"
)

// manyEntries is how many entries at once are better added to a copy of the table than one by one.
const manyEntries = 100

// Add puts entries into the table, all or none. An entry takes the place of the one that its address
// has.
func (t *Table) Add(ctx context.Context, list ...Entry) error {
	list = slices.Clone(list)
	for i := range list {
		if err := list[i].check(); err != nil {
			return err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.entries.Load()
	if len(list) > manyEntries {
		next = next.Clone()
	}
	for _, e := range list {
		user := &policy.User{Name: e.User, Roles: e.Roles}
		if len(list) > manyEntries {
			next.Insert(host(e.Address), user)
		} else {
			next = next.InsertPersist(host(e.Address), user)
		}
	}
	if next.Size() > MaxEntries {
		return errFull
	}
	if err := t.keep(ctx, list, nil); err != nil {
		return err
	}
	addrs := make([]netip.Addr, len(list))
	for i, e := range list {
		addrs[i] = e.Address
	}
	t.replace(next, addrs)
	return nil
}

// Delete removes the entry of an address, or all entries of a user (in any case), and says how many.
// It fails when there is none.
func (t *Table) Delete(ctx context.Context, what string) (removed int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.entries.Load()
	var gone []netip.Addr
	if addr, err := netip.ParseAddr(what); err == nil {
		addr = addr.Unmap().WithZone("")
		if _, there := all.Get(host(addr)); !there {
			return 0, fmt.Errorf("the local authentication table has no address %s", addr)
		}
		gone = append(gone, addr)
	} else {
		for prefix, user := range all.All() {
			if strings.EqualFold(user.Name, what) {
				gone = append(gone, prefix.Addr())
			}
		}
		if len(gone) == 0 {
			return 0, fmt.Errorf("the local authentication table has no user %q", what)
		}
	}
	return len(gone), t.remove(ctx, all, gone)
}

// Clear removes every entry and says how many there were.
func (t *Table) Clear(ctx context.Context) (removed int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.entries.Load()
	var gone []netip.Addr
	for prefix := range all.All() {
		gone = append(gone, prefix.Addr())
	}
	return len(gone), t.remove(ctx, all, gone)
}

// remove takes addresses out of all; t.mu is held.
func (t *Table) remove(ctx context.Context, all *entries, gone []netip.Addr) error {
	if len(gone) == 0 {
		return nil
	}
	if err := t.keep(ctx, nil, gone); err != nil {
		return err
	}
	next := new(entries)
	if len(gone) < all.Size() {
		next = all
		for _, addr := range gone {
			next = next.DeletePersist(host(addr))
		}
	}
	t.replace(next, gone)
	return nil
}

// replace puts next in force and tells who wants to know; t.mu is held.
func (t *Table) replace(next *entries, changed []netip.Addr) {
	t.entries.Store(next)
	for _, f := range t.changed {
		f(changed)
	}
}

// host is the prefix of one address.
func host(addr netip.Addr) netip.Prefix { return netip.PrefixFrom(addr, addr.BitLen()) }
