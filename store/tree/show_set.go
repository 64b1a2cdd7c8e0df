package tree

import "strings"

// setText is the set form of what root holds: the lines that make it.
func setText(root *statement) string {
	var f setForm
	f.block(root, "")
	return f.String()
}

// setForm writes set statements, and those that make marks and comments.
type setForm struct{ strings.Builder }

// join is the path of s, a child of parent, whose own path is path.
func (f *setForm) join(path string, s, parent *statement) string {
	words := strings.Join(s.words(parent), " ")
	if path == "" || words == "" {
		return path + words
	}
	return path + " " + words
}

func (f *setForm) line(verb, path string) {
	f.WriteString(verb)
	f.WriteByte(' ')
	f.WriteString(path)
	f.WriteByte('\n')
}

func (f *setForm) block(s *statement, path string) {
	for _, child := range s.children {
		f.statement(child, s, path)
	}
}

// statement writes s, a child of parent. Marks follow what they would otherwise prevent.
func (f *setForm) statement(s, parent *statement, path string) {
	path = f.join(path, s, parent)
	switch {
	case s.inline():
		var inline curly
		for _, child := range s.children {
			inline.WriteByte(' ')
			inline.head(child, s)
		}
		f.line("set", path+inline.String())
	case len(s.children) > 0:
		f.block(s, path)
	default:
		f.line("set", path)
	}
	if s.inactive {
		f.line("deactivate", path)
	}
	if s.comment != "" {
		f.line("annotate", path+" "+enquote(s.comment))
	}
	if s.protected {
		f.line("protect", path)
	}
}
