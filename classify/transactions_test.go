package classify

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/classify/decode/tls"
)

const modbusRead, modbusWrite = "\x00\x01\x00\x00\x00\x06\x11\x01\x00\x13\x00\x25", "\x00\x02\x00\x00\x00\x06\x11\x05\x00\xac\xff\x00"
const modbusAnswer = "\x00\x01\x00\x00\x00\x04\x11\x01\x01\x00"

func path(f *Flow) string {
	r := f.Result()
	return strings.TrimPrefix(r.Protocol, appdb.Prefix) + ":" + strings.TrimPrefix(r.Micro+r.Application, appdb.Prefix)
}

// MA-4, MA-5, MA-19: what a session does alternates request by request, up to the number of
// transactions after which it is final.
func TestMicroApplications(t *testing.T) {
	b := newCustomBench(t, Options{MicroApps: true, MicroAppMaxTransactions: 4})
	f := b.say(testMeta(6, 502))
	for i := range 6 {
		request, want := modbusRead, "MODBUS:MODBUS-READ-COILS"
		if i%2 == 1 {
			request, want = modbusWrite, "MODBUS:MODBUS-WRITE-SINGLE-COIL"
		}
		f.Stream(ToServer, []byte(request[:5]))
		f.Stream(ToServer, []byte(request[5:]))
		if i >= 3 {
			want = "MODBUS:MODBUS-WRITE-SINGLE-COIL"
		}
		r := f.Result()
		if got := path(f); got != want || r.Final != (i >= 3) || r.Transactions != min(i+1, 4) {
			t.Errorf("request %d: %s, %+v", i, got, r)
		}
		if want := map[bool]Stage{false: TransactionFinal, true: FinalMatch}[i >= 3]; r.State != want {
			t.Errorf("request %d: %v, want %v", i, r.State, want)
		}
		f.Stream(ToClient, []byte(modbusAnswer))
	}
}

// MA-8: 25 transactions at most. MA-25: without micro-applications none is told, and the first
// request is final.
func TestMicroLimits(t *testing.T) {
	f := newCustomBench(t, Options{MicroApps: true, MicroAppMaxTransactions: 1000}).say(testMeta(6, 502))
	n := 0
	for ; !f.Final() && n < 100; n++ {
		f.Stream(ToServer, []byte(modbusRead))
	}
	if n != MaxTransactions {
		t.Errorf("final after %d requests", n)
	}
	f = newCustomBench(t, Options{}).say(testMeta(6, 502), modbusRead)
	if got := path(f); got != "MODBUS:" || !f.Final() {
		t.Errorf("%s, %+v", got, f.Result())
	}
	// MA-23: a session that cannot do any of those asked for is not followed.
	f = newCustomBench(t, Options{MicroApps: true, Micros: []string{"junos:BACNET-READ-PROPERTY"}}).say(testMeta(6, 502), modbusRead)
	if got := path(f); got != "MODBUS:" || !f.Final() {
		t.Errorf("%s, %+v", got, f.Result())
	}
}

// MA-26: one that is disabled is not told; nor are those of an application that is.
func TestDisabled(t *testing.T) {
	for disabled, want := range map[string]string{"MODBUS-READ-COILS": "MODBUS:", "MODBUS": "UNKNOWN:", "SHOP": "MODBUS:MODBUS-READ-COILS"} {
		db := appdb.New()
		db.Load("test.apps", strings.NewReader(testApplications+industrialApplications))
		a, _ := db.Lookup(disabled)
		off := *a
		off.Disabled = true
		db, _ = db.With([]*appdb.Application{&off}, nil)
		b := newCustomBench(t, Options{})
		b.Engine, _ = Compile(db, NewState(nil), Options{MicroApps: true, Decoders: b.decoders})
		if got := path(b.say(testMeta(6, 502), modbusRead)); got != want {
			t.Errorf("without %s: %s, want %s", disabled, got, want)
		}
		wantShop := map[bool]string{true: "HTTP:", false: "HTTP:SHOP"}[disabled == "SHOP"]
		if got := path(b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")); got != wantShop {
			t.Errorf("without %s: %s", disabled, got)
		}
	}
}

// MA-4: so do datagrams; answers are no transactions.
func TestMicroDatagrams(t *testing.T) {
	const read = "\x81\x0a\x00\x11\x01\x04\x00\x05\x01\x0c\x0c\x02\x3f\xff\xff\x19\x4b"
	const answer = "\x81\x0a\x00\x09\x01\x00\x30\x01\x0c"
	b := newCustomBench(t, Options{MicroApps: true, MicroAppMaxTransactions: 2})
	var f Flow
	b.Begin(&f, testMeta(17, 47808))
	for i, datagram := range []string{read, answer, read} {
		if f.Final() {
			t.Fatalf("final before datagram %d", i)
		}
		f.Datagram(Direction(i&1), []byte(datagram))
	}
	if r := f.Result(); !r.Final || r.Transactions != 2 || r.Micro != "junos:BACNET-READ-PROPERTY" {
		t.Errorf("%+v", r)
	}
}

// UP-19 to UP-21: requests of one session name its application anew, up to the maximum; 0 is none.
func TestTransactions(t *testing.T) {
	hosts := []string{"shop.example", "nobody.example", "cdn.example"}
	names := []string{"HTTP:SHOP", "HTTP:", "HTTP:NETWORK"}
	for _, maximum := range []int{0, 3} {
		b := newCustomBench(t, Options{Transactions: true, MaximumTransactions: maximum})
		f := b.say(testMeta(6, 80))
		for i := range 30 {
			want := names[i%3]
			if maximum > 0 && i >= maximum {
				want = names[2]
			}
			body := strings.Repeat("b", i*1000)
			f.Stream(ToServer, fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n", hosts[i%3], len(body)))
			if got := path(f); got != want || f.Final() != (maximum > 0 && i >= maximum-1) {
				t.Errorf("maximum %d, request %d: %s, %+v", maximum, i, got, f.Result())
			}
			f.Stream(ToServer, []byte(body))
			f.Stream(ToClient, []byte("HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", 20000)))
		}
		if f.Close(); b.state.Memory() != 0 {
			t.Errorf("%d bytes are still counted", b.state.Memory())
		}
	}
	// Without anybody who follows them the first request is final.
	check(t, newCustomBench(t, Options{}).say(testMeta(6, 80), "GET / HTTP/1.1\r\n\r\n"), "HTTP", "", true)
}

// UP-12: requests in TCP segments that repeat, with bodies and answers that are not looked at, and
// values of the answers that are.
func TestTransactionsInSegments(t *testing.T) {
	mine := over("mine", "HTTP", appdb.High, appdb.Member{Context: decode.HTTPServer, Directions: both, Regexp: "nice"})
	f := newCustomBench(t, Options{Transactions: true}, mine).say(testMeta(6, 80))
	seq := [2]uint32{0xffffff00, 500}
	f.Segment(&Segment{Flags: flagSyn, Seq: seq[0] - 1})
	f.Segment(&Segment{Direction: ToClient, Flags: flagSyn | flagAck, Seq: seq[1] - 1, Ack: seq[0]})
	send := func(d Direction, text string) {
		for range 2 {
			f.Segment(&Segment{Direction: d, Flags: flagAck, Seq: seq[d], Ack: seq[d.Reverse()], Payload: []byte(text)})
		}
		seq[d] += uint32(len(text))
	}
	for i, want := range []string{"HTTP:SHOP", "HTTP:mine", "HTTP:SHOP"} {
		server := map[bool]string{true: "nice", false: "other"}[want == "HTTP:mine"]
		send(ToServer, "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4000\r\n\r\n")
		send(ToServer, strings.Repeat("b", 4000))
		send(ToClient, "HTTP/1.1 200 OK\r\nServer: "+server+"\r\n\r\n")
		send(ToClient, strings.Repeat("x", 9000))
		if got := path(f); got != want || f.Result().Transactions != i+1 {
			t.Errorf("request %d: %s, %+v", i, got, f.Result())
		}
	}
}

// What is no request any more ends the inspection, with what was known.
func TestTransactionsEnd(t *testing.T) {
	b := newCustomBench(t, Options{Transactions: true})
	f := b.say(testMeta(6, 80), "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n", "\x00\x01\x02")
	check(t, f, "HTTP", "SHOP", true)
	const inChunks = "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"
	check(t, b.say(testMeta(6, 80), inChunks), "HTTP", "SHOP", false)
	check(t, b.say(testMeta(6, 80), inChunks, "x\r\n"), "HTTP", "SHOP", true)
}

// A body in chunks, however long, is followed to the next request.
func TestChunkedTransactions(t *testing.T) {
	b := newCustomBench(t, Options{Transactions: true})
	chunk := "1f40\r\n" + strings.Repeat("x", 8000) + "\r\n"
	small := strings.Repeat("3\r\nabc\r\n", 100)
	for _, cut := range []int{1, 7, 1000, 100_000} {
		f := b.say(testMeta(6, 80), "POST / HTTP/1.1\r\nHost: elsewhere.example\r\nTransfer-Encoding: chunked\r\n\r\n", "<HTTP/1.1 100 Continue\r\n\r\n")
		for rest := strings.Repeat(chunk, 20) + strings.Repeat(small, 200) + "0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: shop.example\r\n\r\n"; len(rest) > 0; {
			n := min(cut, len(rest))
			f.Stream(ToServer, []byte(rest[:n]))
			rest = rest[n:]
		}
		check(t, f, "HTTP", "SHOP", false)
		if n := f.Result().Transactions; n != 2 {
			t.Errorf("in pieces of %d: %d transactions", cut, n)
		}
	}
}

// Where transactions are followed, a head that goes on behind the limit is looked at all the same, in
// order or as segments; so is a ClientHello.
func TestHeadBehindTheLimit(t *testing.T) {
	b := newCustomBench(t, Options{Transactions: true, Decoders: append(testDecoders(), tls.Decoders[0])})
	hello := clientHello(extension(21, make([]byte, 12_000)), extension(0, []byte("\x00\x0f\x00\x00\x0cshop.example")))
	for _, head := range []string{
		"HTTP:GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 20_000) + "\r\nHost: shop.example\r\n\r\n",
		"HTTP:GET /" + strings.Repeat("x", 15_000) + " HTTP/1.1\r\nHost: shop.example\r\n\r\n",
		"SSL:" + record(hello),
		"SSL:" + record(hello[:3]) + record(hello[3:9000]) + record(hello[9000:]),
	} {
		protocol, head, _ := strings.Cut(head, ":")
		for _, cut := range []int{1, 1460, 100_000} {
			stream, segments := b.say(testMeta(6, 80)), b.say(testMeta(6, 80))
			segments.Segment(&Segment{Flags: flagSyn, Seq: 99})
			for at := 0; at < len(head); at += cut {
				piece := []byte(head[at:min(at+cut, len(head))])
				stream.Stream(ToServer, piece)
				segments.Segment(&Segment{Flags: flagAck, Seq: 100 + uint32(at), Payload: piece})
			}
			for name, f := range map[string]*Flow{"stream": stream, "segments": segments} {
				if got := path(f); got != protocol+":SHOP" {
					t.Errorf("%.12q as %s in pieces of %d: %s", head, name, cut, got)
				}
			}
		}
	}
}

// clientHello is a ClientHello with some extensions (RFC 8446 section 4.1.2).
func clientHello(extensions ...[]byte) string {
	all := bytes.Join(extensions, nil)
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\x13\x01\x01\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(len(all)))) + string(all)
	return string(binary.BigEndian.AppendUint32(nil, 1<<24|uint32(len(body)))) + body
}

func extension(kind uint16, content []byte) []byte {
	header := binary.BigEndian.AppendUint16(nil, kind)
	return append(binary.BigEndian.AppendUint16(header, uint16(len(content))), content...)
}

// record is a record of a handshake (RFC 8446 section 5.1).
func record(fragment string) string {
	return "\x16\x03\x01" + string(binary.BigEndian.AppendUint16(nil, uint16(len(fragment)))) + fragment
}

// FuzzTransactions shows the same bytes as segments and in order, to a session whose transactions
// are followed and in which custom applications are looked for.
func FuzzTransactions(f *testing.F) {
	f.Add([]byte("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n\r\n"), uint8(7), uint16(0))
	f.Add([]byte(modbusRead+modbusWrite), uint8(5), uint16(30))
	f.Add([]byte("\x03\x00\x00\x19\x02\xf0\x80\x32\x01\x00\x00\x04\x00\x00\x08\x00\x00\xf0\x00\x00\x01\x00\x01\x01\xe0"), uint8(3), uint16(400))
	slog.SetDefault(slog.New(slog.DiscardHandler)) // one decoder panics on purpose
	f.Fuzz(func(t *testing.T, data []byte, step uint8, customBytes uint16) {
		mine := over("mine", "TCP", appdb.Low, member(decode.Stream, "xyz"), member(decode.HTTPURL, "needle"))
		for _, options := range []Options{{MicroApps: true, Transactions: true}, {CustomBytes: int(customBytes)}} {
			b := newCustomBench(t, options, mine)
			var inOrder, segments Flow
			b.Begin(&inOrder, testMeta(6, 80))
			b.Begin(&segments, testMeta(6, 80))
			segments.Segment(&Segment{Flags: flagSyn, Seq: 0xfffffff0})
			segments.Segment(&Segment{Direction: ToClient, Flags: flagSyn | flagAck, Seq: 99, Ack: 0xfffffff1})
			next := [2]uint32{0xfffffff1, 100}
			for i, rest := 0, data; len(rest) > 0; i++ {
				n := min(len(rest), 1+int(step))
				d, piece := Direction(i>>1&1), rest[:n]
				rest = rest[n:]
				inOrder.Stream(d, piece)
				segments.Segment(&Segment{Direction: d, Flags: flagAck | flagPsh, Seq: next[d], Ack: next[d.Reverse()], Payload: piece})
				next[d] += uint32(n)
			}
			inOrder.Close()
			segments.Close()
			if one, other := inOrder.Result(), segments.Result(); path(&inOrder) != path(&segments) || one.Transactions != other.Transactions {
				t.Errorf("in order %+v, in segments %+v", one, other)
			}
			if b.state.Memory() != 0 {
				t.Errorf("%d bytes are still counted", b.state.Memory())
			}
		}
	})
}
