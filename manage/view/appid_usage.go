package view

import (
	"net/netip"
	"strconv"
	"time"
)

// ApplicationCache is the answer of "show services application-identification
// application-system-cache".
type ApplicationCache struct {
	Status  CacheStatus  `json:"configuration"`
	Entries []CacheEntry `json:"entries"`
}

// CacheEntry is the application that was found on a server's port.
type CacheEntry struct {
	Address     netip.Addr `json:"address"`
	Port        uint16     `json:"port"`
	Protocol    string     `json:"protocol"`    // tcp, udp, or a number
	Application string     `json:"application"` // as policies name it
	Base        string     `json:"base"`        // the protocol that carries it
	Left        int64      `json:"expires-in"`  // seconds
}

// Text shows the configuration in the layout of the guide, and a line for each entry.
func (c *ApplicationCache) Text(p *Page) {
	p.Line("Application System Cache Configurations:")
	p.Line("  application-cache: %s", onOffWord(c.Status.Enabled))
	p.Line("    Cache lookup for security-services: %s", onOffWord(c.Status.Security))
	p.Line("    Cache lookup for miscellaneous-services: %s", onOffWord(c.Status.Miscellaneous))
	p.Line("  cache-entry-timeout: %d seconds", c.Status.Timeout)
	if len(c.Entries) == 0 {
		return
	}
	rows := make([][]string, len(c.Entries))
	for i, e := range c.Entries {
		rows[i] = []string{e.Address.String(), strconv.Itoa(int(e.Port)), e.Protocol, e.Application}
	}
	p.Line("")
	p.Table([]string{"IP address", "Port", "Protocol", "Application"}, rows)
}

func onOffWord(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// ApplicationStatistics is the answer of "show services application-identification statistics".
type ApplicationStatistics struct {
	Reset    time.Time          `json:"last-reset"`
	Interval *int               `json:"interval"` // the interval asked for, nil for all since Reset
	From     time.Time          `json:"from,omitzero"`
	Until    time.Time          `json:"until,omitzero"` // zero while the interval goes on
	Groups   bool               `json:"groups"`         // the rows are groups
	Details  bool               `json:"details"`
	Rows     []StatisticsOfName `json:"rows"`
}

// StatisticsOfName counts the closed sessions of an application or group.
type StatisticsOfName struct {
	Name      string `json:"name"` // unknown for what nothing identified
	Sessions  uint64 `json:"sessions"`
	Bytes     uint64 `json:"bytes"`
	Encrypted bool   `json:"encrypted"`
	DPI       uint64 `json:"dpi-final-match"`       // sessions whose content decided
	PreMatch  uint64 `json:"pre-match-final-match"` // sessions that ended with what was known by then
	Limits    uint64 `json:"limits-final-match"`    // sessions that an inspection limit decided
}

// Text shows the rows under the headings of the guide.
func (s *ApplicationStatistics) Text(p *Page) {
	if s.Details {
		p.Line("Logical System: root-logical-system")
	}
	p.Line("Last Reset: %s", moment(s.Reset))
	if s.Interval != nil {
		until := "now"
		if !s.Until.IsZero() {
			until = moment(s.Until)
		}
		p.Line("Interval: %d, from %s to %s", *s.Interval, moment(s.From), until)
	}
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	heading, rows := []string{"Application", "Sessions", "Bytes", "Encrypted"}, [][]string{}
	switch {
	case s.Groups:
		heading = []string{"Application Group", "Sessions", "Bytes"}
	case s.Details:
		heading = []string{"Application", "Enc", "DPI", "Pre-match", "Limits"}
		rows = append(rows, []string{"", "", "final-match", "final-match", "final-match"})
	}
	for _, r := range s.Rows {
		switch {
		case s.Groups:
			rows = append(rows, []string{r.Name, number(r.Sessions), number(r.Bytes)})
		case s.Details:
			rows = append(rows, []string{r.Name, yesNo(r.Encrypted), number(r.DPI), number(r.PreMatch), number(r.Limits)})
		default:
			rows = append(rows, []string{r.Name, number(r.Sessions), number(r.Bytes), yesNo(r.Encrypted)})
		}
	}
	p.Table(heading, rows)
}

// AppIDCounters is the answer of "show services application-identification counter" and of
// "… packet-capture counters".
type AppIDCounters struct {
	Counters []Counter `json:"counters"`
}

// Text shows the counters in the layout of the guide.
func (c *AppIDCounters) Text(p *Page) {
	p.Line("pic: 0/0")
	p.Line("%-44s %s", "  Counter type", "Value")
	for _, counter := range c.Counters {
		p.Line("%-44s %d", counter.Name, counter.Value)
	}
}
