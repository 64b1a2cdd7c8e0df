package proxy

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"strings"

	"sluice/classify/appdb"
	"sluice/policy"
	"sluice/web"
)

// httpProtocol is the protocol whose requests can be answered with a page in clear text. Where messages
// are told apart, those of any version can.
const httpProtocol = appdb.Prefix + "HTTP"

// pageFor is the response that tells the client why its request was refused; nil where none is to be
// sent: no message is configured, the session carries no request, or its answer has begun.
func (s *Session) pageFor(v *policy.Verdict) *web.Answer {
	if v.Message == nil || s.has(stateAnswered) {
		return nil
	}
	found, _, _ := s.found()
	if !s.has(stateAsked) && (found.Protocol != httpProtocol || s.asked() > 1) { // the first request waits for its answer
		return nil
	}
	if v.Message.Redirect != "" {
		return &web.Answer{Status: http.StatusFound, Location: v.Message.Redirect, Body: s.pageText("See " + v.Message.Redirect)}
	}
	text := v.Message.Text
	if text == "" {
		text = s.defaultText(strings.TrimPrefix(found.Name(), appdb.Prefix))
	}
	return &web.Answer{Status: http.StatusForbidden, Body: s.pageText(text)}
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
