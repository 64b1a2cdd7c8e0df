package file

// Files kept the same on many machines: Dropbox LAN sync, Syncthing (its Local Discovery v4 and
// BEP v1 documents), Windows Delivery Optimization, and FLUTE (RFC 6726) over LCT (RFC 5651).

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// dropbox announces itself in JSON: a host and the folders it has.
func dropbox(_ *decode.Session, data []byte) decode.Verdict {
	if decode.Prefix(data, "{\"") == decode.Whole && bytes.Contains(data, []byte(`"host_int"`)) && bytes.Contains(data, []byte(`"namespaces"`)) {
		return decode.Match
	}
	return decode.No
}

// Magic numbers of Syncthing: of discovery and of the first message, of their older forms, and of
// a relay.
const (
	syncthingMagic = "\x2e\xa7\xd9\x0b"
	syncthingOld   = "\x9d\x79\xbc\x40"
	syncthingRelay = "\x9e\x79\xbc\x40"
)

func syncthing(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) > 8 && text.Begins(data, syncthingMagic, syncthingOld) == decode.Match {
		return decode.Match
	}
	return decode.No
}

func syncthingStream(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, syncthingMagic, syncthingOld, syncthingRelay)
}

func deliveryOptimization(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.BothBegin(client, server, "\x0eSwarm protocol")
}

// flute recognises the object that describes a session's files, which the sender repeats: a
// header of version 1 with a header length, and "FDT-Instance" in the payload.
func flute(_ *decode.Session, data []byte) decode.Verdict {
	const version, start = 1, 256
	if len(data) < 16 || data[0]>>4 != version {
		return decode.No
	}
	if header := int(data[2]) * 4; header >= 12 && header < len(data) {
		if bytes.Contains(data[header:min(len(data), header+start)], []byte("<FDT-Instance")) {
			return decode.Match
		}
		return decode.More
	}
	return decode.No
}
