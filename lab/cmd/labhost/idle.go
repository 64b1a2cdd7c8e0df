package main

import (
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// runIdle opens TCP connections, prints "open N failed M" and holds them until it is told to stop.
// Before that it can prove that they live, by a byte to an echo server over each.
func runIdle(args []string) error {
	flags := flag.NewFlagSet("idle", flag.ContinueOnError)
	to := flags.String("to", "", "ADDRESS:PORT of an echo server")
	count := flags.Int("count", 1000, "connections")
	from := flags.String("from", "", "first source address; ten in a row are used")
	parallel := flags.Int("parallel", 64, "connections being opened at a time")
	check := flags.Bool("check", false, "send a byte over each connection before ending, print \"alive N\"")
	reset := flags.Bool("reset", false, "end every connection with RST")
	if err := flags.Parse(args); err != nil {
		return err
	}
	sources, err := sourceAddresses(*from)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, *count)
	var failed atomic.Int64
	forEach(*count, *parallel, func(i int) {
		d := net.Dialer{Timeout: 20 * time.Second}
		if len(sources) > 0 {
			d.LocalAddr = &net.TCPAddr{IP: sources[i%len(sources)].AsSlice()}
		}
		c, err := d.Dial("tcp", *to)
		if err != nil {
			if failed.Add(1) == 1 {
				fmt.Fprintln(os.Stderr, "first failure:", err)
			}
			return
		}
		conns[i] = c
	})
	fmt.Printf("open %d failed %d\n", int64(*count)-failed.Load(), failed.Load())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	if *check {
		var alive atomic.Int64
		forEach(*count, *parallel, func(i int) {
			if conns[i] != nil && echoes(conns[i]) {
				alive.Add(1)
			}
		})
		fmt.Printf("alive %d\n", alive.Load())
	}
	for _, c := range conns {
		if c == nil {
			continue
		}
		if *reset {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		_ = c.Close()
	}
	return nil
}

// sourceAddresses is first and the nine that follow, or none.
func sourceAddresses(first string) ([]netip.Addr, error) {
	if first == "" {
		return nil, nil
	}
	a, err := netip.ParseAddr(first)
	if err != nil {
		return nil, err
	}
	var list []netip.Addr
	for range 10 {
		list = append(list, a)
		a = a.Next()
	}
	return list, nil
}

// forEach calls f for 0..n-1, parallel calls at a time.
func forEach(n, parallel int, f func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range parallel {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// echoes says whether a byte sent over c comes back.
func echoes(c net.Conn) bool {
	b := []byte{'x'}
	if c.SetDeadline(time.Now().Add(10*time.Second)) != nil {
		return false
	}
	if _, err := c.Write(b); err != nil {
		return false
	}
	n, err := c.Read(b)
	return n == 1 && err == nil
}
