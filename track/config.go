package track

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sluice/store/schema"
)

// A plan is what a configuration asks of the tracker, ready to run. It is immutable.
type plan struct {
	envelope envelope
	outlets  []outletSpec
	wanted   [tagCount]bool // some outlet wants the kind
	tracking tracking
	metrics  metricsPlace
}

// tracking is [edit security application-tracking] with the zones that are tracked.
type tracking struct {
	zones   zoneSet
	create  bool
	close   bool
	updates *UpdateRule // nil: no updates
}

type zoneSet map[string]bool

// either says whether the from-zone or the to-zone of s is in the set.
func (z zoneSet) either(s *Session) bool { return len(z) > 0 && (z[s.FromZone] || z[s.ToZone]) }

// outletSpec is everything that makes an outlet what it is. Two equal specs are the same outlet,
// which a commit leaves alone.
type outletSpec struct {
	name       string // unique: the statement; those of security log without these words
	kind       outletKind
	format     Format
	severity   Severity // least severe session record that is wanted
	system     Severity // least severe system message that is wanted
	categories categories

	collector  netip.AddrPort // udp, tcp, tls
	source     netip.Addr     // invalid: the system chooses
	caFile     string         // tls
	serverName string         // tls
	tlsProfile string         // tls: in place of caFile

	path     string // file
	maxBytes int64  // file: size at which it is rotated
	files    int    // file: files kept

	maxRecords int64 // history
}

type outletKind string

const (
	kindUDP     outletKind = "udp"
	kindTCP     outletKind = "tcp"
	kindTLS     outletKind = "tls"
	kindFile    outletKind = "file"
	kindJournal outletKind = "journal"
	kindHistory outletKind = "history"
)

// wants says whether the outlet takes records of the kind.
func (s *outletSpec) wants(tag Tag, severity Severity) bool {
	least := s.severity
	if tag == systemMessage {
		least = s.system
	}
	return severity <= least && s.categories.has(tag)
}

// title is the outlet's statement, for people.
func (s *outletSpec) title() string {
	if strings.HasPrefix(s.name, "system ") {
		return s.name
	}
	return "security log " + s.name
}

// rendered says whether the outlet takes messages; the history keeps the record itself.
func (s *outletSpec) rendered() bool { return s.kind != kindHistory }

// target is where the messages go, for people.
func (s *outletSpec) target() string {
	switch s.kind {
	case kindFile:
		return s.path
	case kindJournal:
		return "systemd journal"
	case kindHistory:
		return "history database"
	default:
		return s.collector.String() + " " + string(s.kind)
	}
}

// categories is a set of kinds of messages.
type categories uint8

const (
	categorySession categories = 1 << iota
	categoryApptrack
	categorySSLProxy
	categorySystem

	categoryAll = categorySession | categoryApptrack | categorySSLProxy
)

func (c categories) has(tag Tag) bool {
	switch {
	case tag == systemMessage:
		return c&categorySystem != 0
	case tag.application():
		return c&categoryApptrack != 0
	case tag.decryption():
		return c&categorySSLProxy != 0
	}
	return c&categorySession != 0
}

// categoriesOf reads the category statement of a stream; absent, it is all. Kinds of messages that
// the gateway does not produce add nothing.
func categoriesOf(names []string) categories {
	if len(names) == 0 {
		return categoryAll
	}
	var c categories
	for _, name := range names {
		switch name {
		case "all":
			c |= categoryAll
		case "session":
			c |= categorySession
		case "apptrack":
			c |= categoryApptrack
		case "sslproxy":
			c |= categorySSLProxy
		}
	}
	return c
}

// Prepare compiles what cfg asks of the tracker. It changes nothing; apply makes it hold and
// cannot fail: a collector that cannot be reached or a file that cannot be written is an alarm.
func (t *Tracker) Prepare(cfg *schema.Config) (apply func(), problems []schema.Problem) {
	p, problems := t.compile(cfg)
	return func() { t.apply(p) }, problems
}

func (t *Tracker) apply(p *plan) {
	change := planChange{plan: p, applied: make(chan struct{})}
	select {
	case t.plans <- change:
		<-change.applied
		t.metrics.serve(p.metrics)
	case <-t.quit:
	}
}

func (t *Tracker) compile(cfg *schema.Config) (*plan, []schema.Problem) {
	log := &cfg.Security.Log
	p := &plan{envelope: envelope{
		host: header(cmp.Or(cfg.System.HostName, t.opts.Hostname)),
		sdid: t.opts.SDID,
		utc:  log.UTCTimestamp,
	}}
	var problems []schema.Problem
	p.tracking, problems = compileTracking(cfg)
	if m := cfg.System.Services.Metrics; m != nil {
		address := m.Address
		if !address.IsValid() {
			address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		p.metrics = metricsPlace{netip.AddrPortFrom(address, cmp.Or(m.Port, 9464)), m.TLSProfile}
	}
	if !log.Disable {
		for i := range log.Streams {
			spec, found := compileStream(log, &log.Streams[i])
			p.outlets, problems = append(p.outlets, spec), append(problems, found...)
		}
		local, found := t.compileLocal(log)
		p.outlets, problems = append(p.outlets, local...), append(problems, found...)
	}
	system, found := t.compileSystem(cfg)
	p.outlets, problems = append(p.outlets, system...), append(problems, found...)
	for _, tag := range Tags() {
		p.wanted[tag] = slices.ContainsFunc(p.outlets, func(s outletSpec) bool { return s.wants(tag, layouts[tag].severity) })
	}
	return p, problems
}

// compileTracking reads [edit security application-tracking] and the zones.
func compileTracking(cfg *schema.Config) (tracking, []schema.Problem) {
	const path = "security application-tracking"
	c := &cfg.Security.ApplicationTracking
	var problems []schema.Problem
	warn := func(format string, args ...any) {
		problem := schema.Errorf(path, format, args...)
		problem.Warning = true
		problems = append(problems, problem)
	}
	rule := UpdateRule{Interval: time.Duration(cmp.Or(c.SessionUpdateInterval, 5)) * time.Minute}
	rule.First = rule.Interval
	switch first := time.Duration(c.FirstUpdateInterval) * time.Minute; {
	case c.FirstUpdate && first != 0:
		warn("first-update-interval has no effect beside first-update; delete one of them")
	case first >= rule.Interval:
		warn("first-update-interval %d is not smaller than session-update-interval %d, so it shortens nothing",
			first/time.Minute, rule.Interval/time.Minute)
	case first != 0:
		rule.First = first
	}
	if c.FirstUpdate {
		warn("first-update is deprecated; use log-session-create")
	}
	if c.Disable {
		return tracking{}, problems
	}
	result := tracking{zones: zoneSet{}, create: c.LogSessionCreate || c.FirstUpdate, close: c.LogSessionClose}
	if !c.NoVolumeUpdates {
		result.updates = &rule
	}
	for _, z := range cfg.Security.Zones.SecurityZones {
		if z.ApplicationTracking {
			result.zones[z.Name] = true
		}
	}
	return result, problems
}

// compileStream reads one collector.
func compileStream(log *schema.Log, s *schema.LogStream) (outletSpec, []schema.Problem) {
	path := "security log stream " + s.Name
	var problems []schema.Problem
	spec := outletSpec{
		name:       "stream " + s.Name,
		kind:       outletKind(cmp.Or(s.Transport.Protocol, string(kindUDP))),
		format:     formatOf(cmp.Or(s.Format, log.Format)),
		severity:   severityOf(s.Severity),
		categories: categoriesOf(s.Category),
		collector:  netip.AddrPortFrom(s.Host.Address.Unmap(), cmp.Or(s.Host.Port, s.Port, 514)),
		source:     log.SourceAddress.Unmap(),
	}
	if !s.Host.Address.IsValid() {
		problems = append(problems, schema.Problem{Path: path, Message: "host is missing",
			Hint: "set " + path + " host ADDRESS"})
	} else if spec.source.IsValid() && spec.source.Is4() != spec.collector.Addr().Is4() {
		spec.source = netip.Addr{}
		problems = append(problems, schema.Problem{Path: path, Warning: true,
			Message: fmt.Sprintf("source-address %s and host %s are of different address families, so the system chooses the source", log.SourceAddress, s.Host.Address)})
	}
	if spec.kind == kindTLS {
		spec.caFile, spec.tlsProfile = s.Transport.CAFile, s.Transport.TLSProfile
		spec.serverName = cmp.Or(s.Transport.ServerName, spec.collector.Addr().String())
		if _, err := certificates(spec.caFile); err != nil {
			problems = append(problems, schema.Errorf(path+" transport ca-file", "%v", err))
		}
		if spec.caFile != "" && spec.tlsProfile != "" {
			problems = append(problems, schema.Problem{Path: path + " transport", Message: "ca-file and tls-profile both say whom the gateway trusts",
				Hint: "delete one of them"})
		}
	} else if s.Transport.CAFile != "" || s.Transport.ServerName != "" || s.Transport.TLSProfile != "" {
		problems = append(problems, schema.Problem{Path: path + " transport", Warning: true,
			Message: "ca-file, server-name and tls-profile have no effect without protocol tls"})
	}
	return spec, problems
}

// compileLocal reads the file, the journal and the history.
func (t *Tracker) compileLocal(log *schema.Log) (specs []outletSpec, problems []schema.Problem) {
	event := log.Mode == "event"
	common := outletSpec{format: formatOf(log.Format), severity: severityOf("debug"), categories: categoryAll}
	if (log.File != nil || log.Journal) && !event {
		problems = append(problems, schema.Problem{Path: "security log", Warning: true,
			Message: "file and journal are written in mode event only", Hint: "set security log mode event"})
	}
	if f := log.File; f != nil {
		spec := common
		spec.name, spec.kind = "file", kindFile
		spec.path = cmp.Or(f.Name, "security.log")
		spec.maxBytes = int64(cmp.Or(f.Size, 10)) << 20
		spec.files = int(cmp.Or(f.Files, 3))
		if !filepath.IsAbs(spec.path) {
			if !filepath.IsLocal(spec.path) {
				problems = append(problems, schema.Errorf("security log file name", "%q leads out of the log directory; give an absolute path", spec.path))
			}
			spec.path = filepath.Join(t.opts.LogDir, spec.path)
		}
		if event {
			specs = append(specs, spec)
		}
	}
	if log.Journal && event {
		spec := common
		spec.name, spec.kind, spec.format = "journal", kindJournal, Plain
		specs = append(specs, spec)
	}
	if !log.History.Disable && t.history != nil {
		spec := common
		spec.name, spec.kind, spec.format = "history", kindHistory, Structured
		spec.maxRecords = int64(cmp.Or(log.History.MaxRecords, 1_000_000))
		specs = append(specs, spec)
	}
	return specs, problems
}

func formatOf(name string) Format {
	if name == "syslog" {
		return Plain
	}
	return Structured
}

func severityOf(name string) Severity {
	if i := slices.Index(severityNames[:], name); i >= 0 {
		return Severity(i)
	}
	return severityInfo
}

// certificates reads the PEM file that a collector's certificate must chain to; no name is the
// system's bundle.
func certificates(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the certificates cannot be read: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return pool, nil
}
