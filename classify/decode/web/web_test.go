package web

import (
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

const request = "GET /a?b HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: probe/1\r\n\r\n"

func TestRequest(t *testing.T) {
	o := Stream(t, Decoders, 8081, "HTTP", Client(request))
	if o.Value(decode.HTTPHost) != "www.example.com" || o.Value(decode.HTTPURL) != "/a?b" || o.Value(decode.HTTPUserAgent) != "probe/1" {
		t.Errorf("contexts: %q", o.Values)
	}
}

func TestResponseAlone(t *testing.T) {
	o := Stream(t, Decoders, 80, "HTTP", Server("HTTP/1.1 200 OK\r\nServer: probe\r\n\r\nbody"))
	if o.Value(decode.HTTPServer) != "probe" {
		t.Errorf("contexts: %q", o.Values)
	}
}

// A header that never ends does not take away what its first line said.
func TestHeaderWithoutEnd(t *testing.T) {
	o := Run(Decoders, TCP(80), Client("POST / HTTP/1.0\r\nHost: example.com\r\nX: "))
	if o.Name != "HTTP" || o.Verdict != decode.MatchMore {
		t.Errorf("%q %v", o.Name, o.Verdict)
	}
}

func TestVariants(t *testing.T) {
	Stream(t, Decoders, 3128, "HTTP-PROXY", Client("GET http://user@example.com:81/x HTTP/1.1\r\nHost: example.com\r\n\r\n"))
	o := Stream(t, Decoders, 80, "HTTP", Client("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
	if o.Carries != "WEBSOCKET" {
		t.Errorf("carries %q", o.Carries)
	}
}

// What runs inside CONNECT begins behind both headers.
func TestConnect(t *testing.T) {
	const ask = "CONNECT mail.example.com:993 HTTP/1.1\r\n\r\n"
	const consent = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"
	o := Stream(t, Decoders, 8080, "HTTP-CONNECT", Client(ask), Server(consent), Client("inner"))
	if o.Tunnel == nil || *o.Tunnel != [2]int{len(ask), len(consent)} {
		t.Errorf("tunnel %v", o.Tunnel)
	}
	if o := Run(Decoders, TCP(8080), Client(ask), Server("HTTP/1.1 403 Forbidden\r\n\r\n")); o.Tunnel != nil || o.Verdict != decode.Match {
		t.Errorf("a refused CONNECT: tunnel %v, %v", o.Tunnel, o.Verdict)
	}
}

func TestOthersAreNotHTTP(t *testing.T) {
	for _, other := range []string{
		"OPTIONS sip:user@example.com SIP/2.0\r\n\r\n", "DESCRIBE rtsp://example.com RTSP/1.0\r\n\r\n",
		"GET / HTTP/2.0\r\n\r\n", "GETTING on with it\r\n", "GET \x00\x01\x02\r\n", "get / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n",
	} {
		if o := Run(Decoders[:1], TCP(80), Client(other)); o.Verdict != decode.No {
			t.Errorf("%q: %v", other, o.Verdict)
		}
	}
}

func FuzzWeb(f *testing.F) {
	Fuzz(f, Decoders, []byte(request), []byte("HTTP/1.1 200 OK\r\n\r\n"), []byte("CONNECT a:1 HTTP/1.1\r\n\r\n"))
}
