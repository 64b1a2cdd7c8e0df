//go:build !race

package scan

import (
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Nothing is allocated, whether something is found or not, as long as a session's progress has
// room.
func TestNoAllocation(t *testing.T) {
	b := newBench(t, app("one", one(in(decode.Stream, "word"))), app("two", appdb.Pattern{Name: "s", Chain: true, Members: []appdb.Member{
		in(decode.Stream, "first"), in(decode.Stream, "second"),
	}}))
	text, hit := []byte("nothing of interest"), []byte("the second word is not the first, the second")
	n := testing.AllocsPerRun(1000, func() {
		var p classify.Progress
		b.Match(&p, decode.Stream, decode.ToServer, "TCP", &b.meta, text)
		b.Match(&p, decode.Stream, decode.ToServer, "TCP", &b.meta, hit)
	})
	if n > 0.5 {
		t.Errorf("%v allocations", n)
	}
}
