package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
)

// SystemResolver asks the servers of a resolv.conf, in order, until one answers.
type SystemResolver struct {
	Path string // "" for /etc/resolv.conf; read anew at each lookup

	port string // of every server, "" for 53
}

// Time to wait for one server's answer, and the life of an answer that there are no addresses.
const (
	answerTimeout = 3 * time.Second
	emptyLife     = time.Minute
)

// Resolve asks for the addresses of one family. That the name does not exist is an error, so
// that a record removed by mistake does not close a policy.
func (r SystemResolver) Resolve(ctx context.Context, name string, family Family) ([]netip.Addr, time.Duration, error) {
	path := r.Path
	if path == "" {
		path = "/etc/resolv.conf"
	}
	conf, err := dns.ClientConfigFromFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("domain name %s: read resolvers: %w", name, err)
	}
	kind := dns.TypeA
	if family == IPv6 {
		kind = dns.TypeAAAA
	}
	question := new(dns.Msg)
	question.SetQuestion(dns.Fqdn(name), kind)
	question.SetEdns0(1232, false)
	err = errors.New("no resolver is configured")
	for _, server := range conf.Servers {
		var answer *dns.Msg
		if answer, err = exchange(ctx, question, net.JoinHostPort(server, cmp.Or(r.port, conf.Port))); err == nil {
			addrs, life := addressesIn(answer)
			return addrs, life, nil
		}
	}
	return nil, 0, fmt.Errorf("domain name %s: %w", name, err)
}

// exchange asks one server, over TCP when the answer does not fit a datagram.
func exchange(ctx context.Context, question *dns.Msg, server string) (*dns.Msg, error) {
	client := &dns.Client{Net: "udp", Timeout: answerTimeout}
	answer, _, err := client.ExchangeContext(ctx, question, server)
	if err == nil && answer.Truncated {
		client.Net = "tcp"
		answer, _, err = client.ExchangeContext(ctx, question, server)
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", server, err)
	}
	if answer.Rcode != dns.RcodeSuccess {
		return nil, fmt.Errorf("%s answers %s", server, dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}

// addressesIn is the addresses in an answer, and the shortest life of the records leading there.
func addressesIn(answer *dns.Msg) ([]netip.Addr, time.Duration) {
	var addrs []netip.Addr
	life := longestLife
	for _, record := range answer.Answer {
		life = min(life, time.Duration(record.Header().Ttl)*time.Second)
		var ip net.IP
		switch r := record.(type) {
		case *dns.A:
			ip = r.A
		case *dns.AAAA:
			ip = r.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	if len(addrs) == 0 {
		return nil, emptyLife
	}
	return addrs, life
}
