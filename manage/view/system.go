package view

import (
	"fmt"
	"strconv"
	"time"
)

// Uptime is the answer of "show system uptime".
type Uptime struct {
	Now        time.Time `json:"now"`
	Booted     time.Time `json:"system-booted"`
	Started    time.Time `json:"gateway-started"`
	Configured time.Time `json:"last-configured,omitzero"`
	By         string    `json:"last-configured-by,omitempty"`
}

// Text shows each time with how long ago it was.
func (u *Uptime) Text(p *Page) {
	p.Line("Current time: %s", moment(u.Now))
	p.Line("System booted: %s (%s ago)", moment(u.Booted), span(u.Now.Sub(u.Booted)))
	p.Line("Gateway started: %s (%s ago)", moment(u.Started), span(u.Now.Sub(u.Started)))
	if u.Configured.IsZero() {
		p.Line("Last configured: never")
	} else {
		p.Line("Last configured: %s (%s ago) by %s", moment(u.Configured), span(u.Now.Sub(u.Configured)), u.By)
	}
}

// Alarms is the answer of "show system alarms".
type Alarms struct {
	Alarms []Alarm `json:"alarms"`
}

// Alarm is something that needs attention now.
type Alarm struct {
	Since time.Time `json:"since,omitzero"` // zero: since the gateway started
	Class string    `json:"class"`          // Minor or Major
	Text  string    `json:"description"`
}

// Text shows the alarms in the layout of the guide.
func (a *Alarms) Text(p *Page) {
	switch len(a.Alarms) {
	case 0:
		p.Line("No alarms currently active")
		return
	case 1:
		p.Line("1 alarm currently active")
	default:
		p.Line("%d alarms currently active", len(a.Alarms))
	}
	rows := make([][]string, len(a.Alarms))
	for i, alarm := range a.Alarms {
		rows[i] = []string{moment(alarm.Since), alarm.Class, alarm.Text}
	}
	p.Table([]string{"Alarm time", "Class", "Description"}, rows)
}

// Commits is the answer of "show system commit".
type Commits struct {
	Commits        []Commit  `json:"commits"`
	ConfirmedUntil time.Time `json:"rollback-at,omitzero"` // set while a confirmed commit waits for its confirmation
}

// Commit is one revision of the configuration.
type Commit struct {
	Number  int       `json:"number"` // 0 is the active one
	Time    time.Time `json:"time"`
	User    string    `json:"user"`
	Client  string    `json:"client"`
	Comment string    `json:"comment,omitempty"`
}

// Text shows the newest first.
func (c *Commits) Text(p *Page) {
	for _, r := range c.Commits {
		line := fmt.Sprintf("%-3s %s by %s via %s", strconv.Itoa(r.Number), moment(r.Time), r.User, r.Client)
		if r.Number == 0 && !c.ConfirmedUntil.IsZero() {
			line += fmt.Sprintf(" (rolled back at %s unless confirmed)", c.ConfirmedUntil.Format("15:04:05"))
		}
		p.Line("%s", line)
		if r.Comment != "" {
			p.Line("    %s", r.Comment)
		}
	}
}

// Version is the answer of "show version" and "show system information".
type Version struct {
	Host    string `json:"host"`
	Model   string `json:"model"`
	Version string `json:"version"`
	Go      string `json:"go"`
	Kernel  string `json:"kernel"`
	CPUs    int    `json:"cpus"`
}

// Text shows one fact a line.
func (v *Version) Text(p *Page) {
	p.Line("Hostname: %s", v.Host)
	p.Line("Model: %s", v.Model)
	p.Line("Sluice: %s", v.Version)
	p.Line("Built with: %s", v.Go)
	p.Line("Kernel: %s", v.Kernel)
	p.Line("Processors: %d", v.CPUs)
}
