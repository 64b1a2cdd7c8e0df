// Message brokers: MQTT (3.1 to 5), AMQP 0-9-1 and 1.0, NATS, STOMP 1.2, ZeroMQ (ZMTP 1 to 3.1),
// Pulsar, streams of RabbitMQ, RocketMQ, IBM MQ, TIBCO Rendezvous, MSMQ ([MS-MQQB]), OpenWire
// (ActiveMQ), Artemis, NSQ and nanomsg.

package messaging

import (
	"bytes"

	"sluice/classify/decode"
)

var brokers = []decode.Decoder{
	{Name: "MQTT", Ports: []uint16{1883}, Client: decode.FirstRange(0x10, 0xff), Server: decode.FirstRange(0x20, 0xff), Stream: mqtt},
	{Name: "AMQP", Ports: []uint16{5672}, Client: decode.FirstBytes("A\x01\x02\x03\x08"), Server: decode.FirstBytes("A\x01\x02\x03\x08"), Stream: amqp},
	{Name: "KAFKA", Ports: []uint16{9092, 9093, 9094}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: kafka},
	{Name: "NATS", Ports: []uint16{4222, 6222}, Client: decode.FirstBytes("CPSUI"), Server: decode.FirstBytes("IPM+-"), Stream: nats},
	{Name: "STOMP", Ports: []uint16{61613}, Client: decode.FirstBytes("CS\n"), Server: decode.FirstBytes("CE"), Stream: stomp},
	{Name: "ZEROMQ", Ports: []uint16{5555, 5556}, Client: decode.FirstBytes("\xff\x01"), Server: decode.FirstBytes("\xff\x01"), Stream: zeroMQ},
	{Name: "PULSAR", Ports: []uint16{6650}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: pulsar},
	{Name: "RABBITMQ-STREAM", Ports: []uint16{5552}, Client: decode.FirstBytes("\x00"), Stream: rabbitStream},
	{Name: "ROCKETMQ", Ports: []uint16{9876, 10911}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: rocketMQ},
	{Name: "IBM-MQ", Ports: []uint16{1414}, Client: decode.FirstBytes("T\xe3"), Server: decode.FirstBytes("T\xe3"), Stream: ibmMQ},
	{Name: "TIBCO-RV", Ports: []uint16{7500}, Client: decode.FirstBytes("\x00"), Stream: rendezvous},
	{Name: "MSMQ", Ports: []uint16{1801}, Client: decode.FirstBytes("\x10"), Server: decode.FirstBytes("\x10"), Stream: msmq},
	{Name: "OPENWIRE", Ports: []uint16{61616}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: openWire},
	{Name: "ARTEMIS", Ports: []uint16{61616, 5445}, Client: decode.FirstBytes("AH"), Stream: decode.Starts("ARTEMIS", "HORNETQ")},
	{Name: "NSQ", Ports: []uint16{4150}, Client: decode.FirstBytes(" "), Stream: decode.Starts("  V2")},
	{Name: "NANOMSG", Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: nanomsg},
	{Name: "AKKA", Ports: []uint16{25520, 2552}, Client: decode.FirstBytes("A"), Stream: decode.Starts("AKKA")},
}

// remaining reads the length of a packet of MQTT, and says where its content begins; -1 for none.
func remaining(data []byte) (length, at int, v decode.Verdict) {
	for at = 1; at <= 4; at++ {
		if at >= len(data) {
			return 0, 0, decode.More
		}
		length |= int(data[at]&0x7f) << (7 * (at - 1))
		if data[at] < 0x80 {
			return length, at + 1, decode.Match
		}
	}
	return 0, 0, decode.No
}

// mqtt knows the first packet of either side. In the middle of a session, the packets of the
// usual port must follow each other exactly.
func mqtt(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		if server[0] == 0x20 {
			if len(server) < 4 {
				return decode.More
			}
			if server[1] < 2 || server[2] > 1 || server[3] > 5 && server[3] < 0x80 {
				return decode.No
			}
			if server[1] == 2 && s.Port(1883) {
				return decode.Match
			}
			return decode.Maybe
		}
		return mqttMiddle(s, client, server)
	}
	if client[0] != 0x10 {
		return mqttMiddle(s, client, server)
	}
	length, at, v := remaining(client)
	if v != decode.Match {
		return v
	}
	if length < 12 {
		return decode.No
	}
	body := client[at:]
	if v := decode.Magic(body, "\x00\x04MQTT"); v != decode.No {
		return mqttLevel(body, 6, v)
	}
	return mqttLevel(body, 8, decode.Magic(body, "\x00\x06MQIsdp"))
}

// mqttLevel checks the level of the protocol behind its name.
func mqttLevel(body []byte, at int, v decode.Verdict) decode.Verdict {
	switch {
	case v != decode.Match:
		return v
	case len(body) <= at+1:
		return decode.More
	}
	return decode.If(body[at]&0x7f >= 3 && body[at]&0x7f <= 5 && body[at+1]&1 == 0)
}

// mqttMiddle knows a session whose opening was not seen: the packets of both sides must follow each
// other exactly, and one of them must name a topic.
func mqttMiddle(s *decode.Session, client, server []byte) decode.Verdict {
	sent, named, v := mqttPackets(client)
	if v == decode.No {
		return v
	}
	received, namedToo, w := mqttPackets(server)
	switch {
	case w == decode.No:
		return w
	case (named || namedToo) && (sent > 0 && received > 0 || s.Port(1883) && sent+received > 1):
		return decode.Match
	}
	return decode.More
}

// mqttPackets counts the packets that data is a row of, and says whether one named a topic.
func mqttPackets(data []byte) (count int, named bool, v decode.Verdict) {
	for len(data) > 0 && count < 8 {
		kind, flags := data[0]>>4, data[0]&15
		if kind == 0 || kind != 3 && flags != 0 && (flags != 2 || kind != 6 && kind != 8 && kind != 10) {
			return count, named, decode.No
		}
		length, at, v := remaining(data)
		if v != decode.Match {
			return count, named, v
		}
		switch {
		case kind >= 4 && kind <= 7 && (length < 2 || length > 64), (kind == 12 || kind == 13) && length != 0, (kind == 8 || kind == 10) && length < 5:
			return count, named, decode.No
		case kind == 3 && len(data) >= at+2:
			topic := int(decode.Uint16(data, at))
			if topic+2 > length || topic == 0 && length < 4 || !decode.Printable(data[at+2:min(len(data), at+2+topic)]) {
				return count, named, decode.No
			}
			named = named || topic > 0 && len(data) >= at+2+topic
		}
		if at+length > len(data) {
			return count, named, decode.More
		}
		data = data[at+length:]
		count++
	}
	return count, named, decode.Match
}

// amqp checks the protocol header, or in the middle of a session a frame with its end.
func amqp(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if data[0] == 'A' {
		if v := decode.Magic(data[:min(len(data), 4)], "AMQP"); v != decode.Match {
			return v
		}
		if len(data) < 8 {
			return decode.More
		}
		return decode.If(data[4] <= 3 && data[5] <= 1 && data[6] <= 9 && data[7] <= 10)
	}
	if len(data) < 11 {
		return decode.More
	}
	length := int(decode.Uint32(data, 3))
	if data[0] != 1 && data[0] != 8 && data[0] != 3 && data[0] != 2 || length > 4096 || data[1] != 0 && !s.Port(5672) {
		return decode.No
	}
	if data[0] == 8 {
		return decode.If(length == 0 && data[7] == 0xce)
	}
	if data[0] == 1 {
		class := decode.Uint16(data, 7)
		if class < 10 || class > 90 || class%10 != 0 && class != 85 || data[9] != 0 {
			return decode.No
		}
	}
	if len(data) < length+8 {
		return decode.More
	}
	return decode.If(data[length+7] == 0xce)
}

// kafka checks the header of a request: key, version, and the name of the client in letters. What
// is answered must repeat the number of the request.
func kafka(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.No
	}
	if len(client) >= 6 && (client[0] != 0 || client[4] != 0) { // a request below 16 MiB, a key below 256
		return decode.No
	}
	if len(client) < 14 {
		return decode.More
	}
	size, key, version := decode.Uint32(client, 0), decode.Uint16(client, 4), decode.Uint16(client, 6)
	if size < 10 || key > 92 || version > 20 {
		return decode.No
	}
	name := int(decode.Uint16(client, 12))
	if name != 0xffff {
		if uint32(name)+10 > size || name > 256 {
			return decode.No
		}
		end := min(14+name, len(client))
		if !decode.Printable(client[14:end]) {
			return decode.No
		}
		if end < 14+min(name, 4) {
			return decode.More
		}
		if name >= 4 {
			return decode.Match
		}
	}
	if len(server) < 8 {
		return decode.More
	}
	return decode.If(string(server[4:8]) == string(client[8:12]) && decode.Uint32(server, 0) < 1<<27)
}

// nats checks the information that the server sends first, or the connect of the client.
func nats(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) > 0 {
		if v := decode.Magic(server, "INFO {"); v != decode.No {
			return v
		}
	}
	if len(client) > 0 {
		return decode.Magic(client, "CONNECT {")
	}
	return decode.No
}

// stomp checks the first frame, whose headers begin in the next line.
func stomp(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	for len(data) > 0 && data[0] == '\n' {
		data = data[1:]
	}
	if len(data) == 0 {
		return decode.More
	}
	line, rest, ok := decode.Line(data[:min(len(data), 64)])
	if !ok {
		if decode.Prefix(data, "CONNECTED") == decode.None && decode.Prefix(data, "STOMP\r") == decode.None {
			return decode.No
		}
		return decode.More
	}
	switch string(line) {
	case "CONNECT", "STOMP", "CONNECTED":
	default:
		return decode.No
	}
	switch bytes.IndexByte(rest, ':') {
	case -1:
		if len(rest) > 40 || !decode.Printable(rest) {
			return decode.No
		}
		return decode.More
	}
	for _, header := range [...]string{"accept-version:", "host:", "login:", "passcode:", "heart-beat:", "version:", "session:", "server:", "client-id:"} {
		if decode.Prefix(rest, header) == decode.Whole {
			return decode.Match
		}
	}
	return decode.No
}

// zeroMQ checks the greeting: signature, version and mechanism; of versions 1 and 2 both sides.
func zeroMQ(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if data[0] == 1 { // anonymous peers of version 1, who send an empty frame
		if len(client) < 2 || len(server) < 2 {
			return decode.More
		}
		return decode.If(len(client) == 2 && string(client[:2]) == "\x01\x00" && len(server) == 2 && string(server[:2]) == "\x01\x00")
	}
	if len(data) >= 8 && !decode.Zero(data[1:8]) {
		return decode.No
	}
	if len(data) < 11 {
		if len(data) == 10 && data[9] == 0x7f && len(client) >= 10 && len(server) >= 10 && server[0] == 0xff && server[9] == 0x7f {
			return decode.Match
		}
		return decode.More
	}
	return decode.If(data[9] == 0x7f && data[10] <= 3)
}

// pulsar checks the lengths of frame and command, and the field with its type.
func pulsar(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 11 {
		if len(data) >= 9 && data[8] != 8 {
			return decode.No
		}
		return decode.More
	}
	total, command := decode.Uint32(data, 0), decode.Uint32(data, 4)
	if total != command+4 || data[8] != 8 || command > 1<<16 {
		return decode.No
	}
	// CONNECT and CONNECTED carry their content in the field of their number.
	return decode.If(data[9] == 2 && data[10] == 0x12 || data[9] == 3 && data[10] == 0x1a)
}

// rabbitStream checks the exchange of properties that opens a connection.
func rabbitStream(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 14 {
		if len(client) >= 8 && string(client[4:8]) != "\x00\x11\x00\x01" {
			return decode.No
		}
		return decode.More
	}
	return decode.If(string(client[4:8]) == "\x00\x11\x00\x01" && decode.Uint32(client, 0) < 1<<16 && decode.Uint32(client, 8) < 1<<16)
}

// rocketMQ checks the lengths of message and header, and the header, an object of JSON.
func rocketMQ(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		if len(data) >= 10 && string(data[8:10]) != `{"` {
			return decode.No
		}
		return decode.More
	}
	total, header := decode.Uint32(data, 0), decode.Uint24(data, 5)
	if data[4] > 1 || total < header+4 || total > 1<<24 || string(data[8:10]) != `{"` {
		return decode.No
	}
	if header+4 != total && data[4] != 0 {
		return decode.No
	}
	return decode.If(bytes.HasPrefix(data[10:], []byte("code")) || bytes.HasPrefix(data[10:], []byte("extFie")) || bytes.HasPrefix(data[10:], []byte("flag")))
}

// ibmMQ checks the eye-catcher of a transmission segment, in ASCII or EBCDIC, and its length.
func ibmMQ(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 10 {
		if len(data) >= 3 && string(data[:3]) != "TSH" && string(data[:3]) != "\xe3\xe2\xc8" {
			return decode.No
		}
		return decode.More
	}
	if string(data[:3]) != "TSH" && string(data[:3]) != "\xe3\xe2\xc8" {
		return decode.No
	}
	length := decode.Uint32(data, 4)
	return decode.If(length >= 28 && length < 1<<24 && data[8] >= 1 && data[8] <= 2)
}

// rendezvous checks the magic of a message between program and daemon.
func rendezvous(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 8 {
		return decode.More
	}
	return decode.If(string(client[4:8]) == "\x99\x55\xee\xaa" && decode.Uint32(client, 0) < 1<<24)
}

// msmq checks the signature in the base header.
func msmq(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(data[1] == 0 && string(data[4:8]) == "LIOR")
}

// openWire checks the information about the format that both sides begin with.
func openWire(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 13 {
		if len(data) >= 6 && string(data[4:6]) != "\x01A" {
			return decode.No
		}
		return decode.More
	}
	return decode.If(string(data[4:13]) == "\x01ActiveMQ" && decode.Uint32(data, 0) < 1<<16)
}

// nanomsg checks the header of the scalability protocols.
func nanomsg(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "\x00SP\x00"); v != decode.Match {
		return v
	}
	if len(data) < 8 {
		return decode.More
	}
	return decode.If(data[4] == 0 && data[6] == 0 && data[7] == 0)
}
