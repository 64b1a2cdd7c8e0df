package profile

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"go4.org/netipx"

	"sluice/store/schema"
)

// Names says which addresses domain names have now.
type Names interface {
	// Addresses are the addresses of a domain name, of one family only where that is said; none
	// while they are not known.
	Addresses(name *schema.DNSName) []netip.Addr
}

// Whitelist is the servers whose sessions pass as they are. A nil Whitelist has none.
type Whitelist struct {
	entries int
	fixed   *netipx.IPSet
	domains []*schema.DNSName
	names   Names
}

// Len is the number of statements.
func (w *Whitelist) Len() int {
	if w == nil {
		return 0
	}
	return w.entries
}

// Match says whether the server at addr, the real one after destination translation, is on the
// list, and as what: its address, or the domain name that has it now.
func (w *Whitelist) Match(addr netip.Addr) (host string, ok bool) {
	if w == nil {
		return "", false
	}
	addr = addr.Unmap().WithZone("")
	if w.fixed.Contains(addr) {
		return addr.String(), true
	}
	if w.names == nil {
		return "", false
	}
	for _, d := range w.domains {
		if slices.Contains(w.names.Addresses(d), addr) {
			return d.Name, true
		}
	}
	return "", false
}

// globalBook is the address book that whitelists name.
const globalBook = "global"

// whitelist compiles the whitelist statements of a profile.
func (c *compiler) whitelist(path string, entries []string) *Whitelist {
	if len(entries) == 0 {
		return nil
	}
	w := &Whitelist{entries: len(entries), names: c.env.Names}
	var fixed netipx.IPSetBuilder
	for _, name := range entries {
		c.whitelistEntry(path+" whitelist "+name, name, w, &fixed, nil)
	}
	set, err := fixed.IPSet()
	if err != nil {
		c.problem(path+" whitelist", "correct the addresses", "the addresses cannot be used: %v", err)
		set = new(netipx.IPSet)
	}
	w.fixed = set
	return w
}

// whitelistEntry adds the address or set called name; open are the sets it lies in.
func (c *compiler) whitelistEntry(path, name string, w *Whitelist, fixed *netipx.IPSetBuilder, open []string) {
	if a := c.addresses[name]; a != nil {
		c.whitelistAddress(path, a, w, fixed)
		return
	}
	set := c.addressSets[name]
	if set == nil {
		c.problem(path, didYouMean(name, names(c.addresses, c.addressSets)), "address %q is not in the global address book", name)
		return
	}
	if slices.Contains(open, name) {
		return // the address book's own checks name the loop
	}
	open = append(open, name)
	for _, m := range slices.Concat(set.Addresses, set.Sets) {
		c.whitelistEntry(path, m.Name, w, fixed, open)
	}
}

func (c *compiler) whitelistAddress(path string, a *schema.Address, w *Whitelist, fixed *netipx.IPSetBuilder) {
	switch {
	case a.Prefix != nil:
		fixed.AddPrefix(unmapped(a.Prefix.Prefix))
	case a.Range != nil:
		fixed.AddRange(netipx.IPRangeFrom(a.Range.Low.Unmap(), a.Range.High.Unmap()))
	case a.Wildcard != nil:
		mask := binary.BigEndian.Uint32(a.Wildcard.Mask.Mask[:])
		ones := bits.LeadingZeros32(^mask)
		if mask != ^uint32(0)<<(32-ones) {
			c.problem(path, "use addresses and prefixes", "address %s has a wildcard mask whose bits are not contiguous, which a whitelist cannot have", a.Name)
			return
		}
		fixed.AddPrefix(netip.PrefixFrom(a.Wildcard.Mask.Addr, ones).Masked())
	case a.DNSName != nil:
		w.domains = append(w.domains, a.DNSName)
	}
}

// unmapped is p without host bits, an IPv4-mapped IPv6 prefix as IPv4.
func unmapped(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}
