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

// What ab prints is read, and a request that failed is no result.
func TestReadAB(t *testing.T) {
	const out = `
Concurrency Level:      16
Time taken for tests:   2.000 seconds
Complete requests:      1500
Failed requests:        0
Requests per second:    750.00 [#/sec] (mean)
`
	if n, seconds, err := readAB(out); n != 1500 || seconds != 2 || err != nil {
		t.Errorf("%v requests in %v s, error %v", n, seconds, err)
	}
	for _, bad := range []string{
		"", strings.Replace(out, "Failed requests:        0", "Failed requests:        3", 1),
		strings.Replace(out, "Complete requests:      1500", "Complete requests:      0", 1), out + "Non-2xx responses:      7\n",
	} {
		if n, seconds, err := readAB(bad); err == nil {
			t.Errorf("%v requests in %v s of %q", n, seconds, bad)
		}
	}
}
