package classify

import (
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// undecided decoders never come to an answer.
var undecided = []decode.Decoder{{
	Name:     "UNDECIDED",
	Stream:   func(*decode.Session, []byte, []byte) decode.Verdict { return decode.More },
	Datagram: func(*decode.Session, []byte) decode.Verdict { return decode.More },
	SCTP:     func(*decode.Session, []byte) decode.Verdict { return decode.More },
}}

// show shows pieces of size bytes until the answer is final, at most most pieces, and returns how
// many it took.
func (b *bench) show(protocol uint8, size, most int) (*Flow, int) {
	var f Flow
	b.Begin(&f, testMeta(protocol, 9))
	piece := []byte(strings.Repeat("x", size))
	for n := range most {
		if f.Final() {
			return &f, n
		}
		if protocol == decode.TCP {
			f.Stream(Direction(n&1), piece)
		} else {
			f.Datagram(Direction(n&1), piece)
		}
	}
	return &f, most
}

// AI-47 to AI-61, T-7, T-9: which limit ends the inspection of a session.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name     string
		limits   Limits
		protocol uint8
		size     int
		want     int // pieces
	}{
		{"default bytes", DefaultLimits, 6, 100, 60},
		{"default datagrams", DefaultLimits, 17, 100, 10},
		{"default of others", DefaultLimits, 132, 100, 100},
		{"packets with the default of bytes", Limits{TCPBytes: 6000, TCPPackets: 100}, 6, 100, 100},
		{"both, bytes later", Limits{TCPBytes: 6000, TCPPackets: 50}, 6, 100, 60},
		{"packets alone", Limits{TCPPackets: 50, OtherBytes: 100}, 6, 100, 50},
		{"none but the global one", Limits{OtherBytes: 10000}, 6, 100, 100},
		{"none but the global one, datagrams", Limits{OtherBytes: 10000}, 17, 100, 100},
		{"bytes of datagrams", Limits{UDPBytes: 500}, 17, 100, 5},
		{"bytes and packets of datagrams", Limits{UDPBytes: 500, UDPPackets: 10}, 17, 100, 10},
		{"none", Limits{}, 17, 100, 1000},
		{"performance mode", Limits{TCPBytes: 6000, Packets: 2}, 6, 100, 2},
		{"threshold, packets lower", Limits{TCPBytes: 6000, TCPPackets: 3, OtherBytes: 10000, Packets: 5, Lowest: true}, 6, 100, 3},
		{"threshold, bytes lower", Limits{TCPBytes: 200, TCPPackets: 30, OtherBytes: 10000, Packets: 5, Lowest: true}, 6, 100, 2},
		{"threshold, global lower", Limits{TCPBytes: 6000, OtherBytes: 100, Packets: 5, Lowest: true}, 6, 100, 1},
		{"threshold lowest", Limits{UDPPackets: 10, OtherBytes: 10000, Packets: 5, Lowest: true}, 17, 100, 5},
	} {
		f, n := newBench(t, Options{Limits: &c.limits, Decoders: undecided}).show(c.protocol, c.size, 1000)
		if n != c.want {
			t.Errorf("%s: ended after %d, want %d", c.name, n, c.want)
		}
		how, protocol := ByLimits, appdb.Unknown
		if c.protocol == decode.SCTP { // that is known before
			how, protocol = ByPreMatch, appdb.Prefix+"IPP-SCTP"
		}
		if r := f.Result(); f.Final() && (r.HowFinal != how || r.Protocol != protocol) {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
}

// AI-54, AI-56: how the answer became final.
func TestHowFinal(t *testing.T) {
	b := newBench(t, Options{})
	for how, f := range map[HowFinal]*Flow{
		NotFinal:     b.say(testMeta(6, 80), "POST / HTTP/1.1\r\n"),
		ByInspection: b.say(testMeta(6, 80), "POST / HTTP/1.1\r\n\r\n"),
		ByPreMatch:   b.say(testMeta(6, 80), "POST / HTTP/1.1\r\nX: "+strings.Repeat("x", 6000)),
		ByLimits:     b.say(testMeta(6, 80), "\x00\x00"),
	} {
		if r := f.Result(); r.HowFinal != how || r.Final != (how != NotFinal) {
			t.Errorf("want %d: %+v", how, r)
		}
	}
}

// AI-57, T-9: inside a tunnel the global limit holds, and the pre-match is concluded.
func TestLimitInsideATunnel(t *testing.T) {
	b := newBench(t, Options{})
	f := b.say(testMeta(6, 3128), "CONNECT x.example:80 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n", "POST / HTTP/1.1\r\nHost: shop.example\r\nX: "+strings.Repeat("x", 7000))
	check(t, f, "HTTP-CONNECT", "SHOP", false)
	f.Stream(ToServer, []byte(strings.Repeat("x", 3000)))
	check(t, f, "HTTP-CONNECT", "SHOP", true)
}

// AI-63: whose a session to a content delivery network's address is.
func TestCDN(t *testing.T) {
	const delivery = "application DELIVERY\n  category Web\n  addresses 198.51.100.0/24\n  flags cdn\n"
	for cdn, want := range map[bool]string{false: "DELIVERY", true: "SHOP"} {
		db := appdb.New()
		db.Load("test.apps", strings.NewReader(strings.Replace(testApplications, "protocol SECRET\n", delivery+"protocol SECRET\n", 1)))
		http, _ := db.Lookup("HTTP")
		http.Flags |= appdb.FlagCarrier
		b := newBench(t, Options{})
		b.Engine, _ = Compile(db, NewState(nil), Options{CDN: cdn, Decoders: testDecoders()})
		check(t, b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"), "HTTP", want, true)
		check(t, b.say(testMeta(6, 80), "w!x"), "SLOW", "", true) // not what such networks carry
	}
}

// remembered is a cache with one answer.
type remembered struct {
	protocol, application *appdb.Application
}

func (r remembered) Lookup(meta *Meta) (protocol, application *appdb.Application, ok bool) {
	return r.protocol, r.application, meta.Server.Port() == 443
}

// AI-24, AI-33: where the cache is asked, a server's sessions are what they were; unknown too.
func TestCache(t *testing.T) {
	shop, secret := &appdb.Application{Name: "junos:SHOP"}, &appdb.Application{Name: "junos:SECRET"}
	b := newBench(t, Options{Cache: remembered{secret, shop}})
	f := b.say(testMeta(6, 443))
	check(t, f, "SECRET", "SHOP", true)
	if r := f.Result(); r.Evidence != "cache" || r.Confidence != Low {
		t.Errorf("%+v", r)
	}
	check(t, b.say(testMeta(6, 80), "w!x"), "SLOW", "", true)
	check(t, newBench(t, Options{Cache: remembered{}}).say(testMeta(6, 443)), "UNKNOWN", "", true)
	// What an application is used for is looked for all the same.
	b = newCustomBench(t, Options{MicroApps: true})
	b.cache = remembered{b.named("MODBUS"), nil}
	f = b.say(testMeta(6, 443))
	check(t, f, "MODBUS", "", false)
	if f.Stream(ToServer, []byte(modbusRead)); path(f) != "MODBUS:MODBUS-READ-COILS" {
		t.Errorf("%+v", f.Result())
	}
}
