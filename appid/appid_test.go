package appid

import (
	"database/sql"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"sluice/classify"
	"sluice/classify/decode"
	"sluice/sigpack"
	"sluice/store/schema"
	"sluice/store/tree"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// compiled is a directory that all tests compile signatures in, so that each is compiled once.
var compiled string

func TestMain(m *testing.M) {
	var err error
	if compiled, err = os.MkdirTemp("", "appid-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(compiled)
	os.Exit(code)
}

// gateway is a service and the time it lives in.
type gateway struct {
	*Service
	t     testing.TB
	clock *clock
}

func start(t testing.TB, options Options, statements ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, clock: newClock()}
	options.Clock, options.Dir = g.clock.Now, compiled
	var err error
	if g.Service, err = New(options); err != nil {
		t.Fatal(err)
	}
	g.commit(statements...)
	return g
}

// config decodes statements, each of which stands below services application-identification
// unless it begins with another word of the top level.
func config(t testing.TB, statements ...string) *schema.Config {
	t.Helper()
	tr := tree.New()
	for _, s := range statements {
		words := strings.Fields(s)
		switch words[0] {
		case "security", "services", "interfaces":
		default:
			s = root + " " + s
		}
		if err := tr.Run(nil, "set "+s); err != nil {
			t.Fatalf("set %s: %v", s, err)
		}
	}
	cfg, problems := tr.Decode()
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p)
		}
	}
	return cfg
}

func (g *gateway) commit(statements ...string) []schema.Problem {
	g.t.Helper()
	change, problems := g.Prepare(config(g.t, statements...))
	if change == nil {
		g.t.Fatalf("refused: %v", problems)
	}
	change.Apply()
	return problems
}

// message is what one side says.
type message struct {
	direction classify.Direction
	data      string
}

func client(data string) message { return message{classify.ToServer, data} }
func server(data string) message { return message{classify.ToClient, data} }

func tcp(address string) *classify.Meta { return to(decode.TCP, address) }
func udp(address string) *classify.Meta { return to(decode.UDP, address) }

func to(protocol uint8, address string) *classify.Meta {
	return &classify.Meta{Client: netip.MustParseAddrPort("192.0.2.77:40001"), Server: netip.MustParseAddrPort(address), Protocol: protocol}
}

// session is a session as the data path carries it out.
func (g *gateway) session(m *classify.Meta, messages ...message) classify.Result {
	g.t.Helper()
	f := new(classify.Flow)
	g.Begin(f, m)
	return g.finish(f, m, messages...)
}

func (g *gateway) finish(f *classify.Flow, m *classify.Meta, messages ...message) classify.Result {
	bytes := 0
	for _, said := range messages {
		bytes += len(said.data)
		if m.Protocol == decode.UDP {
			f.Datagram(said.direction, []byte(said.data))
		} else {
			f.Stream(said.direction, []byte(said.data))
		}
	}
	f.Close()
	g.Identified(f, m)
	g.Ended(f, m, uint64(bytes))
	return f.Result()
}

// Conversations.
var (
	ssh = []message{server("SSH-2.0-OpenSSH_9.6\r\n"), client("SSH-2.0-OpenSSH_9.2\r\n")}
)

func http(host, path string) []message {
	return []message{
		client("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: test\r\nAccept: */*\r\n\r\n"),
		server("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nok"),
	}
}

// openDB opens a database in a file, so that it may be opened again.
func openDB(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

// shelf holds one package, which tests replace.
type shelf struct {
	pack  *sigpack.Package
	added []string
}

func (s *shelf) Current() (*sigpack.Package, uint64) { return s.pack, 1 }
func (s *shelf) New() []string                       { return s.added }
