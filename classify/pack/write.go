package pack

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// maxWords is where a line of values is broken, in bytes.
const maxWords = 96

// Files are a database as the files of a package, by name: one for each category and sub-category,
// in the format of package appdb. Equal databases make equal files.
func Files(db *appdb.Database) map[string][]byte {
	texts := map[string]*strings.Builder{}
	file := func(name string) *strings.Builder {
		if texts[name] == nil {
			texts[name] = &strings.Builder{}
		}
		return texts[name]
	}
	for _, a := range db.Applications {
		name := strings.ToLower(strings.Trim(a.Category+"-"+a.SubCategory, "-"))
		writeApplication(file(name+".apps"), a)
	}
	for _, g := range db.Groups {
		b := file("groups.apps")
		fmt.Fprintf(b, "group %s\n", strings.TrimPrefix(g.Name, appdb.Prefix))
		sentence(b, "description", g.Description)
		b.WriteByte('\n')
	}
	files := map[string][]byte{}
	for name, b := range texts {
		files[name] = []byte(b.String())
	}
	return files
}

// writeApplication writes a stanza and an empty line.
func writeApplication(w io.Writer, a *appdb.Application) {
	fmt.Fprintf(w, "%s %s\n", a.Kind, a.Short())
	sentence(w, "title", a.Title)
	sentence(w, "description", a.Description)
	values(w, "category", a.Category)
	values(w, "sub-category", a.SubCategory)
	if usual := strings.ToLower(strings.TrimSuffix(appdb.Prefix+a.Category+":"+a.SubCategory, ":")); !slices.Equal(a.Groups, []string{usual}) {
		values(w, "group", short(a.Groups)...)
	}
	if a.Risk != 0 {
		values(w, "risk", fmt.Sprint(a.Risk))
	}
	values(w, "characteristics", a.Characteristics.Names()...)
	values(w, "ports", texts(a.Ports)...)
	values(w, "hosts", a.Hosts...)
	values(w, "addresses", texts(a.Addresses)...)
	values(w, "over", short(a.Over)...)
	values(w, "of", strings.TrimPrefix(a.Of, appdb.Prefix))
	for i := range a.Signatures {
		writeSignature(w, &a.Signatures[i])
	}
	values(w, "alias", short(a.Aliases)...)
	values(w, "references", a.References...)
	if a.Order != 0 {
		values(w, "order", fmt.Sprint(a.Order))
	}
	if a.Number != 0 {
		values(w, "number", fmt.Sprint(a.Number))
	}
	values(w, "tags", a.Tags...)
	values(w, "flags", a.Flags.Names()...)
	fmt.Fprintln(w)
}

func writeSignature(w io.Writer, s *appdb.Signature) {
	direction := "any"
	for d, other := range [2]decode.Direction{decode.ToClient, decode.ToServer} {
		if !s.Directions[other] {
			direction = decode.Direction(d).String()
		}
	}
	fmt.Fprintf(w, "  signature %s %s \"%s\"", s.Context, direction, s.Pattern)
	if s.Depth != 0 {
		fmt.Fprintf(w, " depth %d", s.Depth)
	}
	fmt.Fprintln(w)
}

func sentence(w io.Writer, keyword, text string) {
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		fmt.Fprintf(w, "  %s %s\n", keyword, text)
	}
}

// values writes an attribute's words, on as many lines as they need. Words that could be taken
// for something else stand in quotes.
func values(w io.Writer, keyword string, words ...string) {
	line := ""
	for _, word := range words {
		if word == "" {
			continue
		}
		if word[0] == '#' || strings.Contains(word, " ") {
			word = `"` + word + `"`
		}
		if line != "" && len(line)+len(word) > maxWords {
			fmt.Fprintln(w, line)
			line = ""
		}
		if line == "" {
			line = "  " + keyword
		}
		line += " " + word
	}
	if line != "" {
		fmt.Fprintln(w, line)
	}
}

func short(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.TrimPrefix(n, appdb.Prefix)
	}
	return out
}

func texts[T fmt.Stringer](things []T) []string {
	out := make([]string, len(things))
	for i, t := range things {
		out[i] = t.String()
	}
	return out
}
