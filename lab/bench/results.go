package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// figure is one line of the table for one mode.
type figure struct {
	unit   string
	values []float64 // one a round
}

// result is what was measured of one mode.
type result struct {
	figures map[string]*figure
	order   *[]string // names in the order in which they first came, shared by all modes
}

// results are all of one kind of modes.
type results struct {
	reference string // the mode that others are compared with
	modes     []*mode
	each      map[*mode]*result
	order     []string
}

// newResults makes room for what is measured of those modes that open TLS, or of the others.
func newResults(reference string, modes []*mode, tls bool) *results {
	r := &results{reference: reference, each: map[*mode]*result{}}
	for _, m := range modes {
		if m.tls == tls {
			r.modes = append(r.modes, m)
			r.each[m] = &result{map[string]*figure{}, &r.order}
		}
	}
	return r
}

// of is the result of m.
func (r *results) of(m *mode) *result { return r.each[m] }

// add records one value.
func (r *result) add(name, unit string, value float64) {
	f := r.figures[name]
	if f == nil {
		f = &figure{unit: unit}
		r.figures[name] = f
	}
	f.values = append(f.values, value)
	if !slices.Contains(*r.order, name) {
		*r.order = append(*r.order, name)
	}
}

// median is the middle of the values, the mean of the two middle ones of an even number.
func (f *figure) median() float64 { return f.quantile(0.5) }

// quantile is the value that the given part of the values lies below, between two of them where need be.
func (f *figure) quantile(part float64) float64 {
	sorted := slices.Sorted(slices.Values(f.values))
	at := part * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

// markdown is the table: a row a figure, a column a mode, ratios to the reference where that was
// measured. Without figures there is none.
func (r *results) markdown(s settings) string {
	if len(r.order) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nMedians of %d rounds of %v, %s.\n\n| | |", s.rounds, s.seconds, time.Now().Format(time.DateOnly))
	for _, m := range r.modes {
		fmt.Fprintf(&b, " %s |", m.name)
	}
	b.WriteString("\n| --- | --- |" + strings.Repeat(" ---: |", len(r.modes)) + "\n")
	for _, name := range r.order {
		var unit, cells string
		for _, m := range r.modes {
			f := r.each[m].figures[name]
			if f == nil {
				cells += " – |"
				continue
			}
			unit = f.unit
			cells += " " + number(f.median())
			if s.scatter {
				cells += " (" + number(f.quantile(0.25)) + "–" + number(f.quantile(0.75)) + ")"
			}
			cells += r.ratio(m, name) + " |"
		}
		fmt.Fprintf(&b, "| %s | %s |%s\n", name, unit, cells)
	}
	return b.String()
}

// ratio is " (0.62 ×)", the mode's figure over that of the reference, where both are positive.
func (r *results) ratio(m *mode, name string) string {
	at := slices.IndexFunc(r.modes, func(m *mode) bool { return m.name == r.reference })
	if at < 0 || r.modes[at] == m {
		return ""
	}
	of, to := r.each[m].figures[name], r.each[r.modes[at]].figures[name]
	if to == nil || to.median() <= 0 || of.median() <= 0 {
		return ""
	}
	return fmt.Sprintf(" (%.2f ×)", of.median()/to.median())
}

// number prints three significant digits, and whole numbers in full.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}
