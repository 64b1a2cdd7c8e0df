package proxy

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"sluice/classify/appdb"
	"sluice/policy"
)

// httpProtocol is the name of clear-text HTTP: only its requests can be answered with a page.
const httpProtocol = appdb.Prefix + "HTTP"

// pageFor is the HTTP response that tells the client why its request was refused; nil where none is
// to be sent: no message is configured, the session is no clear-text HTTP, or its answer has begun.
func (s *Session) pageFor(v *policy.Verdict) []byte {
	if v.Message == nil || s.has(stateAnswered) {
		return nil
	}
	found, _, _ := s.found()
	if found.Protocol != httpProtocol {
		return nil
	}
	if v.Message.Redirect != "" {
		return response("302 Found", "Location: "+v.Message.Redirect+"\r\n", s.pageText("See "+v.Message.Redirect))
	}
	text := v.Message.Text
	if text == "" {
		text = s.defaultText(strings.TrimPrefix(found.Name(), appdb.Prefix))
	}
	return response("403 Forbidden", "", s.pageText(text))
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

// response is an HTTP/1.1 response after which the connection ends.
func response(status, headers string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nCache-Control: no-store\r\n%sConnection: close\r\n\r\n",
		status, len(body), headers)
	b.Write(body)
	return b.Bytes()
}
