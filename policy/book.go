package policy

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"

	"go4.org/netipx"

	"sluice/store/schema"
)

// address is one address object as policies name it: an entry of a book, a set of such entries
// with everything in it, or a literal address.
type address struct {
	name, book string
	entry      *schema.Address // what a plain entry was configured as; nil for sets and literals
	set        bool
	members    []*address     // of a set
	prefixes   []netip.Prefix // masked; of a set, all its members'
	wildcards  []wildcard
	names      []*nameEntry
}

// wildcard is an IPv4 address whose bits under mask must be equal to value's.
type wildcard struct{ mask, value uint32 }

// bits4 is an IPv4 address as a number.
func bits4(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// Names that mean addresses of one family or of both, in every book.
const (
	anyAddress = "any"
	anyIPv4    = "any-ipv4"
	anyIPv6    = "any-ipv6"
)

var (
	allIPv4 = &address{name: anyIPv4, book: globalBook, prefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}
	allIPv6 = &address{name: anyIPv6, book: globalBook, prefixes: []netip.Prefix{netip.MustParsePrefix("::/0")}}
)

// globalBook is the name of the book that holds in every zone.
const globalBook = "global"

// book is one address book, its entries compiled on first use.
type book struct {
	name, path string
	ordered    []schema.Address
	entries    map[string]*schema.Address
	sets       map[string]*schema.AddressSet
	compiled   map[string]*address
	open       []string // sets being compiled, to recognise cycles
}

// compileBooks reads every address book and notes which ones each zone uses, in order: its own,
// those attached to it, the global one.
func (c *compiler) compileBooks() {
	c.scopes, c.names = map[string][]*book{}, map[nameKey]*nameEntry{}
	zones := c.cfg.Security.Zones.SecurityZones
	for i := range zones {
		z := &zones[i]
		if len(z.AddressBook.Addresses)+len(z.AddressBook.AddressSets) > 0 {
			path := "security zones security-zone " + z.Name + " address-book"
			c.scopes[z.Name] = append(c.scopes[z.Name], c.newBook(z.Name, path, z.AddressBook.Addresses, z.AddressBook.AddressSets))
		}
	}
	var global []*book
	books := c.cfg.Security.AddressBooks
	for i := range books {
		b := &books[i]
		path := "security address-book " + b.Name
		compiled := c.newBook(b.Name, path, b.Addresses, b.AddressSets)
		if b.Name == globalBook {
			global = []*book{compiled}
		}
		for _, z := range b.Attach.Zones {
			switch {
			case b.Name == globalBook:
				c.problem(path+" attach zone "+z.Name, "delete the attach statement", "the global address book holds in every zone and is not attached to any")
			case !c.isZone(z.Name):
				c.unknownZone(path+" attach zone "+z.Name, z.Name)
			default:
				c.scopes[z.Name] = append(c.scopes[z.Name], compiled)
			}
		}
	}
	for zone, scope := range c.scopes {
		c.scopes[zone] = append(scope, global...)
	}
	c.scopes[""] = global
	for _, b := range c.books {
		for i := range b.ordered {
			c.bookAddress(b, b.ordered[i].Name)
		}
		for _, name := range sortedKeys(b.sets) {
			c.bookAddress(b, name)
		}
	}
}

// newBook reads the entries and sets of one book.
func (c *compiler) newBook(name, path string, entries []schema.Address, sets []schema.AddressSet) *book {
	b := &book{
		name: name, path: path, ordered: entries,
		entries:  make(map[string]*schema.Address, len(entries)),
		sets:     make(map[string]*schema.AddressSet, len(sets)),
		compiled: make(map[string]*address, len(entries)+len(sets)),
	}
	for i := range entries {
		b.entries[entries[i].Name] = &entries[i]
	}
	for i := range sets {
		if b.entries[sets[i].Name] != nil {
			c.problem(path+" address-set "+sets[i].Name, "rename one of them", "%q is the name of an address too", sets[i].Name)
			continue
		}
		b.sets[sets[i].Name] = &sets[i]
	}
	c.books = append(c.books, b)
	return b
}

// bookAddress compiles the entry or set name of b; nil when b has none, or it is wrong.
func (c *compiler) bookAddress(b *book, name string) *address {
	if a, done := b.compiled[name]; done {
		return a
	}
	var a *address
	if entry := b.entries[name]; entry != nil {
		a = c.plainAddress(b, entry)
	} else if set := b.sets[name]; set != nil {
		a = c.addressSet(b, set)
	} else {
		return nil
	}
	b.compiled[name] = a
	return a
}

// plainAddress compiles one entry of a book.
func (c *compiler) plainAddress(b *book, entry *schema.Address) *address {
	a := &address{name: entry.Name, book: b.name, entry: entry}
	path := b.path + " address " + entry.Name
	switch {
	case entry.Prefix != nil:
		a.prefixes = []netip.Prefix{unmapped(entry.Prefix.Prefix)}
	case entry.Range != nil:
		r := netipx.IPRangeFrom(entry.Range.Low.Unmap(), entry.Range.High.Unmap())
		if !r.IsValid() {
			c.problem(path+" range-address", "give the lower address first, both of one family", "%s to %s is not a range", entry.Range.Low, entry.Range.High)
			return nil
		}
		a.prefixes = r.Prefixes()
	case entry.Wildcard != nil:
		mask := binary.BigEndian.Uint32(entry.Wildcard.Mask.Mask[:])
		value := bits4(entry.Wildcard.Mask.Addr) & mask
		if ones := leadingOnes(mask); mask == prefixMask(ones) {
			a.prefixes = []netip.Prefix{netip.PrefixFrom(entry.Wildcard.Mask.Addr, ones).Masked()}
			break
		}
		a.wildcards = []wildcard{{mask, value}}
		if !slices.Contains(c.masks, mask) {
			c.masks = append(c.masks, mask)
			if len(c.masks) == maxWildcards+1 {
				c.problem(path+" wildcard-address", "use the same masks in several addresses", "more than %d different wildcard masks are in use", maxWildcards)
			}
		}
	case entry.DNSName != nil:
		a.names = []*nameEntry{c.domainName(entry.DNSName)}
	default:
		c.problem(path, "give it a prefix, dns-name, range-address or wildcard-address", "the address has no value")
		return nil
	}
	return a
}

// domainName is the one entry of a domain name.
func (c *compiler) domainName(n *schema.DNSName) *nameEntry {
	key := keyOf(n)
	entry := c.names[key]
	if entry == nil {
		entry = c.st.names.entry(key)
		c.names[key] = entry
		c.e.names = append(c.e.names, entry)
	}
	return entry
}

// addressSet compiles a set with everything in it.
func (c *compiler) addressSet(b *book, set *schema.AddressSet) *address {
	path := b.path + " address-set " + set.Name
	if at := slices.Index(b.open, set.Name); at >= 0 {
		c.problem(path, "take one of them out", "the set contains itself: %s", strings.Join(append(slices.Clone(b.open[at:]), set.Name), " > "))
		return nil
	}
	b.open = append(b.open, set.Name)
	defer func() { b.open = b.open[:len(b.open)-1] }()

	a := &address{name: set.Name, book: b.name, set: true}
	member := func(m *address) {
		if m == nil {
			return // its own problem is noted
		}
		a.members = append(a.members, m)
		a.prefixes = append(a.prefixes, m.prefixes...)
		a.wildcards = append(a.wildcards, m.wildcards...)
		a.names = append(a.names, m.names...)
	}
	for _, m := range set.Addresses {
		if b.entries[m.Name] == nil {
			c.unknown(path+" address "+m.Name, m.Name, func() []string { return sortedKeys(b.entries) }, "address %q is not in address book %s", m.Name, b.name)
			continue
		}
		member(c.bookAddress(b, m.Name))
	}
	for _, m := range set.Sets {
		if b.sets[m.Name] == nil {
			c.unknown(path+" address-set "+m.Name, m.Name, func() []string { return sortedKeys(b.sets) }, "address set %q is not in address book %s", m.Name, b.name)
			continue
		}
		member(c.bookAddress(b, m.Name))
	}
	return a
}

// address finds the address that name means in zone, or outside any zone when zone is "". A name
// that no book has may be a literal address or prefix. The result is nil when it is unknown, and
// the problem is noted at path.
func (c *compiler) address(path, zone, name string) *address {
	switch name {
	case anyIPv4:
		return allIPv4
	case anyIPv6:
		return allIPv6
	}
	for _, b := range c.scope(zone) {
		if b.entries[name] != nil || b.sets[name] != nil {
			return c.bookAddress(b, name) // nil: its own problem is noted
		}
	}
	var literal schema.HostPrefix
	if literal.UnmarshalText([]byte(name)) == nil && name != "default" {
		return c.literal(literal.Prefix)
	}
	where := "the global address book"
	if zone != "" {
		where = "the address books of zone " + zone
	}
	c.unknown(path, name, func() []string {
		known := []string{anyAddress, anyIPv4, anyIPv6}
		for _, b := range c.scope(zone) {
			known = append(append(known, sortedKeys(b.entries)...), sortedKeys(b.sets)...)
		}
		return known
	}, "address %q is not in %s", name, where)
	return nil
}

// scope lists the books that names are looked up in.
func (c *compiler) scope(zone string) []*book {
	if books, own := c.scopes[zone]; own {
		return books
	}
	return c.scopes[""]
}

// literal is the one address object for an address typed in place of a name.
func (c *compiler) literal(p netip.Prefix) *address {
	p = unmapped(p)
	if c.literals == nil {
		c.literals = map[netip.Prefix]*address{}
	}
	a := c.literals[p]
	if a == nil {
		a = &address{name: p.String(), prefixes: []netip.Prefix{p}}
		c.literals[p] = a
	}
	return a
}

// unmapped is p without host bits, an IPv4-mapped IPv6 prefix as IPv4.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// leadingOnes counts the ones that mask begins with.
func leadingOnes(mask uint32) int {
	n := 0
	for n < 32 && mask&(1<<(31-n)) != 0 {
		n++
	}
	return n
}

// prefixMask is the mask of so many leading ones.
func prefixMask(ones int) uint32 { return ^uint32(0) << (32 - ones) }
