package classify

import (
	"fmt"
	"testing"

	"sluice/classify/decode/web"
)

// Requests whose bodies nobody shows are transactions all the same, those of HTTP/2 too, and each names
// the application anew (UP-14, UP-19).
func TestMessages(t *testing.T) {
	hosts := []string{"shop.example", "nobody.example", "cdn.example"}
	names := []string{":SHOP", ":", ":NETWORK"}
	for protocol, head := range map[string]string{
		"HTTP":  "BREW-WITH-A-METHOD-OF-ITS-OWN /\xc3\xa4 HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00%c\x01\x05\x00\x00\x00\x01\x83\x84\x86\x01%c%s",
	} {
		b := newCustomBench(t, Options{Transactions: true, MaximumTransactions: 7, Decoders: web.Decoders})
		f := b.say(testMeta(6, 80))
		for i := range 9 {
			host := hosts[i%3]
			text := fmt.Sprintf(head, host)
			if protocol == "HTTP2" {
				text = fmt.Sprintf(head, len(host)+5, len(host), host)
			}
			f.Message(ToServer, []byte(text))
			want := protocol + names[i%3]
			if i >= 7 {
				want = protocol + names[0]
			}
			if r := f.Result(); path(f) != want || r.Transactions != min(i+1, 7) || f.Final() != (i >= 6) {
				t.Errorf("request %d: %s, want %s; %+v", i, path(f), want, r)
			}
			f.Message(ToClient, []byte("HTTP/1.1 200 OK\r\nContent-Length: 7000\r\n\r\n"))
		}
		if f.Close(); b.state.Memory() != 0 {
			t.Errorf("%d bytes are still counted", b.state.Memory())
		}
	}
}
