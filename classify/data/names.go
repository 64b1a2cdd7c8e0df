package data

import (
	"fmt"
	"strings"

	"sluice/classify/appdb"
)

// Names maps names of this program, without "junos:", to those of another engine. The key is a
// name, or a protocol and an application joined by "/" where the other engine has one name for
// the two, or a protocol and "*" where it never looks for an application over the protocol.
type Names map[string]string

// NamesOf reads the names of another engine from the file ENGINE.names: a line for each, ours and
// theirs, parted by spaces. # begins a comment.
func NamesOf(engine string) (Names, error) {
	text, err := files.ReadFile(engine + ".names")
	if err != nil {
		return nil, fmt.Errorf("no names are known of engine %q", engine)
	}
	names := Names{}
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case len(words) != 2:
			return nil, fmt.Errorf("%s.names:%d: not two names", engine, i+1)
		case names[words[0]] != "":
			return nil, fmt.Errorf("%s.names:%d: %s is there twice", engine, i+1, words[0])
		default:
			names[words[0]] = words[1]
		}
	}
	return names, nil
}

// Of translates a protocol and an application, with or without "junos:", the latter perhaps "". An
// application that is not in the map is one that the other engine does not know: it would name
// the protocol alone. A protocol that is not in the map stays as it is, without "junos:".
func (n Names) Of(protocol, application string) (string, string) {
	protocol, application = strings.TrimPrefix(protocol, appdb.Prefix), strings.TrimPrefix(application, appdb.Prefix)
	if application != "" {
		for _, over := range [...]string{application, "*"} {
			if both, ok := n[protocol+"/"+over]; ok {
				return both, ""
			}
		}
		application = n[application]
	}
	if other, ok := n[protocol]; ok {
		protocol = other
	}
	if application == protocol {
		application = ""
	}
	return protocol, application
}
