package appqos

import (
	"slices"
	"strings"
	"testing"
)

const rewriting = `
set interfaces ge-0/0/1 device wan0
set interfaces ge-0/0/1 unit 0
set class-of-service forwarding-classes queue 4 shared
set class-of-service forwarding-classes queue 5 own
set class-of-service rewrite-rules dscp out forwarding-class shared loss-priority low code-point cs5
set class-of-service rewrite-rules dscp out forwarding-class shared loss-priority high code-point 001000
set class-of-service interfaces ge-0/0/1 unit 0 rewrite-rules dscp out
set class-of-service interfaces ge-0/0/1 unit 0 shaping-rate 10m
`

// A link marks the classes of its rewrite rule by their loss priority, and no others; a rule's packets
// wait in the queue of its class.
// Rows: QS-6, QS-7, QS-8, QS-9, QS-11, QS-15, QS-34.
func TestLinks(t *testing.T) {
	for _, c := range []struct {
		then  string
		want  [2]string // code points by way of the link, and another
		place Place
	}{
		{"dscp-code-point ef", [2]string{"101110", "101110"}, Place{0, LossLow}},
		{"forwarding-class shared dscp-code-point ef", [2]string{"101000", "101110"}, Place{4, LossLow}},
		{"forwarding-class shared loss-priority high", [2]string{"001000", ""}, Place{4, LossHigh}},
		{"forwarding-class shared loss-priority medium-low dscp-code-point ef", [2]string{"101110", "101110"}, Place{4, LossMediumLow}},
		{"forwarding-class own dscp-code-point ef", [2]string{"101110", "101110"}, Place{5, LossLow}},
		{"forwarding-class network-control", [2]string{"", ""}, Place{3, LossLow}},
	} {
		e := compile(t, rewriting+anyRule+inRule+c.then+"\n")
		var s Session
		s.Follow(e, final("RS"), [2]string{"ge-0/0/1.0", "ge-0/0/0.0"}, func(*RuleSet) Found { return Found{} })
		got := s.Treatment()
		if points := [2]string{got.Points[0].String(), got.Points[1].String()}; points != c.want || got.Place(false) != c.place {
			t.Errorf("%s: code points %q, place %v; want %q, %v", c.then, points, got.Place(false), c.want, c.place)
		}
		if exceeding := got.Place(true); exceeding != (Place{c.place.Queue, LossHigh}) {
			t.Errorf("%s: what exceeds a limiter waits in %v", c.then, exceeding)
		}
		if rates := e.ShapedLinks(); len(rates) != 1 || rates["ge-0/0/1.0"] != 10_000_000 {
			t.Errorf("links are shaped to %v", rates)
		}
	}
}

// Only places that some rule asks for are made.
func TestPlaces(t *testing.T) {
	e := compile(t, control+"rate-limiters l bandwidth-limit 100\n"+anyRule+inRule+"rate-limit client-to-server l loss-priority-high\n"+
		control+"rule-sets S rule a match application-any\n"+control+"rule-sets S rule a then forwarding-class network-control\n"+
		control+"rule-sets T rule a match application-any\n"+control+"rule-sets T rule a then loss-priority low\n")
	if got := e.Places(); !slices.Equal(got, []Place{{0, LossHigh}, {3, LossLow}}) {
		t.Errorf("places %v", got)
	}
}

// What is wrong with links is told where it stands.
func TestLinkProblems(t *testing.T) {
	for config, want := range map[string]string{
		"set class-of-service rewrite-rules dscp r forwarding-class nobody loss-priority low code-point ef\n":     `rewrite-rules dscp r forwarding-class nobody] forwarding class "nobody" is not configured`,
		"set class-of-service rewrite-rules dscp r forwarding-class best-effort loss-priority low code-point e\n": `code point "e" is not known (did you mean`,
		"set class-of-service interfaces ge-0/0/7 unit 1 shaping-rate 1m\n":                                       "interface ge-0/0/7.1 is not configured",
	} {
		_, problems := Compile(decode(t, config), NewState(), apps{})
		if len(problems) != 1 || !strings.Contains(problems[0].Error(), want) {
			t.Errorf("%s: %v, want %q", config, problems, want)
		}
	}
}
