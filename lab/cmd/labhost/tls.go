package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	tls "sluice/tls/stdtls"
)

// tlsClient opens HTTPS connections, none of them by taking up an earlier session, and looks at nothing
// of the server's certificate but who issued it.
type tlsClient struct {
	to, name, issuer string
}

// dial opens a connection to a server of the given name.
func (t *tlsClient) dial(name string) (*tls.Conn, error) {
	raw, err := net.DialTimeout("tcp", t.to, 10*time.Second)
	if err != nil {
		return nil, err
	}
	// Key shares of post-quantum kind make a ClientHello too long for some programs.
	c := tls.Client(raw, &tls.Config{ServerName: name, InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}})
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.Handshake(); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if by := c.ConnectionState().PeerCertificates[0].Issuer.CommonName; t.issuer != "" && by != t.issuer {
		return nil, errors.Join(fmt.Errorf("the certificate was issued by %q", by), raw.Close())
	}
	return c, nil
}

// request asks for a path; the answer is left to read.
func (t *tlsClient) request(c io.Writer, name, path string) error {
	_, port, err := net.SplitHostPort(t.to)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s:%s\r\n\r\n", path, name, port)
	return err
}

// answer reads what a small request is answered with.
func answer(c io.Reader) error {
	b := make([]byte, 4096)
	n, err := c.Read(b)
	if n > 0 && !strings.HasPrefix(string(b[:n]), "HTTP/1.1 200") {
		return fmt.Errorf("the server answered %.40q", b[:n])
	}
	return err
}

// runTLS measures HTTPS.
func runTLS(args []string) error {
	var t tlsClient
	flags := flag.NewFlagSet("tls", flag.ContinueOnError)
	flags.StringVar(&t.to, "to", "", "ADDRESS:PORT of the server")
	flags.StringVar(&t.name, "name", "", "the server's name")
	flags.StringVar(&t.issuer, "issuer", "", "common name of the issuer of its certificate; others are refused")
	what := flags.String("measure", "bulk", "bulk, connections, names or idle")
	count := flags.Int("count", 1, "connections; names")
	first := flags.Int("first", 0, "number of the first name, which are h0.NAME, h1.NAME, ...")
	path := flags.String("path", "/", "what to ask for")
	duration := flags.Duration("time", 3*time.Second, "how long")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch *what {
	case "bulk":
		return t.bulk(*count, *path, *duration)
	case "connections":
		return t.connections(*count, *path, *duration)
	case "names":
		return t.names(*first, *count, *path)
	case "idle":
		return t.idle(*count, *path)
	}
	return fmt.Errorf("no measurement %q", *what)
}

// bulk downloads over some connections for a while, and prints {"bytes":...,"seconds":...}.
func (t *tlsClient) bulk(count int, path string, duration time.Duration) error {
	conns := make([]*tls.Conn, count)
	for i := range conns {
		var err error
		if conns[i], err = t.dial(t.name); err != nil {
			return err
		}
		for range 100 { // one behind the other
			if err := t.request(conns[i], t.name, path); err != nil {
				return err
			}
		}
	}
	var bytes atomic.Int64
	var failure atomic.Pointer[error]
	start := time.Now()
	forEach(count, count, func(i int) {
		c, b := conns[i], make([]byte, 128<<10)
		_ = c.SetDeadline(start.Add(duration))
		for {
			n, err := c.Read(b)
			bytes.Add(int64(n))
			if err != nil {
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					failure.Store(&err)
				}
				return
			}
		}
	})
	took := time.Since(start)
	if err := failure.Load(); err != nil {
		return *err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"bytes": bytes.Load(), "seconds": took.Seconds()})
}

// names asks servers of many names, one after the other, once and again, and prints
// {"first_us":...,"again_us":...}: the medians of the time from the connection's SYN to the answer.
func (t *tlsClient) names(first, count int, path string) error {
	once := func(name string) (time.Duration, error) {
		start := time.Now()
		c, err := t.dial(name)
		if err != nil {
			return 0, err
		}
		defer c.Close()
		if err := errors.Join(t.request(c, name, path), answer(c)); err != nil {
			return 0, err
		}
		return time.Since(start), nil
	}
	var times [2][]time.Duration
	for i := range count {
		for round := range times {
			name := fmt.Sprintf("h%d.%s", first+i, t.name)
			took, err := once(name)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			times[round] = append(times[round], took)
		}
	}
	var medians [2]float64
	for i, list := range times {
		slices.Sort(list)
		medians[i] = float64(list[len(list)/2].Nanoseconds()) / 1000
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"first_us": medians[0], "again_us": medians[1]})
}

// idle opens connections, asks for something over each, prints "open N failed M" and holds them until it
// is told to stop.
func (t *tlsClient) idle(count int, path string) error {
	conns := make([]*tls.Conn, count)
	var failed atomic.Int64
	forEach(count, 8, func(i int) {
		c, err := t.dial(t.name)
		if err == nil {
			err = errors.Join(t.request(c, t.name, path), answer(c))
		}
		if err != nil {
			if failed.Add(1) == 1 {
				fmt.Fprintln(os.Stderr, "first failure:", err)
			}
			return
		}
		conns[i] = c
	})
	fmt.Printf("open %d failed %d\n", int64(count)-failed.Load(), failed.Load())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	for _, c := range conns {
		if c != nil {
			_ = c.Close()
		}
	}
	return nil
}
