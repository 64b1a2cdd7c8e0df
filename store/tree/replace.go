package tree

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"sluice/store/schema"
)

// replace is replace pattern A with B [upto N]: in every name, value and comment below the edit
// level, what matches the regular expression A becomes B, in which \1 to \9 stand for the groups
// of A and & for the whole match; at most N statements are changed.
func (e *edit) replace() error {
	w := e.words
	if len(w) != 4 && len(w) != 6 || w[0].text != "pattern" || w[2].text != "with" || len(w) == 6 && w[4].text != "upto" {
		return located(e.text, &fault{offset: e.end(), message: "the statement is not complete", expected: []string{"replace pattern A with B [upto N]"}})
	}
	re, err := regexp.Compile(w[1].text)
	if err != nil {
		return located(e.text, &fault{offset: w[1].offset, message: "not a regular expression: " + err.Error()})
	}
	r := &replacer{pattern: re, with: template(w[3].text), left: -1}
	if len(w) == 6 {
		if r.left, err = strconv.Atoi(w[5].text); err != nil || r.left < 1 {
			return located(e.text, &fault{offset: w[5].offset, message: "not a number of replacements", hint: "1 or more"})
		}
	}
	work := e.tree.Clone()
	p, err := (&edit{tree: work, text: e.text, at: e.at}).locate(nil)
	if err != nil {
		return err
	}
	if err := p.protectedAt(false); err != nil {
		return err
	}
	if err := r.below(p.targets[0]); err != nil {
		return err
	}
	e.tree.root = work.root
	return nil
}

// replacer replaces a pattern in statements, one after the other.
type replacer struct {
	pattern *regexp.Regexp
	with    string
	left    int // statements that may still change, negative for all
}

// template is the replacement in the notation of package regexp.
func template(with string) string {
	var b strings.Builder
	for i := 0; i < len(with); i++ {
		switch c := with[i]; {
		case c == '\\' && i+1 < len(with) && '1' <= with[i+1] && with[i+1] <= '9':
			i++
			b.WriteString("${" + string(with[i]) + "}")
		case c == '\\' && i+1 < len(with) && with[i+1] == '&':
			i++
			b.WriteByte('&')
		case c == '&':
			b.WriteString("${0}")
		case c == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// below replaces in all that s holds. Names that become equal are refused.
func (r *replacer) below(s *statement) error {
	changed := false
	for _, c := range s.children {
		did, err := r.in(c, s)
		if err != nil {
			return err
		}
		changed = changed || did
		if err := r.below(c); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	seen := map[string]bool{}
	for _, c := range s.children {
		if seen[c.key()] {
			return &StatementError{Message: fmt.Sprintf("%q would exist twice", strings.Join(c.words(s), " "))}
		}
		seen[c.key()] = true
	}
	if s.index != nil {
		s.reindex()
	}
	return nil
}

// in replaces in the words and the comment of c, a child of parent, and says whether its words changed.
func (r *replacer) in(c, parent *statement) (bool, error) {
	if r.left == 0 {
		return false, nil
	}
	comment := r.pattern.ReplaceAllString(c.comment, r.with)
	args := make([]string, len(c.args))
	changed := false
	for i, a := range c.args {
		args[i] = r.pattern.ReplaceAllString(a, r.with)
		if args[i] == a {
			continue
		}
		changed = true
		if c.grammar == nil {
			args[i] = Quote(args[i])
			continue
		}
		value := c.grammar
		if value.Kind == schema.List {
			value = value.Keys[i]
		}
		if value.IsKey && isWildcard(args[i]) {
			continue
		}
		text, err := value.Normalize(args[i])
		if err != nil {
			return false, &StatementError{Message: fmt.Sprintf("%s: %v", strings.Join(c.words(parent), " "), err)}
		}
		args[i] = text
	}
	if !changed && comment == c.comment {
		return false, nil
	}
	if c.protected {
		return false, protectedError(c, parent)
	}
	if strings.Contains(comment, "*/") {
		return false, &StatementError{Message: "a comment cannot contain */"}
	}
	r.left--
	c.comment, c.args = tidyComment(comment), args
	return changed, nil
}

// wildcard is wildcard delete PATH NAME, where NAME is a list's entry name, a member or a keyword
// with * and ? in it; everything that matches is removed.
func (e *edit) wildcard() error {
	if len(e.words) < 2 || !strings.HasPrefix("delete", e.words[0].text) {
		return located(e.text, &fault{offset: e.end(), message: "the statement is not complete", expected: []string{"wildcard delete"}})
	}
	last := e.words[len(e.words)-1]
	if _, err := path.Match(last.text, ""); err != nil {
		return located(e.text, &fault{offset: last.offset, message: fmt.Sprintf("%q is not a pattern", last.text), hint: "* stands for any characters, ? for one"})
	}
	p, err := e.locate(e.words[1 : len(e.words)-1])
	if err != nil {
		return err
	}
	matches := func(c, parent *statement) bool {
		switch {
		case c.entry() || c.member():
			return glob(last.text, c.args[0])
		case c.grammar != nil && !c.grammar.IsValue:
			return glob(last.text, c.grammar.Keyword)
		}
		return false
	}
	var found []*statement
	if p.last.open && p.last.node.Kind == schema.List {
		for _, c := range p.targets {
			if matches(c, p.parent()) {
				found = append(found, c)
			}
		}
	} else {
		p.above = append(p.above, p.targets[0])
		for _, c := range p.targets[0].children {
			if matches(c, p.targets[0]) {
				found = append(found, c)
			}
		}
	}
	p.targets = found
	if len(found) == 0 {
		return e.notFound(step{offset: last.offset})
	}
	if err := p.protectedAt(true); err != nil {
		return err
	}
	p.remove()
	return nil
}

// glob says whether name matches pattern, in which * stands for any characters, a slash
// included, ? for one, and [a-z] for one of a set.
func glob(pattern, name string) bool {
	const slash = "\x00"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(name, "/", slash))
	return ok && err == nil
}
