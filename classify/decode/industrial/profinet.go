// DCE/RPC over UDP (The Open Group C706, connectionless), and PROFINET's context manager over it
// (IEC 61158-6-10).

package industrial

import "sluice/classify/decode"

const (
	rpcHeader = 80
	// profinetNode ends the identifiers of all interfaces and objects of PROFINET
	// (dea00001-6c97-11d1-8271-00a02442df7d).
	profinetNode = "\x82\x71\x00\xa0\x24\x42\xdf\x7d"
)

// dceRPC checks the header of a connectionless call: version, type, data representation, and the
// length of the body.
func dceRPC(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < rpcHeader || data[0] != 4 || data[1] > 10 || data[4]&0xee != 0 || data[5] > 3 || data[6] > 3 {
		return decode.No
	}
	length, version := int(decode.Uint16(data, 74)), decode.Uint32(data, 60)
	if data[4] == 0x10 {
		length, version = int(decode.Little16(data, 74)), decode.Little32(data, 60)
	}
	if rpcHeader+length > len(data) || rpcHeader+length+16 < len(data) || version&0xffff > 99 {
		return decode.No
	}
	if string(data[32:40]) == profinetNode || string(data[16:24]) == profinetNode {
		s.Application("PROFINET-IO")
	}
	return decode.Match
}
