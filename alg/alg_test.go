package alg

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

var (
	client = netip.MustParseAddrPort("192.0.2.10:40000")
	server = netip.MustParseAddrPort("203.0.113.80:21")
)

// told keeps what a watch tells, and translates the client to nat where that is valid.
type told struct {
	list []string
	nat  netip.Addr
}

func (s *told) Expect(e Expected) netip.AddrPort {
	who := "client"
	if e.ByServer {
		who = "server"
	}
	s.list = append(s.list, fmt.Sprintf("%s %s %d %s %s", who, e.To, e.Protocol, e.Name, e.Call))
	if s.nat.IsValid() && !e.ByServer {
		return netip.AddrPortFrom(s.nat, 20000)
	}
	return e.To
}

func (s *told) Over(call string) { s.list = append(s.list, "over "+call) }

// message is what one side sends: "<" begins what the server does.
func say(w Watch, messages ...string) string {
	var out strings.Builder
	for _, m := range messages {
		text, fromServer := strings.CutPrefix(m, "<")
		out.Write(w.Pass(fromServer, []byte(text)))
	}
	return out.String()
}

// However the bytes are cut, the same is told, and the same goes on.
// Rows: FW-41.
func TestControlSessions(t *testing.T) {
	sdp := "v=0\r\nc=IN IP4 %s\r\nm=audio 6000 RTP/AVP 0\r\n"
	invite := func(line, host string) string {
		body := fmt.Sprintf(sdp, host)
		return fmt.Sprintf("%s\r\nCall-ID: a@b\r\nContent-Length: %d\r\n\r\n%s", line, len(body), body)
	}
	for name, c := range map[string]struct {
		gateway, nat string
		messages     []string
		told         string
		passed       string // "" for the same
	}{
		"passive": {"ftp", "", []string{"<227 Entering Passive Mode (203,0,113,80,8,1)\r\n", "<229 Extended (|||2050|)\r\n"},
			"server 203.0.113.80:2049 6 FTP-DATA ;server 203.0.113.80:2050 6 FTP-DATA ", ""},
		"the server's inner address": {"ftp", "", []string{"<227 Entering Passive Mode 10,0,0,1,8,1\r\n"}, "server 203.0.113.80:2049 6 FTP-DATA ", ""},
		"active":                     {"ftp", "", []string{"USER a\r\nport 192,0,2,10,8,1\r\n", "EPRT |1|192.0.2.10|2050|\r\n"}, "client 192.0.2.10:2049 6 FTP-DATA ;client 192.0.2.10:2050 6 FTP-DATA ", ""},
		"translated": {"ftp", "198.51.100.1", []string{"USER a\r\nPORT 192,0,2,10,8,1\r\nNOOP\r\n", "EPRT |1|192.0.2.10|2050|\r\nQUIT"}, "client 192.0.2.10:2049 6 FTP-DATA ;client 192.0.2.10:2050 6 FTP-DATA ",
			"USER a\r\nPORT 198,51,100,1,78,32\r\nNOOP\r\nEPRT |1|198.51.100.1|20000|\r\nQUIT"},
		"a third host":    {"ftp", "198.51.100.1", []string{"PORT 192,0,2,11,8,1\r\n"}, "", ""},
		"a long line":     {"ftp", "198.51.100.1", []string{"STOR " + strings.Repeat("x", 600) + " PORT 192,0,2,10,8,1\r\nNOOP\r\n"}, "", ""},
		"a long address":  {"ftp", "198.51.100.1", []string{"PORT " + strings.Repeat("1", 600) + "\r\nNOOP\r\n"}, "", ""},
		"within a line":   {"ftp", "", []string{"STOR PORT 192,0,2,10,8,1\r\n"}, "", ""},
		"RTSP":            {"rtsp", "", []string{"SETUP rtsp://a/b RTSP/1.0\r\nTransport: client_port=6000-6001\r\n\r\n", "<RTSP/1.0 200 OK\r\nTransport: client_port=6000-6001;server_port=7000-7001\r\n\r\n", "TEARDOWN rtsp://a/b RTSP/1.0\r\n\r\n"}, "client 192.0.2.10:6000 17 RTP ;client 192.0.2.10:6001 17 RTCP ;server 203.0.113.80:7000 17 RTP ;server 203.0.113.80:7001 17 RTCP ;over ", ""},
		"interleaved":     {"rtsp", "", []string{"<$\x00\x00\x04abcdRTSP/1.0 200 OK\r\nTransport: server_port=7000-7001\r\n\r\n"}, "server 203.0.113.80:7000 17 RTP ;server 203.0.113.80:7001 17 RTCP ", ""},
		"SIP":             {"sip", "", []string{invite("INVITE sip:b SIP/2.0", "192.0.2.10"), "<" + invite("SIP/2.0 200 OK", "203.0.113.99"), "BYE sip:b SIP/2.0\r\ni: a@b\r\n\r\n"}, "client 192.0.2.10:6000 17 RTP a@b;client 192.0.2.10:6001 17 RTCP a@b;server 203.0.113.99:6000 17 RTP a@b;server 203.0.113.99:6001 17 RTCP a@b;over a@b", ""},
		"SIP for a third": {"sip", "", []string{invite("INVITE sip:b SIP/2.0", "192.0.2.11")}, "", ""},
	} {
		for _, piece := range []int{0, 1, 7} {
			s := &told{}
			if c.nat != "" {
				s.nat = netip.MustParseAddr(c.nat)
			}
			messages := c.messages
			if piece > 0 {
				messages = nil
				for _, m := range c.messages {
					text, fromServer := strings.CutPrefix(m, "<")
					for len(text) > 0 {
						n := min(piece, len(text))
						part := text[:n]
						if fromServer {
							part = "<" + part
						}
						messages, text = append(messages, part), text[n:]
					}
				}
			}
			passed := say(New(c.gateway, client, server, s), messages...)
			want := c.passed
			if want == "" {
				want = strings.ReplaceAll(strings.Join(c.messages, ""), "<", "")
			}
			if passed != want {
				t.Errorf("%s in pieces of %d: %q goes on, want %q", name, piece, passed, want)
			}
			if got := strings.Join(s.list, ";"); got != c.told {
				t.Errorf("%s in pieces of %d: told %q, want %q", name, piece, got, c.told)
			}
		}
	}
	s := &told{}
	say(New("tftp", client, server, s), "\x00\x01file\x00octet\x00", "\x00\x03\x00\x01data")
	if got := strings.Join(s.list, ";"); got != "client 192.0.2.10:40000 17 TFTP " {
		t.Errorf("TFTP: told %q", got)
	}
}

// Nothing that is sent makes a watch fail, or lets a byte be lost that is not held to be the beginning of
// a command.
func FuzzPass(f *testing.F) {
	f.Add("ftp", true, "PORT 192,0,2,10,8,1\r\n", "EPRT |1|192.0.2.10|2050|\r\n")
	f.Add("sip", false, "INVITE sip:b SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n", "m=audio 1 RTP/AVP")
	f.Add("rtsp", true, "$\x00", "\x00\x04RTSP")
	f.Add("tftp", false, "\x00\x01a\x00octet\x00", "")
	f.Fuzz(func(t *testing.T, name string, fromServer bool, first, second string) {
		w := New(name, client, server, &told{})
		if w == nil {
			return
		}
		passed := string(w.Pass(fromServer, []byte(first))) + string(w.Pass(fromServer, []byte(second)))
		if !strings.HasPrefix(first+second, passed) || len(passed) < len(first+second)-longestLine {
			t.Errorf("%q and %q: %q goes on", first, second, passed)
		}
	})
}
