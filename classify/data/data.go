// Package data is the application database that the program carries, as the text files that
// package appdb describes, and the names that other engines use for the same applications.
//
// What lies in this directory is written by hand. The directory imported is made by the command
// classify/pack/cmd/import from public collections of facts; make appdb makes it anew. What is
// written by hand always wins: an imported application yields its name and its hosts.
package data

import (
	"embed"
	"strings"
	"sync"

	"sluice/classify/appdb"
)

//go:embed *.apps *.names
var files embed.FS

// Load reads the database. It is read once; the result is shared and must not be changed.
var Load = sync.OnceValues(load)

func load() (*appdb.Database, []appdb.Problem) {
	read := make(chan *appdb.Database, 1)
	var importedProblems []appdb.Problem
	go func() {
		var db *appdb.Database
		db, importedProblems = Imported()
		read <- db
	}()
	db, problems := Core()
	admit(db, <-read)
	for _, a := range db.Applications {
		a.DeriveTags()
	}
	return db, append(problems, importedProblems...)
}

// Core reads what is written by hand alone.
func Core() (*appdb.Database, []appdb.Problem) { return appdb.LoadFS(files) }

// NameFiles are the files of names that the package carries, by file name.
func NameFiles() (map[string][]byte, error) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".names") {
			if texts[e.Name()], err = files.ReadFile(e.Name()); err != nil {
				return nil, err
			}
		}
	}
	return texts, nil
}
