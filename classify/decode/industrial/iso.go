// ISO transport on TCP (RFC 1006, ISO 8073), and what runs over it: S7 communication of Siemens
// with its successor S7comm-plus, and MMS (ISO 9506), the carrier of IEC 61850.

package industrial

import (
	"bytes"

	"sluice/classify/decode"
)

var isoDecoders = []decode.Decoder{
	{Name: "ISO-TSAP", Ports: []uint16{102}, Client: decode.FirstBytes("\x03"), Server: decode.FirstBytes("\x03"), Stream: isoTransport},
}

const (
	tpktHeader = 4
	cotpData   = 0xf0
)

// isoTransport waits for the first user data, and says by it which protocol this is. A connection
// request with transport selectors is enough to say that it is ISO transport.
func isoTransport(s *decode.Session, client, server []byte) decode.Verdict {
	verdict := decode.More
	for d, side := range [...][]byte{client, server} {
		whole := len(side)
		for range 4 {
			tpdu, rest, v := tpkt(side)
			if v == decode.No {
				return decode.No
			}
			if v == decode.More {
				break
			}
			switch tpdu[1] & 0xf0 {
			case 0xe0, 0xd0: // connection request and confirm
				if !isoSelectors(tpdu) {
					return decode.No
				}
				verdict = decode.MatchMore
			case cotpData:
				if tpdu[0] != 2 {
					return decode.No
				}
				if v := isoUser(s, tpdu[3:]); v != decode.More {
					if v == decode.Match && decode.Direction(d) == decode.ToServer {
						s.Transaction(decode.ToServer, whole-len(rest))
					}
					return v
				}
			default:
				return decode.No
			}
			side = rest
		}
	}
	return verdict
}

// tpkt cuts the first packet off data: a transport PDU of at least three bytes.
func tpkt(data []byte) (tpdu, rest []byte, v decode.Verdict) {
	if len(data) >= 2 && (data[0] != 3 || data[1] != 0) {
		return nil, nil, decode.No
	}
	if len(data) < tpktHeader+3 {
		return nil, nil, decode.More
	}
	length := int(decode.Uint16(data, 2))
	if length < tpktHeader+3 || int(data[4])+1 > length-tpktHeader || data[4] < 2 {
		return nil, nil, decode.No
	}
	if len(data) < length {
		return nil, nil, decode.More
	}
	return data[tpktHeader:length], data[length:], decode.Match
}

// isoSelectors says whether a connection request or confirm has a transport selector, which sets
// it apart from that of the remote desktop.
func isoSelectors(tpdu []byte) bool {
	end := min(int(tpdu[0])+1, len(tpdu))
	for at := 7; at+2 <= end; {
		if tpdu[at] == 0xc1 || tpdu[at] == 0xc2 {
			return at+2+int(tpdu[at+1]) <= end
		}
		at += 2 + int(tpdu[at+1])
	}
	return false
}

// isoUser says what user data is; More when it is empty.
func isoUser(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 4 {
		return decode.More
	}
	switch {
	case data[0] == 0x32 && data[1] >= 1 && data[1] <= 8 && data[2] == 0 && data[3] == 0:
		s.Protocol("SIEMENS-S7")
		if micro := s7Micro(data); micro != "" {
			s.Micro(micro)
		}
		return decode.Match
	case data[0] == 0x72 && (data[1] >= 1 && data[1] <= 3 || data[1] == 0xfe || data[1] == 0xff):
		s.Protocol("SIEMENS-S7-PLUS")
		return decode.Match
	case data[0] == 0x0d, data[0] == 0x0e, // connect and accept of the session layer, or its data
		data[0] == 1 && data[1] == 0 && data[2] == 1 && data[3] == 0:
		return mms(s, data)
	}
	return decode.No
}

// s7Micro names what the first job of a message asks for.
func s7Micro(data []byte) string {
	const header = 10
	if len(data) <= header || data[1] != 1 {
		return ""
	}
	switch data[header] {
	case 0xf0:
		return "SIEMENS-S7-SETUP-COMM"
	case 0x04:
		return "SIEMENS-S7-READ-VAR"
	case 0x05:
		return "SIEMENS-S7-WRITE-VAR"
	case 0x1a:
		return "SIEMENS-S7-DOWNLOAD-REQUEST"
	case 0x1b:
		return "SIEMENS-S7-DOWNLOAD-BLOCK"
	case 0x1c:
		return "SIEMENS-S7-DOWNLOAD-END"
	case 0x1d:
		return "SIEMENS-S7-UPLOAD-START"
	case 0x1e:
		return "SIEMENS-S7-UPLOAD"
	case 0x1f:
		return "SIEMENS-S7-UPLOAD-END"
	case 0x28:
		return "SIEMENS-S7-PI-SERVICE"
	case 0x29:
		return "SIEMENS-S7-PLC-STOP"
	}
	return ""
}

// mms looks for the presentation context of MMS in the opening of an ISO session (1.0.9506.2.x is
// 28 ca 22 02), or for presentation user data in a session that is open.
func mms(s *decode.Session, data []byte) decode.Verdict {
	if data[0] == 1 {
		if len(data) < 12 {
			return decode.More
		}
		if data[4] != 0x61 { // fully encoded data of the presentation layer
			return decode.No
		}
		s.Protocol("MMS")
		return decode.Match
	}
	if bytes.Contains(data, []byte("\x28\xca\x22")) {
		s.Protocol("MMS")
		return decode.Match
	}
	return decode.Maybe
}
