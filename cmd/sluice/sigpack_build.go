package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/classify/pack"
	"sluice/sigpack"
)

// buildOptions say what to make a package of.
type buildOptions struct {
	version, base int
	date, from    string
	inputs        inputs
}

func (b *buildOptions) flags(flags *flag.FlagSet) {
	flags.IntVar(&b.version, "version", 0, "")
	flags.IntVar(&b.base, "minor", 0, "")
	flags.StringVar(&b.date, "date", "", "")
	flags.StringVar(&b.from, "from", "", "")
	b.inputs = inputs{}
	flags.Var(b.inputs, "input", "")
}

// inputs are the collections to import, by the name of their importer.
type inputs map[string]string

func (i inputs) String() string { return "" }

func (i inputs) Set(text string) error {
	name, path, ok := strings.Cut(text, "=")
	if ok {
		i[name] = path
		return nil
	}
	var known []string
	for _, importer := range pack.Importers() {
		known = append(known, fmt.Sprintf("  %-12s %s", importer.Name, importer.Reads))
	}
	return fmt.Errorf("NAME=PATH, where NAME is one of\n%s", strings.Join(known, "\n"))
}

// toFile makes the package and writes it to a file. What was imported is told to stderr.
func (b *buildOptions) toFile(file string, stderr io.Writer) (*sigpack.Manifest, error) {
	info, err := b.info()
	if err != nil {
		return nil, err
	}
	db, names, err := b.source()
	if err != nil {
		return nil, err
	}
	if len(b.inputs) > 0 {
		numbers := map[string]uint32{}
		for _, a := range db.Applications {
			numbers[a.Short()] = a.Number
		}
		built, report, err := pack.Build(pack.Options{Core: db, Inputs: b.inputs, Numbers: numbers})
		if err != nil {
			return nil, err
		}
		fmt.Fprint(stderr, report)
		db = built
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	m, err := sigpack.Build(f, info, db, names)
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(file)
		return nil, err
	}
	return m, nil
}

// info identifies the package: its parts have the versions of this program's, and the protocol
// bundle that of its major version.
func (b *buildOptions) info() (sigpack.Info, error) {
	builtin, err := sigpack.Builtin()
	if err != nil {
		return sigpack.Info{}, err
	}
	info := builtin.Info
	info.Version, info.Kind, info.Base, info.Released = b.version, sigpack.Major, b.version, time.Now()
	if b.base != 0 {
		info.Kind, info.Base = sigpack.Minor, b.base
	}
	if b.date != "" {
		if info.Released, err = time.Parse(time.RFC3339, b.date); err != nil {
			return info, fmt.Errorf("--date %q: a time such as 2026-11-22T12:00:00Z", b.date)
		}
	}
	return info, nil
}

// source is the database to write, and the files of other engines' names.
func (b *buildOptions) source() (*appdb.Database, map[string][]byte, error) {
	if b.from == "" {
		db, problems := data.Load()
		if len(problems) > 0 {
			return nil, nil, problems[0]
		}
		names, err := data.NameFiles()
		return db, names, err
	}
	db, problems := appdb.LoadFS(os.DirFS(b.from))
	if len(problems) > 0 {
		return nil, nil, fmt.Errorf("%s: %w", b.from, problems[0])
	}
	if len(db.Applications) == 0 {
		return nil, nil, fmt.Errorf("%s: found no application in files *.apps", b.from)
	}
	for _, a := range db.Applications {
		a.DeriveTags()
	}
	names := map[string][]byte{}
	found, err := filepath.Glob(filepath.Join(b.from, "*.names"))
	if err != nil {
		return nil, nil, err
	}
	for _, file := range found {
		if names[filepath.Base(file)], err = os.ReadFile(file); err != nil {
			return nil, nil, err
		}
	}
	return db, names, nil
}
