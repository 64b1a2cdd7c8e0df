package netbios

import "testing"

// The example of RFC 1001 section 14.1.
func TestDecode(t *testing.T) {
	const encoded = " EGFCEFEECACACACACACACACACACACACA\x00"
	var name Name
	if !name.Decode([]byte(encoded)) || string(name.Text()) != "FRED" || name[15] != ' ' {
		t.Errorf("%q", name)
	}
	for _, wrong := range []string{"", encoded[:33], "\x1f" + encoded[1:], " EGFZ" + encoded[5:], encoded[:33] + "\xff"} {
		if name.Decode([]byte(wrong)) {
			t.Errorf("%q is no name", wrong)
		}
	}
}
