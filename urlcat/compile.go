package urlcat

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sluice/store/schema"
)

// Limits of files.
const (
	maxFile     = 256 << 20 // bytes
	maxProblems = 10        // told of one list
)

// root is where the statements stand.
const root = "security utm custom-objects"

// Compile makes the table of a configuration, and says what is wrong with its patterns. resumed says
// that the configuration was in force before, so that a file that is gone since only warns.
func Compile(objects *schema.UTMObjects, resumed bool) (*Table, []schema.Problem) {
	c := &compiler{table: &Table{nodes: map[string]node{}}, lists: map[string]*schema.URLPattern{}}
	for i := range objects.Patterns {
		c.lists[objects.Patterns[i].Name] = &objects.Patterns[i]
		c.check(&objects.Patterns[i])
	}
	for i := range objects.Categories {
		category := &objects.Categories[i]
		c.table.names = append(c.table.names, category.Name)
		for _, name := range category.Value {
			list := c.lists[name]
			if list == nil {
				continue // the statements' own check has refused it
			}
			for _, p := range c.parsed[name] {
				c.add(uint32(i), p)
			}
		}
		if category.File != "" {
			c.file(uint32(i), category, resumed)
		}
	}
	return c.table, c.problems
}

type compiler struct {
	table    *Table
	lists    map[string]*schema.URLPattern
	parsed   map[string][]pattern
	problems []schema.Problem
}

// check reads the patterns of a list.
func (c *compiler) check(list *schema.URLPattern) {
	if c.parsed == nil {
		c.parsed = map[string][]pattern{}
	}
	wrong := 0
	for _, text := range list.Value {
		p, err := parsePattern(text)
		if err == nil {
			c.parsed[list.Name] = append(c.parsed[list.Name], p)
			continue
		}
		if wrong++; wrong <= maxProblems {
			c.problems = append(c.problems, schema.Problem{
				Path: root + " url-pattern " + list.Name + " value", Message: fmt.Sprintf("pattern %q: %v", text, err),
				Hint: "www.example.com, *.example.com, example.com/path, 203.0.113.10",
			})
		}
	}
}

// add enters a pattern.
func (c *compiler) add(category uint32, p pattern) {
	t := c.table
	n := t.nodes[p.host]
	if e := (entry{category, p.path}); p.below {
		n.below = append(n.below, e)
	} else {
		n.exact = append(n.exact, e)
	}
	t.nodes[p.host] = n
	t.open[p.marks] = true
	t.count++
}

// file reads the list of a category: a pattern in each line, where a host name stands for itself and
// all names below it, as such lists mean them. Blank lines and what follows # do not count.
func (c *compiler) file(category uint32, of *schema.URLCategory, resumed bool) {
	path := root + " custom-url-category " + of.Name + " file"
	problem := func(format string, args ...any) {
		c.problems = append(c.problems, schema.Problem{Path: path, Message: fmt.Sprintf(format, args...), Warning: resumed})
	}
	if !filepath.IsAbs(of.File) {
		problem("%q is not an absolute path", of.File)
		return
	}
	file, err := os.Open(of.File)
	if err != nil {
		problem("the list cannot be read: %v", err)
		return
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		problem("%s is no regular file of at most %d MB", of.File, maxFile>>20)
		return
	}
	lines := bufio.NewScanner(file)
	wrong, number := 0, 0
	for lines.Scan() && wrong < maxProblems {
		number++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		p, err := parsePattern(text)
		if err != nil {
			wrong++
			problem("%s line %d: %q: %v", of.File, number, text, err)
			continue
		}
		c.add(category, p)
		if !p.below && p.path == "" && p.marks == 0 {
			p.below = true
			c.add(category, p)
		}
	}
	if err := lines.Err(); err != nil {
		problem("%s after line %d: %v", of.File, number, err)
	}
}
