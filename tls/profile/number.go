package profile

import "fmt"

// The first numbers of SSL proxy profiles, of the two sides of each, and of other profiles.
const (
	firstProxy = 10
	firstLeg   = 65536
	firstPlain = 1
)

// numbers remembers the number of every profile by its name, so that it stays the same from one
// commit to the next. The number of a profile that went is not given to another one.
type numbers struct {
	proxies, initiations, terminations counter
}

// counter numbers names.
type counter struct {
	given map[string]uint32
	next  uint32
}

// after continues the numbers of an earlier set.
func (n *numbers) after(previous *Set) {
	*n = numbers{counter{nil, firstProxy}, counter{nil, firstPlain}, counter{nil, firstPlain}}
	if previous != nil {
		*n = previous.numbers
	}
	for _, c := range []*counter{&n.proxies, &n.initiations, &n.terminations} {
		given := make(map[string]uint32, len(c.given))
		for name, id := range c.given {
			given[name] = id
		}
		c.given = given
	}
}

// of is the number of name.
func (c *counter) of(name string) uint32 {
	id, ok := c.given[name]
	if !ok {
		id = c.next
		c.next++
		c.given[name] = id
	}
	return id
}

// legName is the name of one side of a proxy profile: p1_65536_proxy_t.
func legName(profile string, id uint32, side string) string {
	return fmt.Sprintf("%s_%d_proxy_%s", profile, id, side)
}
