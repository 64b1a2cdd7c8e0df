package report

import (
	"net/netip"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"
)

// dropsKept is how many dropped sessions are remembered.
const dropsKept = 256

// Drop is a session that the SSL proxy dropped.
type Drop struct {
	Time    time.Time
	Message string // why, as the log message says it without its prefix

	Client, Server                        netip.AddrPort // as the client sent them
	SourceInterface, DestinationInterface string
	SourceZone, DestinationZone           string
	Services                              []Service // what worked on the session, from the client to the server

	// Where in the program the session was dropped; Record fills them in.
	File, Function string
	Line           int
}

// Service is a part of the gateway that a session passes, and what it did with it: none, where it
// went on working, or ignore.
type Service struct{ Name, Action string }

// Drops remembers the sessions that were dropped last. The zero value is ready.
type Drops struct {
	mu   sync.Mutex
	ring [dropsKept]Drop
	next uint64
}

// Record remembers d as dropped by the function that calls it.
func (d *Drops) Record(drop Drop) {
	if pc, file, line, ok := runtime.Caller(1); ok {
		drop.File, drop.Line = sourceName(file), line
		drop.Function = functionName(runtime.FuncForPC(pc).Name())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ring[d.next%dropsKept] = drop
	d.next++
}

// List is what is remembered, oldest first.
func (d *Drops) List() []Drop {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []Drop
	for n := d.next - min(d.next, dropsKept); n < d.next; n++ {
		list = append(list, d.ring[n%dropsKept])
	}
	return list
}

// Clear forgets all.
func (d *Drops) Clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ring, d.next = [dropsKept]Drop{}, 0
}

// sourceName is a source file without the directory that the program was built in: tls/sslproxy/flow.go.
func sourceName(file string) string {
	dir, name := path.Split(file)
	if at := strings.LastIndex(dir, "/tls/"); at >= 0 {
		return dir[at+1:] + name
	}
	return path.Join(path.Base(dir), name)
}

// functionName is a function without the path of its package: sslproxy.(*flow).drop.
func functionName(name string) string { return path.Base(name) }
