// Protocols of hospitals: HL7 version 2 in its lower layer protocol (MLLP), and DICOM (PS3.8).

package industrial

import "sluice/classify/decode"

var medical = []decode.Decoder{
	{Name: "HL7", Ports: []uint16{2575, 6661}, Client: decode.FirstBytes("\x0b"), Server: decode.FirstBytes("\x0b"), Stream: stream(hl7)},
	{Name: "DICOM", Ports: []uint16{104, 11112}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x02\x03"), Stream: dicom},
}

// hl7 checks the start of a block, and of the header segment of a message, a batch or a file.
func hl7(data []byte, _ bool) decode.Verdict {
	for _, segment := range [...]string{"\x0bMSH", "\x0bBHS", "\x0bFHS"} {
		if v := decode.Magic(data, segment); v != decode.No {
			return v
		}
	}
	return decode.No
}

// dicom checks a request for an association: its length, version, and the two titles in letters.
func dicom(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if v := decode.Magic(client[:min(len(client), 2)], "\x01\x00"); v != decode.Match {
		return v
	}
	if len(client) < 44 {
		return decode.More
	}
	return decode.If(decode.Uint32(client, 2) >= 68 && decode.Uint32(client, 2) < 1<<20 &&
		client[6] == 0 && client[7]&1 == 1 && client[8] == 0 && client[9] == 0 && decode.Printable(client[10:42]))

}
