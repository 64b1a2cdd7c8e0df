package view

import (
	"strconv"
	"time"
)

// TrackCounters is the answer of "show security application-tracking counters".
type TrackCounters struct {
	Create       uint64 `json:"session-create-messages"`
	Close        uint64 `json:"session-close-messages"`
	VolumeUpdate uint64 `json:"session-volume-updates"`
	RouteUpdate  uint64 `json:"session-route-updates"`
	Failed       uint64 `json:"failed-messages"`
}

// Text shows the counters in the layout of the guide, route updates after volume updates.
func (c *TrackCounters) Text(p *Page) {
	p.counters("", 32, "AVT counters:", []Counter{
		{"Session create messages", c.Create},
		{"Session close messages", c.Close},
		{"Session volume updates", c.VolumeUpdate},
		{"Session route updates", c.RouteUpdate},
		{"Failed messages", c.Failed},
	})
}

// LogEntries is the answer of "show security log".
type LogEntries struct {
	Entries []LogEntry `json:"entries"`
}

// LogEntry is one message of the security log.
type LogEntry struct {
	Time    time.Time         `json:"time"`
	Message string            `json:"message"` // RT_FLOW_SESSION_CLOSE and so on
	Fields  map[string]string `json:"fields"`  // by their names in structured syslog
	Text    string            `json:"text"`    // the message in words
}

// Text shows the oldest message first.
func (l *LogEntries) Text(p *Page) {
	for _, e := range l.Entries {
		p.Line("%s %s: %s", moment(e.Time), e.Message, e.Text)
	}
	if len(l.Entries) == 0 {
		p.Line("No message fits")
	}
}

// LogStreams is the answer of "show security log streams".
type LogStreams struct {
	Streams []LogStream `json:"streams"`
}

// LogStream is where security logs go, and how that fares.
type LogStream struct {
	Name    string    `json:"name"`
	Target  string    `json:"target"` // 192.0.2.9:514/udp, file security.log, journal, history
	State   string    `json:"state"`
	Sent    uint64    `json:"sent"`
	Dropped uint64    `json:"dropped"`
	Queued  int       `json:"queued"`
	Error   string    `json:"error,omitempty"` // the last failure
	Since   time.Time `json:"since,omitzero"`  // of State
}

// Text shows a line for each.
func (l *LogStreams) Text(p *Page) {
	rows := make([][]string, len(l.Streams))
	for i, s := range l.Streams {
		rows[i] = []string{s.Name, s.Target, s.State, strconv.FormatUint(s.Sent, 10), strconv.FormatUint(s.Dropped, 10), s.Error}
	}
	p.Table([]string{"Stream", "Target", "State", "Sent", "Dropped", "Last error"}, rows)
}
