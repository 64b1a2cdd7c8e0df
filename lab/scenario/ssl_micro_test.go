package scenario

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sluice/lab"
	"sluice/manage/view"
)

// social permits reading and logging on to a social network, and nothing else of the web; its sessions
// are decrypted.
const social = `
set services ssl proxy profile inspect root-ca branch-ca
set services ssl proxy profile inspect actions ignore-server-auth-failure
set services application-identification micro-apps
set services application-identification micro-app-max-transactions 25
set security policies unified-policy max-lookups 50
set security dynamic-application profile no redirect-message type custom-text content "READ ONLY"
`

// What people do at a social network is seen in its decrypted requests, and permitted or refused each by
// itself; how that was found is told step by step, from the handshake on.
// Rows: MA-22, UP-22.
func TestSocialNetworkOverTLS(t *testing.T) {
	config := social
	for _, p := range []struct {
		name, application string
		then              []string
	}{
		{"no-posts", "junos:LINKEDIN-POST", []string{"reject profile no", "log session-init"}},
		{"no-likes", "junos:LINKEDIN-LIKE", []string{"deny", "log session-init"}},
		{"logon", "junos:LINKEDIN-LOGIN", []string{"permit application-services ssl-proxy profile-name inspect", "log session-close"}},
		{"read", "junos:LINKEDIN", []string{"permit application-services ssl-proxy profile-name inspect", "log session-close"}},
		{"search", "junos:GOOGLE", []string{"permit application-services ssl-proxy profile-name inspect", "log session-close"}},
	} {
		config += unified(p.name, p.application, p.then...)
	}
	w := startSSL(t, config)
	pair, err := tls.LoadX509KeyPair(filepath.Join(filepath.Dir(w.CA), "server.pem"), filepath.Join(filepath.Dir(w.CA), "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })}
	l := w.listener(w.Web, net.JoinHostPort(lab.WebAddr4, "8443"))
	go func() { _ = server.ServeTLS(l, "", "") }()
	t.Cleanup(func() { server.Close() })

	const (
		logon = "/checkpoint/lg/login-submit"
		feed  = "/feed/"
		post  = "/voyager/api/contentcreation/normShares"
		like  = "/voyager/api/voyagerSocialDashReactions?threadUrn=1"
	)
	// ask sends requests over one connection, in the name of a site, and returns what came last.
	ask := func(answered bool, version, host string, paths ...string) string {
		args := []string{"-sSk", within(answered), version, "--resolve", host + ":8443:" + lab.WebAddr4}
		for _, path := range paths {
			args = append(args, "https://"+host+":8443"+path)
		}
		out, err := w.try(w.Client, "curl", args...)
		if err != nil {
			return out + " (" + err.Error() + ")"
		}
		return out
	}
	const site = "www.linkedin.com"
	for _, version := range []string{"--http1.1", "--http2"} {
		for _, path := range []string{logon, feed} {
			if out := ask(true, version, site, path); out != path {
				t.Errorf("%s: %s: %q", version, path, out)
			}
		}
		if out := ask(true, version, site, post); !strings.Contains(out, "READ ONLY") {
			t.Errorf("%s: posting: %q, want the page", version, out)
		}
		if out := ask(true, version, site, feed, post); !strings.HasPrefix(out, feed) || !strings.Contains(out, "READ ONLY") {
			t.Errorf("%s: posting after reading: %q, want the page", version, out)
		}
		if out := ask(false, version, site, like); !strings.Contains(out, "curl: (") {
			t.Errorf("%s: liking: %q, want nothing", version, out)
		}
		// The same address elsewhere is nothing of the kind: another application, which is permitted.
		if out := ask(true, version, "www.google.com", feed, post); out != feed+post {
			t.Errorf("%s: the path of a post elsewhere: %q", version, out)
		}
	}
	steps := map[string]bool{}
	for id := 1; id < 30; id++ {
		var x view.Explanation
		text, err := w.gw.Show(t.Context(), fmt.Sprintf("show security flow session session-identifier %d explain", id))
		if err != nil || !strings.Contains(text, "policy no-posts: reject") {
			continue
		}
		w.answer(fmt.Sprintf("show security flow session session-identifier %d explain", id), &x)
		// Of a session of HTTP/2 one request is refused, and it may end as it is permitted.
		if x.Ended != nil && x.Ended.Answer == "" && x.Decision.Action == "reject" || !x.Identification.Decrypted {
			t.Errorf("the session of a post:\n%s", text)
		}
		for _, l := range x.Lookups {
			steps[strings.Join([]string{l.Protocol, l.Application, l.Micro, l.State}, " ")] = true
		}
	}
	for _, step := range []string{
		"   Pre-match", "junos:SSL junos:LINKEDIN  Pre-match", "junos:HTTP junos:LINKEDIN  Transaction final", "junos:HTTP junos:LINKEDIN junos:LINKEDIN-POST Transaction final",
	} {
		if !steps[step] {
			t.Errorf("no step %q in %v", step, steps)
		}
	}
}
