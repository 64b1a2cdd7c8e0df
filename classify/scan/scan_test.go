package scan

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

var both, toServer, toClient = [2]bool{true, true}, [2]bool{true, false}, [2]bool{false, true}

// app is an application with patterns.
func app(name string, patterns ...appdb.Pattern) *appdb.Application {
	return &appdb.Application{Name: name, Custom: true, Source: name, Patterns: patterns}
}

// in is a member for either direction.
func in(c decode.Context, regexp string) appdb.Member {
	return appdb.Member{Context: c, Directions: both, Regexp: regexp}
}

func one(m appdb.Member) appdb.Pattern { return appdb.Pattern{Name: "s", Members: []appdb.Member{m}} }

// bench is a compiled set and one session.
type bench struct {
	*testing.T
	*Set
	progress classify.Progress
	meta     classify.Meta
}

func newBench(t *testing.T, apps ...*appdb.Application) *bench {
	t.Helper()
	db := appdb.New()
	for _, a := range apps {
		if err := db.Add(a); err != nil {
			t.Fatal(err)
		}
	}
	s, problems, err := Compile(t.Context(), db, Options{})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	t.Cleanup(s.Close)
	return &bench{T: t, Set: s, meta: classify.Meta{
		Client: netip.MustParseAddrPort("192.0.2.1:40000"), Server: netip.MustParseAddrPort("198.51.100.1:80"), Protocol: decode.TCP,
	}}
}

// is checks which application is found in a value.
func (b *bench) is(c decode.Context, d decode.Direction, over, value, want string) {
	b.Helper()
	got := ""
	if h := b.Match(&b.progress, c, d, over, &b.meta, []byte(value)); h != nil {
		got = h.Application.Name
	}
	if got != want {
		b.Errorf("%s %s over %q: %.60q: found %q, want %q", c, d, over, value, got, want)
	}
}

// CS-34: an expression may match anywhere unless it is anchored, and a dot is any byte.
func TestMatch(t *testing.T) {
	b := newBench(t,
		app("install", one(in(decode.Stream, ".*install.*"))),
		app("anchored", one(in(decode.HTTPURL, "^/owa/"))),
		app("ends", one(in(decode.HTTPURL, `\.php$`))),
		app("binary", one(in(decode.Stream, `^\x16\x03.{3}\x01`))),
	)
	b.is(decode.Stream, decode.ToServer, "TCP", "please\ninstall this", "install")
	b.is(decode.Stream, decode.ToClient, "TCP", "installed", "install")
	b.is(decode.Stream, decode.ToClient, "TCP", "instant", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "/owa/x", "anchored")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "/x/owa/x", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "/x.php", "ends")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "/x.phpx", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "\x16\x03\n\x00\x00\x01", "binary")
	b.is(decode.HTTPReferer, decode.ToServer, "HTTP", "install", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "", "")
}

// CS-33: the direction of a member.
func TestDirection(t *testing.T) {
	up, down := in(decode.Stream, "up"), in(decode.Stream, "down")
	up.Directions, down.Directions = toServer, toClient
	b := newBench(t, app("up", one(up)), app("down", one(down)))
	b.is(decode.Stream, decode.ToServer, "TCP", "up down", "up")
	b.is(decode.Stream, decode.ToClient, "TCP", "up down", "down")
}

// CS-36: with a depth, the match must end within so many bytes.
func TestDepth(t *testing.T) {
	depth := func(m appdb.Member, n int) appdb.Member { m.Depth = n; return m }
	b := newBench(t,
		app("word", one(depth(in(decode.Stream, "word"), 10))),
		app("either", one(depth(in(decode.HTTPURL, "abc|x.*d$"), 8))),
		app("edge", one(depth(in(decode.HTTPCookie, `[ab]\b|[ab] `), 1))),
		app("deeper", one(depth(in(decode.HTTPReferer, "word"), 20))),
		app("shallow", one(depth(in(decode.HTTPReferer, "word"), 4))),
	)
	b.is(decode.Stream, decode.ToServer, "TCP", "......word", "word")
	b.is(decode.Stream, decode.ToServer, "TCP", ".......word", "")
	b.is(decode.Stream, decode.ToServer, "TCP", ".......word..word", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "x.abc.......d", "either")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "x.......d", "")
	b.is(decode.HTTPCookie, decode.ToServer, "HTTP", "a b", "edge")
	b.is(decode.HTTPReferer, decode.ToServer, "HTTP", "word", "deeper")
	b.is(decode.HTTPReferer, decode.ToServer, "HTTP", "....word", "deeper")
}

// Host names are the same in any case; nothing else is.
func TestCase(t *testing.T) {
	b := newBench(t,
		app("host", one(in(decode.HTTPHost, `agent1\.example$`))),
		app("sni", one(in(decode.SSLServerName, `Example\.COM`))),
		app("agent", one(in(decode.HTTPUserAgent, "Agent"))),
		app("any", one(in(decode.HTTPUserAgent, "(?i)robot"))),
	)
	b.is(decode.HTTPHost, decode.ToServer, "HTTP", "AGENT1.Example", "host")
	b.is(decode.SSLServerName, decode.ToServer, "SSL", "example.com", "sni")
	b.is(decode.HTTPUserAgent, decode.ToServer, "HTTP", "agent", "")
	b.is(decode.HTTPUserAgent, decode.ToServer, "HTTP", "Agent", "agent")
	b.is(decode.HTTPUserAgent, decode.ToServer, "HTTP", "ROBOT", "any")
}

// CS-35: members in any order, in different contexts and directions.
func TestMembers(t *testing.T) {
	answer := in(decode.Stream, "welcome")
	answer.Directions = toClient
	b := newBench(t, app("all", appdb.Pattern{Name: "s", Members: []appdb.Member{
		in(decode.HTTPHost, "a"), in(decode.HTTPURL, "b"), answer,
	}}))
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "b", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "welcome", "")
	b.is(decode.HTTPHost, decode.ToServer, "HTTP", "x", "")
	b.is(decode.HTTPHost, decode.ToServer, "HTTP", "a", "")
	b.is(decode.Stream, decode.ToClient, "TCP", "welcome", "all")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "b", "all")
	b.progress = classify.Progress{}
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "b", "")
}

// More members than the progress of a session has places for, and many patterns that never get
// complete.
func TestManyMembers(t *testing.T) {
	var members []appdb.Member
	for c := 'a'; c < 'a'+MaxMembers; c++ {
		members = append(members, in(decode.HTTPURL, string(c)))
	}
	apps := []*appdb.Application{app("first", appdb.Pattern{Name: "s", Members: members})}
	for i := range 300 {
		apps = append(apps, app("half"+strings.Repeat("x", i), appdb.Pattern{Name: "s", Members: []appdb.Member{
			in(decode.HTTPCookie, "every"), in(decode.HTTPCookie, "never"),
		}}))
	}
	b := newBench(t, apps...)
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "nmlkjihg", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "fedcb", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "oa", "first")
	b.is(decode.HTTPCookie, decode.ToServer, "HTTP", "every", "")
	if more := b.progress.More.([]uint32); len(more) > maxNoted {
		t.Errorf("%d members remembered", len(more))
	}
}

// Members of a chain in their order: within a value, and from value to value.
func TestChain(t *testing.T) {
	b := newBench(t,
		app("abc", appdb.Pattern{Name: "s", Chain: true, Members: []appdb.Member{
			in(decode.Stream, "a"), in(decode.Stream, "b"), in(decode.Stream, "c"),
		}}),
		app("across", appdb.Pattern{Name: "s", Chain: true, Members: []appdb.Member{
			in(decode.HTTPHost, "h"), in(decode.HTTPURL, "u"),
		}}),
	)
	for value, want := range map[string]string{
		"abc": "abc", "a.b.c": "abc", "cba": "", "cabxbc": "abc", "bca": "", "bcabc": "abc", "acb": "", "acbc": "abc", "aaabbbccc": "abc",
		strings.Repeat("c", 100) + strings.Repeat("b", 100) + "a": "",
	} {
		b.progress = classify.Progress{}
		b.is(decode.Stream, decode.ToServer, "TCP", value, want)
	}
	// A stream is shown again when it has grown: what comes later in it is still later.
	b.progress = classify.Progress{}
	b.is(decode.Stream, decode.ToServer, "TCP", "cb", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "cba", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "cbab", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "cbabc", "abc")
	// The other direction, and datagrams, are values of their own.
	b.progress = classify.Progress{}
	b.is(decode.Stream, decode.ToServer, "TCP", "a", "")
	b.is(decode.Stream, decode.ToClient, "TCP", "b", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "ac", "abc")
	b.progress, b.meta.Protocol = classify.Progress{}, decode.UDP
	b.is(decode.Stream, decode.ToServer, "UDP", "c", "")
	b.is(decode.Stream, decode.ToServer, "UDP", "a", "")
	b.is(decode.Stream, decode.ToServer, "UDP", "b", "")
	b.is(decode.Stream, decode.ToServer, "UDP", "c", "abc")

	b.progress = classify.Progress{}
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "u", "")
	b.is(decode.HTTPHost, decode.ToServer, "HTTP", "h", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "u", "across")
}

// CS-43: high priority, predefined, low priority; then order; then names.
func TestPrecedence(t *testing.T) {
	apps := []*appdb.Application{}
	for _, name := range []string{"low", "junos:A", "junos:B", "junos:C", "high"} {
		a := app(name, one(in(decode.Stream, "x+|"+strings.ToLower(name)+"!")))
		a.Custom = !strings.HasPrefix(name, appdb.Prefix)
		apps = append(apps, a)
	}
	apps[0].Patterns[0].Order = 1
	apps[3].Patterns[0].Order = 5
	apps[4].Priority = appdb.High
	for _, want := range []string{"high", "junos:C", "junos:A", "junos:B", "low"} {
		b := newBench(t, apps...)
		b.is(decode.Stream, decode.ToServer, "TCP", "xxx", want)
		apps = slices.DeleteFunc(apps, func(a *appdb.Application) bool { return a.Name == want })
		for _, a := range apps {
			a.Source = "again"
		}
	}
}

// The protocol that a pattern is over, and the ports of the session.
func TestOver(t *testing.T) {
	p := func(over string, ports ...appdb.PortRange) appdb.Pattern {
		return appdb.Pattern{Name: "s", Over: over, Ports: ports, Members: []appdb.Member{in(decode.HTTPURL, over+"x")}}
	}
	b := newBench(t, app("http", p("HTTP")), app("udp", p("UDP")), app("tcp", p("TCP")),
		app("port", p("", appdb.PortRange{Protocol: decode.TCP, Low: 8080, High: 8090})))
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "HTTPx", "http")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP2", "HTTPx", "http")
	b.is(decode.HTTPURL, decode.ToServer, "FTP", "HTTPx", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "UDPx", "")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "TCPx", "tcp")
	b.meta.Server = netip.MustParseAddrPort("198.51.100.1:8085")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "x", "port")
}

// A stream is looked at over its transport, and again over the protocol that was found.
func TestOverStream(t *testing.T) {
	p := func(over string) appdb.Pattern {
		return appdb.Pattern{Name: "s", Over: over, Members: []appdb.Member{in(decode.Stream, "x")}}
	}
	tied := app("tied", one(in(decode.HTTPURL, "x")), one(in(decode.Stream, "y")))
	tied.Over = []string{"junos:HTTP"}
	b := newBench(t, app("http", p("HTTP")), app("tcp", p("TCP")), tied)
	b.is(decode.Stream, decode.ToServer, "TCP", "x", "tcp")
	b.is(decode.Stream, decode.ToServer, "HTTP", "x", "http")
	b.is(decode.Stream, decode.ToServer, "FTP", "x", "")
	b.is(decode.Stream, decode.ToServer, "TCP", "y", "tied")
	b.is(decode.HTTPURL, decode.ToServer, "HTTP", "x", "tied")
	b.is(decode.HTTPURL, decode.ToServer, "FTP", "x", "")
}

// The progress of a session can be copied, and go on in two ways.
func TestProgressCopied(t *testing.T) {
	var p classify.Progress
	for n := range uint32(20) {
		note(&p, n+1, decode.ToServer)
	}
	one, two := p, p
	note(&one, 100, decode.ToServer)
	note(&two, 200, decode.ToServer)
	if !noted(&one, 100, decode.ToServer) || noted(&one, 200, decode.ToServer) || noted(&p, 100, decode.ToServer) {
		t.Error("copies are not independent")
	}
}

// A disabled application is not found; its neighbours are.
func TestDisabled(t *testing.T) {
	off := app("a-off", one(in(decode.Stream, "x")))
	off.Disabled = true
	b := newBench(t, off, app("on", one(in(decode.Stream, "x"))))
	b.is(decode.Stream, decode.ToServer, "TCP", "x", "on")
}
