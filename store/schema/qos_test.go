package schema

import "testing"

// Values of class-of-service statements are kept in one spelling; what cannot be meant is refused.
// Rows: QS-11, QS-25, C-53 to C-56.
func TestQoSValues(t *testing.T) {
	const (
		rate    = "class-of-service interfaces unit shaping-rate"
		limiter = "class-of-service application-traffic-control rate-limiters "
	)
	for _, c := range []struct{ path, typed, kept string }{
		{rate, "10000000", "10m"}, {rate, "1500k", "1500k"}, {rate, "1G", "1g"}, {rate, "100g", "100g"}, {rate, "1234567", "1234567"},
		{rate, "101g", ""}, {rate, "999", ""}, {rate, "10x", ""}, {rate, "-1", ""}, {rate, "184467440737095517", ""},
		{limiter + "bandwidth-limit", "2147483", "2147483"}, {limiter + "bandwidth-limit", "2147484", ""}, {limiter + "bandwidth-limit", "0", ""},
		{limiter + "burst-size-limit", "1500", "1500"}, {limiter + "burst-size-limit", "1499", ""}, {limiter + "burst-size-limit", "2147483647", "2147483647"},
		{"class-of-service forwarding-classes class queue-num", "7", "7"}, {"class-of-service forwarding-classes class queue-num", "8", ""},
	} {
		kept, err := sslNode(t, c.path).Normalize(c.typed)
		if c.kept == "" && err == nil || c.kept != "" && (err != nil || kept != c.kept) {
			t.Errorf("%s %s: %q, %v; want %q", c.path, c.typed, kept, err, c.kept)
		}
	}
}
