// Command score measures application identification on captures whose answers are known.
//
//	score [-ndpi ndpiReader] [-recut] [-loops N] [-v [-label NAME]] DIRECTORY
//
// The directory holds captures in pcap/ and their answers in expected.csv, a row a flow with the
// columns pcap, proto_l4, src, sport, dst, dport, ndpi_master, ndpi_app, confidence and tier. Rows
// with confidence DPI, TCP and UDP, are scored; rows with tier none say that nothing is known.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/classify"
	"sluice/classify/data"
	"sluice/classify/replay"
	"sluice/classify/scan"
)

func main() {
	reader := flag.String("ndpi", "", "path of nDPI's ndpiReader, to run on the same captures")
	verbose := flag.Bool("v", false, "print every row that is not right")
	only := flag.String("label", "", "with -v, print rows of this expected protocol only")
	recut := flag.Bool("recut", false, "also re-cut every TCP segment, and count the flows whose answer changes")
	loops := flag.Int("loops", 0, "also measure speed, over this many replays of all captures")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: score [-ndpi ndpiReader] [-recut] [-loops N] [-v [-label NAME]] DIRECTORY")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *reader, *recut, *loops, *verbose, *only); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(directory, reader string, recut bool, loops int, verbose bool, only string) error {
	expected, err := readExpected(filepath.Join(directory, "expected.csv"))
	if err != nil {
		return err
	}
	names, err := data.NamesOf("ndpi")
	if err != nil {
		return err
	}
	database, problems := data.Load()
	signatures, wrong, err := scan.Compile(context.Background(), database, scan.Options{})
	if err != nil {
		return err
	}
	defer signatures.Close()
	engine, more := classify.Compile(database, classify.NewState(nil), classify.Options{MicroApps: true, Signatures: signatures})
	for _, p := range slices.Concat(problems, wrong, more) {
		fmt.Fprintln(os.Stderr, "application database:", p)
	}
	ours := newTally("sluice")
	start := time.Now()
	for _, capture := range expected.captures {
		flows, err := replay.File(engine, filepath.Join(directory, "pcap", capture))
		if err != nil {
			return err
		}
		answers := map[flowKey]answer{}
		for _, f := range flows {
			protocol, application := names.Of(f.Result.Protocol, f.Result.Application)
			a := answer{protocol: protocol, application: application, evidence: f.Result.Evidence, packets: f.AnswerPackets, bytes: f.AnswerBytes}
			answers[newFlowKey(f.Protocol, f.Client, f.Server)] = a
		}
		ours.capture(expected.rows[capture], answers)
	}
	ours.took = time.Since(start)
	ours.print(os.Stdout)
	if verbose {
		ours.printRows(os.Stdout, only)
	}
	if recut {
		if err := compareRecut(engine, directory, expected.captures); err != nil {
			return err
		}
	}
	if loops > 0 {
		if err := measureSpeed(engine, directory, expected.captures, loops, os.Stdout); err != nil {
			return err
		}
	}
	if reader == "" {
		return nil
	}
	theirs := newTally("nDPI")
	if err := runReader(reader, directory, expected, theirs); err != nil {
		return err
	}
	fmt.Println()
	theirs.print(os.Stdout)
	return nil
}

// compareRecut replays each capture as it is and re-cut, and prints the flows whose answers differ.
func compareRecut(engine *classify.Engine, directory string, captures []string) error {
	flows, different := 0, 0
	for i, capture := range captures {
		name := filepath.Join(directory, "pcap", capture)
		plain, err := replay.File(engine, name)
		if err != nil {
			return err
		}
		cut, err := replay.FileRecut(engine, name, uint64(i))
		if err != nil {
			return err
		}
		for k, f := range plain {
			flows++
			if g := cut[k]; f.Result.Protocol != g.Result.Protocol || f.Result.Application != g.Result.Application {
				different++
				fmt.Printf("re-cut: %s %v %v: %s %s became %s %s\n", capture, f.Client, f.Server,
					f.Result.Protocol, f.Result.Application, g.Result.Protocol, g.Result.Application)
			}
		}
	}
	fmt.Printf("\nre-cut into single, overlapping, reordered bytes: %d of %d flows have another answer\n", different, flows)
	return nil
}
