package manage

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/manage/api"
	"sluice/manage/command"
	"sluice/manage/view"
	"sluice/store/schema"
)

// handler does one operational command. A command without a handler is the client's own to do.
type handler func(*Server, *request) (view.View, error)

// request is one command as it was given.
type request struct {
	ctx     context.Context
	peer    peer
	args    command.Args
	display string // form of a configuration that was asked for
	compare *int   // rollback that a configuration is to be compared with
	files   map[string][]byte
	answers map[string]string
	save    *api.File // what the client is to write, beside showing the answer
}

// needError says what the client must add to a command for it to be done.
type needError struct{ result api.Result }

// Error says so to whom it may not be sent.
func (*needError) Error() string { return "the command needs more of the client" }

// file is the content of the client's file that an option names.
func (r *request) file(option string) ([]byte, error) {
	name := r.args[option]
	content, sent := r.files[name]
	if !sent {
		return nil, &needError{api.Result{File: name}}
	}
	return content, nil
}

// ask is the user's answer to a question.
func (r *request) ask(q api.Question) (string, error) {
	answer, given := r.answers[q.Name]
	if !given {
		return "", &needError{api.Result{Question: &q}}
	}
	return answer, nil
}

// confirm asks whether something is to be done. Without a yes it fails.
func (r *request) confirm(text string) error {
	answer, err := r.ask(api.Question{Name: api.Confirm, Text: text + " [yes,no] (no) "})
	if err == nil && !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		err = &api.Error{Message: "nothing was done, as it was not confirmed"}
	}
	return err
}

// Table is the table of all operational commands.
func Table() *command.Table[handler] {
	return command.NewTable(wordHelp, operational)
}

// wordHelp is the help of every word of the table, under the words that lead to it.
var wordHelp = merge(generalHelp, trafficHelp, applicationHelp, userHelp, pkiHelp, sslHelp)

func merge(parts ...map[string]string) map[string]string {
	whole := map[string]string{}
	for _, part := range parts {
		maps.Copy(whole, part)
	}
	return whole
}

var generalHelp = map[string]string{
	"clear":                               "Clear information in the gateway",
	"clear log":                           "Empty a log file",
	"clear security":                      "Clear security information",
	"clear security application-tracking": "Clear application tracking information",
	"clear security application-tracking counters": "Set the message counters to zero",
	"clear security flow":                          "Clear session information",
	"clear security flow session":                  "End sessions",
	"clear security policies":                      "Clear policy information",
	"clear security policies hit-count":            "Set policy hit counts to zero",
	"configure":                                    "Edit the configuration",
	"exit":                                         "Leave the shell",
	"help":                                         "Say how to use the shell",
	"quit":                                         "Leave the shell",
	"show":                                         "Show information about the gateway",
	"show configuration":                           "Show the active configuration",
	"show interfaces":                              "Show interfaces",
	"show log":                                     "Show a log file",
	"show route":                                   "Show the routing table",
	"show schedulers":                              "Show schedulers and whether they are active",
	"show security":                                "Show security information",
	"show security application-firewall":           "Show the application firewall",
	"show security application-firewall rule-set": "Show rule sets, and how many sessions each rule decided about",
	"show security application-tracking":          "Show application tracking information",
	"show security application-tracking counters": "Show how many messages were sent",
	"show security alg":                           "Show application layer gateways",
	"show security alg status":                    "Show which application layer gateways are on",
	"show security flow":                          "Show session information",
	"show security flow session":                  "Show sessions",
	"show security flow statistics":               "Show packet and session counters",
	"show security flow status":                   "Show how packets are forwarded",
	"show security log":                           "Show security log messages",
	"show security log streams":                   "Show where security logs go, and how that fares",
	"show security match-policies":                "Show the policies that a session would match",
	"show security nat":                           "Show address translation",
	"show security nat source":                    "Show source address translation",
	"show security nat source rule":               "Show source translation rules",
	"show security nat source summary":            "Show totals of source translation",
	"show security policies":                      "Show security policies",
	"show security policies hit-count":            "Show how often each policy decided",
	"show security zones":                         "Show security zones",
	"show system":                                 "Show system information",
	"show system alarms":                          "Show what needs attention",
	"show system commit":                          "Show the revisions of the configuration",
	"show system information":                     "Show name, version and platform",
	"show system uptime":                          "Show times and how long ago they were",
	"show version":                                "Show name, version and platform",
}

// operational is the table: every command in one place.
var operational = slices.Concat(generalCommands, trafficCommands, applicationCommands, userCommands, pkiCommands, sslCommands)

var generalCommands = []command.Command[handler]{
	{Words: "clear log", Options: []command.Option{bare("filename", "Log file", logFileValue)}, Do: clearLog},
	{Words: "clear security application-tracking counters", Do: clearTrackCounters},
	{Words: "clear security flow session", Options: append(sessionFilters(), flag("all", "All sessions")), Do: clearSessions},
	{Words: "clear security policies hit-count", Options: zonePair, Do: clearHitCounts},
	{Words: "configure", Options: []command.Option{
		{Name: "exclusive", Help: "Let nobody else edit meanwhile", Group: "mode"},
		{Name: "private", Help: "Edit a copy of one's own", Group: "mode"},
	}},
	{Words: "exit"},
	{Words: "help"},
	{Words: "quit"},
	{Words: "show configuration", Rest: &command.Value{Name: "path", Help: "Part of the configuration", Live: "configuration"}, Do: showConfiguration},
	{Words: "show interfaces", Options: []command.Option{
		bare("interface", "Interface", interfaceValue), flag("terse", "One line for each address"),
	}, Do: showInterfaces},
	{Words: "show log", Options: []command.Option{bare("filename", "Log file", logFileValue)}, Do: showLog},
	{Words: "show route", Options: []command.Option{bare("destination", "Routes to this destination", addressValue)}, Do: showRoute},
	{Words: "show schedulers", Options: []command.Option{bare("scheduler", "Scheduler", &command.Value{Name: "scheduler", Help: "Name of a scheduler", Live: "scheduler"})}, Do: showSchedulers},
	{Words: "show security alg status", Do: showALG},
	{Words: "show security application-firewall rule-set", Options: []command.Option{flag("all", "All rule sets"), bare("rule-set", "Rule set", ruleSetValue)}, Do: showFirewalls},
	{Words: "show security application-tracking counters", Do: showTrackCounters},
	{Words: "show security flow session", Options: append(sessionFilters(),
		command.Option{Name: "brief", Help: "Show brief output (default)", Group: "style"},
		command.Option{Name: "explain", Help: "Show how it was decided about one session", Group: "style"},
		command.Option{Name: "extensive", Help: "Show detailed output", Group: "style"},
		command.Option{Name: "summary", Help: "Show output summary", Group: "style"},
	), Do: showSessions},
	{Words: "show security flow statistics", Do: showFlowStatistics},
	{Words: "show security flow status", Do: showFlowStatus},
	{Words: "show security log", Options: logFilters, Do: showSecurityLog},
	{Words: "show security log streams", Do: showLogStreams},
	{Words: "show security match-policies", Options: matchOptions, Do: showMatchPolicies},
	{Words: "show security nat source rule", Options: []command.Option{
		flag("all", "All rules"), bare("rule", "Rule", &command.Value{Name: "rule", Help: "Name of a source translation rule", Live: "nat-rule"}),
	}, Do: showNATRules},
	{Words: "show security nat source summary", Do: showNATSummary},
	{Words: "show security policies", Options: append([]command.Option{
		flag("detail", "Show everything about each policy"),
		{Name: "global", Help: "Global policies only"},
		{Name: "policy-name", Help: "Policies of this name", Value: &command.Value{Name: "policy", Help: "Name of a policy", Live: "policy"}},
	}, zonePair...), Do: showPolicies},
	{Words: "show security policies hit-count", Options: append([]command.Option{
		{Name: "ascending", Help: "Least used first", Group: "order"},
		{Name: "descending", Help: "Most used first", Group: "order"},
	}, zonePair...), Do: showHitCounts},
	{Words: "show security zones", Options: []command.Option{bare("zone", "Zone", zoneValue), flag("detail", "Show everything about each zone (default)")}, Do: showZones},
	{Words: "show system alarms", Do: showAlarms},
	{Words: "show system commit", Do: showCommits},
	{Words: "show system information", Do: showVersion},
	{Words: "show system uptime", Do: showUptime},
	{Words: "show version", Do: showVersion},
}

// sessionFilters are the filters of the session commands, as the guide lists them.
func sessionFilters() []command.Option {
	return []command.Option{
		{Name: "application", Help: "Application protocol name", Value: &command.Value{Name: "application", Help: "Application by protocol and port (junos-http), or by content (junos:HTTP)", Live: "session-application"}},
		{Name: "application-firewall", Help: "Show application-firewall sessions"},
		{Name: "application-firewall-rule-set", Help: "Show application firewall sessions matching rule-set name", Value: ruleSetValue},
		{Name: "application-traffic-control", Help: "Show application-traffic-control sessions"},
		{Name: "destination-port", Help: "Destination port (1..65535)", Value: portValue},
		{Name: "destination-prefix", Help: "Destination IP prefix or address", Value: prefixValue},
		{Name: "dynamic-application", Help: "Dynamic application name", Value: &command.Value{Name: "application", Help: "Application by its content (junos:HTTP), or group (junos:web)", Live: "dynamic-application-or-group"}},
		{Name: "encrypted", Help: "Show encrypted traffic"},
		{Name: "family", Help: "Show session by family", Value: &command.Value{Name: "family", Help: "Address family", Words: []string{"inet", "inet6"}}},
		{Name: "from-zone", Help: "Show sessions from this zone", Value: zoneValue},
		{Name: "idp", Help: "Show idp sessions"},
		{Name: "interface", Help: "Name of incoming or outgoing interface", Value: interfaceValue},
		{Name: "nat", Help: "Show sessions with network address translation"},
		{Name: "policy-name", Help: "Show sessions of this policy", Value: &command.Value{Name: "policy", Help: "Name of a policy", Live: "policy"}},
		{Name: "protocol", Help: "IP protocol number", Value: protocolValue},
		{Name: "resource-manager", Help: "Show sessions with resource manager"},
		{Name: "session-identifier", Help: "Show session with specified session identifier", Value: numberValue("identifier", "Number of a session", 1, 1<<63-1)},
		{Name: "source-port", Help: "Source port (1..65535)", Value: portValue},
		{Name: "source-prefix", Help: "Source IP prefix or address", Value: prefixValue},
		{Name: "ssl", Help: "Show sessions whose TLS the gateway decrypts"},
		{Name: "to-zone", Help: "Show sessions to this zone", Value: zoneValue},
		{Name: "tunnel", Help: "Show tunnel sessions"},
	}
}

// matchOptions describe a session that may come.
var matchOptions = []command.Option{
	{Name: "from-zone", Help: "Zone that the session comes from", Value: zoneValue, Required: true},
	{Name: "to-zone", Help: "Zone that the session goes to", Value: zoneValue, Required: true},
	{Name: "source-ip", Help: "Source address", Value: addressValue, Required: true},
	{Name: "destination-ip", Help: "Destination address", Value: addressValue, Required: true},
	{Name: "source-port", Help: "Source port (1..65535)", Value: portValue},
	{Name: "destination-port", Help: "Destination port (1..65535)", Value: portValue},
	{Name: "protocol", Help: "IP protocol (tcp when absent)", Value: protocolValue},
	{Name: "dynamic-application", Help: "What the session turns out to carry (any application when absent)", Value: &command.Value{Name: "application", Help: "Name of an application (junos:HTTP)", Live: "dynamic-application"}},
	{Name: "url-category", Help: "Category of the web address that is asked for (any when absent)", Value: &command.Value{Name: "category", Help: "Name of a custom URL category", Live: "url-category"}},
	{Name: "user", Help: "User at the source address (nobody when absent)", Value: &command.Value{Name: "user", Help: "Name of a user"}},
	{Name: "role", Help: "Role of that user", Value: &command.Value{Name: "role", Help: "Name of a role"}},
	{Name: "result-count", Help: "Policies shown at most (1..16)", Value: numberValue("count", "Number of policies (1..16)", 1, 16)},
}

// zonePair narrows policies to two zones.
var zonePair = []command.Option{
	{Name: "from-zone", Help: "Policies from this zone", Value: zoneValue},
	{Name: "to-zone", Help: "Policies to this zone", Value: zoneValue},
}

// logFilters narrow the security log.
var logFilters = []command.Option{
	{Name: "message", Help: "Messages of this name", Value: &command.Value{Name: "message", Help: "Name of a message (RT_FLOW_SESSION_CLOSE)", Live: "log-message"}},
	{Name: "source-address", Help: "Messages about this source", Value: addressValue},
	{Name: "destination-address", Help: "Messages about this destination", Value: addressValue},
	{Name: "destination-port", Help: "Messages about this destination port (1..65535)", Value: portValue},
	{Name: "policy", Help: "Messages about this policy", Value: &command.Value{Name: "policy", Help: "Name of a policy", Live: "policy"}},
	{Name: "session-identifier", Help: "Messages about this session", Value: numberValue("identifier", "Number of a session", 1, 1<<63-1)},
	{Name: "since", Help: "Messages of this time and later", Value: timeValue},
	{Name: "until", Help: "Messages of this time and earlier", Value: timeValue},
	{Name: "limit", Help: "Messages shown at most (1..10000, 100 when absent)", Value: numberValue("count", "Number of messages (1..10000)", 1, 10000)},
}

// Values that several commands take.
var (
	zoneValue      = &command.Value{Name: "zone", Help: "Name of a zone", Live: "zone"}
	ruleSetValue   = &command.Value{Name: "rule-set", Help: "Name of a rule set", Live: "rule-set"}
	interfaceValue = &command.Value{Name: "interface", Help: "Logical interface (ge-0/0/1.0, eth1)", Live: "interface"}
	logFileValue   = &command.Value{Name: "filename", Help: "Name of a log file", Live: "log-file"}
	portValue      = numberValue("port", "Port (1..65535)", 1, 65535)
	protocolValue  = &command.Value{Name: "protocol", Help: "Protocol number or name (tcp, udp, icmp, icmp6)", Check: func(text string) error {
		var p schema.Protocol
		return p.UnmarshalText([]byte(text))
	}}
	prefixValue = &command.Value{Name: "prefix", Help: "Address or prefix (192.0.2.0/24, 2001:db8::1)", Check: func(text string) error {
		var p schema.HostPrefix
		return p.UnmarshalText([]byte(text))
	}}
	addressValue = &command.Value{Name: "address", Help: "Address (192.0.2.1, 2001:db8::1)", Check: func(text string) error {
		if _, err := netip.ParseAddr(text); err != nil {
			return fmt.Errorf("%q is not an address", text)
		}
		return nil
	}}
	timeValue = &command.Value{Name: "time", Help: "YYYY-MM-DD[.hh:mm[:ss]] or hh:mm[:ss] of today, local time", Check: func(text string) error {
		_, err := parseTime(text, time.Now())
		return err
	}}
)

func flag(name, help string) command.Option { return command.Option{Name: name, Help: help} }

// bare is an option without keyword.
func bare(name, help string, v *command.Value) command.Option {
	return command.Option{Name: name, Help: help, Value: v, Bare: true}
}

// numberValue is a whole number from low to high.
func numberValue(name, help string, low, high uint64) *command.Value {
	return &command.Value{Name: name, Help: help, Check: func(text string) error {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%q is not a number from %d to %d", text, low, high)
		}
		return nil
	}}
}

// number is the value of an option that numberValue has checked, or 0.
func (r *request) number(name string) uint64 {
	n, _ := strconv.ParseUint(r.args[name], 10, 64)
	return n
}

// protocol is the protocol the request names, or nil.
func (r *request) protocol() *schema.Protocol {
	if !r.args.Has("protocol") {
		return nil
	}
	var p schema.Protocol
	_ = p.UnmarshalText([]byte(r.args["protocol"])) // checked by protocolValue
	return &p
}

// prefix is the prefix under name, or the zero prefix.
func (r *request) prefix(name string) netip.Prefix {
	var p schema.HostPrefix
	if r.args.Has(name) {
		_ = p.UnmarshalText([]byte(r.args[name])) // checked by prefixValue
	}
	return p.Prefix
}

// address is the address under name, or the zero address.
func (r *request) address(name string) netip.Addr {
	a, _ := netip.ParseAddr(r.args[name])
	return a
}

// parseTime reads the forms of timeValue.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{"2006-01-02.15:04:05", "2006-01-02.15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
}
