package proxy

import (
	"fmt"
	"strings"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/policy"
	"sluice/web"
)

// maxRefused bounds the refused requests that a session remembers, which are the last; longestMethod and
// longestTarget how many bytes of what they asked for.
const (
	maxRefused    = 8
	longestMethod = 24
	longestTarget = 256
)

// refusals are the requests of a session that were refused, each by itself.
type refusals struct {
	count uint64
	last  []refusedRequest // a ring of maxRefused
}

// refusedRequest is a request that was refused.
type refusedRequest struct {
	method, asked                string
	protocol, application, micro *appdb.Application
	policy                       *policy.Policy
	rule                         *policy.FirewallRule
	message                      *policy.Message // nil where there was no answer
	action                       policy.Action
	after                        int64 // ticks since the session began
}

// add notes that v refused x, of which f tells what it carries, with an answer or without one.
func (r *refusals) add(x *web.Exchange, f *classify.Flow, after int64, v *policy.Verdict, answered bool) {
	one := refusedRequest{
		method: strings.Clone(x.Method[:min(len(x.Method), longestMethod)]), asked: asked(x), micro: f.Micro(),
		policy: v.Policy, rule: v.Rule, action: v.Action, after: after,
	}
	one.protocol, one.application = f.Applications()
	if answered {
		one.message = v.Message
	}
	if len(r.last) < maxRefused {
		r.last = append(r.last, one)
	} else {
		r.last[r.count%maxRefused] = one
	}
	r.count++
}

// asked is the beginning of the address that x asks for, or of what stands in its place, in characters that a
// terminal can show.
func asked(x *web.Exchange) string {
	text := x.Target
	if strings.HasPrefix(text, "/") {
		text = x.Authority + text
	}
	var b strings.Builder
	for _, c := range []byte(text[:min(len(text), longestTarget)]) {
		if c > ' ' && c <= '~' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// noteRefused notes that v, the answer of judge, refused the request x of the session, with an answer or
// without one.
func (e *Engine) noteRefused(s *Session, x *web.Exchange, v *policy.Verdict, answered bool) {
	i := s.identity
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refused == nil {
		i.refused = new(refusals)
	}
	i.refused.add(x, &i.flow, e.now()-s.born, v, answered)
	i.trail.steps[len(i.trail.steps)-1].alone = !s.has(stateBlocked)
}

// Refusal is a request of a session that was refused, while others may have passed.
type Refusal struct {
	After       time.Duration `json:"after"` // the session began
	Method      string        `json:"method"`
	Asked       string        `json:"asked"` // host and path
	Protocol    string        `json:"protocol,omitempty"`
	Application string        `json:"application,omitempty"`
	Micro       string        `json:"micro-application,omitempty"`
	Action      string        `json:"action"`
	Statement   string        `json:"statement"`
	Answer      string        `json:"answer,omitempty"` // what the client was told; "" for nothing
}

// list is the refused requests as commands show them, the earliest first.
func (r *refusals) list() (list []Refusal) {
	for i := range r.last {
		one := &r.last[(r.count+uint64(i))%uint64(len(r.last))]
		x := Refusal{After: time.Duration(one.after), Method: one.method, Asked: one.asked, Action: one.action.String(), Statement: one.policy.Statement()}
		x.Protocol, x.Application, x.Micro = nameOf(one.protocol), nameOf(one.application), nameOf(one.micro)
		if one.rule != nil {
			x.Statement = one.rule.Statement()
		}
		if one.message != nil {
			x.Answer = answerOf(one.message)
		}
		list = append(list, x)
	}
	return list
}

// answerOf is what a message tells a client, in words.
func answerOf(m *policy.Message) string {
	if m != nil && m.Redirect != "" {
		return "go to " + m.Redirect
	}
	return "a page"
}

// nameOf is the full name of an application; "" for none.
func nameOf(a *appdb.Application) string {
	if a == nil {
		return ""
	}
	return a.Name
}
