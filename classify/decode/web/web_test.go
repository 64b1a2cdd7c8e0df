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

// A use of HTTP is known from its method, its target, or the type of a body.
func TestPurposes(t *testing.T) {
	for _, c := range [][2]string{
		{"PROPFIND /a HTTP/1.1\r\n\r\n", "WEBDAV"},
		{"POST /ipp HTTP/1.1\r\nContent-Type: application/ipp\r\n\r\n", "IPP"},
		{"POST / HTTP/1.1\r\ncontent-type: Application/OCSP-Request; x=y\r\n\r\n", "OCSP"},
		{"POST /a HTTP/1.1\r\nSOAPAction: \"urn:a\"\r\n\r\n", "SOAP"},
		{"GET /v/a.mpd?x=1 HTTP/1.1\r\n\r\n", "MPEG-DASH"},
		{"GET /v/a.m3u8 HTTP/1.1\r\n\r\n", "HLS"},
		{"GET /announce?info_hash=%01&peer_id=a HTTP/1.1\r\n\r\n", "BITTORRENT-TRACKER"},
		{"GET /announce HTTP/1.1\r\nContent-Type: application/json\r\n\r\n", ""},
	} {
		if o := Stream(t, Decoders, 80, "HTTP", Client(c[0])); o.Application != c[1] {
			t.Errorf("%q: %q", c[0], o.Application)
		}
	}
}

// :authority stands as a string without Huffman code, with its name in the static table (RFC 7541 C.2).
const http2Headers = "\x00\x00\x0f\x01\x04\x00\x00\x00\x01" + "\x82\x86\x01\x0bexample.com"

func TestHTTP2(t *testing.T) {
	settings := "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	o := Stream(t, Decoders, 8080, "HTTP2", Client(preface+settings+http2Headers))
	if o.Value(decode.HTTPHost) != "example.com" {
		t.Errorf("contexts: %q", o.Values)
	}
	grpc := "\x00\x00\x1b\x01\x04\x00\x00\x00\x01" + "\x83\x86\x0f\x10\x16application/grpc+proto"
	if o := Stream(t, Decoders, 8080, "HTTP2", Client(preface+grpc)); o.Carries != "GRPC" {
		t.Errorf("carries %q", o.Carries)
	}
}

func TestWebSocketFrames(t *testing.T) {
	const asked, answered = "\x81\x85\x01\x02\x03\x04igohn", "\x81\x05hello"
	for _, c := range []struct {
		client, server string
		want           decode.Verdict
	}{
		{asked, answered, decode.Match},
		{asked, "", decode.More},
		{answered, asked, decode.No},
		{asked, "\x81\x05\xff\xfe\x00\x01\x02", decode.No},
		{asked, answered + "\x00", decode.No},
	} {
		if v := websocket(nil, []byte(c.client), []byte(c.server)); v != c.want {
			t.Errorf("%q %q: %v", c.client, c.server, v)
		}
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
	Fuzz(f, Decoders, []byte(request), []byte("HTTP/1.1 200 OK\r\n\r\n"), []byte("CONNECT a:1 HTTP/1.1\r\n\r\n"),
		[]byte(preface+http2Headers))
}
