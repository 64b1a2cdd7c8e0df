package pack

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// readSites reads the services of jdm: pages where accounts are closed.
func readSites(path string, f *facts) error {
	file, err := existing(filepath.Join(path, "_data/sites.json"), filepath.Join(path, "sites.json"), path)
	if err != nil {
		return err
	}
	var sites []struct {
		Name    string
		Domains []string
	}
	if err := readJSON(file, &sites); err != nil {
		return err
	}
	for _, s := range sites {
		f.claim(claim{name: s.Name, domains: homeFirst(s.Name, registrables(s.Domains))})
	}
	return nil
}

// twoFactorEntry is a service of 2factorauth.
type twoFactorEntry struct {
	Domain     string
	Additional []string `json:"additional-domains"`
	Categories []string
	Keywords   []string // the earlier name of categories
}

// readTwoFactor reads the services of 2factorauth: a directory with a file for each, or one file
// with a list of pairs of a name and a service.
func readTwoFactor(path string, f *facts) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return readTwoFactorList(path, f)
	}
	found := false
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".json" {
			return err
		}
		found = true
		entries := map[string]twoFactorEntry{}
		if err := readJSON(file, &entries); err != nil {
			return err
		}
		for name, entry := range entries {
			entry.claim(name, f)
		}
		return nil
	})
	if err == nil && !found {
		err = errNothing(path, "*.json")
	}
	return err
}

func readTwoFactorList(file string, f *facts) error {
	var pairs [][2]json.RawMessage
	if err := readJSON(file, &pairs); err != nil {
		return err
	}
	for i, pair := range pairs {
		var name string
		var entry twoFactorEntry
		if err := json.Unmarshal(pair[0], &name); err != nil {
			return fmt.Errorf("%s: entry %d: name: %w", file, i, err)
		}
		if err := json.Unmarshal(pair[1], &entry); err != nil {
			return fmt.Errorf("%s: entry %d: %w", file, i, err)
		}
		entry.claim(name, f)
	}
	return nil
}

func (e *twoFactorEntry) claim(name string, f *facts) {
	c := claim{name: name, domains: registrables(append([]string{e.Domain}, e.Additional...))}
	for _, category := range append(e.Categories, e.Keywords...) {
		if c.subject == (subject{}) {
			c.subject = accountSubjects[strings.ToLower(category)]
		}
	}
	f.claim(c)
}

// registrables are the registrable parts of hosts, each once, in order.
func registrables(hosts []string) []string {
	var domains []string
	seen := map[string]bool{}
	for _, h := range hosts {
		if owned, ok := ownable(h); ok && !seen[registrable(owned)] {
			seen[registrable(owned)] = true
			domains = append(domains, registrable(owned))
		}
	}
	return domains
}

// homeFirst moves the domain that fits the name best to the front.
func homeFirst(name string, domains []string) []string {
	for i, d := range domains {
		if plain(label(d)) == plain(name) {
			domains[0], domains[i] = domains[i], domains[0]
			break
		}
	}
	return domains
}

func errNothing(path, pattern string) error {
	return fmt.Errorf("%s: found no %s", path, pattern)
}
