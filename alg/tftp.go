package alg

import (
	"sluice/classify/decode"
	"sluice/classify/decode/file"
)

// tftp reads requests of TFTP: the server answers each from a port of its own (RFC 1350 section 4).
type tftp struct{ ends }

// Pass reads one datagram.
func (f *tftp) Pass(fromServer bool, data []byte) []byte {
	if !fromServer && file.TFTPRequest(data) {
		f.sessions.Expect(Expected{To: f.client, Protocol: decode.UDP, Name: "TFTP"})
	}
	return data
}
