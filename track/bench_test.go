package track

import (
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"sluice/store/schema"
)

// BenchmarkPut is what a record costs its caller.
func BenchmarkPut(b *testing.B) {
	tracker := newTestTracker(b, Options{State: openState(b, filepath.Join(b.TempDir(), "state.db"))})
	commit(b, tracker, &schema.Config{})
	s := fullSession()
	b.ReportAllocs()
	for b.Loop() {
		tracker.FlowClose(s, ReasonClientFIN)
	}
	b.ReportMetric(float64(tracker.counts.ringDropped.Load())/float64(b.N), "dropped/op")
}

// BenchmarkPipeline sends 10,000 records a second to collectors and the history, and reports what
// one record costs in processor time; at that rate 1 µs is 1 % of a processor.
func BenchmarkPipeline(b *testing.B) {
	for _, with := range []string{"udp", "tcp", "history", "tcp+history"} {
		b.Run(with, func(b *testing.B) {
			var opts Options
			cfg := &schema.Config{}
			if with == "history" || with == "tcp+history" {
				opts.State = openState(b, filepath.Join(b.TempDir(), "state.db"))
			}
			if with != "history" {
				cfg = discard(b, with[:3])
			}
			tracker := newTestTracker(b, opts)
			commit(b, tracker, cfg)
			s := fullSession()
			before := processorTime(b)
			start := time.Now()
			b.ResetTimer()
			for i := range b.N {
				s.ID = uint64(i)
				tracker.FlowClose(s, ReasonClientFIN)
				if i%100 == 99 { // a burst every 10 ms
					time.Sleep(time.Until(start.Add(time.Duration(i+1) * 100 * time.Microsecond)))
				}
			}
			var dropped uint64
			eventually(b, "all records are out", func() bool {
				dropped = tracker.counts.ringDropped.Load()
				for _, o := range tracker.Outlets() {
					if o.Sent+o.Dropped+tracker.counts.ringDropped.Load() < uint64(b.N) {
						return false
					}
					dropped += o.Dropped
				}
				return true
			})
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(dropped), "dropped")
		})
	}
}

// discard is a stream to a collector that throws away what it gets.
func discard(b *testing.B, protocol string) *schema.Config {
	if protocol == "udp" {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0") // the kernel discards what nobody reads
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { conn.Close() })
		return streamTo(conn.LocalAddr(), protocol)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.Copy(io.Discard, conn)
	}()
	return streamTo(listener.Addr(), protocol)
}

// processorTime is what the process has used, in nanoseconds.
func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
