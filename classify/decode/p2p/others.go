package p2p

// Ledgers and networks beside the large ones: ZUG (the consensus of Casper), Lightning (BOLT 8),
// Cardano (Ouroboros, "network specification"), the client protocol of Freenet (FCP), StealthNet,
// and Manolito.

import "sluice/classify/decode"

var others = []decode.Decoder{
	{Name: "ZUG", Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Datagram: zug},
	{Name: "LIGHTNING", Ports: []uint16{9735}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: lightning},
	{Name: "CARDANO", Ports: []uint16{3001}, Stream: cardano},
	{Name: "FREENET", Ports: []uint16{9481}, Client: decode.FirstBytes("C"), Server: decode.FirstBytes("N"), Stream: freenet},
	{Name: "STEALTHNET", Client: decode.FirstBytes("L"), Server: decode.FirstBytes("L"), Stream: decode.Starts("LARS REGENSBURGER'S FILE SHARING PROTOCOL")},
	{Name: "MANOLITO", Ports: []uint16{41170}, PortsOnly: true, Client: decode.FirstBytes("\x3d\x3e"), Server: decode.FirstBytes("\x3d\x3e"), Datagram: manolito},
}

// zug knows the mark of a message, and its version.
func zug(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 16 && decode.Prefix(data, "\x00ZUG\x10") == decode.Whole)
}

// lightning checks the first two acts of the handshake: fifty bytes each, of version 0 and a
// compressed public key.
func lightning(_ *decode.Session, client, server []byte) decode.Verdict {
	const act = 50
	for _, side := range [...][]byte{client, server} {
		if len(side) > 1 && side[1] != 2 && side[1] != 3 || len(side) > 0 && side[0] != 0 {
			return decode.No
		}
	}
	switch {
	case len(client) < act && len(server) > 0, len(server) == 0 && len(client) > act, len(server) > act && len(client) == act:
		return decode.No
	case len(client) < act || len(server) < act:
		return decode.More
	}
	// The third act has 66 bytes and the version again.
	return decode.If(len(client) == act || client[act] == 0)
}

// cardano checks the proposal of versions: the handshake of the multiplexer, its length, and a map
// in CBOR whose keys are numbers.
func cardano(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 12 {
		return decode.More
	}
	length := int(decode.Uint16(client, 6))
	if decode.Uint16(client, 4) != 0 || client[8] != 0x82 || client[9] != 0 || client[10] < 0xa1 || client[10] > 0xb7 || length < 6 || length > 1024 {
		return decode.No
	}
	if client[11] == 0x19 || client[11] < 0x18 {
		return decode.If(len(client) <= 8+length)
	}
	return decode.No
}

// freenet checks the greeting of either side.
func freenet(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		return decode.Prefix(client, "ClientHello\nName=").Verdict()
	}
	return decode.Prefix(server, "NodeHello\n").Verdict()
}

// manolito knows the marks of its messages.
func manolito(_ *decode.Session, data []byte) decode.Verdict {
	return decode.If(len(data) >= 7 && (data[1] == 0x4a || data[1] == 0x4b) && data[2]&0xf0 == 0xd0)
}
