package p2p

// Ledgers: Bitcoin and its relatives (Bitcoin developer reference, "Message Headers"), Ethereum
// (devp2p: RLPx and Node Discovery version 4), Monero (levin), Nano (message header), and the
// Stratum protocol of mining pools.

import (
	"bytes"
	"math/big"

	"sluice/classify/decode"
)

// bitcoin accepts a version message. Its header is magic, command, length, checksum; the magic
// tells the ledger, and the command with its padding is as good as a magic number.
func bitcoin(s *decode.Session, client, server []byte) decode.Verdict {
	const command = "version\x00\x00\x00\x00\x00"
	data := decode.Either(client, server)
	switch decode.Prefix(data[min(4, len(data)):], command) {
	case decode.None:
		return decode.No
	case decode.Partly:
		return decode.More
	}
	if len(data) < 24 {
		return decode.More
	}
	if length := decode.Little32(data, 16); length < 46 || length > 1024 {
		return decode.No
	}
	switch decode.Uint32(data, 0) {
	case 0xfbc0b6db, 0xfcc1b7dc, 0xfdd2c8f1:
		s.Protocol("LITECOIN")
	case 0xc0c0c0c0, 0xfcc1b7dd:
		s.Protocol("DOGECOIN")
	}
	return decode.Match
}

// The curve secp256k1: y² = x³ + 7 over the field of this prime.
var (
	secpPrime, _ = new(big.Int).SetString("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f", 16)
	secpSeven    = big.NewInt(7)
)

// onCurve says whether the 64 bytes of data are a point of secp256k1. It allocates, and is asked
// only when all else agrees.
func onCurve(data []byte) bool {
	x, y := new(big.Int).SetBytes(data[:32]), new(big.Int).SetBytes(data[32:64])
	if x.Cmp(secpPrime) >= 0 || y.Cmp(secpPrime) >= 0 {
		return false
	}
	left := new(big.Int).Mul(y, y)
	right := new(big.Int).Mul(x, x)
	right.Mul(right, x).Add(right, secpSeven)
	return left.Sub(left, right).Mod(left, secpPrime).Sign() == 0
}

// rlpx accepts the handshake of a peer: its size (EIP-8) and an ephemeral public key, which must
// be a point of the curve.
func rlpx(s *decode.Session, client, server []byte) decode.Verdict {
	const overhead = 65 + 16 + 32
	data, d := client, decode.ToServer
	if len(data) == 0 {
		data, d = server, decode.ToClient
	}
	if len(data) < 3 {
		return decode.More
	}
	at := 0
	if size := int(decode.Uint16(data, 0)); data[2] == 4 && size >= overhead+64 && size <= 2048 {
		at = 2
	} else if data[0] != 4 {
		return decode.No
	}
	if len(data) < at+65 {
		s.Want(d, at+65)
		return decode.More
	}
	if onCurve(data[at+1:]) {
		return decode.Match
	}
	return decode.No
}

// discovery accepts a packet of hash, signature with recovery id, type, and one RLP list.
func discovery(_ *decode.Session, data []byte) decode.Verdict {
	const list = 32 + 65 + 1
	if len(data) < list+2 || data[list-2] > 1 || data[list-1] < 1 || data[list-1] > 6 {
		return decode.No
	}
	body := data[list:]
	var size int
	switch c := body[0]; {
	case c >= 0xc0 && c <= 0xf7:
		size = 1 + int(c) - 0xc0
	case c == 0xf8:
		size = 2 + int(body[1])
	case c == 0xf9 && len(body) >= 3:
		size = 3 + int(decode.Uint16(body, 1))
	default:
		return decode.No
	}
	// EIP-8 allows more behind the list.
	if size >= 8 && size <= len(body) && len(body)-size <= 64 {
		return decode.Match
	}
	return decode.No
}

// levin accepts a header with its signature.
func levin(_ *decode.Session, client, server []byte) decode.Verdict {
	return decode.Prefix(decode.Either(client, server), "\x01\x21\x01\x01\x01\x01\x01\x01").Verdict()
}

// nano checks the header: network, versions in order, a known type, extensions.
func nano(data []byte) bool {
	const handshake = 0x0a
	if data[0] != 'R' || data[1] < 'A' || data[1] > 'X' {
		return false
	}
	most, using, least := data[2], data[3], data[4]
	if most < using || using < least || least == 0 || most > 64 || data[5] < 2 || data[5] > 0x10 {
		return false
	}
	return data[5] == handshake || data[1] <= 'C'
}

func nanoStream(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	if len(data) < 8 {
		if len(data) >= 2 && (data[1] < 'A' || data[1] > 'X') {
			return decode.No
		}
		return decode.More
	}
	// A connection begins with a node id handshake, a bulk pull or a frontier request.
	if kind := data[5]; nano(data) && (kind == 0x0a || kind == 0x06 || kind == 0x08) {
		return decode.Match
	}
	return decode.No
}

// nanoDatagram accepts a keepalive, which has eight addresses.
func nanoDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) == 8+8*18 && nano(data) && data[5] == 2 {
		return decode.Match
	}
	return decode.No
}

// stratumMethods are what a miner asks first.
var stratumMethods = [...][]byte{
	[]byte(`"mining.subscribe"`), []byte(`"mining.authorize"`), []byte(`"mining.extranonce.subscribe"`),
	[]byte(`"mining.configure"`), []byte(`"mining.hello"`), []byte(`"mining.notify"`), []byte(`"mining.set_difficulty"`),
	[]byte(`"eth_submitLogin"`), []byte(`"eth_login"`), []byte(`"eth_getWork"`), []byte(`"eth_submitHashrate"`),
}

// stratum accepts JSON calls of a miner, one a line.
func stratum(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Either(client, server)
	head := data[:min(len(data), 1024)]
	line, _, whole := decode.Line(head)
	if !whole {
		line = head
	}
	if !decode.Printable(line) {
		return decode.No
	}
	for _, method := range stratumMethods {
		if bytes.Contains(line, method) {
			return decode.Match
		}
	}
	if bytes.Contains(line, []byte(`"login"`)) && bytes.Contains(line, []byte(`"pass"`)) && bytes.Contains(line, []byte(`"agent"`)) {
		return decode.Match
	}
	if whole || len(data) >= 1024 {
		return decode.No
	}
	return decode.More
}
