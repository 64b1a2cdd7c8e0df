package lull

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// current is how the runtime is set now.
func current() settings {
	s := settings{processors: runtime.GOMAXPROCS(0), percent: debug.SetGCPercent(100), limit: debug.SetMemoryLimit(-1)}
	debug.SetGCPercent(s.percent)
	return s
}

// working waits until so much work counts as long.
func working(n int) {
	for now := -1; now != n; time.Sleep(time.Millisecond) {
		state.Lock()
		now = state.working
		state.Unlock()
	}
}

// TestBegin changes the runtime while somebody works, within limits, and restores what was before.
func TestBegin(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	before := current()
	first, second := Begin(), Begin()
	working(2)
	if s := current(); s.percent != -1 || s.limit > math.MaxInt64/2 || s.processors != processors {
		t.Errorf("two work: %+v", s)
	}
	first()
	first() // once more says nothing
	if s := current(); s.percent != -1 || s.processors != processors {
		t.Errorf("one still works: %+v", s)
	}
	second()
	if s := current(); s != before {
		t.Errorf("all is done: %+v, before %+v", s, before)
	}
}

// TestManyProcessors leaves a machine that has more as it is.
func TestManyProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2 * processors))
	end := Begin()
	defer end()
	working(1)
	if n := runtime.GOMAXPROCS(0); n != 2*processors {
		t.Errorf("%d processors, want %d", n, 2*processors)
	}
}

var garbage []byte // where the compiler cannot do without it

// TestCollection collects garbage once, when the work is done, and only if there is much of it.
func TestCollection(t *testing.T) {
	collections := func() uint64 { return read("/gc/cycles/total:gc-cycles") }
	runtime.GC()
	end := Begin()
	working(1)
	before := collections()
	for made := uint64(0); made < 2*state.before.goal; made += uint64(len(garbage)) {
		garbage = make([]byte, 1<<20)
	}
	if n := collections() - before; n != 0 {
		t.Errorf("%d collections during the work", n)
	}
	end()
	if n := collections() - before; n != 1 {
		t.Errorf("%d collections after the work, want 1", n)
	}

	end = Begin()
	working(1)
	before = collections()
	end()
	if n := collections() - before; n != 0 {
		t.Errorf("%d collections after work without garbage", n)
	}
}

// TestShortWork changes nothing.
func TestShortWork(t *testing.T) {
	before := current()
	Begin()()
	time.Sleep(2 * patience)
	if s := current(); s != before {
		t.Errorf("%+v, before %+v", s, before)
	}
}
