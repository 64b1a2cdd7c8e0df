package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sluice/lab"
)

// A large configuration has so many policies and addresses.
const (
	manyPolicies  = 10_000
	manyAddresses = 100_000
)

// largeConfig is the policies and addresses of a large configuration, none of which the bench's traffic
// meets before the last one. Two variants differ in every address and every policy.
func largeConfig(variant int) string {
	var b strings.Builder
	b.WriteString("security {\n    address-book global {\n")
	for i := range manyAddresses {
		fmt.Fprintf(&b, "        address a%d 10.%d.%d.%d/32;\n", i, i>>16, i>>8&255, i&255^variant)
	}
	b.WriteString("    }\n    policies {\n        from-zone trust to-zone untrust {\n")
	services := [2]string{"junos-http", "junos-https"}
	const each = manyAddresses / manyPolicies
	for i := range manyPolicies {
		fmt.Fprintf(&b, "            policy p%d {\n                match {\n                    source-address [", i)
		for n := range each / 2 {
			fmt.Fprintf(&b, " a%d", i*each+n)
		}
		b.WriteString(" ];\n                    destination-address [")
		for n := range each / 2 {
			fmt.Fprintf(&b, " a%d", i*each+each/2+n)
		}
		fmt.Fprintf(&b, " ];\n                    application %s;\n                }\n                then {\n                    permit;\n                }\n            }\n", services[(i+variant)%2])
	}
	b.WriteString("            policy all {\n                match {\n                    source-address any;\n                    destination-address any;\n" +
		"                    application any;\n                }\n                then {\n                    permit;\n                }\n            }\n        }\n    }\n}\n")
	return b.String()
}

// measurePolicies commits large configurations in turn, each other than the one before in every
// policy, while sessions are measured: the longest round trip on a connection that is open and that of
// sessions that begin, beside a download, and how long loading and committing take.
func measurePolicies(ctx context.Context, s settings, m *mode, r *result) error {
	if m.gateway == nil {
		return nil
	}
	var files [2]string
	for i := range files {
		files[i] = filepath.Join(m.lab.Dir, "large-"+strconv.Itoa(i))
		if err := os.WriteFile(files[i], []byte(largeConfig(i)), 0o600); err != nil {
			return err
		}
	}
	shell, err := m.openShell(ctx)
	if err != nil {
		return err
	}
	defer shell.close()
	commits := 0
	commit := func() error {
		start := time.Now()
		lines := []string{"delete security policies from-zone trust to-zone untrust", "load merge " + files[commits%2]}
		if m.config != "" { // of which some was deleted
			lines = append(lines, strings.Split(strings.TrimSpace(m.config), "\n")...)
		}
		for _, line := range lines {
			if err := shell.run(line); err != nil {
				return err
			}
		}
		loaded, before := time.Now(), m.cpu()
		if err := shell.run("commit"); err != nil {
			return err
		}
		if commits++; commits > 1 { // the first is a larger change
			r.add("loading 10,000 policies, 100,000 addresses", "s", loaded.Sub(start).Seconds())
			r.add("committing them", "s", time.Since(loaded).Seconds())
			r.add("committing them, CPU", "s", (m.cpu() - before).Seconds())
		}
		return nil
	}
	if err := commit(); err != nil {
		return err
	}
	if err := m.stall(ctx, s, r, "quiet"); err != nil {
		return err
	}
	limit, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		for limit.Err() == nil {
			if err := commit(); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	err = m.stall(ctx, s, r, "committing")
	cancel()
	return errors.Join(err, <-done)
}

// stall measures the longest round trips beside a download.
func (m *mode) stall(ctx context.Context, s settings, r *result, when string) error {
	tool, err := lab.Binary("labhost")
	if err != nil {
		return err
	}
	bulk, err := m.lab.Client.Start("iperf3", "-c", lab.WebAddr4, "-t", strconv.Itoa(int(s.seconds.Seconds())+1), "-b", "500M", "-R")
	if err != nil {
		return err
	}
	fresh, err := m.lab.Client.Start(tool, "ping", "-to", lab.EchoAddr4+":7", "-time", s.seconds.String(), "-every", "4ms", "-fresh")
	if err != nil {
		return err
	}
	var open, begun latency
	err = m.helper(ctx, s, &open, "ping", "-to", lab.EchoAddr4+":7", "-time", s.seconds.String(), "-every", "1ms")
	limit, cancel := context.WithTimeout(ctx, s.seconds+20*time.Second)
	defer cancel()
	if err := errors.Join(err, fresh.Wait(limit), bulk.Wait(limit)); err != nil {
		return err
	}
	if err := decodeHelper(fresh.Output(), &begun); err != nil {
		return err
	}
	for name, l := range map[string]latency{"open session": open, "new sessions": begun} {
		r.add(name+", "+when+": p50", "µs", l.P50)
		r.add(name+", "+when+": p99.9", "µs", l.P999)
		r.add(name+", "+when+": longest", "µs", l.Max)
	}
	return nil
}

// shell is a shell in configuration mode that stays open, so that no program starts while the sessions
// are measured.
type shell struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (m *mode) openShell(ctx context.Context) (*shell, error) {
	cmd := m.gateway.Shell(ctx)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	s := &shell{cmd, in, bufio.NewReader(out)}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return s, s.run("configure")
}

// run executes a command and waits until it is done. A script ends with the first that fails.
func (s *shell) run(line string) error {
	// The answer to a command that is known follows what the line itself prints.
	if _, err := fmt.Fprintf(s.in, "%s\nstatus\n", line); err != nil {
		return err
	}
	for {
		text, err := s.out.ReadString('\n')
		if err != nil {
			return fmt.Errorf("%s: %w", line, err)
		}
		if strings.Contains(text, "edits the configuration since") {
			return nil
		}
	}
}

func (s *shell) close() {
	s.in.Close()
	_ = s.cmd.Wait() // what it has to say about its end was measured by nobody
}
