package web

import (
	"bytes"
	"strings"

	"sluice/classify/decode"
)

// methods of HTTP and of what is spoken over it: WebDAV and its kin, UPnP, RPC over HTTP.
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true, "CONNECT": true, "OPTIONS": true,
	"TRACE": true, "PATCH": true, "QUERY": true,
	"PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true, "LOCK": true, "UNLOCK": true,
	"SEARCH": true, "REPORT": true, "MKCALENDAR": true, "MKACTIVITY": true, "CHECKOUT": true, "CHECKIN": true,
	"MERGE": true, "ACL": true, "BIND": true, "REBIND": true, "UNBIND": true, "LINK": true, "UNLINK": true,
	"VERSION-CONTROL": true, "BASELINE-CONTROL": true, "UNCHECKOUT": true, "UPDATE": true, "LABEL": true,
	"ORDERPATCH": true, "MKWORKSPACE": true, "MKREDIRECTREF": true, "UPDATEREDIRECTREF": true,
	"BPROPFIND": true, "BPROPPATCH": true, "BCOPY": true, "BMOVE": true, "BDELETE": true, "POLL": true,
	"NOTIFY": true, "SUBSCRIBE": true, "UNSUBSCRIBE": true, "PURGE": true,
	"RPC_IN_DATA": true, "RPC_OUT_DATA": true, "RDG_IN_DATA": true, "RDG_OUT_DATA": true,
	"RPC_CONNECT": true, "SOURCE": true, "MS-SEARCH": true,
}

const (
	// longestMethod is how long a method may get that nobody has registered.
	longestMethod = 64
	// longestLine is how long a request line may get before it is no longer waited for.
	longestLine = 16 << 10
	// surePart is how much of a target says that a request line goes on, with a method that is known.
	surePart = 256
	// space is what may stand between the words of a request line (RFC 9112 section 3).
	space = " \t\v\f\r"
)

// emptyLines is the number of bytes of the empty lines that come before a request, which servers
// ignore (RFC 9112 section 2.2).
func emptyLines(data []byte) int { return len(data) - len(bytes.TrimLeft(data, "\r\n")) }

// requestLine takes a request line, or the beginning of one, apart. What a server takes for a request
// is one: any white space between its words, and any method in upper case. Where certain says that it
// is one, whatever stands there is the method.
func requestLine(line []byte, whole, certain bool) (method, target, version []byte, verdict decode.Verdict) {
	end := bytes.IndexAny(line, space)
	if end < 0 {
		end = len(line)
	}
	method = line[:end]
	rest := bytes.TrimLeft(line[end:], space)
	switch {
	case end == 0 && len(line) > 0,
		!certain && (len(method) > longestMethod || !isMethod(method)),
		!certain && !methods[string(method)] && bytes.ContainsFunc(rest, isControl):
		return nil, nil, nil, decode.No
	}
	if !whole {
		return nil, nil, nil, begun(method, rest, len(line))
	}
	rest = bytes.TrimRight(rest, space)
	last := bytes.LastIndexAny(rest, space)
	if last < 0 { // HTTP/0.9 has no version; too little to be sure of anything
		return nil, nil, nil, decode.No
	}
	return method, bytes.TrimRight(rest[:last], space), rest[last+1:], decode.Match
}

// begun is the verdict on a request line that has no end yet, of which length bytes are there.
func begun(method, rest []byte, length int) decode.Verdict {
	switch {
	case methods[string(method)] && len(rest) >= surePart && (rest[0] == '/' || decode.PrefixFold(rest, "HTTP://") == decode.Whole):
		return decode.MatchMore
	case length > longestLine:
		return decode.No
	}
	return decode.More
}

// isMethod says whether a word, or the beginning of one, may be a method: those that are not registered
// are written in upper case, too.
func isMethod(word []byte) bool {
	if string(word) == "PRI" { // HTTP/2
		return false
	}
	for i, c := range word {
		if (c < 'A' || c > 'Z') && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return true
}

// isControl says whether a character is one that stands in no request line but by a method that is known.
func isControl(r rune) bool { return r < ' ' && !strings.ContainsRune(space, r) }

// isVersion1 says whether a request is one of HTTP/1, whatever the minor version.
func isVersion1(version []byte) bool {
	minor, ok := bytes.CutPrefix(version, []byte("HTTP/1."))
	_, digits := decimal(minor)
	return ok && digits && len(minor) <= 3
}

// authority is the host and port at the start of an address without its scheme.
func authority(address []byte) []byte {
	if i := bytes.IndexAny(address, "/?#"); i >= 0 {
		address = address[:i]
	}
	return address[bytes.LastIndexByte(address, '@')+1:]
}
