package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"
)

// runPing sends one byte to a TCP echo server and waits for it, for a while, and prints
// {"count":…,"p50_us":…,"p99_us":…,"max_us":…}.
func runPing(args []string) error {
	flags := flag.NewFlagSet("ping", flag.ContinueOnError)
	address := flags.String("to", "", "ADDRESS:PORT of the echo server")
	duration := flags.Duration("time", 3*time.Second, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	c, err := net.DialTimeout("tcp", *address, 5*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	var samples []time.Duration
	b := []byte{'x'}
	for end := time.Now().Add(*duration); time.Now().Before(end); {
		start := time.Now()
		if err := c.SetDeadline(start.Add(5 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Write(b); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
		samples = append(samples, time.Since(start))
	}
	if len(samples) == 0 {
		return fmt.Errorf("no round trip within %v", *duration)
	}
	slices.Sort(samples)
	at := func(part float64) float64 {
		return float64(samples[int(part*float64(len(samples)-1))].Nanoseconds()) / 1000
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"count": len(samples), "p50_us": at(0.50), "p99_us": at(0.99), "max_us": at(1),
	})
}
