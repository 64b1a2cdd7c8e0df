package web

// What HTTP is used for, where the request or the type of a body says so: WebDAV (RFC 4918), CalDAV
// (RFC 4791), printing (RFC 8010), certificate status (RFC 6960), SOAP 1.1 and 1.2, DASH (ISO/IEC
// 23009-1), HLS (RFC 8216), trackers of BitTorrent (BEP 3), JSON-RPC, RTSP and RTMP tunnels.

import (
	"bytes"

	"sluice/classify/decode"
)

// purposes are the methods that one use of HTTP has for itself.
var purposes = map[string]string{
	"PROPFIND": "WEBDAV", "PROPPATCH": "WEBDAV", "MKCOL": "WEBDAV", "COPY": "WEBDAV", "MOVE": "WEBDAV",
	"LOCK": "WEBDAV", "UNLOCK": "WEBDAV", "ORDERPATCH": "WEBDAV", "ACL": "WEBDAV", "BPROPFIND": "WEBDAV",
	"BPROPPATCH": "WEBDAV", "BCOPY": "WEBDAV", "BMOVE": "WEBDAV", "BDELETE": "WEBDAV",
	"MKCALENDAR": "CALDAV",
}

// contents are the types of bodies, in upper case, that one use of HTTP has for itself.
var contents = []struct{ kind, name string }{
	{"APPLICATION/IPP", "IPP"},
	{"APPLICATION/OCSP-REQUEST", "OCSP"},
	{"APPLICATION/OCSP-RESPONSE", "OCSP"},
	{"APPLICATION/SOAP+XML", "SOAP"},
	{"APPLICATION/DASH+XML", "MPEG-DASH"},
	{"APPLICATION/VND.APPLE.MPEGURL", "HLS"},
	{"APPLICATION/X-MPEGURL", "HLS"},
	{"APPLICATION/JSON-RPC", "JSON-RPC"},
	{"APPLICATION/JSONREQUEST", "JSON-RPC"},
	{"APPLICATION/X-RTSP-TUNNELLED", "RTSP"},
	{"APPLICATION/X-FCS", "RTMPT"},
	{"TEXT/CALENDAR", "CALDAV"},
}

// tellPurpose tells what a request is for, from its method and target.
func tellPurpose(s *decode.Session, method, target []byte) {
	if name := purposes[string(method)]; name != "" {
		s.Application(name)
	}
	path, query, _ := bytes.Cut(target, []byte{'?'})
	switch {
	case bytes.HasSuffix(path, []byte(".mpd")), bytes.HasSuffix(path, []byte(".m4s")):
		s.Application("MPEG-DASH")
	case bytes.HasSuffix(path, []byte(".m3u8")):
		s.Application("HLS")
	case bytes.Contains(query, []byte("info_hash=")) && (bytes.Contains(path, []byte("/announce")) || bytes.Contains(path, []byte("/scrape"))):
		s.Application("BITTORRENT-TRACKER")
	case bytes.HasPrefix(path, []byte("/speedtest/latency.txt")), bytes.HasPrefix(path, []byte("/speedtest/upload.php")):
		s.Application("OOKLA")
	}
}

// tellContent tells what a body of a type is for.
func tellContent(s *decode.Session, value []byte) {
	kind, _, _ := bytes.Cut(value, []byte{';'})
	kind = bytes.TrimSpace(kind)
	for i := range contents {
		if c := &contents[i]; same(kind, c.kind) {
			s.Application(c.name)
			return
		}
	}
}
