package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

const unknown = "Unknown"

// answer is what an engine said of a flow.
type answer struct {
	protocol, application string
	evidence              string
	packets, bytes        int // looked at until the answer
}

// score counts flows.
type score struct{ flows, protocol, exact, wrong, silent int }

func (s *score) add(o score) {
	s.flows += o.flows
	s.protocol += o.protocol
	s.exact += o.exact
	s.wrong += o.wrong
	s.silent += o.silent
}

// tally is the score of one engine.
type tally struct {
	engine         string
	all, strong    score
	captures       map[string]score
	labels         map[string]score
	unknowns       int // flows of which nothing is known, with payload seen by the engine
	claims         int // of these, those that were given a name
	packets, bytes []int
	misses         []miss
	took           time.Duration
}

// miss is a flow whose answer is not right.
type miss struct {
	row    row
	answer answer
	kind   string
}

func newTally(engine string) *tally {
	return &tally{engine: engine, captures: map[string]score{}, labels: map[string]score{}}
}

// capture scores the answers for one capture.
func (t *tally) capture(rows []row, given map[flowKey]answer) {
	for _, r := range rows {
		a, ok := given[r.key]
		if !ok {
			a.protocol = unknown
		}
		switch {
		case r.scored:
			t.score(r, a)
		case r.unknown:
			t.unknowns++
			if a.protocol != unknown || a.application != "" {
				t.claims++
				t.misses = append(t.misses, miss{r, a, "claim"})
			}
		}
	}
}

func (t *tally) score(r row, a answer) {
	s := score{flows: 1}
	kind := "silent"
	switch {
	case a.protocol == r.protocol:
		s.protocol = 1
		kind = "application"
		// A name asked for is not what a DNS session carries.
		if a.application == r.application || r.protocol == "DNS" && a.application == "" {
			s.exact, kind = 1, ""
		}
	case a.protocol == unknown:
		s.silent = 1
	default:
		s.wrong, kind = 1, "wrong"
	}
	if kind != "" {
		t.misses = append(t.misses, miss{r, a, kind})
	}
	if a.protocol != unknown && a.packets > 0 {
		t.packets, t.bytes = append(t.packets, a.packets), append(t.bytes, a.bytes)
	}
	t.all.add(s)
	if r.tier == "strong" {
		t.strong.add(s)
	}
	c := t.captures[r.capture]
	c.add(s)
	t.captures[r.capture] = c
	l := t.labels[r.protocol]
	l.add(s)
	t.labels[r.protocol] = l
}

// mean is the average over groups of the share that count picks.
func mean(groups map[string]score, count func(score) int) float64 {
	sum := 0.0
	for _, s := range groups {
		sum += float64(count(s)) / float64(s.flows)
	}
	return 100 * sum / float64(max(len(groups), 1))
}

func share(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// percentile of numbers, which it sorts.
func percentile(numbers []int, p int) int {
	if len(numbers) == 0 {
		return 0
	}
	slices.Sort(numbers)
	return numbers[(len(numbers)-1)*p/100]
}

func (t *tally) print(out io.Writer) {
	protocol := func(s score) int { return s.protocol }
	exact := func(s score) int { return s.exact }
	fmt.Fprintf(out, "%s, %d flows in %d captures\n", t.engine, t.all.flows, len(t.captures))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  \tper capture\tper label\tper flow\n")
	fmt.Fprintf(w, "  protocol\t%.1f %%\t%.1f %%\t%.1f %%\n", mean(t.captures, protocol), mean(t.labels, protocol), share(t.all.protocol, t.all.flows))
	fmt.Fprintf(w, "  protocol and application\t%.1f %%\t%.1f %%\t%.1f %%\n", mean(t.captures, exact), mean(t.labels, exact), share(t.all.exact, t.all.flows))
	fmt.Fprintf(w, "  the same, strong rows\t\t\t%.1f %%\n", share(t.strong.exact, t.strong.flows))
	fmt.Fprintf(w, "  wrong claims\t\t\t%.1f %%\t(%d)\n", share(t.all.wrong, t.all.flows), t.all.wrong)
	fmt.Fprintf(w, "  silent\t\t\t%.1f %%\t(%d)\n", share(t.all.silent, t.all.flows), t.all.silent)
	fmt.Fprintf(w, "  claims on unknown flows\t\t\t%.1f %%\t(%d)\n", share(t.claims, t.unknowns), t.claims)
	if len(t.packets) > 0 {
		fmt.Fprintf(w, "  packets to the answer\tp50 %d\tp99 %d\n", percentile(t.packets, 50), percentile(t.packets, 99))
		fmt.Fprintf(w, "  bytes to the answer\tp50 %d\tp99 %d\n", percentile(t.bytes, 50), percentile(t.bytes, 99))
	}
	if t.took > 0 {
		fmt.Fprintf(w, "  time\t%v\n", t.took.Round(time.Millisecond))
	}
	w.Flush()
}

// printRows prints the labels that are not all right, and each row that is not right; of one
// expected protocol only if that is given.
func (t *tally) printRows(out io.Writer, only string) {
	fmt.Fprintln(out, "\nlabels")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	labels := make([]string, 0, len(t.labels))
	for label, s := range t.labels {
		if s.exact < s.flows {
			labels = append(labels, label)
		}
	}
	slices.SortFunc(labels, func(a, b string) int {
		missing := func(l string) int { return t.labels[l].flows - t.labels[l].protocol }
		if d := missing(b) - missing(a); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, label := range labels {
		s := t.labels[label]
		fmt.Fprintf(w, "  %s\tflows %d\tprotocol %d\texact %d\twrong %d\tsilent %d\n", label, s.flows, s.protocol, s.exact, s.wrong, s.silent)
	}
	w.Flush()
	fmt.Fprintln(out, "\nrows")
	for _, m := range t.misses {
		if only != "" && m.row.protocol != only {
			continue
		}
		given := m.answer.protocol
		if m.answer.application != "" {
			given += "." + m.answer.application
		}
		fmt.Fprintf(w, "  %s\t%s\t%s %v %v\texpected %s\tgiven %s\t%s\t%s\n", m.kind, m.row.capture, m.row.key.transport,
			m.row.key.a, m.row.key.b, m.row.label(), given, m.answer.evidence, m.row.tier)
	}
	w.Flush()
}
