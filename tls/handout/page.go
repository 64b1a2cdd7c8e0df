package handout

import (
	"crypto/x509"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"sluice/tls/dn"
	"sluice/tls/pki"
)

// folder is where the files of the page are.
const folder = "/root-ca/"

// forms are the files of each certificate, by the end of their names.
var forms = []struct {
	end, media, help string
	format           pki.Format
}{
	{".pem", "application/x-pem-file", "PEM: Linux, Firefox", pki.PEM},
	{".cer", "application/x-x509-ca-cert", "DER: Windows, Android, Java", pki.DER},
	{".mobileconfig", "application/x-apple-aspen-config", "Configuration profile: iOS, iPadOS, macOS", pki.MobileConfig},
}

// page lists the certificates with their files and fingerprints.
var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Root certificates of this network</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
code { overflow-wrap: anywhere }
dt { font-weight: 600 } dd { margin: 0 0 .5em 0 }
</style>
</head>
<body>
<h1>Root certificates of this network</h1>
<p>The gateway of this network inspects encrypted connections. Programs accept the certificates that it shows once
they trust its root certificate. Install it only if the administrator of the network asks you to, and only if
its fingerprint is the one that the administrator tells you.</p>
{{range .}}<h2>{{.Name}}</h2>
<dl>
<dt>Fingerprint (SHA-256)</dt><dd><code>{{.Fingerprint}}</code></dd>
<dt>Valid</dt><dd>from {{.From}} to {{.To}}</dd>
<dt>Files</dt>{{range .Files}}<dd><a href="{{.Path}}">{{.Name}}</a> ({{.Help}})</dd>{{end}}
</dl>
{{else}}<p>No root certificate is in use.</p>
{{end}}</body>
</html>
`))

// entry is one certificate of the page.
type entry struct {
	Name, Fingerprint, From, To string
	Files                       []file
}

type file struct{ Path, Name, Help string }

// Handler serves the page and its files. certificates is asked at each request.
func Handler(certificates func() []*pki.Local) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		var entries []entry
		for _, l := range certificates() {
			if root := l.Anchor(); root != nil {
				entries = append(entries, newEntry(l.ID, root))
			}
		}
		header(w, "text/html; charset=utf-8")
		_ = page.Execute(w, entries) // fails only when the client is gone
	})
	mux.HandleFunc("GET "+folder+"{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		for _, l := range certificates() {
			end, ours := strings.CutPrefix(name, l.ID)
			root := l.Anchor()
			if !ours || root == nil {
				continue
			}
			for _, f := range forms {
				if f.end != end {
					continue
				}
				content, err := pki.Encode(root, f.format)
				if err != nil {
					http.Error(w, err.Error(), http.StatusNotFound)
					return
				}
				header(w, f.media)
				w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
				_, _ = w.Write(content) // fails only when the client is gone
				return
			}
		}
		http.NotFound(w, r)
	})
	return mux
}

// header says what is sent, that it is always asked for anew, and that the page loads nothing.
func header(w http.ResponseWriter, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
}

func newEntry(id string, c *x509.Certificate) entry {
	e := entry{Name: dn.Comma(c.RawSubject), From: c.NotBefore.UTC().Format("2006-01-02"), To: c.NotAfter.UTC().Format("2006-01-02")}
	e.Fingerprint = fingerprint(pki.Fingerprint(c))
	for _, f := range forms {
		if f.format != pki.MobileConfig || c.IsCA {
			e.Files = append(e.Files, file{folder + id + f.end, id + f.end, f.help})
		}
	}
	return e
}

// fingerprint writes a digest as bytes with colons.
func fingerprint(sum [32]byte) string {
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}
