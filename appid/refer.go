package appid

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"sluice/classify/appdb"
	"sluice/store/schema"
)

// reference is a name in a statement.
type reference struct {
	path string // of the statement, without the name
	name string
}

// references are the names of applications, groups and protocols in a configuration, in the order
// of its statements.
func references(cfg *schema.Config) (found []reference) {
	w := walker{only: true, show: func(path []string, name string) {
		if refers(path) {
			found = append(found, reference{strings.Join(path, " "), name})
		}
	}}
	w.walk(reflect.ValueOf(cfg).Elem(), nil)
	return found
}

// refers says whether a statement names what a signature package has.
func refers(path []string) bool {
	own := len(path) > 1 && path[0] == "services" && path[1] == "application-identification"
	switch path[len(path)-1] {
	case "dynamic-application", "dynamic-application-group":
		return true
	case "applications", "application-groups", "over":
		return own
	case "application", "application-group":
		return path[0] == "class-of-service"
	}
	return false
}

// referring are the keywords of the statements that refers knows.
var referring = []string{"dynamic-application", "dynamic-application-group", "applications", "application-groups", "over", "application", "application-group"}

// accepted are all names in the statements of application identification.
func accepted(cfg *schema.Config) map[string]bool {
	all := map[string]bool{}
	w := walker{show: func(path []string, name string) { all[strings.Join(path, " ")+" "+name] = true }}
	w.walk(reflect.ValueOf(&cfg.Services.ApplicationIdentification).Elem(), strings.Fields(root))
	return all
}

// walker shows every word that a configuration gives: the path of its statement, which may not be
// kept, and the word.
type walker struct {
	show func(path []string, word string)
	only bool // leave out what has no statement that refers
}

func (w *walker) walk(v reflect.Value, path []string) {
	plan := planOf(v.Type())
	for i := range plan.fields {
		switch f := &plan.fields[i]; {
		case f.key || w.only && !f.refers:
		case f.keyword == "":
			w.walk(v.Field(f.index), path)
		default:
			w.statement(v.Field(f.index), append(path, f.keyword))
		}
	}
}

func (w *walker) statement(v reflect.Value, path []string) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			w.show(path, v.String())
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			w.walk(v.Elem(), path)
		}
	case reflect.Struct:
		w.walk(v, path)
	case reflect.Slice:
		for i := range v.Len() {
			if entry := v.Index(i); entry.Kind() == reflect.Struct {
				w.entry(entry, path)
			} else {
				w.statement(entry, path)
			}
		}
	}
}

// entry walks an entry of a list, whose keys stand in the path.
func (w *walker) entry(v reflect.Value, path []string) {
	first := true
	for _, f := range planOf(v.Type()).fields {
		if !f.key {
			continue
		}
		value := v.Field(f.index)
		word := value.String()
		if value.Kind() != reflect.String {
			word = fmt.Sprint(value.Interface())
		}
		if first {
			w.show(path, word)
		} else {
			path = append(path, f.keyword)
		}
		path, first = append(path, word), false
	}
	w.walk(v, path)
}

// plan is what a type of the configuration consists of.
type plan struct{ fields []planField }

type planField struct {
	index   int
	keyword string // "": the fields of an embedded struct
	key     bool
	refers  bool // there may be statements in it that refer
}

var plans sync.Map // by reflect.Type

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := new(plan)
	for i := range t.NumField() {
		field := t.Field(i)
		tag, tagged := field.Tag.Lookup("cfg")
		keyword, options, _ := strings.Cut(tag, ",")
		if !tagged && (!field.Anonymous || field.Type.Kind() != reflect.Struct) {
			continue
		}
		f := planField{index: i, keyword: keyword, key: slices.Contains(strings.Split(options, ","), "key")}
		f.refers = slices.Contains(referring, keyword) || refersWithin(field.Type)
		p.fields = append(p.fields, f)
	}
	plans.Store(t, p)
	return p
}

// refersWithin says whether there may be statements that refer in a value of a type.
func refersWithin(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && slices.ContainsFunc(planOf(t).fields, func(f planField) bool { return f.refers })
}

// References are the statements of the configuration in force that name one of some applications
// and groups of the signature package: those that the next package does not have, and those that
// have another number there. Each is a line "[edit PATH NAME]".
func (s *Service) References(removed, renumbered []string) []string {
	s.making.Lock()
	defer s.making.Unlock()
	looked := map[string]bool{}
	for _, name := range slices.Concat(removed, renumbered) {
		looked[strings.ToLower(name)] = true
	}
	catalogue := s.Catalogue()
	var lines []string
	for _, r := range references(s.config) {
		name := strings.ToLower(r.name)
		if a, ok := catalogue.Lookup(name); ok && a.Custom {
			continue
		}
		if g, ok := catalogue.groupName(name); ok && !strings.HasPrefix(g, appdb.Prefix) {
			continue
		}
		if looked[name] || looked[appdb.Prefix+name] {
			lines = append(lines, fmt.Sprintf("[edit %s %s]", r.path, r.name))
		}
	}
	return lines
}

// lost are the names in a configuration that a catalogue does not have.
func lost(cfg *schema.Config, c *Catalogue) (lines []string) {
	for _, r := range references(cfg) {
		switch strings.ToLower(r.name) {
		case "any", "none", "tcp", "udp":
			continue
		}
		if _, ok := c.Lookup(r.name); !ok && !c.IsGroup(r.name) {
			lines = append(lines, fmt.Sprintf("[edit %s %s]", r.path, r.name))
		}
	}
	return lines
}
