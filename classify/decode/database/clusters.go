// What clusters are made of: Apache Thrift (binary and compact protocols, framed or not), Hadoop
// RPC, HBase RPC, ZooKeeper, Ignite, Hazelcast, Gearman, Raft (CowSQL), Erlang's distribution, and
// FastCGI.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

var clusters = []decode.Decoder{
	{Name: "HADOOP-RPC", Ports: []uint16{8020, 9000, 8032}, Client: decode.FirstBytes("h"), Stream: hadoop},
	{Name: "HBASE", Ports: []uint16{16000, 16020, 60020}, Client: decode.FirstBytes("H"), Stream: hbase},
	{Name: "GEARMAN", Ports: []uint16{4730}, Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: gearman},
	{Name: "GEARMAN", Ports: []uint16{4730}, Client: decode.FirstBytes("s"), Stream: gearmanStatus},
	{Name: "IGNITE", Ports: []uint16{10800}, Client: decode.FirstRange(8, 255), Stream: ignite},
	{Name: "HAZELCAST", Ports: []uint16{5701}, Client: decode.FirstBytes("HCM"), Stream: hazelcast},
	{Name: "FASTCGI", Ports: []uint16{9000}, Client: decode.FirstBytes("\x01"), Server: decode.FirstBytes("\x01"), Stream: fastCGI},
	{Name: "EPMD", Ports: []uint16{4369}, Client: decode.FirstBytes("\x00"), Stream: epmd},
	{Name: "ERLANG", Client: decode.FirstBytes("\x00"), Stream: erlang},
	{Name: "ZOOKEEPER", Ports: []uint16{2181, 2182}, Client: decode.FirstBytes("\x00rsemcdw"), Stream: zooKeeper},
	{Name: "RAFT", Ports: []uint16{9001, 9002}, Client: decode.FirstRange(1, 6), Server: decode.FirstRange(1, 6), Stream: raft},
	{Name: "THRIFT", Ports: []uint16{9090, 10000}, Client: decode.FirstBytes("\x00\x80\x82"), Server: decode.FirstBytes("\x00\x80\x82"), Stream: thriftStream, Datagram: thriftDatagram},
}

// thrift checks the version and type of a message, and its name in letters.
func thrift(data []byte) decode.Verdict {
	if len(data) < 8 {
		return decode.More
	}
	var length, at int
	switch {
	case data[0] == 0x80 && data[1] == 1 && data[2] == 0 && data[3] >= 1 && data[3] <= 4:
		length, at = int(decode.Uint32(data, 4)), 8
	case data[0] == 0x82 && data[1]&0x1f == 1 && data[1]>>5 >= 1 && data[1]>>5 <= 4:
		const longest = 5 // bytes of the number of the call
		for at = 2; data[at]&0x80 != 0; at++ {
			if at == 1+longest {
				return decode.No
			}
		}
		length, at = int(data[at+1]&0x7f), at+2
	default:
		return decode.No
	}
	if length < 1 || length > 200 {
		return decode.No
	}
	for _, c := range data[min(at, len(data)):min(at+length, len(data))] {
		if (c|32 < 'a' || c|32 > 'z') && (c < '0' || c > '9') && c != '_' && c != ':' && c != '.' {
			return decode.No
		}
	}
	if len(data) < at+min(length, 4) {
		return decode.More
	}
	return decode.Match
}

func thriftStream(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if data[0] != 0 {
		return thrift(data)
	}
	if len(data) < 12 {
		if len(data) >= 5 && data[4] != 0x80 && data[4] != 0x82 {
			return decode.No
		}
		return decode.More
	}
	if decode.Uint32(data, 0) > 1<<24 {
		return decode.No
	}
	return thrift(data[4:])
}

func thriftDatagram(_ *decode.Session, data []byte) decode.Verdict { return decode.Known(thrift(data)) }

// hadoop checks the magic of the connection header, and its version.
func hadoop(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 7 {
		if decode.Prefix(client, "hrpc") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(string(client[:4]) == "hrpc" && client[4] < 16)
}

// hbase is the same for HBase.
func hbase(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 6 {
		if decode.Prefix(client, "HBas") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(string(client[:4]) == "HBas" && client[4] == 0 && client[5] >= 0x50 && client[5] <= 0x53)
}

// gearman checks the magic of requests and responses, their type and size.
func gearman(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 12 {
		if decode.Prefix(data, "\x00RE") == decode.None {
			return decode.No
		}
		return decode.More
	}
	return decode.If(string(data[:3]) == "\x00RE" && (data[3] == 'Q' || data[3] == 'S') && decode.Uint32(data, 4) < 64 && decode.Uint32(data, 8) < 1<<28)
}

// gearmanStatus recognises the status asked for by an administrator: lines of a function and three
// numbers, and a full stop.
func gearmanStatus(_ *decode.Session, client, server []byte) decode.Verdict {
	if v := decode.Magic(client, "status\n"); v == decode.No && decode.Prefix(client, "status\r\n") == decode.None {
		return decode.No
	} else if len(server) == 0 {
		return decode.More
	}
	line, _, ok := decode.Line(server)
	if !ok {
		if len(server) > 512 || !decode.Printable(server) {
			return decode.No
		}
		return decode.More
	}
	for range 3 {
		at := bytes.LastIndexByte(line, '\t')
		if at < 0 || !digits(line[at+1:]) {
			return decode.No
		}
		line = line[:at]
	}
	return decode.If(len(line) > 0)
}

// ignite checks the handshake of a thin client.
func ignite(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 || len(client) < 12 {
		if len(client) >= 5 && (client[1] > 1 || client[2]|client[3] != 0 || client[4] != 1) {
			return decode.No
		}
		return decode.More
	}
	return decode.If(decode.Little32(client, 0) >= 8 && decode.Little32(client, 0) < 512 && client[4] == 1 &&
		decode.Little16(client, 5) <= 3 && decode.Little16(client, 7) <= 20 && decode.Little16(client, 9) <= 20 && client[11] >= 1 && client[11] <= 3)

}

// hazelcast knows the mark of members and of clients.
func hazelcast(s *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	switch decode.Prefix(client, "HZC") {
	case decode.Partly:
		return decode.More
	case decode.Whole:
		return decode.Match
	}
	if !s.Port(5701) {
		return decode.No
	}
	return decode.Magic(client, "CP2")
}

// fastCGI checks the first record: a request begins with role and flags in eight bytes.
func fastCGI(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 16 {
		if len(data) >= 6 && (data[1] != 1 && data[1] != 9 || data[4] != 0 || data[5] != 8 && data[1] == 1) {
			return decode.No
		}
		return decode.More
	}
	if len(client) == 0 {
		return decode.No
	}
	switch data[1] {
	case 1:
		return decode.If(decode.Uint16(data, 4) == 8 && data[6] < 8 && data[7] == 0 && decode.Uint16(data, 8) >= 1 && decode.Uint16(data, 8) <= 3 && data[10] <= 1 && decode.Zero(data[11:16]))
	case 9:
		return decode.If(decode.Uint16(data, 2) == 0 && data[4]|data[7] == 0 && decode.Printable(data[10:16]))
	}
	return decode.No
}

// epmd checks a question for a port, for all names, or a registration.
func epmd(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) < 3 {
		return decode.More
	}
	length := int(decode.Uint16(client, 0))
	switch client[2] {
	case 'z':
		if length < 2 || length > 256 {
			return decode.No
		}
		if len(client) < length+2 {
			return decode.More
		}
		return decode.If(length+2 == len(client) && decode.Printable(client[3:]))
	case 'n':
		if length != 1 {
			return decode.No
		}
		if len(server) < 4 {
			return decode.More
		}
		return decode.If(decode.Uint32(server, 0) == 4369)
	case 'x':
		if len(client) < 9 {
			return decode.More
		}
		return decode.If(length > 10 && length < 300 && (client[5] == 77 || client[5] == 72) && client[6] == 0)
	}
	return decode.No
}

// erlang checks the name that the opener of a distribution sends, which has an @ in it.
func erlang(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 3 {
		return decode.More
	}
	length := int(decode.Uint16(client, 0))
	if length < 8 || length > 256 {
		return decode.No
	}
	at := 9
	switch client[2] {
	case 'n':
		if len(client) < 9 {
			return decode.More
		}
		if client[3] != 0 || client[4] < 5 || client[4] > 6 {
			return decode.No
		}
	case 'N':
		at = 17
	default:
		return decode.No
	}
	if len(client) < length+2 {
		return decode.More
	}
	return decode.If(at < length+2 && length+2 == len(client) && decode.Printable(client[at:]) && bytes.IndexByte(client[at:], '@') > 0)
}

// zooKeeper checks a request to connect, or a word of four letters with its answer.
func zooKeeper(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	if client[0] != 0 {
		for _, word := range [...]string{"ruok", "stat", "srvr", "envi", "mntr", "conf", "cons", "dump", "wchs"} {
			if decode.Prefix(client, word) != decode.None && len(client) <= 6 && s.Port(2181) {
				if len(client) < 4 {
					return decode.More
				}
				return decode.Match
			}
		}
		return decode.No
	}
	if len(client) < 28 {
		return decode.More
	}
	length := decode.Uint32(client, 0)
	if length != 44 && length != 45 || decode.Uint32(client, 4) != 0 || decode.Uint32(client, 16) > 1<<24 || decode.Uint32(client, 16) == 0 {
		return decode.No
	}
	if len(client) < 32 {
		return decode.More
	}
	return decode.If(decode.Uint32(client, 28) == 16)
}

// raft checks the preamble of the C implementation: a type and the length of the header, in words
// of eight bytes; the first message names the address of its sender.
func raft(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) < 16 {
		for i, c := range client {
			if i%8 > 1 && c != 0 {
				return decode.No
			}
		}
		return decode.More
	}
	if client[0] != 1 || !decode.Zero(client[1:8]) || !decode.Zero(client[10:16]) {
		return decode.No
	}
	if len(client) < 32 {
		return decode.More
	}
	size := int(decode.Little16(client, 16))
	if !decode.Zero(client[18:24]) || size < 8 || size > 64 || size%8 != 0 {
		return decode.No
	}
	if len(client) < 24+size {
		return decode.More
	}
	address := bytes.TrimRight(client[24:24+size], "\x00")
	return decode.If(decode.Printable(address) && bytes.IndexByte(address, ':') > 0)
}
