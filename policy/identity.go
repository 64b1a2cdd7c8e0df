package policy

import (
	"slices"
	"strings"

	"sluice/store/schema"
)

// Words of source-identity that name no user.
const (
	anyUser             = "any"
	authenticatedUser   = "authenticated-user"
	unauthenticatedUser = "unauthenticated-user"
	unknownUser         = "unknown-user"
)

// IsIdentityWord says whether source-identity gives name a meaning of its own, so that no user or
// role can have it.
func IsIdentityWord(name string) bool {
	return slices.ContainsFunc(identityWords, func(word string) bool { return strings.EqualFold(word, name) })
}

var identityWords = []string{anyUser, authenticatedUser, unauthenticatedUser, unknownUser}

// Users are the users and roles that are known now; see [WithUsers].
type Users interface {
	// Known says whether a name of source-identity matches somebody.
	Known(name string) bool
	// Names are the names of all users and roles.
	Names() []string
}

// WithUsers has every compilation warn of names in source-identity that u does not know.
func WithUsers(u Users) Option { return func(s *State) { s.users = u } }

// matchIdentity reads the users that a policy matches; none for everybody.
func (c *compiler) matchIdentity(path string, match *schema.PolicyMatch) []string {
	if slices.Contains(match.SourceIdentity, anyUser) {
		if len(match.SourceIdentity) > 1 {
			c.warn(path, "delete any or the other names", "any already holds everybody")
		}
		return nil
	}
	for _, name := range match.SourceIdentity {
		if slices.Contains(identityWords, name) || c.st.users == nil || c.st.users.Known(name) {
			continue
		}
		hint := ""
		if c.hints++; c.hints <= maxHints {
			hint = schema.DidYouMean(name, c.st.users.Names())
		}
		if hint == "" {
			hint = "request security user-identification local-authentication-table add user-name NAME ip-address ADDRESS roles ROLE"
		}
		c.warn(path, hint, "the local authentication table has no user or role "+name+" now, so it matches nobody")
	}
	return match.SourceIdentity
}

// nobody is the user of an address that no user table knows.
var nobody User

// admits says whether the policy's source-identity holds u, who is nil when nothing is known.
func (p *Policy) admits(u *User) bool {
	if len(p.users) == 0 {
		return true
	}
	if u == nil {
		u = &nobody
	}
	for _, name := range p.users {
		switch name {
		case authenticatedUser:
			if u.Name != "" {
				return true
			}
		case unauthenticatedUser, unknownUser:
			if u.Name == "" {
				return true
			}
		default:
			if u.Name != "" && strings.EqualFold(name, u.Name) || slices.Contains(u.Roles, name) {
				return true
			}
		}
	}
	return false
}

// Names of nobody in logs.
const (
	unauthenticatedName = "unauthenticated user"
	unknownName         = "unknown user"
)

// Identity is who sends u's sessions, as the logs of sessions of p tell it: the name, and all roles
// with commas between. Both are "" where p does not ask who it is; roles are for who has none.
func (p *Policy) Identity(u *User) (name, roles string) {
	switch {
	case p.configured == nil || len(p.configured.Match.SourceIdentity) == 0:
		return "", ""
	case u != nil && u.Name != "":
		return u.Name, strings.Join(u.Roles, ",")
	case slices.Contains(p.users, unknownUser) && !slices.Contains(p.users, unauthenticatedUser):
		return unknownName, ""
	}
	return unauthenticatedName, ""
}
