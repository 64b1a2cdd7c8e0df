// Package data holds the hand-written core of the application database, as text that people read
// and edit: files of stanzas by subject (their format is told in package appdb), and the names
// other engines use for the same applications.
//
// To add an application, write a stanza into the file of its subject and give it the next free
// number; the tests of this package say what is missing.
package data

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

// Files are the files of the core, for appdb.LoadFS.
//
//go:embed *.apps
var Files embed.FS

//go:embed *.names
var names embed.FS

// Names are the names that another engine uses for applications, by our names without prefix.
// The engines known are those of NameLists. An application without an entry has no counterpart.
func Names(engine string) (map[string]string, error) {
	f, err := names.Open(engine + ".names")
	if err != nil {
		return nil, fmt.Errorf("names of engine %q: known are %s", engine, strings.Join(NameLists(), ", "))
	}
	defer f.Close()
	theirs := map[string]string{}
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		text, _, _ := strings.Cut(scanner.Text(), "#")
		if words := strings.Fields(text); len(words) == 2 {
			theirs[words[0]] = words[1]
		} else if len(words) != 0 {
			return nil, fmt.Errorf("names of engine %q: line %q is not a pair of names", engine, text)
		}
	}
	return theirs, scanner.Err()
}

// NameLists are the engines whose names are known, sorted.
func NameLists() []string {
	files, _ := fs.Glob(names, "*.names") // the pattern is well-formed, so there is no error
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".names")
	}
	return files
}
