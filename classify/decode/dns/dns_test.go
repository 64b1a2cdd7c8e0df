package dns

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	mdns "github.com/miekg/dns"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

func pack(t testing.TB, m *mdns.Msg) string {
	t.Helper()
	m.Compress = true
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// exchange is a query and its answer.
func exchange(t testing.TB, kind uint16, answers ...string) (query, answer string) {
	t.Helper()
	q := new(mdns.Msg).SetQuestion("www.Example.com.", kind)
	q.SetEdns0(1232, true)
	a := new(mdns.Msg).SetReply(q)
	for _, text := range answers {
		rr, err := mdns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		a.Answer = append(a.Answer, rr)
	}
	return pack(t, q), pack(t, a)
}

func TestAddressesAreTold(t *testing.T) {
	query, answer := exchange(t, mdns.TypeA,
		"www.example.com. 60 IN CNAME cdn.example.net.", "cdn.example.net. 60 IN A 198.51.100.7", "cdn.example.net. 60 IN AAAA 2001:db8::7")
	o := Datagrams(t, Decoders, 53, "DNS", Client(query), Server(answer))
	want := []string{"www.Example.com=198.51.100.7", "www.Example.com=2001:db8::7"}
	if !cmp.Equal(o.Resolved, want) {
		t.Errorf("resolved %q, want %q", o.Resolved, want)
	}
	if got := o.Value(decode.DNSAnswer); got != "cdn.example.net" {
		t.Errorf("canonical name %q", got)
	}
}

func TestHintsAreTold(t *testing.T) {
	query, answer := exchange(t, mdns.TypeHTTPS, `www.example.com. 60 IN HTTPS 1 . alpn="h2" ipv4hint="198.51.100.8" ipv6hint="2001:db8::8"`)
	o := Datagrams(t, Decoders, 5300, "DNS", Client(query), Server(answer))
	want := []string{"www.Example.com=198.51.100.8", "www.Example.com=2001:db8::8"}
	if !cmp.Equal(o.Resolved, want) {
		t.Errorf("resolved %q, want %q", o.Resolved, want)
	}
}

func TestVariants(t *testing.T) {
	query, answer := exchange(t, mdns.TypeA, "www.example.com. 60 IN A 198.51.100.7")
	Datagrams(t, Decoders, 5353, "MDNS", Client(query))
	Datagrams(t, Decoders, 5355, "LLMNR", Client(query))
	frame := func(m string) string { return string([]byte{byte(len(m) >> 8), byte(len(m))}) + m }
	Stream(t, Decoders, 853, "DNS", Client(frame(query)), Server(frame(answer)))
}

func TestCertificates(t *testing.T) {
	ask := func(name string) string { return pack(t, new(mdns.Msg).SetQuestion(name, mdns.TypeTXT)) }
	Datagrams(t, Decoders, 53, "DNSCRYPT", Client(ask("2.dnscrypt-cert.example.com.")))
	Datagrams(t, Decoders, 443, "DNSCRYPT", Client(ask("2.provider.example.com.")))
	Datagrams(t, Decoders, 53, "DNS", Client(ask("2.provider.example.com.")))
	q := new(mdns.Msg).SetQuestion("cert.example.com.", mdns.TypeTXT)
	a := new(mdns.Msg).SetReply(q)
	a.Answer = []mdns.RR{&mdns.TXT{Hdr: mdns.RR_Header{Name: "cert.example.com.", Rrtype: mdns.TypeTXT, Class: 1}, Txt: []string{"DNSC\\000\\001\\000\\000"}}}
	Datagrams(t, Decoders, 53, "DNSCRYPT", Client(pack(t, q)), Server(pack(t, a)))
}

// A response of DNSCrypt repeats the first half of the query's nonce.
func TestEncrypted(t *testing.T) {
	noise := strings.Repeat("\x8e\x41\xf3\x17", 128)
	query := noise[:40] + "abcdefghijkl" + noise[52:]
	Datagrams(t, Decoders, 443, "DNSCRYPT", Client(query), Server("r6fnvWj8abcdefghijkl"+noise[:60]))
	for _, answer := range []string{"r6fnvWj8abcdefghijkm" + noise[:60], "r6fnvWj7abcdefghijkl" + noise[:60]} {
		if o := Run(Decoders, UDP(443), Client(query), Server(answer)); o.Verdict != decode.No {
			t.Errorf("%q: %v", answer[:20], o.Verdict)
		}
	}
}

// Asking a name server for a NetBIOS name is DNS still.
func TestNetBIOSOverDNS(t *testing.T) {
	Datagrams(t, Decoders, 53, "DNS", Client("\x80\xf0\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20CK"+strings.Repeat("A", 30)+"\x00\x00\x21\x00\x01"))
}

func TestOthersAreNotDNS(t *testing.T) {
	query, _ := exchange(t, mdns.TypeA)
	loop := query[:12] + "\xc0\x0c\x00\x01\x00\x01"
	netbios := query[:12] + "\x20" + "FHEPFCELEHFCEPFFFACACACACACACAAA" + "\x00\x00\x20\x00\x01"
	for _, other := range []string{netbios, query[:11], query[:20], query + "x", loop, "GET / HTTP/1.1\r\n\r\n"} {
		if o := Run(Decoders, UDP(9999), Client(other)); o.Verdict != decode.No {
			t.Errorf("%q: %v", other, o.Verdict)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	query, answer := exchange(t, mdns.TypeA, "www.example.com. 60 IN A 198.51.100.7")
	meta := UDP(53)
	s := decode.NewSession(&meta, silent{})
	q, a := []byte(query), []byte(answer)
	if n := testing.AllocsPerRun(100, func() { datagram(&s, q); datagram(&s, a) }); n > 0 {
		t.Errorf("%v allocations for an exchange", n)
	}
}

func FuzzDNS(f *testing.F) {
	query, answer := exchange(f, mdns.TypeA, "www.example.com. 60 IN A 198.51.100.7")
	Fuzz(f, Decoders, []byte(query), []byte(answer))
}

// silent is a Sink that takes nothing.
type silent struct{ decode.Sink }

func (silent) Value(decode.Context, []byte)               {}
func (silent) Resolved([]byte, netip.Addr, time.Duration) {}
