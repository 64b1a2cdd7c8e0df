package main

import (
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{5, 1}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := (&figure{values: c.values}).median(); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

// A table has a row for every figure that any mode has, in the order of the measurements, and
// ratios to the kernel.
func TestTable(t *testing.T) {
	kernel, express := &mode{name: "kernel"}, &mode{name: "express"}
	r := newResults("kernel", []*mode{kernel, {name: "sslsplit", tls: true}, express}, false)
	r.of(kernel).add("TCP 1 up", "Gbit/s", 10)
	r.of(express).add("TCP 1 up", "Gbit/s", 8)
	r.of(express).add("TCP 1 up, CPU", "s/GB", 0.4)
	table := r.markdown(settings{rounds: 1, seconds: time.Second})
	for _, row := range []string{
		"| | | kernel | express |",
		"| TCP 1 up | Gbit/s | 10.0 | 8.00 (0.80 ×) |",
		"| TCP 1 up, CPU | s/GB | – | 0.40 |",
	} {
		if !strings.Contains(table, row+"\n") {
			t.Errorf("no row %q in\n%s", row, table)
		}
	}
}
