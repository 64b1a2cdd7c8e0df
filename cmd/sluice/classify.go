package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"sluice/classify"
	"sluice/classify/data"
	"sluice/classify/replay"
	"sluice/classify/scan"
)

const classifyUsage = `usage: sluice classify --pcap FILE… [--json] [--names ENGINE]

Finds out which applications the flows of captures (pcap, pcapng) carry; no gateway is needed. Prints
a row for each flow as CSV, or with --json an object for each, a line each:

  pcap,proto,src,sport,dst,dport,protocol,application,group,confidence,evidence,packets,bytes

src is the client; protocol is the base protocol, application what runs over it, if anything; evidence
says what decided: decoder, sni, certificate, dns, signature NAME, cache, address or port; packets and
bytes count the whole flow. With --json, micro is what the application did last. --names ndpi prints
the names that engine uses. --pcap may be given more than once. The exit code is 1 when a capture could
not be read to its end.
`

// files is a flag that may be given more than once.
type files []string

func (f *files) String() string { return fmt.Sprint(*f) }

func (f *files) Set(name string) error {
	*f = append(*f, name)
	return nil
}

// classifyMain is sluice classify.
func classifyMain(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sluice classify", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, classifyUsage) }
	var captures files
	flags.Var(&captures, "pcap", "")
	asJSON := flags.Bool("json", false, "")
	engineNames := flags.String("names", "", "")
	for rest := args; ; { // flags and files may stand in any order
		if err := flags.Parse(rest); err != nil {
			return 2
		}
		if rest = flags.Args(); len(rest) == 0 {
			break
		}
		captures, rest = append(captures, rest[0]), rest[1:]
	}
	if len(captures) == 0 {
		fmt.Fprint(stderr, classifyUsage)
		return 2
	}
	names := data.Names(nil)
	if *engineNames != "" {
		var err error
		if names, err = data.NamesOf(*engineNames); err != nil {
			fmt.Fprintf(stderr, "error: %v\n", err)
			return 2
		}
	}
	write := csvWriter(stdout)
	if *asJSON {
		write = jsonWriter(stdout)
	}
	if err := classifyCaptures(captures, names, write, stderr); err != nil {
		fmt.Fprintf(stderr, "error: %v\n", err)
		return 1
	}
	return 0
}

// classifyRow is what is printed of a flow.
type classifyRow struct {
	Capture       string `json:"pcap"`
	Transport     string `json:"proto"`
	Source        string `json:"src"`
	SourcePort    uint16 `json:"sport"`
	Destination   string `json:"dst"`
	DestPort      uint16 `json:"dport"`
	Protocol      string `json:"protocol"`
	Application   string `json:"application"`
	Group         string `json:"group"`
	Confidence    string `json:"confidence"`
	Evidence      string `json:"evidence"`
	Packets       uint64 `json:"packets"`
	Bytes         uint64 `json:"bytes"`
	Micro         string `json:"micro,omitempty"`
	EncryptedName bool   `json:"encrypted_client_hello,omitempty"`
	AnswerPackets int    `json:"answer_packets"` // with payload, until the answer
	AnswerBytes   int    `json:"answer_bytes"`   // of payload, until the answer
}

// classifyCaptures writes a row for each flow of each capture. A capture that cannot be read does
// not keep the others from being read.
func classifyCaptures(captures []string, names data.Names, write func(*classifyRow) error, stderr io.Writer) error {
	database, problems := data.Load()
	signatures, wrong, err := scan.Compile(context.Background(), database, scan.Options{})
	if err != nil {
		return err
	}
	defer signatures.Close()
	engine, more := classify.Compile(database, classify.NewState(nil), classify.Options{MicroApps: true, Signatures: signatures})
	for _, p := range slices.Concat(problems, wrong, more) {
		fmt.Fprintf(stderr, "application database: %v\n", p)
	}
	var failed []error
	for _, name := range captures {
		flows, err := replay.File(engine, name)
		if err != nil {
			failed = append(failed, err)
		}
		for _, f := range flows {
			if err := write(newClassifyRow(filepath.Base(name), f, names)); err != nil {
				return err
			}
		}
	}
	return errors.Join(failed...)
}

func newClassifyRow(capture string, f *replay.Flow, names data.Names) *classifyRow {
	r := &classifyRow{
		Capture: capture, Transport: transportName(f.Protocol),
		Source: f.Client.Addr().String(), SourcePort: f.Client.Port(),
		Destination: f.Server.Addr().String(), DestPort: f.Server.Port(),
		Protocol: f.Result.Protocol, Application: f.Result.Application, Group: f.Result.Group,
		Confidence: f.Result.Confidence.String(), Evidence: f.Result.Evidence,
		Packets: f.Packets, Bytes: f.Bytes, Micro: f.Result.Micro, EncryptedName: f.Result.EncryptedHello,
		AnswerPackets: f.AnswerPackets, AnswerBytes: f.AnswerBytes,
	}
	if names != nil {
		r.Protocol, r.Application = names.Of(r.Protocol, r.Application)
	}
	return r
}

// transportName is the name of an IP protocol, or its number.
func transportName(protocol uint8) string {
	switch protocol {
	case 1:
		return "ICMP"
	case 2:
		return "IGMP"
	case 6:
		return "TCP"
	case 17:
		return "UDP"
	case 58:
		return "ICMPV6"
	case 132:
		return "SCTP"
	}
	return strconv.Itoa(int(protocol))
}

// csvWriter writes rows as CSV, behind a header.
func csvWriter(out io.Writer) func(*classifyRow) error {
	w := csv.NewWriter(out)
	header := []string{"pcap", "proto", "src", "sport", "dst", "dport", "protocol", "application", "group",
		"confidence", "evidence", "packets", "bytes"}
	return func(r *classifyRow) error {
		if header != nil {
			if err := w.Write(header); err != nil {
				return err
			}
			header = nil
		}
		err := w.Write([]string{r.Capture, r.Transport, r.Source, strconv.Itoa(int(r.SourcePort)), r.Destination,
			strconv.Itoa(int(r.DestPort)), r.Protocol, r.Application, r.Group, r.Confidence, r.Evidence,
			strconv.FormatUint(r.Packets, 10), strconv.FormatUint(r.Bytes, 10)})
		w.Flush()
		return errors.Join(err, w.Error())
	}
}

// jsonWriter writes rows as JSON objects, a line each.
func jsonWriter(out io.Writer) func(*classifyRow) error {
	encoder := json.NewEncoder(out)
	return func(r *classifyRow) error { return encoder.Encode(r) }
}
