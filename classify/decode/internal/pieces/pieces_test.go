package pieces

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// A message that comes in overlapping fragments, in any order, is the message.
func TestJoin(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	message := make([]byte, 600)
	for i := range message {
		message[i] = byte(random.Uint32())
	}
	for range 200 {
		var m Message
		for range 400 {
			at := random.IntN(len(message))
			n := min(random.IntN(120), len(message)-at)
			before := m.Held()
			if grown := m.Add(at, message[at:at+n]); grown != (m.Held() > before) {
				t.Fatalf("Add says %v, held %d and then %d", grown, before, m.Held())
			}
			if got := m.Join(nil); !bytes.HasPrefix(message, got) {
				t.Fatal("joined something else")
			}
		}
		m.Add(0, message)
		if got := m.Join(nil); !bytes.Equal(got, message) || m.Held() != len(message) {
			t.Fatalf("joined %d bytes, held %d", len(got), m.Held())
		}
	}
}

// Nothing is held of fragments that no message can have, and no more than the limit of others.
func TestLimits(t *testing.T) {
	var m Message
	for _, at := range []int{-1, MaxBytes, MaxBytes - 1} {
		if m.Add(at, []byte("xy")) {
			t.Errorf("took a fragment at %d", at)
		}
	}
	for at := range MaxBytes / 2 {
		m.Add(2*at, []byte("x"))
	}
	if m.Held() != maxParts {
		t.Errorf("held %d parts", m.Held())
	}
	if got := m.Join(nil); string(got) != "x" {
		t.Errorf("joined %q over a hole", got)
	}
}
