package file

// ONC RPC (RFC 5531) over TCP and UDP, with its programs: the port mapper (RFC 1833), NFS (RFC 1813,
// RFC 7530, RFC 8881) and its helpers, NIS, and GlusterFS.

import (
	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

const (
	rpcCall  = 0
	rpcReply = 1
	// callHeader and replyHeader are how much of a message is looked at.
	callHeader  = 32
	replyHeader = 24
	lastPiece   = 0x80 // of a record mark
	// longestVerifier, and longest credentials, in bytes (RFC 5531).
	longestVerifier = 400
)

// program is a registered program, or a range of them.
type program struct {
	first, last uint32
	name        string
}

var programs = []program{
	{100000, 100000, "PORTMAP"},
	{100003, 100003, "NFS"}, {100227, 100227, "NFS"}, {400122, 400122, "NFS"},
	{100005, 100005, "NFS-MOUNT"},
	{100020, 100021, "NLM"}, {100024, 100024, "NLM"},
	{100004, 100004, "NIS"}, {100007, 100007, "NIS"}, {100009, 100010, "NIS"}, {100069, 100069, "NIS"}, {100300, 100303, "NIS"},
	{1298437, 1298437, "GLUSTERFS"}, {1238433, 1238463, "GLUSTERFS"}, {14398633, 14398633, "GLUSTERFS"},
	{34123456, 34123456, "GLUSTERFS"}, {123451501, 123451502, "GLUSTERFS"}, {4867634, 4867634, "GLUSTERFS"},
	{395183, 395185, "VXI-11"},
	{100001, 100399, "SUN-RPC"}, {150001, 150001, "SUN-RPC"}, {300000, 400999, "SUN-RPC"},
	{0x20000000, 0x5fffffff, "SUN-RPC"},
}

func rpcStream(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		message, v := record(client)
		if v != decode.Match {
			return v
		}
		return call(s, message)
	}
	message, v := record(server)
	if v != decode.Match {
		return v
	}
	// What tells whether a call was accepted stands after the verifier.
	length := int(decode.Uint32(server, 0) & 0x7fffffff)
	verifier := int(decode.Uint32(message, 16))
	if decode.Uint32(message, 4) == rpcReply && verifier <= longestVerifier && len(message) < min(length, replyHeader+verifier) {
		return decode.More
	}
	return reply(s, message)
}

// record takes the mark off the first piece of a record.
func record(data []byte) (message []byte, verdict decode.Verdict) {
	if len(data) < 4 {
		return nil, decode.More
	}
	length := int(decode.Uint32(data, 0) & 0x7fffffff)
	if data[0]&0x7f != 0 || length < replyHeader || data[0]&lastPiece == 0 && length < 1<<10 {
		return nil, decode.No
	}
	data = data[4:]
	if whole := min(length, callHeader); len(data) < whole {
		return nil, early(data)
	}
	return data[:min(len(data), length)], decode.Match
}

// early refuses a message by what there is of its type.
func early(data []byte) decode.Verdict {
	if len(data) >= 8 && decode.Uint32(data, 4) > rpcReply {
		return decode.No
	}
	return decode.More
}

func rpcDatagram(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < replyHeader || len(data)%4 != 0 {
		return decode.No
	}
	if decode.Uint32(data, 4) == rpcReply {
		return reply(s, data)
	}
	return call(s, data)
}

// call checks the header of a call and names its program.
func call(s *decode.Session, m []byte) decode.Verdict {
	if len(m) < callHeader || decode.Uint32(m, 4) != rpcCall || decode.Uint32(m, 8) != 2 {
		return decode.No
	}
	number, version, procedure := decode.Uint32(m, 12), decode.Uint32(m, 16), decode.Uint32(m, 20)
	flavor, length := decode.Uint32(m, 24), decode.Uint32(m, 28)
	if version > 0xffff || procedure > 0xffff || length > longestVerifier || !knownFlavor(flavor) {
		return decode.No
	}
	for _, p := range programs {
		if p.first <= number && number <= p.last {
			s.Protocol(p.name)
			return decode.Match
		}
	}
	return decode.No
}

// knownFlavor says whether authentication of this kind exists (none, Unix, short, DH, Kerberos,
// GSS, TLS, and GlusterFS's own).
func knownFlavor(flavor uint32) bool {
	return flavor <= 7 || flavor >= 390000 && flavor <= 390050
}

// reply checks the header of a reply whose call was not seen. It does not name the program: the
// port may, if it is that of one.
func reply(s *decode.Session, m []byte) decode.Verdict {
	if len(m) < replyHeader || decode.Uint32(m, 4) != rpcReply || decode.Uint32(m, 8) != 0 {
		return decode.No
	}
	flavor, length := decode.Uint32(m, 12), int(decode.Uint32(m, 16))
	if length > longestVerifier || length%4 != 0 || !knownFlavor(flavor) || len(m) < replyHeader+length || decode.Uint32(m, 20+length) > 5 {
		return decode.No
	}
	switch {
	case s.Port(111):
		s.Protocol("PORTMAP")
	case s.Port(2049):
		s.Protocol("NFS")
	case s.Direction == decode.ToServer:
		return decode.No
	}
	return decode.Match
}

// ndmp recognises the Network Data Management Protocol (version 4), which frames its messages as
// ONC RPC does: sequence, time, type, message, reply sequence, error. The server speaks first.
func ndmp(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if len(data) >= 4 && (data[1] != 0 || decode.Uint16(data, 2) < 24) {
			return decode.No
		}
		if len(data) < 28 {
			return decode.More
		}
		const notifyConnected, connectOpen = 0x502, 0x900
		message := decode.Uint32(data, 16)
		if decode.Uint32(data, 4) > 2 || decode.Uint32(data, 12) > 1 || message != notifyConnected && message != connectOpen || decode.Uint32(data, 24) > 0x20 {
			return decode.No
		}
		return decode.Match
	})
}
