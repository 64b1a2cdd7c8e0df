package file

// Storage clusters and back-up: Ceph (msgr and msgr2), Lustre networking, Bacula and
// Amanda.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

func ceph(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, "ceph v0", "ceph v2\n")
}

// lustre recognises a request to the acceptor and the hello of the socket driver, each in either
// byte order; and a message of it, which has a type, no check sum and two addresses.
func lustre(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		v := text.Begins(data, "\x00\x71\xce\xac\x01\x00\x00\x00", "\xac\xce\x71\x00\x00\x00\x00\x01",
			"cirE\x03\x00\x00\x00", "Eric\x00\x00\x00\x03", "cirE\x02\x00\x00\x00", "Eric\x00\x00\x00\x02",
			"\xed\x0d\xbc\xee\x01\x00\x00\x00", "\xee\xbc\x0d\xed\x00\x00\x00\x01")
		return max(v, lustreMessage(data))
	})
}

// lustreMessage checks the little-endian header of the socket driver (type, check sum, two
// cookies) and the one of the network layer behind it.
func lustreMessage(data []byte) decode.Verdict {
	const header = 24 + 72
	if v := text.Begins(data, "\xc1\x00\x00\x00\x00\x00\x00\x00"); v != decode.Match {
		return v
	}
	if len(data) < header {
		return decode.More
	}
	to, from, kind, payload := decode.Little32(data, 40), decode.Little32(data, 44), decode.Little32(data, 48), decode.Little32(data, 52)
	// Addresses end with their network, which is the same for both.
	if decode.Little32(data, 28) == 0 || decode.Little32(data, 28) != decode.Little32(data, 36) || max(to, from) > 1<<20 || kind > 4 || payload > 1<<20 {
		return decode.No
	}
	return decode.Match
}

// bacula begins with a length of four bytes and "Hello NAME calling".
func bacula(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := text.Begins(client, "\x00\x00\x00"); v != decode.Match {
		return v
	}
	if len(client) < 5 {
		return decode.More
	}
	v := text.Begins(client[4:], "Hello ")
	if v != decode.Match {
		return v
	}
	switch whole := 4 + int(client[3]); {
	case len(client) < whole:
		return decode.More
	case !text.Contains(client[:whole], "CALLING"):
		return decode.No
	}
	return decode.Match
}

// amanda packets begin with its name, version and kind.
func amanda(_ *decode.Session, data []byte) decode.Verdict {
	return min(text.Begins(data, "Amanda 2.", "Amanda 3."), decode.Match)
}

func amandaStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, "Amanda 2.", "Amanda 3.")
}
