// Command bench measures the gateway next to kernel forwarding and to other user-space gateways, and
// its SSL proxy next to other programs that open TLS: the same lab for each, the same measurements in
// turn, several rounds, medians. It prints tables in Markdown, in which figures stand next to their
// ratio to kernel forwarding, or to sslsplit.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are what the user chose.
type settings struct {
	rounds  int
	seconds time.Duration
	modes   []string
	metrics []string
	idle    int
	turn    int
	scatter bool
	output  string
}

func main() {
	var s settings
	modes := flag.String("modes", "kernel,offload,express,stream,sing-box,tun2socks,direct,sslproxy,judged,sslsplit,squid,haproxy", "what to measure")
	metrics := flag.String("metrics", "tcp,connections,latency,udp,idle,commit,tls-idle,tls-bulk,tls-handshakes,tls-confined,tls-requests,tls-names", "what of it; records, policies and turnover too, of which the last takes minutes")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds; the tables show medians")
	flag.DurationVar(&s.seconds, "time", 3*time.Second, "length of one measurement")
	flag.IntVar(&s.idle, "idle", 20000, "sessions of the memory measurement")
	flag.IntVar(&s.turn, "turnover", 1000000, "sessions of the turnover measurement")
	flag.BoolVar(&s.scatter, "scatter", false, "show the quartiles of the rounds beside medians")
	flag.StringVar(&s.output, "o", "", "file to write the table to, besides printing it")
	flag.Parse()
	s.modes, s.metrics = strings.Split(*modes, ","), strings.Split(*metrics, ",")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and reports.
func run(ctx context.Context, s settings) (err error) {
	if s.rounds < 1 || s.seconds < time.Second {
		return errors.New("-rounds must be at least 1 and -time at least 1s")
	}
	if err := checkNames(s); err != nil {
		return err
	}
	var modes []*mode
	defer func() {
		for _, m := range modes {
			err = errors.Join(err, m.lab.Close())
		}
	}()
	for _, name := range s.modes {
		m, err := startMode(ctx, name)
		var missing *missingError
		if errors.As(err, &missing) {
			fmt.Printf("%s is left out: %v\n", name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		modes = append(modes, m)
	}
	packets, plaintext := newResults("kernel", modes, false), newResults("sslsplit", modes, true)
	measureAll(ctx, s, packets, plaintext)
	table := packets.markdown(s) + plaintext.markdown(s)
	fmt.Print(table)
	if s.output != "" {
		return os.WriteFile(s.output, []byte(table), 0o644)
	}
	return ctx.Err()
}

// measureAll measures round after round, until all are done or ctx ends.
func measureAll(ctx context.Context, s settings, packets, plaintext *results) {
	for round := range s.rounds {
		for _, metric := range metrics {
			if !slices.Contains(s.metrics, metric.name) || metric.once && round > 0 {
				continue
			}
			results := packets
			if metric.tls {
				results = plaintext
			}
			for _, m := range results.modes {
				fmt.Fprintf(os.Stderr, "round %d of %d: %s, %s\n", round+1, s.rounds, metric.name, m.name)
				if err := metric.measure(ctx, s, m, results.of(m)); err != nil {
					if ctx.Err() != nil {
						return
					}
					fmt.Fprintf(os.Stderr, "  failed: %v\n", err)
				}
			}
		}
	}
}

// checkNames refuses what -modes and -metrics do not know.
func checkNames(s settings) error {
	for _, m := range s.modes {
		if _, ok := starters[m]; !ok {
			return fmt.Errorf("no mode %q", m)
		}
	}
	for _, name := range s.metrics {
		if !slices.ContainsFunc(metrics, func(m metric) bool { return m.name == name }) {
			return fmt.Errorf("no metric %q", name)
		}
	}
	return nil
}
