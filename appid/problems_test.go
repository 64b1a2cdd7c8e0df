package appid

import (
	"strings"
	"testing"
)

// Every mistake is reported at its statement, with what is near or what to do.
// Rows: CS-9, CS-14, CS-17, CS-18, CS-34, AG-10, AG-19, AI-134, T-23; T-5 and T-8 of custom
// signatures.
func TestProblems(t *testing.T) {
	g := start(t, Options{})
	const member = "application a over HTTP signature s member m01 "
	const good = member + "context http-header-host; " + member + "pattern agent1"
	long := strings.Repeat("x", 129)
	for _, test := range []struct{ name, statements, want string }{
		{"prefix", "application junos:MINE cacheable",
			"[edit services application-identification application junos:MINE] names that begin with junos: belong to the signature package (choose a name without it)"},
		{"reserved word", "application any cacheable", "any means something else"},
		{"case", "application mine cacheable; application MINE cacheable", "application MINE] there is an application of this name already (case does not count)"},
		{"unknown protocol", "application a over HTPP signature s member m01 context stream; application a over HTPP signature s member m01 pattern xyz",
			"[edit services application-identification application a over] there is no protocol HTPP (did you mean"},
		{"unknown context", member + "context http-header-hots; " + member + "pattern xyz",
			"member m01 context] there is no context http-header-hots (did you mean http-header-host"},
		{"context of another protocol over TCP", "application a over TCP signature s member m01 context http-header-host; application a over TCP signature s member m01 pattern xyz",
			"over TCP there is only the context stream, not http-header-host (use over HTTP)"},
		{"direction", good + "; " + member + "direction server-to-client",
			"member m01 direction] context http-header-host is never sent server-to-client"},
		{"no context", member + "pattern xyz", "member m01] the member has no context"},
		{"no pattern", member + "context stream", "member m01] the member has no pattern"},
		{"no member", "application a over HTTP signature s order 1", "signature s] the signature has no members"},
		{"pattern length", member + "context stream; " + member + "pattern " + long, "the pattern is 129 characters long, at most 128 are allowed"},
		{"syntax", member + "context http-header-host; " + member + `pattern "(a)\\1"`, "a back-reference is not supported"},
		{"cost", member + "context stream; " + member + `pattern "(a{1,60}b{1,60}){2,9}[^x]{50}c"`, "too "},
		{"ports of HTTP", good + "; application a over HTTP signature s port-range tcp 80", "port-range is for signatures over TCP and UDP"},
		{"UDP ports of TCP", "application a over TCP signature s member m01 context stream; application a over TCP signature s member m01 pattern xyz; application a over TCP signature s port-range udp 80",
			"ports udp/80 are never those of a session over TCP"},
		{"same signature", good + "; application b over HTTP signature t member m03 context http-header-host; application b over HTTP signature t member m03 pattern agent1",
			"[edit services application-identification application b over HTTP signature t] the signature is the same as [edit services application-identification application a over HTTP signature s]"},
		{"same mapping", "application a icmp-mapping type 3; application b icmp-mapping type 3", "application b icmp-mapping] the mapping is the same as"},
		{"no address", "application a address-mapping M filter port-range udp 53", "address-mapping M filter] the mapping has no ip (set services"},
		{"every address", "application a address-mapping M filter ip 0.0.0.0/0", "is every address"},
		{"group prefix", "application-group junos:mine", "names that begin with junos: belong to the signature package"},
		{"unknown member", "application-group g applications junos:HTTPX", "application-group g applications] there is no application junos:HTTPX (did you mean junos:HTTP"},
		{"unknown group", "application-group g application-groups junos:wob", "application-group g application-groups] there is no application group junos:wob (did you mean junos:web"},
		{"unknown tag", "application-group g tag-group t application-tags wob", "tag-group t application-tags] there is no tag wob (did you mean web"},
		{"empty tag group", "application-group g tag-group t", "the tag group has no tags"},
		{"cycle", "application-group a application-groups b; application-group b application-groups c; application-group c application-groups a",
			"the group holds itself: a holds b holds c holds a"},
		{"name of an application", "application a cacheable; application-group a", "there is an application of this name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := config(t, strings.Split(test.statements, "; ")...)
			change, problems := g.Prepare(cfg)
			if change != nil {
				t.Errorf("not refused: %v", problems)
			}
			for _, p := range problems {
				if !p.Warning && strings.Contains(p.Error(), test.want) {
					return
				}
			}
			t.Errorf("problems %v, want one with %q", problems, test.want)
		})
	}
}

// What is allowed but may surprise is said.
// Rows: AI-27, CS-44, CS-46; T-3 of identification and T-3 of custom signatures.
func TestWarnings(t *testing.T) {
	g := start(t, Options{})
	const policy = "security policies from-zone a to-zone b policy p match dynamic-application junos:HTTP"
	for _, test := range []struct{ name, statements, want string }{
		{"security services", "application-system-cache security-services", "a client can pass one application off as another"},
		{"off and tracked", "no-application-identification; security zones security-zone lan application-tracking", "applications of zone lan are tracked"},
		{"off and matched", "no-application-identification; security zones security-zone a; security zones security-zone b; " + policy, "policies match dynamic applications"},
		{"priority of a mapping", "application a icmp-mapping type 3; application a priority high", "priority is ignored"},
		{"cacheable mapping", "application a icmp-mapping type 3; application a cacheable", "never kept in the application system cache"},
		{"name of the package", "application HTTP icmp-mapping type 3", "write junos:HTTP for that of the package"},
		{"context elsewhere", "application a over FTP signature s member m01 context http-header-host; application a over FTP signature s member m01 pattern xyz",
			"context http-header-host does not occur over FTP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			problems := g.commit(strings.Split(test.statements, "; ")...)
			if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Error(), test.want) {
				t.Errorf("problems %v, want a warning with %q", problems, test.want)
			}
		})
	}
}

// Rows: CS-5, FW-17: the package is needed first.
func TestNoPackage(t *testing.T) {
	g := start(t, Options{Packages: &shelf{}})
	if g.Enabled() {
		t.Error("something is identified without a signature package")
	}
	_, problems := g.Prepare(config(t, "application a cacheable", "application-group g applications junos:HTTP"))
	if len(problems) == 0 || !strings.Contains(problems[0].Error(), "custom applications need an application signature package, and none is installed (request services") {
		t.Errorf("problems: %v", problems)
	}
	for _, statement := range []string{
		"security application-firewall rule-sets rs default-rule permit",
		"security policies from-zone trust to-zone untrust policy p match dynamic-application any",
		"security policies global policy p match dynamic-application any",
	} {
		_, problems := g.Prepare(config(t, "security zones security-zone trust", "security zones security-zone untrust", statement))
		if len(problems) != 1 || !problems[0].Warning || !strings.Contains(problems[0].Error(), "no application signature package is installed") {
			t.Errorf("%s: %v", statement, problems)
		}
	}
}
