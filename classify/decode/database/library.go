package database

// Z39.50, searches in the catalogues of libraries (ISO 23950, section 4: the init service).

import "sluice/classify/decode"

var library = []decode.Decoder{
	{Name: "Z3950", Ports: []uint16{210, 2100, 7090, 9991}, Client: decode.FirstBytes("\xb4"), Server: decode.FirstBytes("\xb5"), Stream: z3950},
}

// Tags of an init request and response, and of their first elements.
const (
	zReference = 0x82 // optional
	zVersion   = 0x83
	zOptions   = 0x84
	zPreferred = 0x85
	zLongest   = 0x86
)

// z3950 accepts an init request, or an init response, by the elements that it must have.
func z3950(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	skip := 2
	if len(data) > 1 && data[1] > 0x80 {
		skip += int(data[1] & 0x7f)
	}
	if skip > 6 {
		return decode.No
	}
	wanted := [...]byte{zVersion, zOptions, zPreferred, zLongest}
	next := 0
	for at := skip; ; {
		if len(data) < at+2 {
			return decode.More
		}
		tag, length := data[at], int(data[at+1])
		switch {
		case length > 127, tag == zReference && at != skip:
			return decode.No
		case tag == zReference:
		case tag != wanted[next] || length == 0 || length > 8:
			return decode.No
		default:
			if next++; next == len(wanted) {
				return decode.Match
			}
		}
		at += 2 + length
	}
}
