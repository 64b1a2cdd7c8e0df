// Modbus/TCP (MODBUS Application Protocol Specification V1.1b3, MODBUS Messaging on TCP/IP
// Implementation Guide V1.0b), and UMAS of Schneider Electric, which is function 90 of it.

package industrial

import "sluice/classify/decode"

// modbusMicros names the public functions.
var modbusMicros = [...]string{
	1: "MODBUS-READ-COILS", 2: "MODBUS-READ-DISCRETE-INPUTS", 3: "MODBUS-READ-HOLDING-REGISTERS",
	4: "MODBUS-READ-INPUT-REGISTERS", 5: "MODBUS-WRITE-SINGLE-COIL", 6: "MODBUS-WRITE-SINGLE-REGISTER",
	7: "MODBUS-READ-EXCEPTION-STATUS", 8: "MODBUS-DIAGNOSTICS", 11: "MODBUS-GET-COMM-EVENT-COUNTER",
	12: "MODBUS-GET-COMM-EVENT-LOG", 15: "MODBUS-WRITE-MULTIPLE-COILS",
	16: "MODBUS-WRITE-MULTIPLE-REGISTERS", 17: "MODBUS-REPORT-SERVER-ID",
	20: "MODBUS-READ-FILE-RECORD", 21: "MODBUS-WRITE-FILE-RECORD", 22: "MODBUS-MASK-WRITE-REGISTER",
	23: "MODBUS-READ-WRITE-MULTIPLE-REGISTERS", 24: "MODBUS-READ-FIFO-QUEUE",
	43: "MODBUS-ENCAPSULATED-INTERFACE",
}

const (
	modbusHeader = 7  // transaction, protocol, length, unit
	umasFunction = 90 // of Schneider Electric
)

// modbus checks that a request, or a response, has the length of its function. Each is a
// transaction.
func modbus(s *decode.Session, client, server []byte) decode.Verdict {
	data, answers := client, false
	if len(client) == 0 {
		data, answers = server, true
	}
	pdu, rest, v := modbusFrame(data)
	if v != decode.Match {
		return v
	}
	shape := modbusRequest(pdu)
	if answers {
		shape = modbusResponse(pdu)
	}
	switch shape {
	case decode.No:
		return decode.No
	case decode.Maybe: // a function of a vendor: the answer must repeat it
		reply, _, v := modbusFrame(server)
		switch {
		case answers:
			return decode.Maybe
		case v == decode.No:
			return decode.No
		case v == decode.More && s.Port(502):
			return decode.Maybe
		case v == decode.More:
			return decode.More
		case reply[0]&0x7f != pdu[0] || decode.Uint16(client, 0) != decode.Uint16(server, 0):
			return decode.No
		}
	}
	if pdu[0] == umasFunction {
		s.Application("UMAS")
		return decode.Match
	}
	if _, _, v := modbusFrame(rest); v == decode.No && len(rest) > 0 && s.Transactions == 0 {
		return decode.No
	}
	if f := int(pdu[0] & 0x7f); f < len(modbusMicros) && modbusMicros[f] != "" {
		s.Micro(modbusMicros[f])
	}
	side := decode.ToServer
	if answers {
		side = decode.ToClient
	}
	s.Transaction(side, len(data)-len(rest))
	return decode.Match
}

// modbusFrame cuts the first message off data: its function and data.
func modbusFrame(data []byte) (pdu, rest []byte, v decode.Verdict) {
	if len(data) >= 4 && decode.Uint16(data, 2) != 0 {
		return nil, nil, decode.No
	}
	if len(data) <= modbusHeader {
		return nil, nil, decode.More
	}
	length := int(decode.Uint16(data, 4))
	switch {
	case length < 2 || length > 254 || data[7]&0x7f == 0:
		return nil, nil, decode.No
	case len(data) < 6+length:
		return nil, nil, decode.More
	}
	return data[modbusHeader : 6+length], data[6+length:], decode.Match
}

// modbusRequest checks the length of a request; Maybe stands for functions that are not public.
func modbusRequest(pdu []byte) decode.Verdict {
	n := len(pdu)
	switch pdu[0] {
	case 1, 2:
		return decode.If(n == 5 && inRange(pdu, 2000))
	case 3, 4:
		return decode.If(n == 5 && inRange(pdu, 125))
	case 5:
		return decode.If(n == 5 && (pdu[3] == 0 || pdu[3] == 0xff) && pdu[4] == 0)
	case 6:
		return decode.If(n == 5)
	case 7, 11, 12, 17:
		return decode.If(n == 1)
	case 8:
		return decode.If(n >= 5 && pdu[1] == 0 && pdu[2] < 22)
	case 15, 16:
		return decode.If(n > 6 && int(pdu[5]) == n-6)
	case 20, 21:
		return decode.If(n > 2 && int(pdu[1]) == n-2)
	case 22:
		return decode.If(n == 7)
	case 23:
		return decode.If(n > 10 && int(pdu[9]) == n-10)
	case 24:
		return decode.If(n == 3)
	case 43:
		return decode.If(n >= 4 && (pdu[1] == 14 || pdu[1] == 13))
	case umasFunction:
		if n < 3 {
			return decode.No
		}
	}
	if pdu[0] >= 0x80 {
		return decode.No
	}
	return decode.Maybe
}

// inRange says whether the quantity of a read request is at most limit.
func inRange(pdu []byte, limit uint16) bool {
	quantity := decode.Uint16(pdu, 3)
	return quantity >= 1 && quantity <= limit
}

// modbusResponse is modbusRequest for responses.
func modbusResponse(pdu []byte) decode.Verdict {
	n := len(pdu)
	switch pdu[0] {
	case 1, 2, 3, 4, 12, 17, 20, 21, 23:
		return decode.If(n > 2 && int(pdu[1]) == n-2)
	case 5, 6, 15, 16, 11:
		return decode.If(n == 5)
	}
	if pdu[0] >= 0x80 {
		return decode.If(n == 2 && pdu[1] >= 1 && pdu[1] <= 11)
	}
	return decode.Maybe
}
