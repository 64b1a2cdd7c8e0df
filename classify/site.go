package classify

import (
	"strings"

	"sluice/classify/decode"
	"sluice/urlcat"
)

// maxSite bounds each part of what is remembered of a web address.
const maxSite = 256

// Site is the web address that the session asks for, as far as it is known: the host that it names
// in clear text, in a Host field or as server name, as it stands there; and of a request that can be
// read its target ("/path"). It is remembered where Options.Sites is set, as long as the Flow: its
// text, of at most 512 bytes, comes on top of the Flow's own size.
func (f *Flow) Site() (host, target string) { return splitSite(f.answer.site) }

func splitSite(site string) (host, target string) {
	if i := strings.IndexByte(site, '/'); i >= 0 {
		return site[:i], site[i:]
	}
	return site, ""
}

// noteHost notes a host name that the session names.
func (w *inspection) noteHost(c decode.Context, name []byte) {
	if !w.engine.sites || w.told.host != "" || len(name) > maxSite {
		return
	}
	switch c {
	case decode.HTTPHost, decode.SSLServerName, decode.QUICServerName:
		w.told.host, w.told.dirty = string(name), true
	}
}

// noteTarget notes the target of a request.
func (w *inspection) noteTarget(c decode.Context, value []byte) {
	if !w.engine.sites || c != decode.HTTPURL || w.told.target != "" {
		return
	}
	target := urlcat.Target(value)
	w.told.target, w.told.dirty = string(target[:min(len(target), maxSite)]), true
}

// takeSite adds what was told of the web address; what is known stays.
func (f *finding) takeSite(t *told) {
	if t.host == "" && t.target == "" {
		return
	}
	host, target := splitSite(f.site)
	if host != "" && target != "" {
		return
	}
	if host == "" && strings.IndexByte(t.host, '/') < 0 {
		host = t.host
	}
	if target == "" {
		target = t.target
	}
	f.site = host + target
}
