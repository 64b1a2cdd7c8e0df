package data

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/classify/appdb"
)

// What decoders tell by name, by the method of decode.Session.
var tellers = []string{"Protocol", "Application", "Micro", "Carries"}

// Every name that a decoder's source has for itself, or tells, is in the database (AI-14).
func TestDecodersAreKnown(t *testing.T) {
	db := core(t)
	protocols := map[string]bool{}
	know := func(name, where string) *appdb.Application {
		a, ok := db.Lookup(appdb.Prefix + name)
		if !ok {
			t.Errorf("%s: no application %s", where, name)
		}
		return a
	}
	err := filepath.WalkDir("../decode", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Name" {
					if name := literal(n.Value); isName(name) {
						where := files.Position(n.Pos()).String()
						if a := know(name, where); a != nil && a.Kind != appdb.Protocol {
							t.Errorf("%s: %s is no protocol", where, name)
						}
						protocols[name] = true
					}
				}
			case *ast.CallExpr:
				if call, ok := n.Fun.(*ast.SelectorExpr); ok && slices.Contains(tellers, call.Sel.Name) && len(n.Args) == 1 {
					if name := literal(n.Args[0]); isName(name) {
						know(name, files.Position(n.Pos()).String())
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d names of decoders", len(protocols))
	if len(protocols) < 200 {
		t.Errorf("found the names of only %d decoders", len(protocols))
	}
}

// literal is the value of a string literal, or "".
func literal(e ast.Expr) string {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(l.Value)
	if err != nil {
		return ""
	}
	return s
}

// isName says whether a string is written as the name of an application.
func isName(s string) bool {
	return s != "" && s == strings.ToUpper(s) && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-") == ""
}
