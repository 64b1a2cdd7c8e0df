package urlcat

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// pattern is a pattern in parts.
type pattern struct {
	host  string // lower case, or an address in its usual form; may end in question marks
	below bool   // the names below host, and not itself
	marks int    // question marks at the end of host
	path  string // "" for all
}

// parsePattern reads a pattern:
//
//	www.example.com             this host, by HTTP and HTTPS
//	http://www.example.com      the same: the scheme does not matter
//	*.example.com               every name below example.com
//	www.example.co?             a question mark at the end of the host stands for one character
//	www.example.com/news        this path, and what lies below it; where the path can be seen
//	203.0.113.10, [2001:db8::1] requests that name the address, or name no host and go there
func parsePattern(text string) (pattern, error) {
	var p pattern
	rest := strings.TrimSpace(text)
	if i := strings.Index(rest, "://"); i >= 0 {
		if scheme := strings.ToLower(rest[:i]); scheme != "http" && scheme != "https" {
			return p, errors.New("the scheme may be http:// or https://")
		}
		rest = rest[i+len("://"):]
	}
	if strings.ContainsAny(rest, " \t\"#") {
		return p, errors.New("blanks, quotes and # are not accepted")
	}
	host := rest
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		host, p.path = rest[:i], cleanPath(rest[i:])
	}
	if p.path == "/" {
		p.path = ""
	}
	if strings.ContainsAny(p.path, "*") {
		return p, errors.New("* may stand at the beginning of the host only; a path holds for all below it anyway")
	}
	if addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")); err == nil {
		p.host = addr.Unmap().WithZone("").String()
		return p, nil
	}
	if strings.ContainsAny(host, ":[]@") {
		return p, errors.New("a host name or an address without port is expected")
	}
	host, p.below = strings.CutPrefix(host, "*.")
	bare := strings.TrimRight(host, "?")
	p.marks = len(host) - len(bare)
	switch {
	case p.marks > maxMarks:
		return p, fmt.Errorf("at most %d question marks may stand at the end of the host", maxMarks)
	case strings.ContainsAny(bare, "*?"):
		return p, errors.New("* may stand at the beginning of the host only, followed by a dot, and ? at its end")
	case p.marks > 0 && (bare == "" || bare[len(bare)-1] == '.' && strings.Count(bare, ".") < 2):
		return p, errors.New("the question marks leave nothing of the name")
	}
	name, err := hostName(bare, p.marks > 0)
	if err != nil {
		return p, err
	}
	p.host = name + host[len(bare):]
	return p, nil
}

// hostName is a host name in lower case and ASCII. cut says that characters follow it.
func hostName(name string, cut bool) (string, error) {
	name = strings.ToLower(name)
	if !cut {
		name = strings.TrimSuffix(name, ".")
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r >= 0x80 }) {
		return "", errors.New("write the host name as it travels, in ASCII (xn--…)")
	}
	if name == "" || len(name) > maxHost-maxMarks {
		return "", errors.New("the host name is missing or too long")
	}
	whole := name
	if cut {
		whole += "x"
	}
	for label := range strings.SplitSeq(whole, ".") {
		if label == "" || len(label) > 63 {
			return "", errors.New("not a host name: an empty or too long part between dots")
		}
		for _, c := range []byte(label) {
			if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
				return "", fmt.Errorf("not a host name: the character %q", c)
			}
		}
	}
	return name, nil
}
