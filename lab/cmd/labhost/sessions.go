package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// runSessions sends one UDP packet after the other, each to another port: a session a packet.
func runSessions(args []string) error {
	flags := flag.NewFlagSet("sessions", flag.ContinueOnError)
	to := flags.String("to", "", "ADDRESS that is sent to")
	rate := flags.Int("rate", 1000, "sessions a second")
	duration := flags.Duration("time", 3*time.Second, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	address, err := netip.ParseAddr(*to)
	if err != nil || *rate <= 0 {
		return fmt.Errorf("-to must be an address and -rate positive")
	}
	conn, err := net.ListenUDP("udp", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	const tick = 5 * time.Millisecond
	start := time.Now()
	for sent := 0; time.Since(start) < *duration; time.Sleep(tick) {
		for due := int(time.Since(start).Seconds() * float64(*rate)); sent < due; sent++ {
			port := uint16(1 + sent%65535)
			if _, err := conn.WriteToUDPAddrPort([]byte{'x'}, netip.AddrPortFrom(address, port)); err != nil && !errors.Is(err, syscall.ENOBUFS) {
				return err
			}
		}
	}
	return nil
}
