package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// runReader lets nDPI's reader classify the same captures, tunnels opened, and scores its answers.
// It is started once a capture, so that its caches do not carry over either.
func runReader(reader, directory string, expected *answers, t *tally) error {
	scratch, err := os.MkdirTemp("", "score-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	table := filepath.Join(scratch, "flows.csv")
	start := time.Now()
	for _, capture := range expected.captures {
		os.Remove(table)
		cmd := exec.Command(reader, "-q", "-t", "-C", table, "-i", filepath.Join(directory, "pcap", capture))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w: %.200s", reader, capture, err, out)
		}
		given, err := readFlows(table)
		if err != nil {
			return fmt.Errorf("%s: %w", capture, err)
		}
		t.capture(expected.rows[capture], given)
	}
	t.took = time.Since(start)
	return nil
}

// readFlows reads the table that the reader writes. Fields may hold stray quotes and commas, but
// the columns that matter come before any of these.
func readFlows(name string) (map[flowKey]answer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.FieldsPerRecord, in.LazyQuotes = -1, true
	given := map[flowKey]answer{}
	for {
		r, err := in.Read()
		switch {
		case errors.Is(err, io.EOF):
			return given, nil
		case err != nil:
			return nil, err
		case len(r) < 11 || strings.HasPrefix(r[0], "#"):
			continue
		}
		protocol, err0 := strconv.ParseUint(r[1], 10, 8)
		a, err1 := endpoint(r[5], r[6])
		b, err2 := endpoint(r[7], r[8])
		if err := errors.Join(err0, err1, err2); err != nil {
			continue // addresses that it abbreviates wrongly
		}
		master, application, _ := strings.Cut(r[10], ".")
		given[newFlowKey(uint8(protocol), a, b)] = answer{protocol: master, application: application}
	}
}
