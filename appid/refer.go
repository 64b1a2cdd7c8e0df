package appid

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

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
	walk(reflect.ValueOf(cfg).Elem(), nil, func(path []string, name string) {
		if refers(path) {
			found = append(found, reference{strings.Join(path, " "), name})
		}
	})
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

// accepted are all names in the statements of application identification.
func accepted(cfg *schema.Config) map[string]bool {
	all := map[string]bool{}
	walk(reflect.ValueOf(&cfg.Services.ApplicationIdentification).Elem(), strings.Fields(root), func(path []string, name string) {
		all[strings.Join(path, " ")+" "+name] = true
	})
	return all
}

// walk shows every word that a configuration gives: the path of its statement, and the word. path
// may not be kept.
func walk(v reflect.Value, path []string, show func(path []string, word string)) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		tag, tagged := field.Tag.Lookup("cfg")
		keyword, options, _ := strings.Cut(tag, ",")
		switch {
		case field.Anonymous && !tagged && value.Kind() == reflect.Struct:
			walk(value, path, show)
		case !tagged || slices.Contains(strings.Split(options, ","), "key"):
		default:
			walkStatement(value, append(slices.Clip(path), keyword), show)
		}
	}
}

func walkStatement(v reflect.Value, path []string, show func([]string, string)) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" {
			show(path, v.String())
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().Kind() == reflect.Struct {
			walk(v.Elem(), path, show)
		}
	case reflect.Struct:
		walk(v, path, show)
	case reflect.Slice:
		for i := range v.Len() {
			entry := v.Index(i)
			if entry.Kind() != reflect.Struct {
				walkStatement(entry, path, show)
				continue
			}
			at := slices.Clip(path)
			for k, key := range keys(entry) {
				if k == 0 {
					show(path, key.value)
				} else {
					at = append(at, key.keyword)
				}
				at = append(at, key.value)
			}
			walk(entry, at, show)
		}
	}
}

type keyValue struct{ keyword, value string }

// keys are the key fields of a list entry.
func keys(entry reflect.Value) (all []keyValue) {
	for i := range entry.NumField() {
		keyword, options, _ := strings.Cut(entry.Type().Field(i).Tag.Get("cfg"), ",")
		if slices.Contains(strings.Split(options, ","), "key") {
			all = append(all, keyValue{keyword, fmt.Sprint(entry.Field(i).Interface())})
		}
	}
	return all
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
		switch r.name {
		case "any", "none", "TCP", "UDP":
			continue
		}
		if _, ok := c.Lookup(r.name); !ok && !c.IsGroup(r.name) {
			lines = append(lines, fmt.Sprintf("[edit %s %s]", r.path, r.name))
		}
	}
	return lines
}
