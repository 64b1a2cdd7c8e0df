// Package docs_test checks what the documentation says against the program it speaks of.
package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/store"
)

// root is the top of the source tree.
const root = ".."

// states of a row, in the order of the columns of the table of counts.
var states = []string{"done", "partly", "accepted", "planned", "not applicable"}

var (
	chapterLine = regexp.MustCompile(`^## (\d+\. .+)$`)
	rowLine     = regexp.MustCompile(`^\| ([A-Z0-9/]+-\d+[a-z]?) \| .+ \| (` + strings.Join(states, "|") + `) \| (.*) \|$`)
	countsLine  = regexp.MustCompile(`^\| (\d+\. .+|all) ((?:\| \d+ ){6})\|$`)
	testName    = regexp.MustCompile(`\b[a-z]+\.(?:Test|Fuzz|Benchmark)\w+`)
)

// The rows of conformance.md name tests that exist, each ID stands once, a row that is done names
// a test, and the counts at the top are those of the rows.
func TestConformanceNamesRealTests(t *testing.T) {
	text, err := os.ReadFile("conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testFunctions(t)
	seen := map[string]bool{}
	stated, counted := map[string]string{}, map[string]map[string]int{"all": {}}
	chapter := ""
	for n, line := range strings.Split(string(text), "\n") {
		for _, name := range testName.FindAllString(line, -1) {
			if !tests[name] {
				t.Errorf("line %d: there is no test %s", n+1, name)
			}
		}
		if m := chapterLine.FindStringSubmatch(line); m != nil {
			chapter = m[1]
			counted[chapter] = map[string]int{}
			continue
		}
		if m := countsLine.FindStringSubmatch(line); m != nil {
			stated[m[1]] = strings.TrimSpace(m[2])
			continue
		}
		m := rowLine.FindStringSubmatch(line)
		if m == nil {
			if chapter != "" && strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| ID ") && !strings.HasPrefix(line, "| --- ") {
				t.Errorf("line %d is no row: %s", n+1, line)
			}
			continue
		}
		id, state, where := m[1], m[2], m[3]
		if seen[id] {
			t.Errorf("line %d: %s stands twice", n+1, id)
		}
		seen[id] = true
		counted[chapter][state]++
		counted["all"][state]++
		if state == "done" && !testName.MatchString(where) {
			t.Errorf("line %d: %s is done, and no test proves it", n+1, id)
		}
		if (state == "partly" || state == "not applicable") && where == "" {
			t.Errorf("line %d: %s is %s, and does not say why", n+1, id, state)
		}
	}
	for chapter, count := range counted {
		sum, want := 0, ""
		for _, state := range states {
			sum += count[state]
			want += fmt.Sprintf("| %d ", count[state])
		}
		want += fmt.Sprintf("| %d", sum)
		if stated[chapter] != want {
			t.Errorf("chapter %q: the counts at the top are %q, its rows are %q", chapter, stated[chapter], want)
		}
		delete(stated, chapter)
	}
	for chapter := range stated {
		t.Errorf("the counts name a chapter %q, which is not there", chapter)
	}
}

// testFunctions are the test, fuzz and benchmark functions of the tree, as "package.Function".
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	functions := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if path == filepath.Join(root, "build") {
			return filepath.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(file.Name.Name, "_test")
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				functions[name+"."+f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return functions
}

// The statements that the documentation shows are accepted.
func TestStatementsAreAccepted(t *testing.T) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, file := range append(files, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range statementBlocks(string(text)) {
			blocks++
			_, refused := store.CheckStatements(strings.NewReader(block), file, false)
			for _, r := range refused {
				t.Errorf("%s: %s: %s", file, r.Statement, r.Reason)
			}
		}
	}
	if blocks == 0 {
		t.Error("the documentation shows no statements: this test proves nothing")
	}
}

// statementBlocks are the blocks of statements in a Markdown text: fenced as set, or indented with
// nothing but statements in them.
func statementBlocks(text string) []string {
	var blocks, indented []string
	statements := true
	end := func() {
		if statements && len(indented) > 0 {
			blocks = append(blocks, strings.Join(indented, "\n"))
		}
		indented, statements = nil, true
	}
	var fenced []string
	fence := ""
	for _, line := range strings.Split(text, "\n") {
		switch {
		case fence != "" && strings.TrimSpace(line) == "```":
			if fence == "set" {
				blocks = append(blocks, strings.Join(fenced, "\n"))
			}
			fence, fenced = "", nil
		case fence != "":
			fenced = append(fenced, line)
		case strings.HasPrefix(line, "```"):
			end()
			fence = "text"
			if strings.TrimSpace(strings.TrimPrefix(line, "```")) == "set" {
				fence = "set"
			}
		case strings.HasPrefix(line, "    "):
			indented = append(indented, strings.TrimSpace(line))
			statements = statements && strings.HasPrefix(strings.TrimSpace(line), "set ")
		default:
			end()
		}
	}
	end()
	return blocks
}

func TestStatementBlocks(t *testing.T) {
	got := statementBlocks("a\n\n    set x\n    set y\n\n    show z\n    set x\n\n```set\nset f\n```\n```\nset g\n```\n    set last")
	want := []string{"set x\nset y", "set f", "set last"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("found %q, want %q", got, want)
	}
}
