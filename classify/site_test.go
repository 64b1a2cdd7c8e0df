package classify

import "testing"

// The web address that a session asks for is told where somebody wants it, whatever pieces the
// request comes in, and an earlier session never stands for what this one asks.
func TestSite(t *testing.T) {
	for _, c := range []struct {
		name         string
		messages     []string
		host, target string
	}{
		{"one piece", []string{"GET /a?b HTTP/1.1\r\nHost: Shop.example:80\r\n\r\n"}, "Shop.example:80", "/a?b"},
		{"two pieces", []string{"GET /a HTTP/1.1\r\nX: y\r\n", "Host: shop.example\r\n\r\n"}, "shop.example", "/a"},
		{"no host", []string{"GET /a HTTP/1.0\r\n\r\n"}, "", "/a"},
		{"a slash in the host", []string{"GET /a HTTP/1.1\r\nHost: x/y\r\n\r\n"}, "", "/a"},
		{"through a proxy", []string{"GET http://shop.example/a HTTP/1.1\r\nHost: shop.example\r\n\r\n"}, "shop.example", "/a"},
	} {
		f := newBench(t, Options{Sites: true, Decoders: Decoders()}).say(testMeta(6, 80), c.messages...)
		f.Close()
		if host, target := f.Site(); host != c.host || target != c.target {
			t.Errorf("%s: %q %q, want %q %q", c.name, host, target, c.host, c.target)
		}
	}
	f := newBench(t, Options{Decoders: Decoders()}).say(testMeta(6, 80), "GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	if host, target := f.Site(); host != "" || target != "" {
		t.Errorf("nobody wants it, and it is remembered: %q %q", host, target)
	}
}
