package sigpack

import (
	"fmt"
	"io"
	"os"
	"reflect"

	"sluice/classify/scan"
)

// Check reads an unpacked package, and looks at all that can be wrong with it: files that are not
// the manifest's, a database with problems, counts that are not true, signatures that do not
// compile or cost too much. want is what the feed says that the package is; nil: nothing.
func Check(dir string, want *Info) (*Package, error) {
	p, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if want != nil {
		if err := p.Info.same(want); err != nil {
			return nil, err
		}
	}
	got := count(p.Database)
	// Groups and tags follow from attributes by the rules of the program that made the package.
	got.Groups, got.Tags = p.Counts.Groups, p.Counts.Tags
	if got != p.Counts {
		return nil, fmt.Errorf("%w: the package holds %+v, not %+v", ErrManifest, got, p.Counts)
	}
	if got := contexts(p.Database); fmt.Sprint(got) != fmt.Sprint(p.Contexts) {
		return nil, fmt.Errorf("%w: the signatures look at %q, not at %q", ErrManifest, got, p.Contexts)
	}
	for _, a := range p.Database.Applications {
		for _, pattern := range a.Patterns {
			for _, member := range pattern.Members {
				if err := scan.Check(member.Regexp, member.Context); err != nil {
					return nil, fmt.Errorf("%s: signature of %s: %w", a.Source, a.Short(), err)
				}
			}
		}
	}
	return p, nil
}

// same says how a manifest differs from what the feed says of the package.
func (i *Info) same(want *Info) error {
	is, said := reflect.ValueOf(*i), reflect.ValueOf(*want)
	for f := range is.NumField() {
		if a, b := fmt.Sprint(is.Field(f)), fmt.Sprint(said.Field(f)); a != b {
			return fmt.Errorf("%w: it says %s %s, the feed %s", ErrManifest, is.Type().Field(f).Tag.Get("json"), a, b)
		}
	}
	return nil
}

// Inspect reads and checks the archive of a package, without keeping it.
func Inspect(r io.Reader) (*Package, error) {
	dir, err := os.MkdirTemp("", "sigpack-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := unpackPackage(io.LimitReader(r, MaxArchive), dir); err != nil {
		return nil, err
	}
	p, err := Check(dir, nil)
	if err != nil {
		return nil, err
	}
	p.Dir = ""
	return p, nil
}
