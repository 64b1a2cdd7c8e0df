package main

import (
	"flag"
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// recordTTL is the time to live of every answer, in seconds: short, so that tests see changes.
const recordTTL = 5

// zone answers from a fixed set of names.
type zone struct {
	addresses map[string][]netip.Addr // fully qualified, lower case
	large     string                  // name with a TXT record larger than a UDP answer
}

// runDNS serves the names given as -record NAME=ADDRESS[,ADDRESS…].
func runDNS(args []string) error {
	z := &zone{addresses: map[string][]netip.Addr{}}
	flags := flag.NewFlagSet("dns", flag.ContinueOnError)
	listen := flags.String("listen", ":53", "address to listen on")
	large := flags.String("large", "", "name with a TXT record of 3,000 bytes")
	flags.Func("record", "NAME=ADDRESS[,ADDRESS…]; may be repeated", z.add)
	if err := flags.Parse(args); err != nil {
		return err
	}
	z.large = dns.Fqdn(*large)
	failed := make(chan error, 2)
	for _, network := range []string{"udp", "tcp"} {
		server := &dns.Server{Addr: *listen, Net: network, Handler: z}
		go func() { failed <- server.ListenAndServe() }()
	}
	return <-failed
}

// add reads one -record flag.
func (z *zone) add(text string) error {
	name, list, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q is not NAME=ADDRESS", text)
	}
	for _, a := range strings.Split(list, ",") {
		addr, err := netip.ParseAddr(a)
		if err != nil {
			return err
		}
		key := strings.ToLower(dns.Fqdn(name))
		z.addresses[key] = append(z.addresses[key], addr)
	}
	return nil
}

// ServeDNS answers one query: NXDOMAIN for a name it does not know.
func (z *zone) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	answer := new(dns.Msg).SetReply(query)
	answer.Authoritative = true
	for _, q := range query.Question {
		name := strings.ToLower(q.Name)
		addresses, known := z.addresses[name]
		if !known && name != z.large {
			answer.Rcode = dns.RcodeNameError
		}
		header := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: recordTTL}
		for _, a := range addresses {
			switch {
			case q.Qtype == dns.TypeA && a.Is4():
				answer.Answer = append(answer.Answer, &dns.A{Hdr: header, A: a.AsSlice()})
			case q.Qtype == dns.TypeAAAA && a.Is6():
				answer.Answer = append(answer.Answer, &dns.AAAA{Hdr: header, AAAA: a.AsSlice()})
			}
		}
		if q.Qtype == dns.TypeTXT && name == z.large {
			line := strings.Repeat("x", 250)
			answer.Answer = append(answer.Answer, &dns.TXT{Hdr: header, Txt: []string{
				line, line, line, line, line, line, line, line, line, line, line, line}})
		}
	}
	if w.LocalAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if opt := query.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		answer.Truncate(size)
	}
	// A client that is gone by now asks again.
	_ = w.WriteMsg(answer)
}
