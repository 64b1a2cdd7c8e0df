package lull

import (
	"math"
	"runtime/debug"
	"testing"
	"time"
)

// settings are how the collector is set now.
func settings() (percent int, limit int64) {
	percent = debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent, debug.SetMemoryLimit(-1)
}

// TestBegin puts collections off while somebody works, within limits, and restores what was before.
func TestBegin(t *testing.T) {
	percent, limit := settings()
	first, second := Begin(), Begin()
	for working := 0; working < 2; time.Sleep(time.Millisecond) {
		state.Lock()
		working = state.working
		state.Unlock()
	}
	if p, l := settings(); p != -1 || l > math.MaxInt64/2 {
		t.Errorf("two work: %d %%, limit %d", p, l)
	}
	first()
	first() // once more says nothing
	if p, _ := settings(); p != -1 {
		t.Errorf("one still works: %d %%", p)
	}
	second()
	if p, l := settings(); p != percent || l != limit {
		t.Errorf("all is done: %d %%, limit %d; before %d %%, %d", p, l, percent, limit)
	}
}

// TestShortWork changes nothing.
func TestShortWork(t *testing.T) {
	percent, _ := settings()
	Begin()()
	time.Sleep(2 * patience)
	if p, _ := settings(); p != percent {
		t.Errorf("%d %%, want %d", p, percent)
	}
}
