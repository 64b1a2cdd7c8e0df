package classify

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/decode/dns"
	"sluice/classify/decode/web"
)

const testApplications = `
protocol HTTP
  category Web
protocol HTTP-CONNECT
  category Web
protocol DNS
  category Infrastructure
protocol SECRET
  category Infrastructure
  flags carrier
application SHOP
  category Web
  sub-category Shopping
  hosts shop.example
application ONLY-SSL
  category Web
  hosts ssl.example
  over SECRET
application NETWORK
  category Web
  hosts cdn.example
  flags cdn
application OWNED
  category Web
  addresses 203.0.113.0/24
`

// testDecoders are HTTP, DNS, and some whose behaviour a test can choose by the bytes.
func testDecoders() []decode.Decoder {
	return append(slices.Concat(web.Decoders[:1], dns.Decoders[:1]),
		decode.Decoder{Name: "WEAK", Client: decode.FirstBytes("w"), Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
			return decode.Maybe
		}},
		decode.Decoder{Name: "SLOW", Client: decode.FirstBytes("ws"), Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
			switch {
			case len(client) > 2 && client[1] == '!':
				return decode.Match
			case len(client) > 8 || len(client) > 2 && client[1] == '-':
				return decode.No
			}
			s.Want(decode.ToServer, 3)
			return decode.More
		}},
		decode.Decoder{Name: "SECRET", Client: decode.FirstBytes("s"), Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
			if decode.Prefix(client, "secret") != decode.Whole {
				return decode.More
			}
			return decode.Match
		}},
		decode.Decoder{Name: "PANIC", Client: decode.FirstBytes("\xff"), Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
			panic("on purpose")
		}},
		decode.Decoder{Name: "ARRANGER", Client: decode.FirstBytes("a"), Stream: func(s *decode.Session, client, server []byte) decode.Verdict {
			s.Expect(decode.Expected{Addr: s.Server.Addr(), Port: 4000, Protocol: decode.TCP, Name: "ARRANGED"})
			s.Expect(decode.Expected{Addr: s.Server.Addr(), Port: 4002, Protocol: decode.TCP, Name: "FILE", Whole: true})
			return decode.Match
		}},
		decode.Decoder{Name: "COUNTER", Datagram: func(s *decode.Session, data []byte) decode.Verdict {
			if data[0] != 'c' {
				return decode.No
			}
			n, _ := s.Memory().(int)
			if s.Remember(n + 1); n < 2 {
				return decode.More
			}
			return decode.Match
		}},
	)
}

// bench is an engine with a clock that a test can move.
type bench struct {
	*Engine
	now time.Time
}

func newBench(t testing.TB, options Options) *bench {
	t.Helper()
	db := appdb.New()
	problems := append(db.Load("test.apps", strings.NewReader(testApplications)), db.Check()...)
	b := &bench{now: time.Unix(1e9, 0)}
	if options.Decoders == nil {
		options.Decoders = testDecoders()
	}
	engine, more := Compile(db, NewState(func() time.Time { return b.now }), options)
	for _, p := range append(problems, more...) {
		t.Fatal(p)
	}
	b.Engine = engine
	return b
}

func testMeta(protocol uint8, port uint16) *Meta {
	return &Meta{
		Client:   netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 50000),
		Server:   netip.AddrPortFrom(netip.MustParseAddr("198.51.100.1"), port),
		Protocol: protocol,
	}
}

// say shows a TCP flow in-order messages, those that begin with "<" from the server.
func (b *bench) say(meta *Meta, messages ...string) *Flow {
	var f Flow
	b.Begin(&f, meta)
	for _, m := range messages {
		if text, fromServer := strings.CutPrefix(m, "<"); fromServer {
			f.Stream(ToClient, []byte(text))
		} else {
			f.Stream(ToServer, []byte(m))
		}
	}
	return &f
}

func check(t *testing.T, f *Flow, protocol, application string, final bool) {
	t.Helper()
	r := f.Result()
	if strings.TrimPrefix(r.Protocol, appdb.Prefix) != protocol || strings.TrimPrefix(r.Application, appdb.Prefix) != application || r.Final != final {
		t.Errorf("got %+v, want %s %q, final %v", r, protocol, application, final)
	}
}

func TestHostNamesTheApplication(t *testing.T) {
	b := newBench(t, Options{})
	f := b.say(testMeta(6, 8123), "GET / HTTP/1.1\r\nHost: www.SHOP.example:8123\r\n\r\n")
	check(t, f, "HTTP", "SHOP", true)
	if r := f.Result(); r.Group != "junos:web:shopping" || r.Evidence != "decoder" || r.Confidence != High {
		t.Errorf("%+v", r)
	}
	// An application that runs over another protocol only is not found here.
	check(t, b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: ssl.example\r\n\r\n"), "HTTP", "", true)
}

// AI-54: the answer before the end of the inspection is a pre-match, and becomes the conclusion.
func TestPreMatchBecomesTheConclusion(t *testing.T) {
	b := newBench(t, Options{})
	f := b.say(testMeta(6, 80), "POST / HTTP/1.1\r\nHost: shop.example\r\nX: ")
	check(t, f, "HTTP", "SHOP", false)
	f.Close()
	check(t, f, "HTTP", "SHOP", true)
	check(t, b.say(testMeta(6, 80), "\x00\x00"), "UNKNOWN", "", true)
}

// What looks like a protocol is an answer when nothing else is left, and gives way before.
func TestMaybe(t *testing.T) {
	b := newBench(t, Options{})
	check(t, b.say(testMeta(6, 1), "w"), "WEAK", "", false)
	check(t, b.say(testMeta(6, 1), "w!x"), "SLOW", "", true)
	f := b.say(testMeta(6, 1), "w-xxxxxxxxxxxxxxxxxxxxx")
	check(t, f, "WEAK", "", true)
	if f.Result().Confidence != Medium {
		t.Errorf("%+v", f.Result())
	}
}

// AI-47, AI-50, AI-51: inspection ends at 6,000 bytes of payload, both directions together.
func TestByteLimit(t *testing.T) {
	b := newBench(t, Options{})
	var f Flow
	b.Begin(&f, testMeta(6, 80))
	f.Stream(ToServer, []byte("POST / HTTP/1.1\r\nX: "))
	f.Stream(ToClient, make([]byte, 3000))
	f.Stream(ToServer, make([]byte, 2900))
	if f.Final() {
		t.Error("ended before the limit")
	}
	f.Stream(ToServer, make([]byte, 100))
	check(t, &f, "HTTP", "", true)
}

// AI-48: ten datagrams. AI-59: two packets in performance mode.
func TestPacketLimit(t *testing.T) {
	never := []decode.Decoder{{Name: "NEVER", Datagram: func(*decode.Session, []byte) decode.Verdict { return decode.More }}}
	performance := DefaultLimits
	performance.Packets = 2
	for want, options := range map[int]Options{10: {Decoders: never}, 2: {Decoders: never, Limits: &performance}} {
		b := newBench(t, options)
		var f Flow
		b.Begin(&f, testMeta(17, 9))
		n := 0
		for ; !f.Final() && n < 100; n++ {
			f.Datagram(Direction(n&1), []byte("x"))
		}
		if n != want {
			t.Errorf("ended after %d packets, want %d", n, want)
		}
	}
}

// AI-52: with a limit on bytes and one on packets, both must be reached.
func TestBothLimits(t *testing.T) {
	limits := Limits{TCPBytes: 100, TCPPackets: 5}
	b := newBench(t, Options{Limits: &limits})
	var f Flow
	b.Begin(&f, testMeta(6, 80))
	f.Stream(ToServer, []byte("GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 200)))
	for i := 0; i < 4; i++ {
		if f.Final() {
			t.Fatalf("ended after %d packets", i+1)
		}
		f.Stream(ToServer, []byte("x"))
	}
	check(t, &f, "HTTP", "", true)
}

// AI-65: near the memory limit new sessions are not inspected.
func TestMemoryLimit(t *testing.T) {
	b := newBench(t, Options{MaxMemory: 16 * int64(unsafe.Sizeof(inspection{}))})
	flows := make([]Flow, 32)
	for i := range flows {
		b.Begin(&flows[i], testMeta(6, 80))
		flows[i].Stream(ToServer, []byte("GET"))
	}
	if flows[2].Final() || !flows[31].Final() {
		t.Errorf("inspected: %v and %v", !flows[2].Final(), !flows[31].Final())
	}
	for i := range flows {
		flows[i].Close()
	}
	if b.state.Memory() != 0 {
		t.Errorf("%d bytes are still counted", b.state.Memory())
	}
}

// A session whose start was not seen is recognised though client and server are mixed up.
func TestGuessedDirection(t *testing.T) {
	b := newBench(t, Options{})
	meta := testMeta(6, 80)
	meta.Guessed = true
	f := b.say(meta, "<GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	check(t, f, "HTTP", "SHOP", true)
	if !f.Result().Turned {
		t.Errorf("%+v", f.Result())
	}
	// While somebody waits for more, the other way round is tried at the end.
	f = b.say(meta, "s", "<secret")
	check(t, f, "UNKNOWN", "", false)
	f.Close()
	check(t, f, "SECRET", "", true)
	meta.Guessed = false
	check(t, b.say(meta, "<GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"), "UNKNOWN", "", false)
}

// TU: what runs inside a proxy's tunnel becomes the application.
func TestTunnel(t *testing.T) {
	b := newBench(t, Options{})
	f := b.say(testMeta(6, 3128), "CONNECT x.example:80 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n")
	check(t, f, "HTTP-CONNECT", "", false)
	f.Stream(ToServer, []byte("GET / HTTP/1.1\r\n"))
	check(t, f, "HTTP-CONNECT", "HTTP", false)
	f.Stream(ToServer, []byte("Host: shop.example\r\n\r\n"))
	check(t, f, "HTTP-CONNECT", "SHOP", true)
	check(t, b.say(testMeta(6, 3128), "CONNECT x.example:80 HTTP/1.1\r\n\r\n", "<HTTP/1.1 200 OK\r\n\r\n", "\x00\x00"), "HTTP-CONNECT", "", true)
}

// A session that another one arranged has its name, for a while.
func TestExpected(t *testing.T) {
	b := newBench(t, Options{})
	b.say(testMeta(6, 21), "arrange")
	check(t, b.say(testMeta(6, 4000), "\x00\x01"), "ARRANGED", "", true)
	check(t, b.say(testMeta(6, 4001), "\x00\x01"), "UNKNOWN", "", true)
	b.now = b.now.Add(expectedFor + time.Second)
	check(t, b.say(testMeta(6, 4000), "\x00\x01"), "UNKNOWN", "", true)
}

// A file is what another session between the same two hosts has arranged, whatever it looks like.
// Rows: AI-136.
func TestExpectedFile(t *testing.T) {
	b := newBench(t, Options{})
	b.say(testMeta(6, 21), "arrange")
	const page = "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"
	check(t, b.say(testMeta(6, 4002), page), "FILE", "", true)
	elsewhere := testMeta(6, 4002)
	elsewhere.Client = netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), 50000)
	check(t, b.say(elsewhere, page), "HTTP", "SHOP", true)
	f := b.say(testMeta(6, 80), "<x")
	if !b.Arranged(f, "FILE") {
		t.Error("there is no such protocol")
	}
	check(t, f, "FILE", "", true)
	if b.state.Memory() != 0 {
		t.Errorf("%d bytes are still counted", b.state.Memory())
	}
}

// A DNS answer names the application of a later session that does not name itself.
func TestResolved(t *testing.T) {
	b := newBench(t, Options{})
	meta := testMeta(6, 443)
	b.state.resolve(b.named("SHOP"), meta.Server.Addr(), time.Minute)
	f := b.say(meta, "secret")
	check(t, f, "SECRET", "SHOP", true)
	if r := f.Result(); r.Evidence != "dns" || r.Confidence != Low {
		t.Errorf("%+v", r)
	}
	b.now = b.now.Add(minResolved + time.Second)
	check(t, b.say(meta, "secret"), "SECRET", "", true)
}

// A decoder that knows only one side is asked when that side has spoken, whoever was first.
func TestServerFirst(t *testing.T) {
	b := newBench(t, Options{})
	f := b.say(testMeta(6, 9), "<\x00hello")
	check(t, f, "UNKNOWN", "", false)
	f.Stream(ToServer, []byte("secret"))
	check(t, f, "SECRET", "", true)
}

func TestAddress(t *testing.T) {
	b := newBench(t, Options{})
	meta := testMeta(6, 443)
	meta.Server = netip.MustParseAddrPort("203.0.113.9:443")
	check(t, b.say(meta), "UNKNOWN", "OWNED", false)
}

// AI-6: protocols without ports are known by their number.
func TestIPProtocols(t *testing.T) {
	b := newBench(t, Options{})
	for protocol, want := range map[uint8][2]string{1: {"ICMP", "ICMP-ECHO"}, 2: {"IPP-IGMP", ""}, 200: {"UNKNOWN", ""}} {
		var f Flow
		meta := testMeta(protocol, 0)
		meta.ICMPType = 8
		b.Begin(&f, meta)
		check(t, &f, want[0], want[1], true)
	}
}

// AI-6: an SCTP session is that by its number, and what its user data tell.
func TestSCTP(t *testing.T) {
	heard := decode.Decoder{Name: "HEARD", SCTP: func(_ *decode.Session, data []byte) decode.Verdict {
		if string(data) == "hear!" {
			return decode.Match
		}
		return decode.More
	}}
	b := newBench(t, Options{Decoders: []decode.Decoder{heard}})
	var f Flow
	b.Begin(&f, testMeta(decode.SCTP, 0))
	check(t, &f, "IPP-SCTP", "", false)
	init := "\x01\x00\x00\x14" + strings.Repeat("i", 16)
	for _, broken := range []string{"", "\x00", "\x00\x03\x00\x03", "\x00\x03\x00\x15", "\x00\x03\x00\x10" + strings.Repeat("d", 12), init} {
		if f.Chunks(ToServer, []byte(broken)) {
			t.Errorf("%q changes the answer", broken)
		}
	}
	check(t, &f, "IPP-SCTP", "", false)
	f.Chunks(ToServer, []byte(init+"\x00\x03\x00\x15"+strings.Repeat("d", 12)+"hear!\x00\x00\x00"))
	check(t, &f, "HEARD", "", true)
}

// A decoder that panics ends the inspection of its own session only.
func TestPanic(t *testing.T) {
	b := newBench(t, Options{})
	check(t, b.say(testMeta(6, 80), "\xff\xff"), "UNKNOWN", "", true)
	check(t, b.say(testMeta(6, 80), "w!x"), "SLOW", "", true)
}

func TestMemoryOfDatagramDecoders(t *testing.T) {
	b := newBench(t, Options{})
	var f Flow
	b.Begin(&f, testMeta(17, 7777))
	for range 2 {
		f.Datagram(ToServer, []byte("c"))
		check(t, &f, "UNKNOWN", "", false)
	}
	f.Datagram(ToClient, []byte("c"))
	check(t, &f, "COUNTER", "", true)
}

// shouting is a signature: two exclamation marks in a stream, "loud" in a User-Agent.
type shouting struct{ found *appdb.Application }

func (s *shouting) Wants(c decode.Context, d Direction) bool {
	return c == decode.Stream || c == decode.HTTPContentType && d == ToClient
}

func (s *shouting) Match(p *Progress, c decode.Context, d Direction, over string, meta *Meta, value []byte) *Hit {
	if c == decode.Stream && strings.Contains(string(value), "!!") || c == decode.HTTPUserAgent && string(value) == "loud" ||
		c == decode.HTTPContentType && string(value) == "loud/"+d.String() {
		return &Hit{Application: s.found, Name: "shout"}
	}
	return nil
}

// CS-25: signatures are looked for in contexts and in streams, of sessions known and unknown.
func TestSignatures(t *testing.T) {
	b := newBench(t, Options{Signatures: &shouting{&appdb.Application{Name: "SHOUTING"}}})
	f := b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nUser-Agent: loud\r\nHost: shop.example\r\n\r\n")
	check(t, f, "HTTP", "SHOUTING", false) // the response is still wanted
	if r := f.Result(); r.Evidence != "signature shout" {
		t.Errorf("%+v", r)
	}
	f = b.say(testMeta(6, 80), "\x00hello", "<\x00world!!")
	f.Close()
	check(t, f, "UNKNOWN", "SHOUTING", true)
	f = b.say(testMeta(6, 80), "POST / HTTP/1.1\r\nContent-Type: x\r\n\r\n", "<HTTP/1.1 200 OK\r\nContent-Type: loud/server-to-client\r\n\r\n")
	check(t, f, "HTTP", "SHOUTING", true)
	f = b.say(testMeta(6, 80), "GET /!! HTTP/1.1\r\n\r\n")
	f.Close()
	check(t, f, "HTTP", "SHOUTING", true)
}

// What a decoder held possible in one datagram stays so until it says No.
func TestMaybeLasts(t *testing.T) {
	verdicts := map[byte]decode.Verdict{'?': decode.Maybe, '.': decode.More, '-': decode.No}
	b := newBench(t, Options{Decoders: []decode.Decoder{
		{Name: "ONE", Datagram: func(s *decode.Session, data []byte) decode.Verdict { return verdicts[data[0]] }},
		{Name: "TWO", Datagram: func(s *decode.Session, data []byte) decode.Verdict { return verdicts[data[1]] }},
	}})
	for script, want := range map[string]string{"?. ..": "ONE", "?. -.": "UNKNOWN", "?. -?": "TWO", ".? ?.": "ONE", ".. ..": "UNKNOWN"} {
		var f Flow
		b.Begin(&f, testMeta(17, 9))
		for datagram := range strings.FieldsSeq(script) {
			f.Datagram(ToServer, []byte(datagram))
		}
		f.Close()
		if got := strings.TrimPrefix(f.Result().Protocol, appdb.Prefix); got != want {
			t.Errorf("%q: %s, want %s", script, got, want)
		}
	}
}

// Goal: at most 2 KB a flow while inspecting, 128 bytes after.
func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(Flow{}); n > 128 {
		t.Errorf("a flow takes %d bytes", n)
	}
	if n := unsafe.Sizeof(inspection{}) + unsafe.Sizeof(Flow{}); n > 2048 {
		t.Errorf("an inspected flow takes %d bytes", n)
	}
}

// conversation is a session as its TCP segments carry it.
type conversation []struct {
	from Direction
	text string
}

var conversations = map[string]conversation{
	"SHOP": {{ToServer, "GET /one HTTP/1.1\r\nAccept: text/html\r\nHost: www.shop.example\r\n\r\n"}, {ToClient, "HTTP/1.1 200 OK\r\n\r\nhello"}},
	"HTTP": {{ToServer, "CONNECT far.example:80 HTTP/1.1\r\nHost: far.example\r\n\r\n"}, {ToClient, "HTTP/1.1 200 OK\r\n\r\n"},
		{ToServer, "GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"}},
	"SECRET":  {{ToServer, "secret message"}},
	"UNKNOWN": {{ToClient, "?????????????"}, {ToServer, "!!!!!!!!!!!!!"}},
}

// cut makes the segments of a conversation: pieces of at most size bytes, some twice, some longer
// so that they overlap the next, in an order that is mixed within a window.
func (c conversation) cut(random *rand.Rand, size, window int) []Segment {
	next := [2]uint32{0xfffffff0, 77}
	segments := []Segment{{Direction: ToServer, Flags: flagSyn, Seq: next[0]}, {Direction: ToClient, Flags: flagSyn | flagAck, Seq: next[1], Ack: next[0] + 1}}
	next[0]++
	next[1]++
	for _, m := range c {
		var pieces []Segment
		for at := 0; at < len(m.text); at += size {
			for range 1 + random.IntN(2) {
				end := min(len(m.text), at+size+random.IntN(3))
				pieces = append(pieces, Segment{Direction: m.from, Flags: flagAck, Seq: next[m.from] + uint32(at), Ack: next[m.from.Reverse()], Payload: []byte(m.text[at:end])})
			}
		}
		for i := range pieces {
			j := min(len(pieces)-1, i+random.IntN(window))
			pieces[i], pieces[j] = pieces[j], pieces[i]
		}
		next[m.from] += uint32(len(m.text))
		segments = append(segments, pieces...)
	}
	return segments
}

// Goal: re-cut into pieces of a byte, overlapping, repeated and out of order, every session has
// the same answer; and sessions shown at the same time do not change each other's.
func TestRecutAndInterleaved(t *testing.T) {
	b := newBench(t, Options{})
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		type running struct {
			flow     Flow
			segments []Segment
		}
		flows := map[string]*running{}
		var names []string
		for name, c := range conversations {
			r := &running{segments: c.cut(random, 1+random.IntN(4), 1+random.IntN(20))}
			b.Begin(&r.flow, testMeta(6, 80))
			flows[name], names = r, append(names, name)
		}
		for left := true; left; {
			left = false
			for _, name := range names {
				r := flows[name]
				for n := random.IntN(4); n > 0 && len(r.segments) > 0; n-- {
					r.flow.Segment(&r.segments[0])
					clear(r.segments[0].Payload) // the packet's buffer is used again
					r.segments = r.segments[1:]
				}
				left = left || len(r.segments) > 0
			}
		}
		for name, r := range flows {
			r.flow.Close()
			result := r.flow.Result()
			if got := strings.TrimPrefix(result.Name(), appdb.Prefix); got != name {
				t.Errorf("seed %d: got %s, want %s", seed, got, name)
			}
		}
	}
}

func FuzzFlow(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"), uint64(3), uint8(6))
	f.Add([]byte("w!xsecret"), uint64(4), uint8(17))
	slog.SetDefault(slog.New(slog.DiscardHandler)) // one decoder panics on purpose
	b := newBench(f, Options{})
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, protocol uint8) {
		random := rand.New(rand.NewPCG(seed, 2))
		meta := testMeta(protocol, uint16(seed))
		meta.Guessed = seed&1 != 0
		var flow Flow
		b.Begin(&flow, meta)
		for at := 0; at < len(data); {
			n := min(len(data)-at, 1+random.IntN(64))
			piece, d := data[at:at+n], Direction(random.IntN(2))
			flow.Segment(&Segment{Direction: d, Seq: uint32(at - random.IntN(4)), Ack: uint32(random.IntN(len(data))), Flags: uint8(random.IntN(64)), Payload: piece})
			flow.Datagram(d, piece)
			at += n
		}
		flow.Close()
		if !flow.Final() || !flow.Result().Final {
			t.Error("a closed flow is not final")
		}
	})
}

func BenchmarkHTTP(b *testing.B) {
	e := newBench(b, Options{})
	meta, payload := testMeta(6, 80), []byte("GET /index.html HTTP/1.1\r\nHost: www.shop.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n")
	var f Flow
	b.ReportAllocs()
	for b.Loop() {
		e.Begin(&f, meta)
		f.Segment(&Segment{Flags: flagSyn, Seq: 1})
		f.Segment(&Segment{Direction: ToClient, Flags: flagSyn | flagAck, Seq: 1, Ack: 2})
		f.Segment(&Segment{Flags: flagAck, Seq: 2, Ack: 2, Payload: payload})
	}
}
