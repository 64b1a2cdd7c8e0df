package track

import (
	"cmp"
	"fmt"
	"net/netip"
	"path/filepath"

	"sluice/store/schema"
)

// compileSystem reads [edit system syslog]. In mode event, security logs go there too.
func (t *Tracker) compileSystem(cfg *schema.Config) (specs []outletSpec, problems []schema.Problem) {
	syslog := &cfg.System.Syslog
	sessions := cfg.Security.Log.Mode == "event" && !cfg.Security.Log.Disable
	for i := range syslog.Hosts {
		h := &syslog.Hosts[i]
		spec := outletSpec{
			name: "system syslog host " + h.Address.String(), kind: kindUDP, format: systemFormat(h.StructuredData),
			collector: netip.AddrPortFrom(h.Address.Unmap(), cmp.Or(h.Port, 514)),
			source:    syslog.SourceAddress.Unmap(),
		}
		if h.SourceAddress.IsValid() {
			spec.source = h.SourceAddress.Unmap()
		}
		if spec.source.IsValid() && spec.source.Is4() != spec.collector.Addr().Is4() {
			problems = append(problems, schema.Problem{Path: spec.name, Warning: true,
				Message: fmt.Sprintf("source-address %s is of another address family, so the system chooses the source", spec.source)})
			spec.source = netip.Addr{}
		}
		spec.choose(&h.SyslogSelection, sessions)
		specs = append(specs, spec)
	}
	for i := range syslog.Files {
		f := &syslog.Files[i]
		spec := outletSpec{
			name: "system syslog file " + f.Name, kind: kindFile, format: systemFormat(f.StructuredData),
			path:     filepath.Join(t.opts.LogDir, f.Name),
			maxBytes: int64(cmp.Or(f.Archive.Size, 10)) << 20,
			files:    int(cmp.Or(f.Archive.Files, 3)),
		}
		if !filepath.IsLocal(f.Name) {
			problems = append(problems, schema.Errorf(spec.name, "%q is no file name", f.Name))
		}
		spec.choose(&f.SyslogSelection, sessions)
		specs = append(specs, spec)
	}
	return specs, problems
}

// systemFormat is plain where structured data is not asked for.
func systemFormat(structured bool) Format {
	if structured {
		return Structured
	}
	return Plain
}

// choose makes the outlet take what the facilities of a selection ask for; sessions says whether
// security logs are among the messages at all.
func (s *outletSpec) choose(selection *schema.SyslogSelection, sessions bool) {
	take := func(own string, what categories, least *Severity) {
		switch level := cmp.Or(own, selection.Any, "none"); level {
		case "none":
		case "any":
			s.categories, *least = s.categories|what, severityOf("debug")
		default:
			s.categories, *least = s.categories|what, severityOf(level)
		}
	}
	take(selection.Daemon, categorySystem, &s.system)
	if sessions {
		take(selection.User, categoryAll, &s.severity)
	}
}
