// Package urlcat finds out which categories of the operator a web address is in.
//
// A category is a list of patterns, written in the configuration or read from a file. pattern reads
// one, compile makes the [Table] of a configuration, [Table.Categories] asks it: a map of names that
// is walked by the labels of a host, so that the number of patterns does not matter.
package urlcat

import (
	"bytes"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Table has the patterns of all categories. It is immutable, and may be used by any number of
// goroutines. A nil one has none.
type Table struct {
	names []string // of the categories
	nodes map[string]node
	open  [maxMarks + 1]bool // how many marks patterns end in
	count int
}

// node is what is known of one host name.
type node struct {
	exact, below []entry
}

// entry is one pattern of a category.
type entry struct {
	category uint32
	path     string // "" for all
}

// maxMarks is how many question marks a pattern may end in.
const maxMarks = 8

// maxHost is the longest host name, as text.
const maxHost = 253

// Len is the number of patterns.
func (t *Table) Len() int {
	if t == nil {
		return 0
	}
	return t.count
}

// Names are the names of the categories, in the order of the configuration.
func (t *Table) Names() []string {
	if t == nil {
		return nil
	}
	return t.names
}

// Categories are the names of the categories that an address is in: a host name or an address, with
// or without port, and the target of the request, "" when it is not known. Patterns with a path
// match no request whose target is not known.
func (t *Table) Categories(host, target string) []string {
	if t.Len() == 0 {
		return nil
	}
	name := normalise(host)
	if len(name) == 0 || len(name) > maxHost {
		return nil
	}
	target = cleanPath(target)
	var found []uint32
	t.collect(name, target, &found)
	for marks := 1; marks <= maxMarks && marks < len(name); marks++ {
		if t.open[marks] && !strings.Contains(name[len(name)-marks:], ".") {
			t.collect(name[:len(name)-marks]+strings.Repeat("?", marks), target, &found)
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	found = slices.Compact(found)
	names := make([]string, len(found))
	for i, category := range found {
		names[i] = t.names[category]
	}
	return names
}

// collect adds the categories of the patterns that name matches.
func (t *Table) collect(name, target string, found *[]uint32) {
	for at := 0; at < len(name); {
		n, ok := t.nodes[name[at:]]
		if ok && at == 0 {
			take(n.exact, target, found)
		} else if ok {
			take(n.below, target, found)
		}
		dot := strings.IndexByte(name[at:], '.')
		if dot < 0 {
			return
		}
		at += dot + 1
	}
}

// take adds the categories of those of list whose path target lies below.
func take(list []entry, target string, found *[]uint32) {
	for _, e := range list {
		if e.path == "" || lies(target, e.path) {
			*found = append(*found, e.category)
		}
	}
}

// lies says whether target is path, or below it.
func lies(target, path string) bool {
	rest, ok := strings.CutPrefix(target, path)
	return ok && (rest == "" || rest[0] == '/' || strings.HasSuffix(path, "/"))
}

// normalise is a host in lower case, without port, brackets and last dot. Addresses come in their
// usual form.
func normalise(host string) string {
	if end := strings.IndexByte(host, ']'); strings.HasPrefix(host, "[") && end > 0 {
		host = host[1:end]
	} else if i := strings.IndexByte(host, ':'); i >= 0 && strings.IndexByte(host[i+1:], ':') < 0 {
		host = host[:i]
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().WithZone("").String()
	}
	return strings.TrimSuffix(strings.ToLower(host), ".")
}

// cleanPath is the path of a request's target in one spelling: without the query, escapes resolved,
// without empty and dot segments. It is "" when there is none.
func cleanPath(target string) string {
	if i := strings.IndexAny(target, "?#"); i >= 0 {
		target = target[:i]
	}
	if !strings.HasPrefix(target, "/") {
		return ""
	}
	if strings.IndexByte(target, '%') >= 0 {
		if text, err := url.PathUnescape(target); err == nil {
			target = text
		}
	}
	clean := path.Clean(target)
	if strings.HasSuffix(target, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// Target is the origin-form of the target of a request: "/path", also where the request names the
// whole address; nil where there is no path.
func Target(target []byte) []byte {
	if _, rest, ok := bytes.Cut(target, []byte("://")); ok && !bytes.HasPrefix(target, []byte("/")) {
		slash := bytes.IndexByte(rest, '/')
		if slash < 0 {
			return []byte("/")
		}
		return rest[slash:]
	}
	if bytes.HasPrefix(target, []byte("/")) {
		return target
	}
	return nil
}
