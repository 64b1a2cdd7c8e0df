package classify

import (
	"bytes"
	"cmp"
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
	if !w.engine.sites || len(name) > maxSite || bytes.IndexByte(name, '/') >= 0 {
		return
	}
	switch c {
	case decode.HTTPHost, decode.SSLServerName, decode.QUICServerName:
		if host, target := splitSite(w.told.site); host == "" {
			w.told.site, w.told.dirty = string(name)+target, true
		}
	}
}

// noteTarget notes the target of a request.
func (w *inspection) noteTarget(c decode.Context, value []byte) {
	if !w.engine.sites || c != decode.HTTPURL {
		return
	}
	if host, target := splitSite(w.told.site); target == "" {
		path := urlcat.Target(value)
		w.told.site, w.told.dirty = host+string(path[:min(len(path), maxSite)]), true
	}
}

// takeSite adds what was told of the web address; what is known stays.
func (w *inspection) takeSite() {
	if w.told.site == "" {
		return
	}
	host, target := splitSite(w.site)
	if host != "" && target != "" {
		return
	}
	toldHost, toldTarget := splitSite(w.told.site)
	w.site = cmp.Or(host, toldHost) + cmp.Or(target, toldTarget)
}
