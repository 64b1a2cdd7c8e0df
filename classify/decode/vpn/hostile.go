package vpn

// Remote control by intruders, as published by those who took it apart: Gh0st (its frame of magic,
// two lengths and deflated content), njRAT (a length in digits and its separator).

import "sluice/classify/decode"

// gh0st accepts a frame whose lengths fit and whose content begins like zlib's.
func gh0st(_ *decode.Session, client, server []byte) decode.Verdict {
	data := client
	if len(data) == 0 {
		data = server
	}
	switch decode.Prefix(data, "Gh0st") {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	if len(data) < 15 {
		return decode.More
	}
	if total := decode.Little32(data, 5); total < 13 || total > 1<<20 || data[13] != 0x78 {
		return decode.No
	}
	return decode.Match
}

// njRAT accepts the first message of a victim: its length, a zero, "ll" and the separator.
func njRAT(_ *decode.Session, client, _ []byte) decode.Verdict {
	digits := 0
	for digits < len(client) && digits < 4 && client[digits] >= '0' && client[digits] <= '9' {
		digits++
	}
	if digits == 0 {
		return decode.No
	}
	switch decode.Prefix(client[digits:], "\x00ll|'|'|") {
	case decode.Whole:
		return decode.Match
	case decode.Partly:
		return decode.More
	}
	return decode.No
}
