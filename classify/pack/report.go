package pack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

// Report says honestly what a database is made of.
type Report struct {
	// Applications is the number of all: protocols, applications and micro-applications.
	Applications int
	// Decoded are recognised by a decoder, or by a signature of their bytes.
	Decoded int
	// Micro of these are micro-applications.
	Micro int
	// Core are the hand-written applications that are recognised by names and addresses.
	Core int
	// Agreed are the imported applications that two or more sources name.
	Agreed int
	// Single are the imported applications that one source names, known by the domain they own.
	Single int
	// Hosts and Prefixes are the host patterns and address prefixes of all.
	Hosts, Prefixes int
	// Unrecognised are protocols of the core that were left out because nothing recognises them.
	Unrecognised []string
	// Sources are the collections read, by the name of their importer.
	Sources map[string]*SourceReport
}

// SourceReport is what became of one collection. Services are counted once for each entry.
type SourceReport struct {
	Read     int // entries
	NoDomain int // entries without a domain that is theirs
	OfCore   int // entries whose domain the core owns
	Kept     int // entries that became, or became part of, an application
}

func (r *Report) count(db *appdb.Database, m *merger) {
	r.Applications, r.Unrecognised = len(db.Applications), m.left
	for _, a := range db.Applications {
		r.Hosts += len(a.Hosts)
		r.Prefixes += len(a.Addresses)
		switch {
		case a.Number >= FirstImported && m.agreed[a]:
			r.Agreed++
		case a.Number >= FirstImported:
			r.Single++
		case a.Kind == appdb.Micro:
			r.Micro++
			r.Decoded++
		case a.Kind == appdb.Protocol && (m.options.Decoded == nil || m.options.Decoded(a.Short())), len(a.Signatures) > 0:
			r.Decoded++
		default:
			r.Core++
		}
	}
}

// String is the report in a few lines.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d applications, %d host patterns, %d prefixes\n", r.Applications, r.Hosts, r.Prefixes)
	fmt.Fprintf(&b, "  %5d by decoder or signature, %d of them micro-applications\n", r.Decoded, r.Micro)
	fmt.Fprintf(&b, "  %5d written by hand, by host name or address\n", r.Core)
	fmt.Fprintf(&b, "  %5d named by two or more sources\n", r.Agreed)
	fmt.Fprintf(&b, "  %5d named by one source, by the domain they own\n", r.Single)
	if n := len(r.Unrecognised); n > 0 {
		fmt.Fprintf(&b, "  %5d protocols left out, as nothing recognises them\n", n)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Sources)) {
		s := r.Sources[name]
		fmt.Fprintf(&b, "%s: %d entries, %d kept, %d of the core, %d without a domain of their own\n", name, s.Read, s.Kept, s.OfCore, s.NoDomain)
	}
	return b.String()
}
