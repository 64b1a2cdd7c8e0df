// Package view is what operational commands answer: a type for each answer, with the JSON it
// travels as and the text it is shown as.
//
// The text of an answer is made from its JSON alone, by the client, so that whatever can be read
// can also be had as data. JSON names are part of the interface: they are added to, never changed.
package view

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// View is the answer of a command.
type View interface {
	Text(p *Page)
}

// views makes an empty answer of every kind, by the name it travels under.
var views = map[string]func() View{
	"message":                func() View { return new(Message) },
	"text":                   func() View { return new(Text) },
	"configuration":          func() View { return new(Configuration) },
	"flow-sessions":          func() View { return new(Sessions) },
	"flow-session-summary":   func() View { return new(SessionSummary) },
	"flow-sessions-cleared":  func() View { return new(Cleared) },
	"algs":                   func() View { return new(ALGs) },
	"flow-status":            func() View { return new(FlowStatus) },
	"flow-statistics":        func() View { return new(FlowStatistics) },
	"flow-session-explained": func() View { return new(Explanation) },
	"application-firewall":   func() View { return new(Firewalls) },
	"traffic-counters":       func() View { return new(TrafficCounters) },
	"traffic-rules":          func() View { return new(TrafficRules) },
	"rate-limiters":          func() View { return new(RateLimiters) },
	"policies":               func() View { return new(Policies) },
	"policy-hit-counts":      func() View { return new(HitCounts) },
	"matching-policies":      func() View { return new(Matches) },
	"zones":                  func() View { return new(Zones) },
	"source-nat-rules":       func() View { return new(NATRules) },
	"source-nat-summary":     func() View { return new(NATSummary) },
	"schedulers":             func() View { return new(Schedulers) },
	"interfaces":             func() View { return new(Interfaces) },
	"routes":                 func() View { return new(Routes) },
	"track-counters":         func() View { return new(TrackCounters) },
	"log-entries":            func() View { return new(LogEntries) },
	"log-streams":            func() View { return new(LogStreams) },
	"uptime":                 func() View { return new(Uptime) },
	"alarms":                 func() View { return new(Alarms) },
	"commits":                func() View { return new(Commits) },
	"version":                func() View { return new(Version) },
	"appid-status":           func() View { return new(AppIDStatus) },
	"appid-version":          func() View { return new(AppIDVersion) },
	"appid-recent-packages":  func() View { return new(RecentPackages) },
	"appid-operation":        func() View { return new(PackageOperation) },
	"appid-applications":     func() View { return new(Applications) },
	"appid-application":      func() View { return new(ApplicationDetail) },
	"appid-names":            func() View { return new(ApplicationNames) },
	"appid-groups":           func() View { return new(ApplicationGroups) },
	"appid-cache":            func() View { return new(ApplicationCache) },
	"appid-statistics":       func() View { return new(ApplicationStatistics) },
	"appid-counters":         func() View { return new(AppIDCounters) },
	"pki-certificates":       func() View { return new(Certificates) },
	"pki-crls":               func() View { return new(CRLs) },
	"pki-key-pairs":          func() View { return new(KeyPairs) },
	"pki-requests":           func() View { return new(CertificateRequests) },
	"pki-exported":           func() View { return new(Exported) },
	"pki-group-loaded":       func() View { return new(GroupLoaded) },
	"ssl-certificates":       func() View { return new(SSLCertificates) },
	"ssl-counters":           func() View { return new(SSLCounters) },
	"ssl-statistics":         func() View { return new(SSLStatistics) },
	"ssl-status":             func() View { return new(SSLStatus) },
	"ssl-session":            func() View { return new(SSLSession) },
	"ssl-cache-counters":     func() View { return new(SSLCacheCounters) },
	"ssl-session-cache":      func() View { return new(SSLSessionCache) },
	"ssl-certificate-cache":  func() View { return new(SSLCertificateCache) },
	"ssl-profiles":           func() View { return new(SSLProfiles) },
	"ssl-proxy-profile":      func() View { return new(SSLProxyProfile) },
	"ssl-leg-profile":        func() View { return new(SSLLegProfile) },
	"ssl-drops":              func() View { return new(SSLDrops) },
	"ssl-pass-through":       func() View { return new(SSLPassThrough) },
	"local-users":            func() View { return new(LocalUsers) },
	"idp-version":            func() View { return new(IDPVersion) },
}

// Name is the name v travels under, or "" for a type that is no answer.
func Name(v View) string {
	for name, empty := range views {
		if fmt.Sprintf("%T", empty()) == fmt.Sprintf("%T", v) {
			return name
		}
	}
	return ""
}

// Names lists the names of all answers, in no order.
func Names() []string {
	var names []string
	for name := range views {
		names = append(names, name)
	}
	return names
}

// Render writes the text of the answer that travelled as data under name.
func Render(w io.Writer, name string, data json.RawMessage) error {
	empty, ok := views[name]
	if !ok {
		return fmt.Errorf("the gateway answers with %q, which this client does not know: use | display json, or the client of the gateway's version", name)
	}
	v := empty()
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("answer %q: %w", name, err)
	}
	_, err := io.WriteString(w, String(v))
	return err
}

// String is the text of v.
func String(v View) string {
	var p Page
	v.Text(&p)
	return p.b.String()
}

// Page collects the lines of a text.
type Page struct{ b strings.Builder }

// Line adds one line.
func (p *Page) Line(format string, args ...any) {
	fmt.Fprintf(&p.b, format, args...)
	p.b.WriteByte('\n')
}

// Table adds a heading and rows in columns two blanks apart. Rows may be shorter than the heading.
func (p *Page) Table(heading []string, rows [][]string) {
	widths := make([]int, len(heading))
	all := append([][]string{heading}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		p.Line("%s", strings.TrimRight(line.String(), " "))
	}
}

// Message is an answer in a sentence: something was done.
type Message struct {
	Message string `json:"message"`
}

// Text shows the sentence.
func (m *Message) Text(p *Page) { p.Line("%s", m.Message) }

// Text is an answer that is a text already, such as a configuration.
type Text struct {
	Body string `json:"text"`
}

// Text shows it as it is.
func (t *Text) Text(p *Page) {
	if t.Body != "" {
		p.Line("%s", strings.TrimSuffix(t.Body, "\n"))
	}
}

// Configuration is a configuration in the form that was asked for: curly, set, json, xml, or the
// difference from another.
type Configuration struct {
	Body string `json:"text"`
}

// Text shows it as it is.
func (c *Configuration) Text(p *Page) { (*Text)(c).Text(p) }

// moment is a time as commands show it.
func moment(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04:05 MST")
}

// span is a length of time as commands show it: 3d 04:05:06, or 04:05:06.
func span(d time.Duration) string {
	s := int64(d / time.Second)
	clock := fmt.Sprintf("%02d:%02d:%02d", s/3600%24, s/60%60, s%60)
	if days := s / 86400; days > 0 {
		return fmt.Sprintf("%dd %s", days, clock)
	}
	return clock
}

func yesNo(b bool) string {
	if b {
		return "Yes"
	}
	return "No"
}

func onOff(b bool) string {
	if b {
		return "On"
	}
	return "Off"
}

// or is text, or instead when there is none.
func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}
