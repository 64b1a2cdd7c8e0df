// Package lull puts off garbage collections while long work runs, as a commit of ten thousand policies.
//
// The collector marks in every processor of the Go scheduler that would be idle. Beside work that
// occupies another one, packets then find none that waits for them: they are looked for when a worker
// pauses, and where cores are scarce, the kernel lets it run only every now and then. Without the collector
// the work takes one processor and the packets have the others, and it ends sooner. What it costs is
// memory, as garbage stays until the work is done or the memory that is granted is used up.
package lull

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	patience = 3 * time.Millisecond // shorter work is not worth the change, which stops the world for a moment
	grant    = 1 << 30              // bytes that the process may grow by before garbage is collected all the same
)

// state is shared by all work that runs at the same time.
var state struct {
	sync.Mutex
	working int
	percent int   // how the collector was set before
	limit   int64 // bytes
}

// Begin puts off collections, if the work that it stands before takes long, until the function that
// it returns is called.
func Begin() (end func()) {
	var counted, over bool
	start := time.AfterFunc(patience, func() {
		state.Lock()
		defer state.Unlock()
		if over {
			return
		}
		if counted = true; state.working == 0 {
			state.limit = debug.SetMemoryLimit(-1)
			debug.SetMemoryLimit(min(state.limit, inUse()+grant))
			state.percent = debug.SetGCPercent(-1)
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
			debug.SetGCPercent(state.percent)
			debug.SetMemoryLimit(state.limit)
		}
	}
}

// inUse is the memory that the limit counts: all that the runtime has, but what it gave back.
func inUse() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	total, released := sample[0].Value.Uint64(), sample[1].Value.Uint64()
	return int64(min(total-released, math.MaxInt64-grant))
}
