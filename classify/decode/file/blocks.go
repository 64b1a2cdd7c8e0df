package file

// Block devices over TCP: iSCSI (RFC 7143), NVMe/TCP (NVMe TCP transport specification), NBD (nbd
// doc/proto.md) and DRBD.

import (
	"bytes"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// iscsi recognises a log-in request, whose text begins with a key, or its response.
func iscsi(_ *decode.Session, client, server []byte) decode.Verdict {
	const header, login, response, immediate = 48, 0x03, 0x23, 0x40
	verdict := decode.More
	if len(client) > 0 {
		switch {
		case client[0] != login|immediate && client[0] != login, len(client) > 3 && (client[1]&0x30 != 0 || client[3] > client[2]):
			return decode.No
		case len(client) > 7 && (decode.Uint24(client, 5) > 1<<14 || client[4] != 0):
			return decode.No
		case len(client) >= header+1:
			key := client[header:]
			if end := bytes.IndexByte(key, '='); end > 0 && end < 64 && decode.Printable(key[:end]) {
				return decode.Match
			} else if end < 0 && len(key) < 64 && decode.Printable(key) {
				return decode.More
			}
			return decode.No
		}
	}
	if len(server) > 0 {
		switch {
		case server[0] != response, len(server) > 4 && (server[1]&0x30 != 0 || server[4] != 0):
			return decode.No
		case len(server) >= header && len(client) == 0:
			// Of the statuses (class and detail) only these classes exist; two bytes are reserved.
			if server[36] > 3 || decode.Uint16(server, 38) != 0 || server[2] > 1 || server[3] > 1 {
				return decode.No
			}
			return decode.Match
		}
	}
	return verdict
}

// nvme recognises the request to initialise a connection and its response, both of 128 bytes: type,
// flags, header length, offset of data, length, version 0.
func nvme(_ *decode.Session, client, server []byte) decode.Verdict {
	const size = 128
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		if data[0] != byte(from) { // 0: request, 1: response
			return decode.No
		}
		if v := text.Begins(data[1:], "\x00\x80\x00\x80\x00\x00\x00\x00\x00"); v != decode.Match {
			return v
		}
		if len(data) < size {
			return decode.More
		}
		for _, c := range data[16:size] {
			if c != 0 {
				return decode.No
			}
		}
		return decode.Match
	})
}

// nbd begins with the server's magic, and that of the new or the old way to agree on options.
func nbd(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 {
		return text.Begins(server, "NBDMAGICIHAVEOPT", "NBDMAGIC\x00\x00\x42\x02\x81\x86\x12\x53")
	}
	if len(client) > 4 {
		return text.Begins(client[4:], "IHAVEOPT")
	}
	return decode.More
}

// drbd begins with the packet that tells the features of a side.
func drbd(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		return text.Begins(data, "\x83\x74\x02\x67\xff\xfe\x00\x50", "\x83\x74\x02\x67\x00\x0c", "\x83\x74\x02\x67\xff\xf3")
	})
}
