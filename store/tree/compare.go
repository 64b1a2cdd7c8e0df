package tree

import (
	"fmt"
	"slices"
	"strings"

	"sluice/store/schema"
)

// Compare says how new differs from old at the edit level at, in the manner of "show | compare":
// under the level of each change, lines with - are gone, those with + are new, and those with !
// stand elsewhere, or are inactive, protected or annotated where they were not. It is empty when
// the trees are equal, or at is no level.
func Compare(old, new *Tree, at []string) string {
	before, err := old.level(at)
	if err != nil {
		return ""
	}
	after, err := new.level(at)
	if err != nil || before == nil && after == nil {
		return ""
	}
	d := &differ{}
	empty := &statement{}
	switch {
	case before == nil:
		before = append(slices.Clone(after[:len(after)-1]), empty)
	case after == nil:
		after = append(slices.Clone(before[:len(before)-1]), empty)
	}
	heading := after
	if after[len(after)-1] == empty {
		heading = before
	}
	d.level(heading, before[len(before)-1], after[len(after)-1])
	return d.String()
}

// differ writes the differences of two trees.
type differ struct {
	strings.Builder
	heading string
}

// level writes how the children of old and new differ; path leads to them.
func (d *differ) level(path chain, old, new *statement) {
	same := map[*statement]*statement{} // of new, what it was in old
	for _, c := range new.children {
		if was := old.find(c.grammar, c.args, c.holder); was != nil {
			same[c] = was
		}
	}
	moved := movedChildren(old, new, same)
	for _, c := range old.children {
		is := new.find(c.grammar, c.args, c.holder)
		if is == nil {
			d.write(path, '-', c, old)
		}
	}
	for i, c := range new.children {
		was := same[c]
		switch {
		case was == nil:
			d.write(path, '+', c, new)
		case c.value():
			if !sameValue(was, c) {
				d.write(path, '-', was, old)
				d.write(path, '+', c, new)
			} else {
				d.marks(path, was, c, new)
			}
		default:
			d.marks(path, was, c, new)
			if moved[c] {
				if i > 0 && new.children[i-1].grammar == c.grammar {
					d.brief(path, ' ', "", new.children[i-1], new)
				}
				d.brief(path, '!', "", c, new)
			}
		}
	}
	for _, c := range new.children {
		if was := same[c]; was != nil && !c.value() {
			d.level(append(path[:len(path):len(path)], c), was, c)
		}
	}
}

// value says whether s is shown whole on one line: a leaf, a flag or a leaf-list.
func (s *statement) value() bool { return s.grammar != nil && s.grammar.Kind >= schema.Leaf }

// sameValue says whether two values are equal apart from their marks and comments.
func sameValue(a, b *statement) bool {
	return slices.Equal(a.args, b.args) && slices.EqualFunc(a.children, b.children, func(x, y *statement) bool {
		return x.inactive == y.inactive && slices.Equal(x.args, y.args)
	})
}

// write writes the whole of s, a child of parent, with a sign before each line.
func (d *differ) write(path chain, sign byte, s, parent *statement) {
	var text curly
	text.statement(s, parent, 0)
	d.lines(path, sign, text.String())
}

// brief writes s without what it holds.
func (d *differ) brief(path chain, sign byte, mark string, s, parent *statement) {
	var text curly
	text.WriteString(mark)
	text.head(s, parent)
	switch {
	case len(s.children) > 0 && !s.value():
		text.WriteString(" { ... }")
	default:
		text.WriteByte(';')
	}
	d.lines(path, sign, text.String()+"\n")
}

// marks writes what was said about a statement that is otherwise where it was.
func (d *differ) marks(path chain, was, is, parent *statement) {
	if was.comment != is.comment {
		if was.comment != "" {
			d.lines(path, '-', commentText(was))
		}
		if is.comment != "" {
			d.lines(path, '+', commentText(is))
		}
		d.brief(path, ' ', "", is, parent)
	}
	if was.inactive != is.inactive {
		mark := markInactive + " "
		if was.inactive {
			mark = "active: "
		}
		d.brief(path, '!', mark, is, parent)
	}
	if was.protected != is.protected {
		mark := markProtect + " "
		if was.protected {
			mark = "unprotect: "
		}
		d.brief(path, '!', mark, is, parent)
	}
}

// commentText is the comment of s as it is shown.
func commentText(s *statement) string {
	var text curly
	text.lead(&statement{comment: s.comment}, nil, 0)
	return text.String()
}

// lines writes text with a sign before each line, under the heading of its level.
func (d *differ) lines(path chain, sign byte, text string) {
	heading := "[edit]"
	if p := path.path(); p != "" {
		heading = fmt.Sprintf("[edit %s]", p)
	}
	if heading != d.heading {
		d.heading = heading
		d.WriteString(heading + "\n")
	}
	indent := strings.Repeat(" ", len(path)+1)
	for line := range strings.Lines(text) {
		d.WriteByte(sign)
		d.WriteString(indent + line)
	}
}

// movedChildren is the fewest list entries of new that would have to move to stand as in old.
func movedChildren(old, new *statement, same map[*statement]*statement) map[*statement]bool {
	at := make(map[*statement]int, len(old.children))
	for i, c := range old.children {
		at[c] = i
	}
	var entries []*statement
	var places []int
	sorted := true
	for _, c := range new.children {
		if was := same[c]; was != nil && c.entry() {
			sorted = sorted && (len(places) == 0 || places[len(places)-1] < at[was])
			entries, places = append(entries, c), append(places, at[was])
		}
	}
	if sorted {
		return nil
	}
	moved := map[*statement]bool{}
	for _, c := range entries {
		moved[c] = true
	}
	for _, i := range longestRising(places) {
		delete(moved, entries[i])
	}
	return moved
}

// longestRising is the indexes of a longest rising subsequence of values.
func longestRising(values []int) []int {
	var tails []int // index of the least last value of a rising subsequence of each length
	before := make([]int, len(values))
	for i, v := range values {
		length, _ := slices.BinarySearchFunc(tails, v, func(t, v int) int { return values[t] - v })
		before[i] = -1
		if length > 0 {
			before[i] = tails[length-1]
		}
		if length == len(tails) {
			tails = append(tails, i)
		} else {
			tails[length] = i
		}
	}
	var out []int
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = before[i] {
			out = append(out, i)
		}
	}
	slices.Reverse(out)
	return out
}
