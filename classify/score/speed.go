package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"sluice/classify"
	"sluice/classify/pcap"
	"sluice/classify/replay"
)

// packet is an IP packet of a capture in memory.
type packet struct {
	at time.Time
	ip []byte
}

// loadPackets reads the IP packets of a capture.
func loadPackets(name string) ([]packet, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := pcap.NewReader(f)
	if err != nil {
		return nil, err
	}
	var packets []packet
	for {
		frame, err := r.Next()
		if err != nil { // damage is reported by the scoring
			return packets, nil
		}
		if ip, ok := frame.IP(); ok {
			packets = append(packets, packet{frame.Time, slices.Clone(ip)})
		}
	}
}

// measureSpeed replays all captures from memory on one core, loops times, and prints what that took:
// parsing, flow table and identification together.
func measureSpeed(engine *classify.Engine, directory string, captures []string, loops int, out io.Writer) error {
	var all [][]packet
	for _, capture := range captures {
		packets, err := loadPackets(filepath.Join(directory, "pcap", capture))
		if err != nil {
			return err
		}
		all = append(all, packets)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	packets, bytes, flows := 0, 0, 0
	start, before := time.Now(), processorTime()
	for range loops {
		for _, capture := range all {
			t := replay.NewTable(engine)
			for _, p := range capture {
				t.Packet(p.at, p.ip)
				bytes += len(p.ip)
			}
			packets += len(capture)
			flows += len(t.Close())
		}
	}
	took, processor := time.Since(start), processorTime()-before
	fmt.Fprintf(out, "\nspeed on one core, from memory: %.2f M packets/s, %.2f Gbit/s, %.1f us of processor time a flow\n",
		float64(packets)/took.Seconds()/1e6, float64(bytes)*8/took.Seconds()/1e9, processor.Seconds()*1e6/float64(flows))
	return nil
}

// processorTime is the time that this process has spent on processors.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
