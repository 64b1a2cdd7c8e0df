package stack

import "testing"

// Messages of one kind are not those of a session of another kind, and answers are those of what
// they answer.
func TestICMPKinds(t *testing.T) { // CS-11
	for _, c := range []struct {
		v6         bool
		one, other [2]uint8
		same       bool
	}{
		{false, [2]uint8{100, 1}, [2]uint8{100, 2}, false},
		{false, [2]uint8{100, 1}, [2]uint8{101, 1}, false},
		{false, [2]uint8{13, 0}, [2]uint8{14, 0}, true},
		{false, [2]uint8{17, 0}, [2]uint8{18, 0}, true},
		{true, [2]uint8{139, 1}, [2]uint8{140, 2}, true},
		{true, [2]uint8{200, 1}, [2]uint8{200, 2}, false},
	} {
		one, other := Packet{V6: c.v6, ICMPType: c.one[0], ICMPCode: c.one[1]}, Packet{V6: c.v6, ICMPType: c.other[0], ICMPCode: c.other[1]}
		if got := one.icmpKind() == other.icmpKind(); got != c.same {
			t.Errorf("%v and %v (IPv6 %v) are of one kind: %v", c.one, c.other, c.v6, got)
		}
	}
}
