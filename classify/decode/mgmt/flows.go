package mgmt

// Reports about traffic: NetFlow (RFC 3954 for version 9), IPFIX (RFC 7011) and sFlow version 5.

import "sluice/classify/decode"

// netflow checks the count of records against the length, or that the sets fill the packet.
func netflow(s *decode.Session, data []byte) decode.Verdict {
	if len(data) < 20 || data[0] != 0 {
		return decode.No
	}
	count := int(decode.Uint16(data, 2))
	fixed := func(header, record, most int) decode.Verdict {
		return yes(count > 0 && count <= most && len(data) == header+record*count)
	}
	switch data[1] {
	case 1:
		return fixed(16, 52, 24)
	case 5:
		return fixed(24, 48, 30)
	case 6:
		return fixed(24, 52, 30)
	case 7:
		return fixed(24, 52, 28)
	case 9:
		return yes(count > 0 && count < 1000 && sets(data[20:], 0, 1))
	case 10:
		s.Protocol("IPFIX")
		return yes(count == len(data) && sets(data[16:], 2, 3))
	}
	return decode.No
}

// sets says whether flow sets fill data: templates and options, whose numbers are given, or data.
func sets(data []byte, template, options uint16) bool {
	n := 0
	for ; len(data) >= 4; n++ {
		id, length := decode.Uint16(data, 0), int(decode.Uint16(data, 2))
		if id != template && id != options && id < 256 || length < 4 || length > len(data) {
			return false
		}
		data = data[length:]
	}
	return n > 0 && len(data) == 0
}

// sflow checks the header and the first sample.
func sflow(_ *decode.Session, data []byte) decode.Verdict {
	const version, ipv4, ipv6 = 5, 1, 2
	if len(data) < 28 || decode.Uint32(data, 0) != version {
		return decode.No
	}
	at := 8
	switch decode.Uint32(data, 4) {
	case ipv4:
		at += 4
	case ipv6:
		at += 16
	default:
		return decode.No
	}
	at += 12 // sub-agent, sequence, time
	if len(data) < at+4 {
		return decode.No
	}
	samples := decode.Uint32(data, at)
	if at += 4; samples == 0 {
		return yes(len(data) == at)
	}
	if len(data) < at+8 || samples > 1000 {
		return decode.No
	}
	length := decode.Uint32(data, at+4)
	return yes(decode.Uint32(data, at)&0xfff <= 5 && length >= 8 && length%4 == 0 && int64(length) <= int64(len(data)-at-8))
}
