package appdb

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"sluice/classify/decode"
)

// maxLine bounds a line of a package file, in bytes.
const maxLine = 64 << 10

// LoadFS loads every file of a file system whose name ends in .apps, in the order of their names,
// and checks the whole. All problems are returned together; the database holds what was good.
func LoadFS(files fs.FS) (*Database, []Problem) {
	d := New()
	names, err := fs.Glob(files, "*.apps")
	if err != nil {
		return d, []Problem{{"*.apps", err.Error()}}
	}
	slices.Sort(names)
	var problems []Problem
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			problems = append(problems, Problem{name, err.Error()})
			continue
		}
		problems = append(problems, d.Load(path.Base(name), f)...)
		f.Close()
	}
	return d, append(problems, d.Check()...)
}

// Load adds the stanzas of r to the database. name is what problems are reported under. A stanza
// with a problem is left out; the others are added.
func (d *Database) Load(name string, r io.Reader) []Problem {
	l := loader{database: d, file: name}
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		l.line++
		l.read(scanner.Text())
	}
	l.finish()
	if err := scanner.Err(); err != nil {
		l.report("%v", err)
	}
	return l.problems
}

// loader reads one file.
type loader struct {
	database *Database
	file     string
	line     int
	problems []Problem

	application *Application // the stanza being read, or nil
	group       *Group
	grouped     bool // the stanza has a group attribute
	bad         bool // the stanza has a problem
}

func (l *loader) report(format string, args ...any) {
	l.problems = append(l.problems, Problem{fmt.Sprintf("%s:%d", l.file, l.line), fmt.Sprintf(format, args...)})
	l.bad = true
}

func (l *loader) read(text string) {
	indented := strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t")
	if keyword, rest, _ := strings.Cut(strings.TrimSpace(text), " "); indented && (keyword == "title" || keyword == "description") {
		l.sentence(keyword, strings.TrimSpace(rest))
		return
	}
	words, err := split(text)
	switch {
	case err != nil:
		l.report("%v", err)
	case len(words) == 0:
	case indented:
		l.attribute(words[0], words[1:])
	default:
		l.finish()
		l.begin(words)
	}
}

// begin starts a stanza.
func (l *loader) begin(words []string) {
	l.bad, l.grouped = false, false
	if len(words) != 2 {
		l.report("a stanza begins with its kind and one name")
		return
	}
	kind := slices.Index(kindNames[:], words[0])
	switch {
	case kind >= 0 && !goodName(words[1]):
		l.report("name %q: letters, digits and . + _ - only, in upper case", words[1])
	case kind >= 0:
		l.application = &Application{Kind: Kind(kind), Name: Prefix + words[1], Source: fmt.Sprintf("%s:%d", l.file, l.line)}
	case words[0] == "group":
		l.group = &Group{Name: Prefix + words[1]}
	default:
		l.report("unknown kind of stanza %q: application, protocol, micro or group", words[0])
	}
}

// finish ends a stanza and adds it to the database.
func (l *loader) finish() {
	a, g := l.application, l.group
	l.application, l.group = nil, nil
	if l.bad {
		return
	}
	if g != nil {
		l.database.Groups = append(l.database.Groups, *g)
	}
	if a == nil {
		return
	}
	if !l.grouped && a.Category != "" {
		group := Prefix + strings.ToLower(a.Category)
		if a.SubCategory != "" {
			group += ":" + strings.ToLower(a.SubCategory)
		}
		a.Groups = []string{group}
	}
	var problem Problem
	if errors.As(l.database.Add(a), &problem) {
		l.problems = append(l.problems, problem)
	}
}

// sentence reads an attribute that takes the rest of its line.
func (l *loader) sentence(keyword, text string) {
	switch {
	case text == "":
		l.report("%s has no value", keyword)
	case l.group != nil && keyword == "description":
		l.group.Description = text
	case l.application != nil && keyword == "description":
		l.application.Description = text
	case l.application != nil:
		l.application.Title = text
	case !l.bad:
		l.report("%s belongs to no stanza", keyword)
	}
}

// attribute reads one attribute of the current stanza.
func (l *loader) attribute(keyword string, values []string) {
	a := l.application
	if len(values) == 0 {
		l.report("%s has no value", keyword)
		return
	}
	if l.group != nil && keyword == "flags" {
		l.group.Obsolete = Flags(l.set(keyword, values, flagNames))&FlagObsolete != 0
		return
	}
	if a == nil {
		if !l.bad {
			l.report("%s belongs to no stanza", keyword)
		}
		return
	}
	switch keyword {
	case "category":
		a.Category = l.one(keyword, values)
	case "sub-category":
		a.SubCategory = l.one(keyword, values)
	case "group":
		l.grouped = true
		a.Groups = append(a.Groups, prefixed(values)...)
	case "risk":
		a.Risk = int(l.number(keyword, values, 1, 5))
	case "characteristics":
		a.Characteristics |= Characteristics(l.set(keyword, values, characteristicNames))
	case "ports":
		for _, v := range values {
			a.Ports = append(a.Ports, l.ports(v))
		}
	case "hosts":
		for _, v := range values {
			a.Hosts = append(a.Hosts, l.host(v))
		}
	case "addresses":
		for _, v := range values {
			prefix, err := netip.ParsePrefix(v)
			if err != nil {
				l.report("addresses: %q is no prefix", v)
			}
			a.Addresses = append(a.Addresses, prefix.Masked())
		}
	case "over":
		a.Over = append(a.Over, prefixed(values)...)
	case "of":
		a.Of = Prefix + l.one(keyword, values)
	case "signature":
		a.Signatures = append(a.Signatures, l.signature(values))
	case "alias":
		a.Aliases = append(a.Aliases, prefixed(values)...)
	case "references":
		a.References = append(a.References, values...)
	case "order":
		a.Order = int(l.number(keyword, values, 1, 65535))
	case "number":
		a.Number = uint32(l.number(keyword, values, 1, 1<<32-1))
	case "tags":
		a.Tags = append(a.Tags, values...)
	case "flags":
		a.Flags |= Flags(l.set(keyword, values, flagNames))
	default:
		l.report("unknown attribute %q", keyword)
	}
}

func (l *loader) one(keyword string, values []string) string {
	if len(values) != 1 {
		l.report("%s takes one word", keyword)
	}
	return values[0]
}

func (l *loader) number(keyword string, values []string, low, high uint64) uint64 {
	n, err := strconv.ParseUint(l.one(keyword, values), 10, 64)
	if err != nil || n < low || n > high {
		l.report("%s %q: a number from %d to %d", keyword, values[0], low, high)
	}
	return n
}

// set turns words into the bits of their places in names.
func (l *loader) set(keyword string, values, names []string) (bits uint8) {
	for _, v := range values {
		i := slices.Index(names, v)
		if i < 0 {
			l.report("%s: unknown word %q, known are %s", keyword, v, strings.Join(names, ", "))
			continue
		}
		bits |= 1 << i
	}
	return bits
}

var transports = []struct {
	name   string
	number uint8
}{{"tcp", decode.TCP}, {"udp", decode.UDP}, {"sctp", decode.SCTP}}

func transportName(number uint8) string {
	for _, t := range transports {
		if t.number == number {
			return t.name
		}
	}
	return strconv.Itoa(int(number))
}

func (l *loader) ports(text string) (r PortRange) {
	transport, ports, _ := strings.Cut(text, "/")
	for _, t := range transports {
		if t.name == transport {
			r.Protocol = t.number
		}
	}
	low, high, isRange := strings.Cut(ports, "-")
	if !isRange {
		high = low
	}
	from, err1 := strconv.ParseUint(low, 10, 16)
	to, err2 := strconv.ParseUint(high, 10, 16)
	if r.Protocol == 0 || err1 != nil || err2 != nil || from > to {
		l.report("ports: %q is not of the form tcp/80 or udp/5000-5010", text)
	}
	r.Low, r.High = uint16(from), uint16(to)
	return r
}

// host checks a host pattern and puts it in lower case.
func (l *loader) host(text string) string {
	h := strings.ToLower(text)
	name := strings.TrimPrefix(h, "=")
	labels := strings.Split(name, ".")
	for i, label := range labels {
		last := i == len(labels)-1
		if label == "" || len(name) > 253 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789_-*") != "" ||
			last && label != "*" && strings.Contains(label, "*") {
			l.report("hosts: %q is no host name or pattern", text)
			break
		}
	}
	if len(labels) == 1 {
		l.report("hosts: %q is a single label", text)
	}
	return h
}

func (l *loader) signature(values []string) (s Signature) {
	if len(values) != 3 && (len(values) != 5 || values[3] != "depth") {
		l.report("signature: a context, a direction, a pattern, and perhaps depth N")
		return s
	}
	if s.Context = decode.ContextNamed(values[0]); s.Context == decode.NoContext {
		l.report("signature: unknown context %q", values[0])
	}
	switch values[1] {
	case "any":
		s.Directions = [2]bool{true, true}
	case decode.ToServer.String():
		s.Directions[decode.ToServer] = true
	case decode.ToClient.String():
		s.Directions[decode.ToClient] = true
	default:
		l.report("signature: direction %q: any, client-to-server or server-to-client", values[1])
	}
	s.Pattern = values[2]
	if len(values) == 5 {
		s.Depth = int(l.number("depth", values[4:], 1, 1<<20))
	}
	return s
}

func prefixed(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = Prefix + n
	}
	return out
}

func goodName(name string) bool {
	return name != "" && len(name) <= 63 && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-") == ""
}

// split cuts a line into words.
func split(text string) (words []string, err error) {
	for s := strings.TrimSpace(text); s != "" && s[0] != '#'; s = strings.TrimLeft(s, " \t") {
		if s[0] == '"' {
			end := strings.IndexByte(s[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("quotation without an end")
			}
			words, s = append(words, s[1:end+1]), s[end+2:]
			continue
		}
		end := strings.IndexAny(s, " \t")
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
	return words, nil
}
