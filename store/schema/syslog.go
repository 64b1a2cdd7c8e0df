package schema

import "net/netip"

// Syslog is [edit system syslog]: where the gateway's messages about itself go, beside its own log.
// With security log mode event, security logs go there too, as messages of the facility user.
type Syslog struct {
	Hosts         []SyslogHost `cfg:"host" help:"Syslog server"`
	Files         []SyslogFile `cfg:"file" help:"File in the gateway's log directory"`
	SourceAddress netip.Addr   `cfg:"source-address" help:"Source address of packets to syslog servers"`
}

// SyslogHost is [edit system syslog host ADDRESS].
type SyslogHost struct {
	Address netip.Addr `cfg:"address,key" help:"Address of the syslog server"`
	SyslogSelection
	Port           uint16     `cfg:"port" help:"UDP port of the server" range:"1..65535" default:"514"`
	SourceAddress  netip.Addr `cfg:"source-address" help:"Source address of packets to this server"`
	StructuredData bool       `cfg:"structured-data" help:"Structured messages (RFC 5424)"`
}

// SyslogFile is [edit system syslog file NAME].
type SyslogFile struct {
	Name string `cfg:"name,key" help:"File name" range:"1..255" pattern:"[^/ ]+"`
	SyslogSelection
	Archive        SyslogArchive `cfg:"archive" help:"When the file is rotated"`
	StructuredData bool          `cfg:"structured-data" help:"Structured messages (RFC 5424)"`
}

// SyslogArchive is [edit system syslog file NAME archive].
type SyslogArchive struct {
	Size  uint16 `cfg:"size" help:"Size at which the file is rotated" unit:"megabytes" range:"1..1024" default:"10"`
	Files uint16 `cfg:"files" help:"Files kept, the current one included" range:"2..1000" default:"3"`
}

// SyslogSelection says which messages are wanted, by facility: the least severity, or none.
type SyslogSelection struct {
	Any                 string `cfg:"any" help:"All facilities without a statement of their own" enum:"any none emergency alert critical error warning notice info debug"`
	Daemon              string `cfg:"daemon" help:"Messages of the gateway itself" enum:"any none emergency alert critical error warning notice info debug"`
	User                string `cfg:"user" help:"Security logs, in mode event" enum:"any none emergency alert critical error warning notice info debug"`
	Authorization       string `cfg:"authorization,inert" help:"Messages about authentication" enum:"any none emergency alert critical error warning notice info debug"`
	ChangeLog           string `cfg:"change-log,inert" help:"Messages about configuration changes" enum:"any none emergency alert critical error warning notice info debug"`
	InteractiveCommands string `cfg:"interactive-commands,inert" help:"Messages about commands" enum:"any none emergency alert critical error warning notice info debug"`
	Kernel              string `cfg:"kernel,inert" help:"Messages of the kernel" enum:"any none emergency alert critical error warning notice info debug"`
}
