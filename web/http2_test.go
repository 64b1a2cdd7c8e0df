package web

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// speaker writes what a side of HTTP/2 says.
type speaker struct {
	*http2.Framer
	out     bytes.Buffer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newSpeaker() *speaker {
	s := new(speaker)
	s.Framer, s.encoder = http2.NewFramer(&s.out, nil), hpack.NewEncoder(&s.block)
	s.AllowIllegalWrites = true
	return s
}

// fields is a header block, "name value" a line.
func (s *speaker) fields(lines ...string) []byte {
	s.block.Reset()
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " ")
		_ = s.encoder.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return bytes.Clone(s.block.Bytes())
}

// ask opens a stream.
func (s *speaker) ask(stream uint32, more ...string) *speaker {
	return s.head(stream, true, append([]string{":method GET", ":scheme https", ":authority a.example", ":path /" + fmt.Sprint(stream)}, more...)...)
}

// head writes a head in one frame.
func (s *speaker) head(stream uint32, last bool, lines ...string) *speaker {
	_ = s.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.fields(lines...), EndHeaders: true, EndStream: last})
	return s
}

// do writes something else.
func (s *speaker) do(write func(*http2.Framer)) *speaker {
	write(s.Framer)
	return s
}

// say is what was written since the last time.
func (s *speaker) say(from Side) line {
	text := s.out.String()
	s.out.Reset()
	return line{from, text}
}

// greet begins a connection.
func greet() (c, s *speaker) {
	c, s = newSpeaker(), newSpeaker()
	c.out.WriteString(http2.ClientPreface)
	_ = c.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 0})
	_ = s.WriteSettings()
	return c, s
}

// frames reads what is written, as a side that knows nothing of what came before.
func readFrames(t *testing.T, text []byte) (frames []string) {
	t.Helper()
	framer := http2.NewFramer(nil, bytes.NewReader(text))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		f, err := framer.ReadFrame()
		if err != nil {
			return frames
		}
		h := f.Header()
		text := fmt.Sprintf("%v %d", h.Type, h.StreamID)
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			for _, field := range f.Fields {
				text += " " + field.Name + "=" + field.Value
			}
			if f.StreamEnded() {
				text += " end"
			}
		case *http2.DataFrame:
			text += fmt.Sprintf(" %q", f.Data())
			if f.StreamEnded() {
				text += " end"
			}
		case *http2.RSTStreamFrame:
			text += " " + f.ErrCode.String()
		case *http2.GoAwayFrame:
			text += fmt.Sprintf(" %d %v", f.LastStreamID, f.ErrCode)
		case *http2.WindowUpdateFrame:
			text += fmt.Sprint(" ", f.Increment)
		}
		frames = append(frames, text)
	}
}

// What nobody objects to passes byte for byte, in whatever pieces it comes: padding, priorities, heads in
// several frames, trailers, interim responses, frames of kinds that nobody knows.
func TestHTTP2Untouched(t *testing.T) {
	c, s := greet()
	block := c.fields(":method POST", ":scheme https", ":authority a.example", ":path /up", "te trailers", "x-long "+strings.Repeat("abc", 6000))
	c.do(func(f *http2.Framer) {
		_ = f.WriteWindowUpdate(0, 1<<20)
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:10], PadLength: 9, Priority: http2.PriorityParam{StreamDep: 0, Weight: 200}})
		_ = f.WriteContinuation(1, false, block[10:11])
		_ = f.WriteContinuation(1, true, block[11:])
		_ = f.WriteDataPadded(1, false, []byte("hello"), make([]byte, 200))
		_ = f.WriteRawFrame(0x0f, 3, 77, []byte("whatever"))
	}).head(1, true, "x-trailer yes").ask(3, "x-a b").ask(5, "x-a b").do(func(f *http2.Framer) { _ = f.WritePing(false, [8]byte{1}) })
	first := c.say(Client)
	s.do(func(f *http2.Framer) { _ = f.WriteSettingsAck() }).head(3, false, ":status 103", "link </x>").head(3, false, ":status 200").
		do(func(f *http2.Framer) { _ = f.WriteData(3, false, bytes.Repeat([]byte("d"), 16384)) }).head(3, true, "grpc-status 0").head(1, true, ":status 204")
	second := s.say(Server)
	c.do(func(f *http2.Framer) { _ = f.WriteRSTStream(5, http2.ErrCodeCancel) }).ask(7, "x-a b")
	third := c.say(Client)
	want := [2]string{first.text + third.text, second.text}
	for _, protocol := range []string{"", "h2"} {
		for _, size := range []int{1, 2, 9, 10, 100, 1 << 20} {
			service := new(script)
			said := converse(New(protocol, service), size, first, second, third)
			if got := [2]string{string(said.onward[0]), string(said.onward[1])}; got != want || len(said.told) > 0 || said.next != Continue {
				t.Fatalf("pieces of %d: %d and %d bytes passed, want %d and %d, %d", size, len(got[0]), len(got[1]), len(want[0]), len(want[1]), said.next)
			}
			if got := strings.Join(service.requests(), ", "); got != "POST a.example /up, GET a.example /3, GET a.example /5, GET a.example /7" {
				t.Errorf("asked %q", got)
			}
			if got := fmt.Sprint(service.answered); got != "[103 200 204]" {
				t.Errorf("told of %s", got)
			}
		}
	}
}

// Pushes are not taken, whatever the client says; tables are bounded.
func TestHTTP2Settings(t *testing.T) {
	for _, set := range [][]http2.Setting{
		nil, {{ID: http2.SettingEnablePush, Val: 1}, {ID: http2.SettingInitialWindowSize, Val: 5}}, {{ID: http2.SettingHeaderTableSize, Val: 1 << 30}},
	} {
		c := newSpeaker()
		c.out.WriteString(http2.ClientPreface)
		_ = c.WriteSettings(set...)
		said := converse(New("h2", &script{}), 1000, c.say(Client))
		frame, err := http2.NewFramer(nil, bytes.NewReader(said.onward[Client][len(http2.ClientPreface):])).ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		settings := frame.(*http2.SettingsFrame)
		if v, ok := settings.Value(http2.SettingEnablePush); !ok || v != 0 {
			t.Errorf("%v: passed as %v", set, settings)
		}
		if v, ok := settings.Value(http2.SettingHeaderTableSize); ok && v != maxTable {
			t.Errorf("a table of %d", v)
		}
		for _, s := range set {
			if v, ok := settings.Value(s.ID); !ok || s.ID == http2.SettingInitialWindowSize && v != s.Val {
				t.Errorf("%v is gone", s)
			}
		}
	}
}

// no answers requests for /3 with a page.
func no(x *Exchange, _ *Head) Verdict {
	if x.Target == "/3" {
		return Verdict{Answer: &Answer{Status: 403, Body: []byte("<p>no</p>")}}
	}
	return Verdict{}
}

// A request that is answered here is not seen by the server, nor what follows on its stream; others go
// on, with the fields that they had.
func TestHTTP2Refused(t *testing.T) {
	c, s := greet()
	greeting := s.say(Server)
	c.ask(1, "x-a one", "cookie c").head(3, false, ":method POST", ":scheme https", ":authority a.example", ":path /3", "x-a two", "x-b two").
		do(func(f *http2.Framer) {
			_ = f.WriteData(3, false, []byte("secret"))
			_ = f.WriteWindowUpdate(3, 5)
			_ = f.WriteRawFrame(0x20, 0, 3, []byte("unknown"))
		}).head(3, true, "x-trailer two").ask(5, "x-a one", "x-b two", "cookie c").head(7, false, ":method POST", ":scheme https", ":authority a.example", ":path /7").
		do(func(f *http2.Framer) { _ = f.WriteData(7, false, []byte("body")) }).head(7, true, "x-trailer one")
	s.do(func(f *http2.Framer) { _ = f.WriteSettingsAck() }).head(1, true, ":status 200", "x-s s")
	first, second := c.say(Client), s.say(Server)
	s.head(5, true, ":status 200", "x-s s")
	third := s.say(Server)
	for _, size := range []int{1, 5, 1 << 20} {
		said := converse(New("h2", &script{judge: no}), size, greeting, first, second, third)
		got := strings.Join(readFrames(t, said.onward[Client][len(http2.ClientPreface):]), "\n")
		const ask = " :method=GET :scheme=https :authority=a.example :path="
		if want := "SETTINGS 0\nHEADERS 1" + ask + "/1 x-a=one cookie=c end\nHEADERS 5" + ask + "/5 x-a=one x-b=two cookie=c end\n" +
			"HEADERS 7 :method=POST :scheme=https :authority=a.example :path=/7\nDATA 7 \"body\"\nHEADERS 7 x-trailer=one end"; got != want {
			t.Errorf("pieces of %d: the server is sent\n%s, want\n%s", size, got, want)
		}
		told := strings.Join(readFrames(t, said.told), "\n")
		if want := "HEADERS 3 :status=403 content-type=text/html; charset=utf-8 content-length=9 cache-control=no-store\nDATA 3 \"<p>no</p>\" end\nWINDOW_UPDATE 0 6\nWINDOW_UPDATE 3 6"; told != want {
			t.Errorf("pieces of %d: the client is told\n%s, want\n%s", size, told, want)
		}
		if string(said.onward[Server]) != greeting.text+second.text+third.text {
			t.Errorf("pieces of %d: the server's answers are not as they were", size)
		}
	}
}

// A client may end a request that was answered, but not send without end.
func TestHTTP2BodyToNowhere(t *testing.T) {
	c, s := greet()
	lines := []line{s.say(Server), c.head(3, false, ":method POST", ":scheme https", ":authority a.example", ":path /3").say(Client)}
	for n := 0; n < maxSwallowed+2*longestFrame; n += longestFrame {
		_ = c.WriteData(3, false, make([]byte, longestFrame))
	}
	said := converse(New("h2", &script{judge: no}), 1<<20, append(lines, c.say(Client))...)
	counts := map[string]int{}
	for _, f := range readFrames(t, said.told) {
		counts[f]++
	}
	if all, own := counts["WINDOW_UPDATE 0 16384"], counts["WINDOW_UPDATE 3 16384"]; all != own+2 || own != maxSwallowed/longestFrame || counts["RST_STREAM 3 NO_ERROR"] != 1 {
		t.Errorf("told %v", counts)
	}
}

// What is sent here counts for what the client takes: the server is told of less, and waits where it
// would send more.
func TestHTTP2FlowControl(t *testing.T) {
	conn := New("h2", &script{judge: no})
	c, s := greet()
	c.ask(1).ask(3)
	for stream, n := uint32(1), 0; n < 3; n++ {
		_ = s.WriteData(stream, false, make([]byte, 16384))
	}
	converse(conn, 1<<20, c.say(Client), s.say(Server))
	_ = s.WriteData(1, false, make([]byte, 16383-8)) // one byte more than the page has left
	_ = s.WritePing(false, [8]byte{})
	more := s.say(Server)
	said := converse(conn, 5, more)
	if len(said.onward[Server]) > 0 {
		t.Fatalf("%d bytes pass that the client does not take", len(said.onward[Server]))
	}
	waited := make(chan struct{})
	go func() {
		conn.Wait(Server)
		close(waited)
	}()
	_ = c.WriteWindowUpdate(0, 20)
	said = converse(conn, 1<<20, c.say(Client))
	if got := readFrames(t, said.onward[Client]); len(got) != 1 || got[0] != "WINDOW_UPDATE 0 11" {
		t.Errorf("the server is told %q", got)
	}
	<-waited
	taken, on, _ := conn.Pass(Server, []byte(more.text)[frameHeaderLen:], nil)
	passed := 0
	for _, piece := range on {
		passed += len(piece)
	}
	if taken != len(more.text)-frameHeaderLen || passed != len(more.text) {
		t.Errorf("%d bytes are taken and %d pass, want all %d", taken, passed, len(more.text))
	}
	_ = c.WriteWindowUpdate(0, 20)
	if said = converse(conn, 1<<20, c.say(Client)); readFrames(t, said.onward[Client])[0] != "WINDOW_UPDATE 0 20" {
		t.Errorf("what is repaid is repaid again: %q", said.onward[Client])
	}
}

// A client that takes little gets the answer without its page; one that refuses tables is told so
// before the first field.
func TestHTTP2AnswerFits(t *testing.T) {
	c, s := newSpeaker(), newSpeaker()
	c.out.WriteString(http2.ClientPreface)
	_ = c.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 8}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	_ = s.WriteSettings()
	c.ask(3)
	said := converse(New("h2", &script{judge: no}), 1<<20, s.say(Server), c.say(Client))
	got := readFrames(t, said.told)
	if len(got) != 1 || got[0] != "HEADERS 3 :status=403 content-length=0 cache-control=no-store end" {
		t.Errorf("told %q", got)
	}
	if said.told[frameHeaderLen] != 0x20 {
		t.Errorf("the table stays: %x", said.told)
	}
}

// An answer that ends the connection comes whole, after what the server has begun to say.
func TestHTTP2LastAnswer(t *testing.T) {
	judge := func(x *Exchange, h *Head) Verdict {
		v := no(x, h)
		v.End = v.Answer != nil
		return v
	}
	c, s := greet()
	c.ask(1)
	s.head(1, false, ":status 200").do(func(f *http2.Framer) { _ = f.WriteData(1, false, make([]byte, 100)) })
	first, answer := c.say(Client), s.say(Server)
	second := c.ask(3).say(Client)
	conn := New("h2", &script{judge: judge})
	if said := converse(conn, 1<<20, first, line{Server, answer.text[:len(answer.text)-50]}, second); said.next != Continue || len(said.told) > 0 {
		t.Errorf("within a frame: %d, told %q", said.next, said.told)
	}
	said := converse(conn, 1<<20, line{Server, answer.text[len(answer.text)-50:]})
	got := strings.Join(readFrames(t, said.onward[Server][50:]), "\n")
	if said.next != Close || !strings.HasSuffix(got, "DATA 3 \"<p>no</p>\" end\nGOAWAY 0 3 NO_ERROR") {
		t.Errorf("%d, the client is sent\n%s", said.next, got)
	}
	conn = New("h2", &script{judge: func(*Exchange, *Head) Verdict { return Verdict{End: true} }})
	if said := converse(conn, 1<<20, first); said.next != Abort || len(said.told) > 0 {
		t.Errorf("an end: %+v", said)
	}
	if said := converse(New("h2", &script{end: true}), 1<<20, first, answer); said.next != Abort || strings.Contains(string(said.onward[Server]), "\x88") {
		t.Errorf("an end by the response: %d %q", said.next, said.onward[Server])
	}
}

// When nobody asks any more, the connection is a stream.
func TestHTTP2LastRequest(t *testing.T) {
	service := &script{judge: func(*Exchange, *Head) Verdict { return Verdict{Last: true} }}
	c, s := greet()
	first := s.say(Server)
	said := converse(New("h2", service), 11, first, c.ask(1).say(Client), line{Server, "anything"}, line{Client, "at all"})
	if said.next != Stream || !strings.HasSuffix(string(said.onward[Server]), "anything") || !strings.HasSuffix(string(said.onward[Client]), "at all") {
		t.Errorf("%+v", said)
	}
}

// What could mean different things to the two ends, or costs too much, ends the connection.
func TestHTTP2Violations(t *testing.T) {
	whole := func(f *http2.Framer, stream uint32, block []byte) {
		_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block, EndHeaders: true, EndStream: true})
	}
	bomb := func(c *speaker) {
		block := c.fields(":method GET", ":scheme https", ":path /", "x-bomb "+strings.Repeat("b", 3000))
		c.do(func(f *http2.Framer) { whole(f, 1, append(block, bytes.Repeat([]byte{0x80 | 62}, 200)...)) })
	}
	for name, write := range map[string]func(c, s *speaker){
		"a push": func(_, s *speaker) {
			_ = s.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: s.fields(":method GET"), EndHeaders: true})
		},
		"a push of the client": func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FramePushPromise, 4, 1, []byte("\x00\x00\x00\x02\x82")) },
		"a frame within a head": func(c, _ *speaker) {
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82}})
			_ = c.WritePing(false, [8]byte{})
		},
		"another stream's head": func(c, _ *speaker) {
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82}})
			_ = c.WriteContinuation(5, true, nil)
		},
		"a head that goes on alone": func(c, _ *speaker) { _ = c.WriteContinuation(3, true, []byte{0x82}) },
		"a head in many frames": func(c, _ *speaker) {
			_ = c.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x82}})
			for range maxFragments {
				_ = c.WriteContinuation(3, false, nil)
			}
		},
		"a head of many fields":      func(c, _ *speaker) { bomb(c) },
		"a table that is not there":  func(c, _ *speaker) { c.do(func(f *http2.Framer) { whole(f, 3, []byte{0xff, 0xff, 0x7f}) }) },
		"fields that are cut off":    func(c, _ *speaker) { c.do(func(f *http2.Framer) { whole(f, 3, []byte{0x00, 0x05, 'a'}) }) },
		"too large a table":          func(c, _ *speaker) { c.do(func(f *http2.Framer) { whole(f, 3, []byte{0x3f, 0xff, 0xff, 0x7f}) }) },
		"padding beyond the frame":   func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FrameHeaders, 0xc, 3, []byte{9, 1}) },
		"a stream of the server":     func(c, _ *speaker) { c.ask(2) },
		"a stream that was left out": func(c, _ *speaker) { c.ask(9).ask(5) },
		"a second request":           func(c, _ *speaker) { c.head(3, false, ":method POST", ":scheme https", ":path /").ask(3) },
		"a head on no stream":        func(c, _ *speaker) { c.ask(0) },
		"a frame that is too long":   func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FrameData, 0, 1, make([]byte, 16385)) },
		"settings on a stream":       func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FrameSettings, 0, 1, nil) },
		"half a setting":             func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{0, 1, 0}) },
		"a short window update":      func(c, _ *speaker) { _ = c.WriteRawFrame(http2.FrameWindowUpdate, 0, 0, []byte{0, 1, 0}) },
		"a frame size of nothing":    func(c, _ *speaker) { _ = c.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1}) },
		"rapid resets": func(c, _ *speaker) {
			for i := range uint32(maxResets + 1) {
				c.ask(3 + 2*i)
				_ = c.WriteRSTStream(3+2*i, http2.ErrCodeCancel)
			}
		},
		"streams without end": func(c, _ *speaker) {
			for i := range uint32(maxStreams + 1) {
				c.ask(3 + 2*i)
			}
		},
		"no status": func(_, s *speaker) { s.head(1, false, ":status abc") },
	} {
		for _, size := range []int{13, 1 << 20} {
			c, s := greet()
			before := []line{s.say(Server), c.ask(1).say(Client)}
			if name == "a head of many fields" {
				c, before[1].text = newSpeaker(), before[1].text[:len(http2.ClientPreface)+15]
			}
			write(c, s)
			conn := New("h2", &script{})
			said := converse(conn, size, append(before, c.say(Client), s.say(Server))...)
			frames := readFrames(t, said.told)
			if said.next != Close || conn.Err() == nil || len(frames) == 0 || !strings.HasSuffix(frames[len(frames)-1], "PROTOCOL_ERROR") {
				t.Errorf("%s, pieces of %d: %d, told %q, %v", name, size, said.next, frames, conn.Err())
			}
		}
	}
	conn := New("h2", &script{})
	if said := converse(conn, 5, client("GET / HTTP/1.1\r\n\r\n")); said.next != Abort || conn.Err() == nil {
		t.Errorf("no preface: %d %v", said.next, conn.Err())
	}
}

// However long a frame the server takes, no more of one is held than of a head.
func TestHTTP2LongFrames(t *testing.T) {
	for _, length := range []int{maxHead, maxHead + 1} {
		c, s := greet()
		s.do(func(f *http2.Framer) {
			_ = f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
		})
		before := []line{s.say(Server), c.say(Client)}
		head := appendFrame(nil, http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, length)
		if got, want := converse(New("h2", &script{}), 1<<20, append(before, client(string(head)))...).next == Continue, length <= maxHead; got != want {
			t.Errorf("a head of %d bytes is waited for: %t", length, got)
		}
	}
}

// Requests that are malformed go nowhere; the connection goes on.
func TestHTTP2MalformedRequests(t *testing.T) {
	const method, scheme, path = ":method GET", ":scheme https", ":path /"
	for name, fields := range map[string][]string{
		"no path":                  {method, scheme},
		"no method":                {scheme, path},
		"no scheme":                {method, path},
		"two paths":                {method, scheme, path, ":path /other"},
		"an unknown pseudo-header": {method, scheme, path, ":status 200"},
		"a late pseudo-header":     {method, scheme, "x y", path},
		"an empty path":            {method, scheme, ":path "},
		"a path without slash":     {method, scheme, ":path http://other.example/"},
		"a blank in the path":      {method, scheme, ":path /a b"},
		"upper case":               {method, scheme, path, "X-Y z"},
		"a colon":                  {method, scheme, path, "x:y z"},
		"CR LF in a value":         {method, scheme, path, "x y\r\nHost: b"},
		"NUL in a value":           {method, scheme, path, "x y\x00"},
		"Connection":               {method, scheme, path, "connection close"},
		"Transfer-Encoding":        {method, scheme, path, "transfer-encoding chunked"},
		"Upgrade":                  {method, scheme, path, "upgrade websocket"},
		"another TE":               {method, scheme, path, "te gzip"},
		"two hosts":                {method, scheme, path, "host a", "host b"},
		"a host that contradicts":  {method, scheme, path, ":authority a", "host b"},
		"a host with a blank":      {method, scheme, path, "host a b"},
		"two lengths":              {method, scheme, path, "content-length 1", "content-length 1"},
		"a length that is none":    {method, scheme, path, "content-length +1"},
		"CONNECT with a path":      {":method CONNECT", ":authority a", path},
	} {
		c, s := greet()
		c.ask(1).head(3, false, fields...).do(func(f *http2.Framer) { _ = f.WriteData(3, true, []byte("x")) }).ask(5)
		service := new(script)
		said := converse(New("h2", service), 1<<20, s.say(Server), c.say(Client))
		if got := readFrames(t, said.told); len(got) == 0 || got[0] != "RST_STREAM 3 PROTOCOL_ERROR" || len(service.refused) != 1 || said.next > Tell {
			t.Errorf("%s: told %q, refused %q, %d", name, got, service.refused, said.next)
		}
		if got := readFrames(t, said.onward[Client][len(http2.ClientPreface):]); len(got) != 3 || !strings.HasPrefix(got[2], "HEADERS 5 :method=GET") {
			t.Errorf("%s: the server is sent %q", name, got)
		}
		if len(service.requests()) != 2 {
			t.Errorf("%s: asked %q", name, service.requests())
		}
	}
	for name, fields := range map[string][]string{
		"CONNECT":           {":method CONNECT", ":authority a:443"},
		"extended CONNECT":  {":method CONNECT", ":protocol websocket", scheme, path, ":authority a"},
		"OPTIONS *":         {":method OPTIONS", scheme, ":path *"},
		"cookies in crumbs": {method, scheme, path, "cookie a", "cookie b", "te trailers"},
		"a host alone":      {method, scheme, path, "host a"},
	} {
		c, _ := greet()
		service := new(script)
		converse(New("h2", service), 1<<20, c.head(1, false, fields...).say(Client))
		if len(service.requests()) != 1 || len(service.refused) > 0 {
			t.Errorf("%s: refused %q", name, service.refused)
		}
	}
}
