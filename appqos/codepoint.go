package appqos

import (
	"fmt"
	"strconv"
	"strings"
)

// CodePoint is a differentiated services code point (RFC 2474 section 3), 0 to 63; Unmarked for none.
type CodePoint int8

// Unmarked says that packets keep the code point they come with.
const Unmarked CodePoint = -1

// String is the six bits.
func (c CodePoint) String() string {
	if c == Unmarked {
		return ""
	}
	return fmt.Sprintf("%06b", uint8(c))
}

// aliases are the names of code points that need no statement: guide, "Standard CoS Aliases and Bit
// Values".
var aliases = map[string]CodePoint{
	"ef":   0b101110,
	"af11": 0b001010, "af12": 0b001100, "af13": 0b001110,
	"af21": 0b010010, "af22": 0b010100, "af23": 0b010110,
	"af31": 0b011010, "af32": 0b011100, "af33": 0b011110,
	"af41": 0b100010, "af42": 0b100100, "af43": 0b100110,
	"be": 0b000000, "cs1": 0b001000, "cs2": 0b010000, "cs3": 0b011000, "cs4": 0b100000, "cs5": 0b101000,
	"nc1": 0b110000, "cs6": 0b110000, "nc2": 0b111000, "cs7": 0b111000,
}

// parseBits reads a code point of six bits.
func parseBits(text string) (CodePoint, bool) {
	if len(text) != 6 || strings.Trim(text, "01") != "" {
		return Unmarked, false
	}
	n, err := strconv.ParseUint(text, 2, 6)
	return CodePoint(n), err == nil
}
