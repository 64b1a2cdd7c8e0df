package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// BitRate is a rate of a link in bit/s, 1 kbit/s to 100 Gbit/s.
type BitRate uint64

// Limits of a BitRate.
const (
	minBitRate = 1_000
	maxBitRate = 100_000_000_000
)

// rateUnits are the letters that a BitRate may end with, smallest first.
var rateUnits = []struct {
	letter string
	bits   uint64
}{{"k", 1_000}, {"m", 1_000_000}, {"g", 1_000_000_000}}

// UnmarshalText reads bit/s, or 512k, 10m or 1g.
func (r *BitRate) UnmarshalText(text []byte) error {
	digits, unit := strings.ToLower(string(text)), uint64(1)
	for _, u := range rateUnits {
		if rest, ok := strings.CutSuffix(digits, u.letter); ok {
			digits, unit = rest, u.bits
		}
	}
	n, err := strconv.ParseUint(digits, 10, 37)
	if err != nil || n > maxBitRate/unit || n*unit < minBitRate {
		return fmt.Errorf("%q is not a rate in bit/s (1k to 100g, such as 512k or 10m)", text)
	}
	*r = BitRate(n * unit)
	return nil
}

// MarshalText writes the rate with the largest letter that fits.
func (r BitRate) MarshalText() ([]byte, error) {
	for _, u := range slices.Backward(rateUnits) {
		if n := uint64(r); n >= u.bits && n%u.bits == 0 {
			return []byte(strconv.FormatUint(n/u.bits, 10) + u.letter), nil
		}
	}
	return strconv.AppendUint(nil, uint64(r), 10), nil
}
