package main

import (
	"encoding/csv"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// flowKey identifies a flow without regard to its direction.
type flowKey struct {
	a, b      netip.AddrPort
	transport string
}

func newFlowKey(protocol uint8, a, b netip.AddrPort) flowKey {
	transport := strconv.Itoa(int(protocol))
	switch protocol {
	case 6:
		transport = "TCP"
	case 17:
		transport = "UDP"
	}
	return flowKey{a, b, transport}.ordered()
}

func (k flowKey) ordered() flowKey {
	if k.a.Compare(k.b) > 0 {
		k.a, k.b = k.b, k.a
	}
	return k
}

// row is what is expected of a flow.
type row struct {
	capture               string
	key                   flowKey
	protocol, application string
	tier                  string
	scored                bool // TCP or UDP, and known from the packets
	unknown               bool // nothing is known
}

// label is the expected answer in one word.
func (r *row) label() string {
	if r.application == "" {
		return r.protocol
	}
	return r.protocol + "." + r.application
}

// answers expected, by capture in the order of the file.
type answers struct {
	captures []string
	rows     map[string][]row
}

// readExpected reads the answers.
func readExpected(name string) (*answers, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("%s: empty", name)
	}
	column := map[string]int{}
	for i, title := range records[0] {
		column[title] = i
	}
	all := &answers{rows: map[string][]row{}}
	for n, record := range records[1:] {
		field := func(title string) string { return record[column[title]] }
		a, err1 := endpoint(field("src"), field("sport"))
		b, err2 := endpoint(field("dst"), field("dport"))
		if err1 != nil || err2 != nil {
			fmt.Fprintf(os.Stderr, "%s:%d: row left out, as it has no valid addresses\n", name, n+2)
			continue
		}
		transport := strings.ToUpper(field("proto_l4"))
		r := row{
			capture: field("pcap"), key: flowKey{a, b, transport}.ordered(),
			protocol: field("ndpi_master"), application: field("ndpi_app"), tier: field("tier"),
		}
		ports := transport == "TCP" || transport == "UDP"
		r.scored = ports && field("confidence") == "DPI"
		r.unknown = ports && field("tier") == "none"
		if len(all.rows[r.capture]) == 0 {
			all.captures = append(all.captures, r.capture)
		}
		all.rows[r.capture] = append(all.rows[r.capture], r)
	}
	return all, nil
}

func endpoint(addr, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	p, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a.WithZone(""), uint16(p)), err
}
