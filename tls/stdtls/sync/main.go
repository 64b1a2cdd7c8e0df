// Command sync makes the package sluice/tls/stdtls from the crypto/tls of a Go source tree.
//
//	go run ./tls/stdtls/sync                 make the package anew from the installed Go
//	go run ./tls/stdtls/sync -goroot DIR     … from another Go source tree
//	go run ./tls/stdtls/sync -stage DIR      lay the source and the patches out as a git repository
//	go run ./tls/stdtls/sync -record DIR     take the patches from such a repository, and make anew
//	go run ./tls/stdtls/sync -test           run the tests of crypto/tls on the package
//
// After a security release of Go the first is all that is needed, as long as the patches fit. If
// one does not, -stage leaves *.rej files where it did not: put that right in its commit (git
// rebase -i), remove the *.rej files, and -record the result. Changing the package works the same
// way: a commit of the staged repository is a patch.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sync:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("dir", "tls/stdtls", "directory of the package")
	goroot := flag.String("goroot", "", "Go source tree (default the installed Go's)")
	stageDir := flag.String("stage", "", "lay the patches out in this directory, which must not exist")
	recordDir := flag.String("record", "", "take the patches from this directory")
	test := flag.Bool("test", false, "run the tests of crypto/tls on the package")
	flag.Parse()
	if *goroot == "" {
		out, err := exec.Command("go", "env", "GOROOT").Output()
		if err != nil {
			return fmt.Errorf("asking go where it is installed: %w", err)
		}
		*goroot = strings.TrimSpace(string(out))
	}

	if *test {
		return runTests(*dir, *goroot)
	}
	source, version, err := readSource(*goroot)
	if err != nil {
		return err
	}
	at := filepath.Join(*dir, "sync", "patches")
	if *recordDir != "" {
		if err := record(*recordDir, at); err != nil {
			return err
		}
	}
	list, err := patches(at)
	if err != nil {
		return err
	}
	if *stageDir != "" {
		return stage(*stageDir, source, version, list)
	}
	result, err := patched(source, list, false)
	if err != nil {
		return fmt.Errorf("the patches do not fit %s (see -stage): %w", version, err)
	}
	if err := removeOld(*dir, source); err != nil {
		return err
	}
	if err := result.write(*dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*dir, sourceFile), source.manifest(version), 0o644)
}

// sourceFile is the name of the manifest.
const sourceFile = "SOURCE"

// removeOld removes the files that an earlier source had and this one has not.
func removeOld(dir string, source files) error {
	text, err := os.ReadFile(filepath.Join(dir, sourceFile))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, names := manifestNames(text)
	for _, name := range names {
		if _, ok := source[name]; ok {
			continue
		}
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}
