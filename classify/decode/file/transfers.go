package file

// Transfers and storage over networks: UFTP 4 and 5 (its protocol document), UDT version 4
// (draft-gg-udt), FCIP and iFCP (RFC 3643 encapsulation), BeeGFS, and
// remote memory over UDP (RoCE version 2, InfiniBand annex A17).

import "sluice/classify/decode"

var transfers = []decode.Decoder{
	{Name: "UFTP", Ports: []uint16{1044}, Client: decode.FirstBytes("\x40\x50"), Server: decode.FirstBytes("\x40\x50"), Datagram: uftp},
	{Name: "UDT", Client: decode.FirstBytes("\x80"), Server: decode.FirstBytes("\x80"), Datagram: udt},
	{Name: "FCIP", Ports: []uint16{3225, 3420}, Client: decode.FirstBytes("\x01\x02"), Server: decode.FirstBytes("\x01\x02"), Stream: fcip},
	{Name: "ROCE", Ports: []uint16{4791}, PortsOnly: true, Datagram: roce},
	{Name: "BEEGFS", Ports: []uint16{8003, 8005, 8008}, Stream: beeGFS, Datagram: beeGFSDatagram},
}

// uftp checks the version and the kind, which stands in the common head and again in that of the
// message, and the length of the latter.
func uftp(_ *decode.Session, data []byte) decode.Verdict {
	const head, kinds = 16, 21
	if len(data) < head+4 || data[1] == 0 || data[1] > kinds || data[15] != 0 || data[head] != data[1] {
		return decode.No
	}
	length := 4 * int(data[head+1])
	return decode.If(length >= 4 && head+length <= len(data) && !decode.Zero(data[4:8]))
}

// udt checks a handshake: a control message of its exact length, version 4, a stream or datagrams,
// and plausible sizes. Its descendant SRT names another type.
func udt(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) != 64 || !decode.Zero(data[1:4]) || decode.Uint32(data, 16) != 4 {
		return decode.No
	}
	kind, size, window, request := decode.Uint32(data, 20), decode.Uint32(data, 28), decode.Uint32(data, 32), int32(decode.Uint32(data, 36))
	return decode.If((kind == 1 || kind == 2 && !decode.Zero(data[48:64])) && size >= 500 && size <= 65535 && window > 0 && window <= 1<<20 && request >= -2 && request <= 1)
}

// fcip checks the encapsulation: protocol and version, and the same inverted, twice over.
func fcip(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	for i, c := range data[:min(len(data), 8)] {
		want := [...]byte{data[0], 1, ^data[0], 0xfe}[i%4]
		if c != want {
			return decode.No
		}
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.Match
}

// beeGFS checks length and mark of a message.
func beeGFS(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		if len(data) >= 4 && decode.Little32(data, 0) > 1<<20 || len(data) > 12 && decode.Prefix(data[12:], "SFGB") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(decode.Little32(data, 0) >= 40 && decode.Little32(data, 0) <= 1<<20 && string(data[12:16]) == "SFGB")
}

func beeGFSDatagram(s *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 40 && int(decode.Little32(data, 0)) == len(data) && string(data[12:16]) == "SFGB")
}

// roce checks the base transport header: an operation that exists, version 0, the default partition,
// and what is reserved.
func roce(_ *decode.Session, data []byte) decode.Verdict {
	const congestion = 0x81
	if len(data) < 16 || data[1]&0x0f != 0 || data[2]&0x7f != 0x7f || data[3] != 0xff || data[4]&0x3f != 0 {
		return decode.No
	}
	return decode.If(data[0] == congestion || data[0]>>5 <= 5 && data[0]>>5 != 4 && data[0]&0x1f <= 0x17)
}
