package pack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"sluice/classify/appdb"
)

// maxInput bounds a file that an importer reads, in bytes.
const maxInput = 64 << 20

// claim is what one source says of one service.
type claim struct {
	source      *Importer
	name        string
	domains     []string // the first is the home
	exact       []string // host names that are the service's without what is below them
	subject     subject  // zero where the source does not tell
	description string
}

// addresses are the prefixes of an operator.
type addresses struct {
	application string
	prefixes    []netip.Prefix
}

// facts are all that the importers have found.
type facts struct {
	importer *Importer // at work
	claims   []claim
	ports    map[string][]appdb.PortRange // by service name of the registry
	ranges   []addresses
	report   *Report
}

// source is the report of the importer at work.
func (f *facts) source() *SourceReport { return f.report.Sources[f.importer.Name] }

// claim adds a claim, unless it names no domain that somebody can own.
func (f *facts) claim(c claim) {
	f.source().Read++
	var owned []string
	for _, domain := range c.domains {
		if d, ok := ownable(domain); ok {
			owned = append(owned, d)
		}
	}
	c.domains, c.source = owned, f.importer
	if len(owned) == 0 || strings.TrimSpace(c.name) == "" {
		f.source().NoDomain++
		return
	}
	f.claims = append(f.claims, c)
}

// examples are domains that nobody owns: they stand for any in documents.
var examples = []string{"example.com", "example.net", "example.org"}

// ownable is a host name in lower case, without "www.", when somebody can own it: it is below a
// public suffix that exists, and no address.
func ownable(host string) (string, bool) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	host = strings.TrimPrefix(host, "www.")
	if _, err := netip.ParseAddr(host); err == nil {
		return "", false
	}
	if host == "" || len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || strings.Contains(host, "..") {
		return "", false
	}
	if slices.Contains(examples, registrable(host)) {
		return "", false
	}
	suffix, icann := publicsuffix.PublicSuffix(host)
	if suffix == host || !icann && !strings.Contains(suffix, ".") {
		return "", false
	}
	return host, true
}

// registrable is the part of a host name that is registered: one label below a public suffix.
// Names below the suffixes of hosting companies count as registered.
func registrable(host string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return host
	}
	return domain
}

// label is the first label of the registrable part: "example" of "www.example.co.uk".
func label(host string) string {
	l, _, _ := strings.Cut(registrable(host), ".")
	return l
}

// homePage is the host of a page, and whether the page is the front page of its site.
func homePage(page string) (host string, front bool) {
	u, err := url.Parse(strings.TrimSpace(page))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return "", false
	}
	return u.Hostname(), strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
}

// fits says whether a service of this name is plausibly the owner of a host: the name is the
// host's label, or one begins with the other.
func fits(name, host string) bool {
	n, l := plain(name), plain(label(host))
	if n == "" || l == "" {
		return false
	}
	if n == l || n == plain(registrable(host)) {
		return true
	}
	return min(len(n), len(l)) >= 4 && (strings.HasPrefix(n, l) || strings.HasPrefix(l, n))
}

// readJSON decodes a file.
func readJSON(path string, into any) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxInput {
		return fmt.Errorf("%s: larger than %d bytes", path, maxInput)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// existing is the first of some paths that exists.
func existing(paths ...string) (string, error) {
	for _, p := range paths {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return "", fmt.Errorf("found none of %s", strings.Join(paths, ", "))
}
