package pack

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// notServices are the beginnings of the names of domain lists that gather many services.
var notServices = []string{"category-", "geolocation-", "tld-", "cn", "private", "google-scholar-mirror", "connectivity-check", "win-"}

// readDomainLists reads the domain lists of v2fly: one file for each service, and files that
// gather services under a category.
func readDomainLists(path string, f *facts) error {
	files, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	lists := map[string]*domainList{}
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		if lists[file.Name()], err = readDomainList(filepath.Join(path, file.Name())); err != nil {
			return err
		}
	}
	if len(lists) == 0 {
		return errNothing(path, "list")
	}
	subjects := map[string]subject{}
	for _, file := range files {
		if s, ok := listSubjects[file.Name()]; ok {
			for _, included := range lists[file.Name()].includes {
				subjects[included] = s
			}
		}
	}
	for _, file := range files {
		name, list := file.Name(), lists[file.Name()]
		if list == nil || slices.ContainsFunc(notServices, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			continue
		}
		f.claim(claim{name: name, domains: homeFirst(name, list.domains), exact: list.exact, subject: subjects[name]})
	}
	return nil
}

// domainList is one file: domains with all below them, host names alone, and lists that belong to it.
type domainList struct{ domains, exact, includes []string }

func readDomainList(file string) (*domainList, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	list := &domainList{}
	scanner := bufio.NewScanner(io.LimitReader(r, maxInput))
	for scanner.Scan() {
		text, _, _ := strings.Cut(scanner.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 || slices.Contains(words[1:], "@ads") || slices.Contains(words[1:], "@!cn") {
			continue // advertising inside the service, and rules for one country
		}
		kind, value, typed := strings.Cut(words[0], ":")
		if !typed {
			kind, value = "domain", kind
		}
		switch kind {
		case "domain":
			list.domains = append(list.domains, value)
		case "full":
			list.exact = append(list.exact, value)
		case "include":
			list.includes = append(list.includes, value)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, nil
}

// operators are the applications that own the addresses of the operators of ipranges. Operators
// whose addresses call rather than being called (crawlers, probes) are not among them.
var operators = map[string]string{
	"amazon": "AMAZON-AWS", "apple": "APPLE", "apple-proxy": "APPLE-ICLOUD-PRIVATE-RELAY", "cloudflare": "CLOUDFLARE",
	"digitalocean": "DIGITALOCEAN", "facebook": "FACEBOOK-ACCESS", "github": "GITHUB", "google": "GOOGLE",
	"linode": "LINODE", "microsoft": "MICROSOFT-AZURE", "oracle": "ORACLE-CLOUD", "protonvpn": "PROTONVPN",
	"telegram": "TELEGRAM", "twitter": "TWITTER", "vultr": "VULTR",
}

// readRanges reads the prefixes of operators: a directory for each, with files of prefixes.
func readRanges(path string, f *facts) error {
	directories, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	found := false
	for _, d := range directories {
		application, known := operators[d.Name()]
		if !known || !d.IsDir() {
			continue
		}
		found = true
		a := addresses{application: application}
		for _, family := range []string{"ipv4", "ipv6"} {
			file, err := existing(filepath.Join(path, d.Name(), family+"_merged.txt"), filepath.Join(path, d.Name(), family+".txt"))
			if err != nil {
				continue // not every operator has addresses of both families
			}
			prefixes, err := readPrefixes(file)
			if err != nil {
				return err
			}
			a.prefixes = append(a.prefixes, prefixes...)
		}
		f.source().Read++
		f.ranges = append(f.ranges, a)
	}
	if !found {
		return errNothing(path, "directory of a known operator")
	}
	return nil
}

// readPrefixes reads a prefix, or an address, on each line.
func readPrefixes(file string) ([]netip.Prefix, error) {
	r, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var prefixes []netip.Prefix
	scanner := bufio.NewScanner(io.LimitReader(r, maxInput))
	for line := 1; scanner.Scan(); line++ {
		text := strings.TrimSpace(scanner.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("%s:%d: %q is no prefix", file, line, text)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, scanner.Err()
}
