package web

import (
	"strings"
	"testing"
)

// benchmarkRequests passes requests and their answers on one connection.
func benchmarkRequests(b *testing.B, protocol string, opening []line, exchange func(i int) (request, response []byte)) {
	b.ReportAllocs()
	c := New(protocol, idle{})
	for _, l := range opening {
		c.Pass(l.from, []byte(l.text), nil)
	}
	var on [][]byte
	i := 0
	for b.Loop() {
		request, response := exchange(i)
		i++
		for from, data := range [][]byte{request, response} {
			n, out, next := c.Pass(Side(from), data, on[:0])
			if n < len(data) || next != Continue {
				b.Fatal(n, next, c.Err())
			}
			on = out
		}
	}
}

// idle asks nothing.
type idle struct{}

func (idle) Request(*Exchange, *Head) Verdict     { return Verdict{} }
func (idle) Response(*Exchange, *Head) (end bool) { return false }
func (idle) Refused(*Violation)                   {}

// What a browser and a server say.
const (
	browser = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\naccept: text/html,application/xhtml+xml,*/*;q=0.8\r\n" +
		"accept-language: en-US,en;q=0.5\r\naccept-encoding: gzip, deflate, br, zstd\r\ncookie: session=0123456789abcdef0123456789abcdef\r\n"
	page = "server: nginx\r\ndate: Mon, 23 Nov 2026 03:00:00 GMT\r\ncontent-type: text/html\r\nlast-modified: Mon, 23 Nov 2026 02:00:00 GMT\r\netag: \"abc-123\"\r\n"
)

func BenchmarkHTTP1(b *testing.B) {
	request := []byte("GET /path/to?what=ever HTTP/1.1\r\nhost: www.example.net\r\n" + browser + "\r\n")
	response := []byte("HTTP/1.1 200 OK\r\n" + page + "content-length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz")
	benchmarkRequests(b, "http/1.1", nil, func(int) ([]byte, []byte) { return request, response })
}

func BenchmarkHTTP2(b *testing.B) {
	lines := func(text string) []string {
		return strings.Split(strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), ": ", " "), "\n")
	}
	c, s := greet()
	opening := []line{c.say(Client), s.say(Server)}
	benchmarkRequests(b, "h2", opening, func(i int) ([]byte, []byte) {
		b.StopTimer()
		stream := uint32(2*i + 1)
		c.ask(stream, lines(browser)...)
		s.head(stream, false, append([]string{":status 200"}, append(lines(page), "content-length 26")...)...)
		_ = s.WriteData(stream, true, []byte("abcdefghijklmnopqrstuvwxyz"))
		request, response := []byte(c.say(Client).text), []byte(s.say(Server).text)
		b.StartTimer()
		return request, response
	})
}
