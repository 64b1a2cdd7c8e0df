package install

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/sigpack"
)

// added are the names of applications of a package that the one before it had not, under no name
// of theirs. After none, nothing is new: everything would be.
func added(before, after *sigpack.Package) []string {
	if before == nil {
		return nil
	}
	var names []string
	for _, a := range after.Database.Applications {
		if !knows(before.Database, a) {
			names = append(names, a.Name)
		}
	}
	slices.Sort(names)
	return names
}

func knows(d *appdb.Database, a *appdb.Application) bool {
	for _, name := range append([]string{a.Name}, a.Aliases...) {
		if _, ok := d.Lookup(name); ok {
			return true
		}
	}
	return false
}

// lost are the names of applications and groups that a package has and the one after it has not,
// and those of applications that have another number there. An application that was renamed is
// found by its alias. A package that is nil has nothing.
func lost(before, after *sigpack.Package) (removed, renumbered []string) {
	if before == nil {
		return nil, nil
	}
	db := appdb.New()
	if after != nil {
		db = after.Database
	}
	for _, a := range before.Database.Applications {
		for _, name := range append([]string{a.Name}, a.Aliases...) {
			switch b, ok := db.Lookup(name); {
			case !ok:
				removed = append(removed, name)
			case a.Number != 0 && b.Number != 0 && a.Number != b.Number:
				renumbered = append(renumbered, name)
			}
		}
	}
	groups := db.GroupNames()
	for _, name := range before.Database.GroupNames() {
		if _, ok := slices.BinarySearch(groups, name); !ok {
			removed = append(removed, name)
		}
	}
	slices.Sort(removed)
	slices.Sort(renumbered)
	return removed, renumbered
}

// conflicts says which statements of the configuration keep a package from replacing another.
func (m *Manager) conflicts(before, after *sigpack.Package) error {
	removed, renumbered := lost(before, after)
	if len(removed)+len(renumbered) == 0 {
		return nil
	}
	lines := m.opt.References(removed, renumbered)
	if len(lines) == 0 {
		return nil
	}
	var reasons []string
	if names := named(removed, lines); len(names) > 0 {
		reasons = append(reasons, "no longer valid: "+strings.Join(names, ", "))
	}
	if names := named(renumbered, lines); len(names) > 0 {
		reasons = append(reasons, "application ID changed: "+strings.Join(names, ", "))
	}
	return &referencesError{reason: strings.Join(reasons, "; "), lines: lines}
}

// referencesError says that statements name what is going to be missing.
type referencesError struct {
	reason string
	lines  []string
}

func (e *referencesError) Error() string { return e.reason }

// failure is the status of an operation that failed: what failed, the reason in parentheses, and
// the statements that are to be changed, if any.
func failure(version int, what string, err error) Status {
	text := fmt.Sprintf("%s (%v)", what, err)
	var references *referencesError
	if errors.As(err, &references) {
		text += "\nPlease resolve following references and try it again\n" + strings.Join(references.lines, "\n")
	}
	return Status{State: Failed, Version: version, Text: text}
}

// named are those of names that are a word of one of lines.
func named(names, lines []string) []string {
	words := map[string]bool{}
	for _, line := range lines {
		for _, w := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" []\"", r) }) {
			words[strings.ToLower(w)] = true
		}
	}
	var found []string
	for _, name := range names {
		if lower := strings.ToLower(name); words[lower] || words[strings.TrimPrefix(lower, appdb.Prefix)] {
			found = append(found, name)
		}
	}
	return found
}
