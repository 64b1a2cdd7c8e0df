package proxy

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"strings"

	"sluice/classify/appdb"
	"sluice/policy"
)

// The protocols whose requests can be answered with a page: HTTP in clear text, and HTTP/2 where the
// gateway has opened its TLS.
const (
	httpProtocol  = appdb.Prefix + "HTTP"
	http2Protocol = appdb.Prefix + "HTTP2"
)

// response is the answer to a request that was refused.
type response struct {
	status   int
	location string // "" for none
	body     []byte
}

// pageFor is the response that tells the client why its request was refused; nil where none is to be
// sent: no message is configured, the session carries no request, or its answer has begun.
func (s *Session) pageFor(v *policy.Verdict) *response {
	if v.Message == nil || s.has(stateAnswered) {
		return nil
	}
	found, _, _ := s.found()
	if found.Protocol != httpProtocol && (found.Protocol != http2Protocol || s.http2 == nil) {
		return nil
	}
	if v.Message.Redirect != "" {
		return &response{http.StatusFound, v.Message.Redirect, s.pageText("See " + v.Message.Redirect)}
	}
	text := v.Message.Text
	if text == "" {
		text = s.defaultText(strings.TrimPrefix(found.Name(), appdb.Prefix))
	}
	return &response{http.StatusForbidden, "", s.pageText(text)}
}

// defaultText is the text of the guide's default page.
func (s *Session) defaultText(application string) string {
	user := "Dear user"
	if u := s.user.Load(); u != nil && u.Name != "" {
		user = u.Name
	}
	return fmt.Sprintf("%s, Application Firewall has blocked your request to application %s at %s:%d accessed from %s:%d.",
		user, application, s.server().Addr(), s.server().Port(), s.client().Addr(), s.client().Port())
}

// pageText is the page around a text. The session's number lets who is asked about it find the
// session in the logs.
func (s *Session) pageText(text string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>Blocked</title></head>\n"+
		"<body><p>%s</p>\n<p>Session %d</p></body></html>\n", html.EscapeString(text), s.id)
	return b.Bytes()
}

// http1 is the response in HTTP/1.1, after which the connection ends.
func (r *response) http1() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nCache-Control: no-store\r\n",
		r.status, http.StatusText(r.status), len(r.body))
	if r.location != "" {
		fmt.Fprintf(&b, "Location: %s\r\n", r.location)
	}
	b.WriteString("Connection: close\r\n\r\n")
	b.Write(r.body)
	return b.Bytes()
}
