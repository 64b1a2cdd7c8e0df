package classify

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// put adds segments of text at offsets from a start sequence number.
func put(s *stream, start uint32, offset int, text string) bool {
	return s.add(start+uint32(offset), []byte(text), 100)
}

func TestSegmentsInAnyOrder(t *testing.T) {
	const start = 0xfffffff8 // sequence numbers wrap within the stream
	var s stream
	s.begin(start)
	if put(&s, start, 4, "efgh") || put(&s, start, 12, "mn") {
		t.Error("a segment behind a hole made the prefix grow")
	}
	if !put(&s, start, 0, "abcd") || string(s.prefix()) != "abcdefgh" {
		t.Errorf("prefix %q", s.prefix())
	}
	if !put(&s, start, 6, "ghijklm") || string(s.prefix()) != "abcdefghijklmn" {
		t.Errorf("prefix %q", s.prefix())
	}
}

// The first byte to arrive wins, in the prefix and behind a hole.
func TestOverlaps(t *testing.T) {
	var s stream
	s.begin(0)
	put(&s, 0, 0, "abc")
	s.keep()
	put(&s, 0, 1, "XXXd")
	if got := string(s.prefix()); got != "abcXd" {
		t.Errorf("prefix %q", got)
	}
	put(&s, 0, 8, "ij")
	put(&s, 0, 5, "fghYYk")
	if got := string(s.prefix()); got != "abcXdfghijk" {
		t.Errorf("prefix %q", got)
	}
}

func TestKeptBytesAreOurs(t *testing.T) {
	var s stream
	packet := []byte("hello")
	s.add(7, packet, 100)
	s.keep()
	copy(packet, "XXXXX")
	if string(s.prefix()) != "hello" {
		t.Errorf("prefix %q changed with the caller's buffer", s.prefix())
	}
}

func TestLimitCutsWherePrefixEnds(t *testing.T) {
	var s stream
	s.begin(0)
	s.add(0, []byte("abcdef"), 4)
	s.add(2, []byte("cdefgh"), 4)
	s.add(20, []byte("x"), 4)
	if string(s.prefix()) != "abcd" {
		t.Errorf("prefix %q", s.prefix())
	}
}

// Bytes that the capture missed, but the peer has acknowledged, are skipped at the start only.
func TestMissedStartIsSkipped(t *testing.T) {
	var s stream
	s.begin(0)
	for i := range holePatience {
		put(&s, 0, 10+2*i, "ab")
	}
	if s.acknowledge(10) || len(s.prefix()) > 0 {
		t.Error("skipped a hole that the peer has not acknowledged")
	}
	if !s.acknowledge(18) || string(s.prefix()) != "abababab" {
		t.Errorf("prefix %q", s.prefix())
	}
}

// Where the start was not seen, what the other side acknowledged tells it.
func TestStartToldByAcknowledgement(t *testing.T) {
	var s stream
	s.acknowledge(1000)
	put(&s, 1000, 3, "def")
	put(&s, 1000, 0, "abc")
	if string(s.prefix()) != "abcdef" {
		t.Errorf("prefix %q", s.prefix())
	}
}

// Any cut into overlapping pieces in any order gives the same bytes, if all pieces agree.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte("the quick brown fox jumps over the lazy dog"), uint64(1), uint32(0xfffffff0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, start uint32) {
		data = data[:min(len(data), maxSpans*2)] // more pieces than spans may be forgotten
		random := rand.New(rand.NewPCG(seed, 0))
		var s stream
		s.begin(start)
		order := random.Perm(len(data))
		for _, at := range order {
			piece := data[at:min(len(data), at+1+random.IntN(4))]
			s.add(start+uint32(at), piece, maxBuffer)
			if random.IntN(2) == 0 {
				s.keep()
			}
		}
		if !bytes.Equal(s.prefix(), data) {
			t.Errorf("%q became %q", data, s.prefix())
		}
		s.reset()
	})
}
