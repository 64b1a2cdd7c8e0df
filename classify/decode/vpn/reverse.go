package vpn

// Tunnels that the inner side opens, and what comes through them uninvited: frp and NPS (their
// sources), and the stages of Metasploit's Meterpreter.

import (
	"bytes"

	"sluice/classify/decode"
)

var reverse = []decode.Decoder{
	{Name: "FRP", Ports: []uint16{7000}, Client: decode.FirstBytes("o"), Stream: frp},
	{Name: "NPS", Ports: []uint16{8024}, Client: decode.FirstBytes("T"), Stream: nps},
	{Name: "METERPRETER", Ports: []uint16{4444}, Stream: meterpreter},
}

// frp checks the log-on of a client: its kind, its length, and the object with its version.
func frp(_ *decode.Session, client, _ []byte) decode.Verdict {
	if decode.Prefix(client, "o\x00\x00\x00\x00\x00\x00") == decode.None {
		return decode.No
	}
	if len(client) < 9 {
		return decode.More
	}
	if length := decode.Uint16(client, 7); length < 32 || length > 4096 {
		return decode.No
	}
	return decode.Magic(client[9:], `{"version":"`)
}

// nps checks the greeting of a client: a mark, and its version with a length.
func nps(_ *decode.Session, client, _ []byte) decode.Verdict {
	if v := decode.Magic(client, "TST"); v != decode.Match {
		return v
	}
	if len(client) < 9 {
		return decode.More
	}
	length := decode.Little32(client, 3)
	return decode.If(length >= 5 && length <= 10 && client[7] >= '0' && client[7] <= '9' && (client[8] == '.' || client[8] >= '0' && client[8] <= '9'))
}

// meterpreter checks a stage: its length, and a program for Windows.
func meterpreter(s *decode.Session, client, server []byte) decode.Verdict {
	const head = 4 + 256
	switch {
	case len(client) > 0 && len(server) == 0:
		return decode.No
	case len(server) > 4 && decode.Prefix(server[4:], "MZ") == decode.None:
		return decode.No
	case len(server) < head:
		s.Want(decode.ToClient, head)
		return decode.More
	}
	length := decode.Little32(server, 0)
	return decode.If(length > 64<<10 && length < 4<<20 && bytes.Contains(server[:head], []byte("This program cannot be run in DOS mode")))
}
