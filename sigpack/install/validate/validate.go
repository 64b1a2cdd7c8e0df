// Package validate finds out whether a signature package does its work: everything in it compiles,
// and a set of sample sessions is recognised with it. It is meant to run in a process of its own,
// as a bad package may crash it.
package validate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/scan"
	"sluice/sigpack"
)

// maxProblems bounds how many problems are told.
const maxProblems = 5

// Package says what is wrong with an unpacked package, nil when nothing is.
func Package(ctx context.Context, dir string) error {
	pack, err := sigpack.Open(dir)
	if err != nil {
		return err
	}
	return Database(ctx, pack.Database)
}

// Database says what is wrong with the database of a package.
func Database(ctx context.Context, db *appdb.Database) error {
	if len(db.Applications) == 0 {
		return errors.New("the package has no application")
	}
	set, problems, err := scan.Compile(ctx, db, scan.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("signatures: %w", err)
	}
	defer set.Close()
	engine, more := classify.Compile(db, classify.NewState(nil), classify.Options{Signatures: set})
	if err := join(append(problems, more...)); err != nil {
		return err
	}
	return replay(engine, db)
}

func join(problems []appdb.Problem) error {
	var all []error
	for _, p := range problems[:min(len(problems), maxProblems)] {
		all = append(all, p)
	}
	if more := len(problems) - maxProblems; more > 0 {
		all = append(all, fmt.Errorf("and %d more problems", more))
	}
	return errors.Join(all...)
}

// replay shows the engine the sample sessions, and a session of each of them that is damaged on the
// way. A sample must be recognised where the package knows its protocol.
func replay(engine *classify.Engine, db *appdb.Database) error {
	for _, s := range samples() {
		got := s.show(engine, func(b []byte) []byte { return b })
		if _, known := db.Lookup(appdb.Prefix + s.protocol); known && got != appdb.Prefix+s.protocol {
			return fmt.Errorf("a session of %s is taken for %q", s.protocol, got)
		}
		for at := range 64 { // whatever is made of these, nothing may break
			s.show(engine, func(b []byte) []byte { return damage(b, at) })
		}
	}
	return nil
}

// damage is a copy of b with a byte of its beginning changed and, in every second case, its second
// half missing.
func damage(b []byte, at int) []byte {
	c := append([]byte(nil), b...)
	if at < len(c) {
		c[at] ^= 0xa5
	}
	if at%2 == 1 {
		c = c[:len(c)/2]
	}
	return c
}
