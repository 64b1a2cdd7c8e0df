package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/sigpack"
)

// sigpackInspect says what a package holds.
func sigpackInspect(o *sigpackOptions, args []string) error {
	if len(args) > 1 {
		return errUsage
	}
	p, err := inspected(args)
	if err != nil {
		return err
	}
	printPackage(o.stdout, p)
	return nil
}

// inspected is the package to inspect: an archive, an unpacked one, or that of this program.
func inspected(args []string) (*sigpack.Package, error) {
	if len(args) == 0 {
		return sigpack.Builtin()
	}
	info, err := os.Stat(args[0])
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return sigpack.Check(args[0], nil)
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return sigpack.Inspect(f)
}

func printPackage(w io.Writer, p *sigpack.Package) {
	line := func(label, format string, args ...any) {
		fmt.Fprintf(w, "%-26s%s\n", label+":", fmt.Sprintf(format, args...))
	}
	line("Application package", "%d (%s)", p.Version, p.Kind)
	if p.Kind == sigpack.Minor {
		line("Based on", "%d (Major)", p.Base)
	}
	line("Release date", "%s UTC", p.Released.Format("Mon Jan _2 15:04:05 2006"))
	line("PB version", "%s", p.ProtocolBundle)
	line("Engine version", "%s", p.Engine)
	line("Micro-App version", "%s", p.MicroApps)
	line("Custom-App Infra version", "%s", p.CustomApps)
	c := p.Counts
	line("Applications", "%d", c.Applications)
	line("  protocols", "%d, of which this program has a decoder for %d", c.Protocols, decoded(p.Database))
	line("  micro-applications", "%d, things that another application does", c.Micro)
	line("  written by hand", "%d, recognised by hosts, addresses or signatures", c.Written)
	line("  imported", "%d, recognised by the domain they own", c.Imported)
	line("Groups", "%d", c.Groups)
	line("Tags", "%d", c.Tags)
	line("Host patterns", "%d", c.Hosts)
	line("Address prefixes", "%d", c.Addresses)
	line("Signatures", "%d, in contexts %s", c.Signatures, strings.Join(p.Contexts, " "))
}

// decoded is the number of protocols that have a decoder of their own. The others are told by the
// decoder of another protocol, by their IP protocol, or by a usual port.
func decoded(db *appdb.Database) int {
	names := map[string]bool{}
	for _, d := range classify.Decoders() {
		names[d.Name] = true
	}
	n := 0
	for _, a := range db.Applications {
		if a.Kind == appdb.Protocol && names[a.Short()] {
			n++
		}
	}
	return n
}
