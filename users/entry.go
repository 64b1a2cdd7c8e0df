package users

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sluice/policy"
)

// Limits of an entry.
const (
	MaxName  = 64  // characters of a user or a role
	MaxRoles = 200 // of one user
)

// Entry is one line of the table.
type Entry struct {
	Address netip.Addr
	User    string
	Roles   []string // roles and groups, in the order given; may be empty
}

// check says what is wrong with an entry, and brings it into its final form: IPv4 addresses as such,
// no role twice.
func (e *Entry) check() error {
	if err := checkAddress(e.Address); err != nil {
		return err
	}
	e.Address = e.Address.Unmap()
	if err := checkName("user", e.User); err != nil {
		return err
	}
	if _, err := netip.ParseAddr(e.User); err == nil {
		return fmt.Errorf("user %q: an address cannot be the name of a user", e.User)
	}
	var roles []string
	for _, role := range e.Roles {
		if err := checkName("role", role); err != nil {
			return err
		}
		if !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	if len(roles) > MaxRoles {
		return fmt.Errorf("user %q: %d roles, a user has at most %d", e.User, len(roles), MaxRoles)
	}
	e.Roles = roles
	return nil
}

// checkAddress refuses what no host sends from.
func checkAddress(addr netip.Addr) error {
	switch {
	case !addr.IsValid():
		return fmt.Errorf("the address is missing")
	case addr.Zone() != "":
		return fmt.Errorf("address %s: give it without its interface", addr)
	case addr.IsUnspecified(), addr.IsMulticast(), addr.IsLoopback(), addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("address %s: no host sends from it", addr)
	}
	return nil
}

// checkName refuses names that source-identity could not mean, and those that would not stand
// clearly in a list or a log.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name of the %s is missing", what)
	case !utf8.ValidString(name):
		return fmt.Errorf("%s %q: not valid UTF-8", what, name)
	case utf8.RuneCountInString(name) > MaxName:
		return fmt.Errorf("%s %q: longer than %d characters", what, name, MaxName)
	case policy.IsIdentityWord(name):
		return fmt.Errorf("%s %q: source-identity gives that word another meaning", what, name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("%s %q: blanks at its ends", what, name)
	}
	for _, r := range name {
		if unicode.IsControl(r) || strings.ContainsRune(`",[]`, r) {
			return fmt.Errorf("%s %q: the character %q is not accepted", what, name, r)
		}
	}
	return nil
}
