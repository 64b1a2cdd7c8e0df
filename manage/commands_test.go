package manage

import (
	"slices"
	"strings"
	"testing"

	"sluice/manage/command"
)

// TestHelp: every word and every argument of every command has help that ? can show.
func TestHelp(t *testing.T) {
	Table().Each(func(words, help string, _ bool) {
		if help == "" {
			t.Errorf("%q has no help", words)
		}
	})
	for path := range wordHelp {
		if !slices.ContainsFunc(operational, func(c command.Command[handler]) bool {
			return strings.HasPrefix(c.Words+" ", path+" ")
		}) {
			t.Errorf("help of %q, which is no command", path)
		}
	}
	for _, c := range operational {
		for _, o := range c.Options {
			if o.Help == "" && !o.Bare {
				t.Errorf("%s %s has no help", c.Words, o.Name)
			}
			if o.Value != nil && o.Value.Help == "" {
				t.Errorf("%s %s: its value has no help", c.Words, o.Name)
			}
		}
	}
}

// TestAbbreviations: the short forms that fingers know keep their meaning, whatever is added.
func TestAbbreviations(t *testing.T) {
	for short, words := range map[string]string{
		"sh ver":           "show version",
		"sh conf":          "show configuration",
		"sh int ter":       "show interfaces",
		"sh sec flow sess": "show security flow session",
		"sh sec pol":       "show security policies",
		"sh sec pol hit":   "show security policies hit-count",
		"sh sec match from-zone a to-zone b source-ip 192.0.2.1 destination-ip 192.0.2.2": "show security match-policies",
		"cl sec fl se": "clear security flow session",
		"sh sys al":    "show system alarms",
		"conf":         "configure",
		"conf ex":      "configure",
		"q":            "quit",
		"ex":           "exit",
		"sh ro":        "show route",
	} {
		m, err := Table().Resolve(short)
		if err != nil {
			t.Errorf("%q: %v", short, err)
		} else if m.Command.Words != words {
			t.Errorf("%q means %q", short, m.Command.Words)
		}
	}
}

// TestNoShadow: no command changes something under a name that begins like a harmless one, so that
// a slip of the finger costs nothing.
func TestNoShadow(t *testing.T) {
	harmless := []string{"show", "help", "exit", "quit"}
	var first []string
	for _, c := range operational {
		word, _, _ := strings.Cut(c.Words, " ")
		if !slices.Contains(first, word) {
			first = append(first, word)
		}
	}
	for _, word := range first {
		for _, safe := range harmless {
			if word != safe && strings.HasPrefix(word, safe[:2]) && !slices.Contains(harmless, word) {
				t.Errorf("%q begins like %q", word, safe)
			}
		}
	}
}

// TestGuideFilters: ? after the session command lists what the guide lists (O-9), with its help, and the
// two filters that its examples use beside.
func TestGuideFilters(t *testing.T) {
	list, err := Table().Complete("show security flow session ", nil)
	if err != nil {
		t.Fatal(err)
	}
	help := map[string]string{}
	for _, c := range list {
		help[c.Text] = c.Help
	}
	for _, want := range []command.Completion{
		{Text: "<[Enter]>", Help: "Execute this command"},
		{Text: "application", Help: "Application protocol name"},
		{Text: "application-firewall", Help: "Show application-firewall sessions"},
		{Text: "application-firewall-rule-set", Help: "Show application firewall sessions matching rule-set name"},
		{Text: "application-traffic-control", Help: "Show application-traffic-control sessions"},
		{Text: "brief", Help: "Show brief output (default)"},
		{Text: "destination-port", Help: "Destination port (1..65535)"},
		{Text: "destination-prefix", Help: "Destination IP prefix or address"},
		{Text: "dynamic-application", Help: "Dynamic application name"},
		{Text: "extensive", Help: "Show detailed output"},
		{Text: "encrypted", Help: "Show encrypted traffic"},
		{Text: "family", Help: "Show session by family"},
		{Text: "idp", Help: "Show idp sessions"},
		{Text: "interface", Help: "Name of incoming or outgoing interface"},
		{Text: "nat", Help: "Show sessions with network address translation"},
		{Text: "protocol", Help: "IP protocol number"},
		{Text: "resource-manager", Help: "Show sessions with resource manager"},
		{Text: "session-identifier", Help: "Show session with specified session identifier"},
		{Text: "source-port", Help: "Source port (1..65535)"},
		{Text: "source-prefix", Help: "Source IP prefix or address"},
		{Text: "ssl", Help: "Show sessions whose TLS the gateway decrypts"},
		{Text: "summary", Help: "Show output summary"},
		{Text: "tunnel", Help: "Show tunnel sessions"},
		{Text: "|", Help: "Pipe through a command"},
	} {
		if got, ok := help[want.Text]; !ok || got != want.Help {
			t.Errorf("%s: %q", want.Text, got)
		}
	}
}
