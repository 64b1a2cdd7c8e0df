// Package lull keeps long work, as a commit of ten thousand policies, out of the way of packets.
//
// With two or three processors of the Go scheduler a packet waits for whatever occupies them: another
// goroutine gives one up only after 10 ms, and while garbage is collected each of them owes the collector a
// quarter of its time, which it may take in one piece. From four on the collector has a processor of its
// own, and where it works in others besides it looks for packets every now and then. So while long work
// runs there are at least four, and no collection until it is done; the one that is due then runs while
// memory is plentiful, so that no packet's goroutine is made to help with it. What this costs is memory, as
// garbage stays until the work is done or the memory that is granted is used up. It is not so all the time
// because more processors than cores make forwarding dearer.
package lull

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	patience   = 3 * time.Millisecond // shorter work is not worth the change, which stops the world for a moment
	processors = 4                    // at least; the fewest with which the collector has one of its own
	grant      = 1 << 30              // bytes that the process may grow by before garbage is collected all the same
)

// state is shared by all work that runs at the same time.
var state struct {
	sync.Mutex
	working int
	before  settings
}

// settings are how the runtime was set before the work began.
type settings struct {
	processors, percent int
	limit               int64  // bytes
	goal                uint64 // bytes of heap at which garbage was to be collected
}

// Begin keeps the work that it stands before out of the way of packets, if it takes long, until the
// function that it returns is called. That returns when the garbage is collected.
func Begin() (end func()) {
	var counted, over bool
	start := time.AfterFunc(patience, func() {
		state.Lock()
		defer state.Unlock()
		if over {
			return
		}
		if counted = true; state.working == 0 {
			state.before = change()
		}
		state.working++
	})
	return func() {
		start.Stop()
		state.Lock()
		defer state.Unlock()
		if over = true; !counted {
			return
		}
		counted = false
		if state.working--; state.working == 0 {
			state.before.restore()
		}
	}
}

// change sets the runtime for long work.
func change() (before settings) {
	before.goal = read("/gc/heap/goal:bytes")
	before.processors = runtime.GOMAXPROCS(max(processors, runtime.GOMAXPROCS(0)))
	before.limit = debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before.limit, inUse()+grant))
	before.percent = debug.SetGCPercent(-1)
	return before
}

// restore collects garbage if there is so much that it would have been done, and sets the runtime
// as it was.
func (before settings) restore() {
	if read("/memory/classes/heap/objects:bytes") >= before.goal {
		runtime.GC()
	}
	debug.SetGCPercent(before.percent)
	debug.SetMemoryLimit(before.limit)
	runtime.GOMAXPROCS(before.processors)
}

// inUse is the memory that the limit counts: all that the runtime has, but what it gave back.
func inUse() int64 {
	return int64(min(read("/memory/classes/total:bytes")-read("/memory/classes/heap/released:bytes"), math.MaxInt64-grant))
}

// read is a figure of the runtime's.
func read(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
