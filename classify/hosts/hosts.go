// Package hosts finds out to whom a host name belongs: a table of host patterns that is asked by
// the labels of a name, longest first, in about 50 ns and without allocating.
package hosts

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// maxName is the longest host name (RFC 1035 section 2.3.4), as text.
const maxName = 253

// Table maps host patterns to values. The patterns are those of package appdb: "example.com" is
// the name and all below it, "=example.com" the name alone, "example.*" example under any public
// suffix, and * inside a label any run of its characters. A table must not be changed once it is
// asked; it may then be asked by any number of goroutines.
type Table[V any] struct {
	nodes map[string]node[V]
	// anySuffix has the patterns that end in ".*", by the label before that.
	anySuffix map[string][]suffixless[V]
}

// node is what is known about one name, the key in the table.
type node[V any] struct {
	exact, below *V
	wild         []wildcard[V]
}

// wildcard is a pattern whose leftmost labels, in front of the key of its node, contain a star.
type wildcard[V any] struct {
	labels string // as written, up to the key, without the last dot
	exact  bool
	value  *V
}

// suffixless is a pattern that ends in ".*", without that.
type suffixless[V any] struct {
	name  string
	exact bool
	value *V
}

// Add puts a pattern into the table. It fails when the pattern is malformed or is there already
// with another value.
func (t *Table[V]) Add(pattern string, value *V) error {
	if t.nodes == nil {
		t.nodes = map[string]node[V]{}
		t.anySuffix = map[string][]suffixless[V]{}
	}
	name, exact := strings.CutPrefix(strings.ToLower(pattern), "=")
	if name == "" || len(name) > maxName || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return fmt.Errorf("host pattern %q: not a host name", pattern)
	}
	if name, found := strings.CutSuffix(name, ".*"); found {
		last := name[strings.LastIndexByte(name, '.')+1:]
		t.anySuffix[last] = append(t.anySuffix[last], suffixless[V]{name, exact, value})
		return nil
	}
	if star := strings.LastIndexByte(name, '*'); star >= 0 {
		dot := strings.IndexByte(name[star:], '.')
		if dot < 0 {
			return fmt.Errorf("host pattern %q: the last label may only be a star alone", pattern)
		}
		key := name[star+dot+1:]
		n := t.nodes[key]
		n.wild = append(n.wild, wildcard[V]{name[:star+dot], exact, value})
		t.nodes[key] = n
		return nil
	}
	n := t.nodes[name]
	place := &n.below
	if exact {
		place = &n.exact
	}
	if *place != nil && *place != value {
		return fmt.Errorf("host pattern %q is there twice", pattern)
	}
	*place = value
	t.nodes[name] = n
	return nil
}

// Len is the number of distinct names in the table.
func (t *Table[V]) Len() int { return len(t.nodes) + len(t.anySuffix) }

// Lookup finds the value of the most specific pattern that a host name matches, or nil. The name
// may be in any case and may end in a dot or a port.
func (t *Table[V]) Lookup(host []byte) *V {
	var lower [maxName]byte
	name := normalise(&lower, host)
	for at := 0; at < len(name); at = nextLabel(name, at) {
		n, ok := t.nodes[string(name[at:])]
		if !ok {
			continue
		}
		if at == 0 && n.exact != nil {
			return n.exact
		}
		for i := range n.wild {
			if n.wild[i].matches(name, at) {
				return n.wild[i].value
			}
		}
		if n.below != nil {
			return n.below
		}
	}
	if len(t.anySuffix) > 0 {
		return t.lookupSuffixless(name)
	}
	return nil
}

// lookupSuffixless tries the patterns that end in ".*": one of their labels stands in the name
// and is followed by a public suffix.
func (t *Table[V]) lookupSuffixless(name []byte) *V {
	for at := 0; at < len(name); {
		end := nextLabel(name, at) - 1
		if end >= len(name) {
			return nil
		}
		for _, p := range t.anySuffix[string(name[at:end])] {
			start := end - len(p.name)
			if start < 0 || string(name[start:end]) != p.name || start > 0 && (p.exact || name[start-1] != '.') {
				continue
			}
			rest := string(name[end+1:])
			if suffix, _ := publicsuffix.PublicSuffix(rest); suffix == rest {
				return p.value
			}
		}
		at = end + 1
	}
	return nil
}

// matches says whether the labels in front of name[at:] match the pattern.
func (w *wildcard[V]) matches(name []byte, at int) bool {
	if at == 0 {
		return false
	}
	front, pattern := name[:at-1], w.labels
	for {
		i, j := strings.LastIndexByte(pattern, '.'), bytes.LastIndexByte(front, '.')
		if !glob(pattern[i+1:], front[j+1:]) {
			return false
		}
		switch {
		case i < 0:
			return j < 0 || !w.exact
		case j < 0:
			return false
		}
		pattern, front = pattern[:i], front[:j]
	}
}

// glob matches one label against a pattern with stars. When a byte does not fit, the last star takes one
// more; those before it need not change, so that many stars cost no more than their number.
func glob(pattern string, label []byte) bool {
	at, star, taken := 0, -1, 0 // in pattern; the last star there; the end of what it has of label
	for i := 0; i < len(label); {
		switch {
		case at < len(pattern) && pattern[at] == '*':
			star, taken = at, i
			at++
		case at < len(pattern) && pattern[at] == label[i]:
			at++
			i++
		case star >= 0:
			taken++
			at, i = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[at:], "*") == ""
}

// nextLabel is where the label behind the one at name[at:] begins; behind the last label it is
// one more than the length.
func nextLabel(name []byte, at int) int {
	if i := bytes.IndexByte(name[at:], '.'); i >= 0 {
		return at + i + 1
	}
	return len(name) + 1
}

// normalise writes host into buf in lower case, without port and last dot. Names that are too
// long come back empty.
func normalise(buf *[maxName]byte, host []byte) []byte {
	if i := bytes.IndexByte(host, ':'); i >= 0 {
		host = host[:i]
	}
	host = bytes.TrimSuffix(host, []byte{'.'})
	if len(host) > maxName {
		return nil
	}
	for i, c := range host {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return buf[:len(host)]
}
