// Package data is the application database that the program carries, as the text files that
// package appdb describes, and the names that other engines use for the same applications.
//
// What lies in this directory is written by hand. The directory imported is made by the command
// classify/pack/cmd/import from public collections of facts; make appdb makes it anew. What is
// written by hand always wins: an imported application yields its name and its hosts.
package data

import (
	"embed"
	"fmt"
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

// Names maps names of this program, without "junos:", to those of another engine. The key is a
// name, or a protocol and an application joined by "/" where the other engine has one name for
// the two.
type Names map[string]string

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

// NamesOf reads the names of another engine from the file ENGINE.names: a line for each, ours and
// theirs, parted by spaces. # begins a comment.
func NamesOf(engine string) (Names, error) {
	text, err := files.ReadFile(engine + ".names")
	if err != nil {
		return nil, fmt.Errorf("no names are known of engine %q", engine)
	}
	names := Names{}
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(words) != 2:
			return nil, fmt.Errorf("%s.names:%d: not two names", engine, i+1)
		case names[words[0]] != "":
			return nil, fmt.Errorf("%s.names:%d: %s is there twice", engine, i+1, words[0])
		default:
			names[words[0]] = words[1]
		}
	}
	return names, nil
}

// Of translates a protocol and an application, with or without "junos:", the latter perhaps "".
// Names that are not in the map stay as they are, without "junos:".
func (n Names) Of(protocol, application string) (string, string) {
	protocol, application = strings.TrimPrefix(protocol, appdb.Prefix), strings.TrimPrefix(application, appdb.Prefix)
	if application != "" {
		if both, ok := n[protocol+"/"+application]; ok {
			return both, ""
		}
		application = n.one(application)
	}
	return n.one(protocol), application
}

func (n Names) one(name string) string {
	if other, ok := n[name]; ok {
		return other
	}
	return name
}
