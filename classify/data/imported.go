package data

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"sluice/classify/appdb"
)

//go:embed imported
var importedFiles embed.FS

// Imported reads the imported applications alone. None of them need be in what Load returns.
func Imported() (*appdb.Database, []appdb.Problem) {
	below, err := fs.Sub(importedFiles, "imported")
	if err != nil {
		panic("data: the directory imported is there: " + err.Error())
	}
	return appdb.LoadFS(below)
}

// admit adds imported applications to what was written by hand, as far as that leaves them room:
// hosts it owns stay its own, and an application whose name is taken or that has no host left
// stays away.
func admit(db, imported *appdb.Database) {
	owned := map[string]bool{} // hosts as written; "label.*" for all suffixes
	numbers := map[uint32]bool{}
	for _, a := range db.Applications {
		numbers[a.Number] = true
		for _, h := range a.Hosts {
			owned[h] = true
		}
	}
	for _, a := range imported.Applications {
		a.Hosts = slices.DeleteFunc(a.Hosts, func(h string) bool { return isOwned(owned, h) })
		if len(a.Hosts) == 0 || numbers[a.Number] {
			continue
		}
		// A name that is taken is the only thing that can go wrong: the core has it.
		_ = db.Add(a)
	}
}

// isOwned says whether a host, or a name it is below, belongs to a pattern of owned.
func isOwned(owned map[string]bool, host string) bool {
	name := strings.TrimPrefix(host, "=")
	if owned["="+name] {
		return true
	}
	for {
		label, rest, more := strings.Cut(name, ".")
		if owned[name] || owned[label+".*"] {
			return true
		}
		if !more {
			return false
		}
		name = rest
	}
}
