// Command import makes the imported part of the application database that the program carries:
// it downloads the collections that package pack names, verifies them, and writes what they say
// of applications that the core does not have.
//
//	go run ./classify/pack/cmd/import [-registry URL] [-o classify/data/imported]
//
// Applications that were imported before keep their numbers.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/classify/appdb"
	"sluice/classify/data"
	"sluice/classify/pack"
)

// timeout bounds all downloads together.
const timeout = 5 * time.Minute

func main() {
	registry := flag.String("registry", pack.Registry, "the npm registry")
	out := flag.String("o", "classify/data/imported", "the directory to write")
	flag.Parse()
	if err := run(*registry, *out); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(registry, out string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	work, err := os.MkdirTemp("", "sluice-import-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	inputs := map[string]string{}
	for _, s := range pack.Sources {
		inputs[s.Importer] = filepath.Join(work, s.Name)
		if err := s.Get(ctx, http.DefaultClient, registry, inputs[s.Importer]); err != nil {
			return err
		}
	}
	core, problems := data.Core()
	if len(problems) > 0 {
		return fmt.Errorf("the core: %w", problems[0])
	}
	before, problems := appdb.LoadFS(os.DirFS(out))
	if len(problems) > 0 {
		return fmt.Errorf("what was imported before: %w", problems[0])
	}
	numbers := map[string]uint32{}
	for _, a := range before.Applications {
		numbers[a.Short()] = a.Number
	}
	db, report, err := pack.Build(pack.Options{Core: core, Inputs: inputs, Numbers: numbers})
	if err != nil {
		return err
	}
	if err := replace(out, pack.ImportedFiles(db, pack.Sources)); err != nil {
		return err
	}
	fmt.Print(report)
	return nil
}

// replace writes files into a directory, and removes the .apps files that are not among them.
func replace(dir string, files map[string][]byte) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.apps"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if files[filepath.Base(file)] == nil {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}
