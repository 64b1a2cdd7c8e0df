package classify

import (
	"testing"

	"sluice/classify/decode"
)

// What was known from outside the encryption holds until the plaintext tells more (SP-5).
func TestDecrypted(t *testing.T) {
	b := newBench(t, Options{})
	for _, c := range []struct {
		outside               []string
		inside                []string
		protocol, application string
	}{
		{outside: []string{"secret"}, protocol: "junos:SECRET"},
		{outside: []string{"secret"}, inside: []string{"GET / HTTP/1.1\r\nHost: www.shop.example\r\n\r\n"}, protocol: "junos:HTTP", application: "junos:SHOP"},
		{outside: []string{"GET / HTTP/1.1\r\nHost: www.shop.example\r\n\r\n"}, inside: []string{"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"}, protocol: "junos:HTTP", application: "junos:SHOP"},
		{outside: []string{"GET / HTTP/1.1\r\nHost: www.shop.example\r\n\r\n"}, inside: []string{"no protocol at all\n"}, protocol: "junos:HTTP", application: "junos:SHOP"},
		{outside: []string{"secret"}, inside: []string{"no protocol at all\n"}, protocol: "junos:SECRET"},
	} {
		meta := testMeta(decode.TCP, 443)
		f := b.say(meta, c.outside...)
		b.Decrypted(f, meta)
		if r := f.Result(); f.Final() || r.Final {
			t.Errorf("%q: final before the plaintext was seen: %+v", c.outside, r)
		}
		for _, m := range c.inside {
			f.Stream(ToServer, []byte(m))
		}
		f.Close()
		r := f.Result()
		if r.Protocol != c.protocol || r.Application != c.application || !r.Encrypted || !r.Final {
			t.Errorf("%q inside %q: %+v, want %s %s", c.inside, c.outside, r, c.protocol, c.application)
		}
	}
	if n := b.state.Memory(); n != 0 {
		t.Errorf("%d bytes of inspections are held", n)
	}
}
