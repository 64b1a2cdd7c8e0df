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

// pingTimeout is how long an answer may take; after that the measurement fails.
const pingTimeout = 5 * time.Second

// runPing sends one byte to an echo server and waits for it, for a while, and prints
// {"count":…,"p50_us":…,"p99_us":…,"p999_us":…,"max_us":…}. All go over one TCP connection, or each
// opens a UDP session of its own.
func runPing(args []string) error {
	flags := flag.NewFlagSet("ping", flag.ContinueOnError)
	address := flags.String("to", "", "ADDRESS:PORT of the echo server")
	duration := flags.Duration("time", 3*time.Second, "how long")
	every := flags.Duration("every", 0, "time from one to the next; 0: the next follows the answer")
	fresh := flags.Bool("fresh", false, "a UDP session for each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dial := func() (net.Conn, error) { return net.DialTimeout("udp", *address, pingTimeout) }
	if !*fresh {
		c, err := net.DialTimeout("tcp", *address, pingTimeout)
		if err != nil {
			return err
		}
		defer c.Close()
		dial = func() (net.Conn, error) { return c, nil }
	}
	var samples []time.Duration
	start := time.Now()
	for next := start; time.Since(start) < *duration; {
		c, err := dial()
		if err != nil {
			return err
		}
		took, err := roundTrip(c)
		if *fresh {
			c.Close()
		}
		if err != nil {
			return err
		}
		samples = append(samples, took)
		next = next.Add(*every)
		time.Sleep(time.Until(next))
	}
	if len(samples) == 0 {
		return fmt.Errorf("no round trip within %v", *duration)
	}
	slices.Sort(samples)
	at := func(part float64) float64 {
		return float64(samples[int(part*float64(len(samples)-1))].Nanoseconds()) / 1000
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"count": len(samples), "p50_us": at(0.50), "p99_us": at(0.99), "p999_us": at(0.999), "max_us": at(1),
	})
}

// roundTrip sends a byte and waits for it.
func roundTrip(c net.Conn) (time.Duration, error) {
	b := []byte{'x'}
	start := time.Now()
	if err := c.SetDeadline(start.Add(pingTimeout)); err != nil {
		return 0, err
	}
	if _, err := c.Write(b); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(c, b)
	return time.Since(start), err
}
