package mgmt

// Monitoring: SNMP (RFC 3416, RFC 3412) and AgentX (RFC 2741), RMCP with IPMI and ASF (IPMI 2.0,
// DSP0136), and the agents and collectors named below by their own documents.

import (
	"bytes"
	"hash/crc32"
	"math/bits"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

// iperf2Flags are the flags that a header of iperf 2 begins with, alone and with those of later versions.
var iperf2Flags = first("\x00\x20\x08\x28\x40\x42\x44\x48\x4a\x4c\x60\x62\x64\x68\x6a\x6c\x80\x88\xc0\xc2\xc4\xc8\xca\xcc")

var monitoring = []decode.Decoder{
	{Name: "SNMP", Ports: []uint16{161, 162}, Client: first("\x30"), Server: first("\x30"), Datagram: snmp, Stream: snmpStream},
	{Name: "AGENTX", Ports: []uint16{705}, Client: first("\x01"), Server: first("\x01"), Stream: agentX},
	{Name: "IPMI", Ports: []uint16{623, 664}, Client: first("\x06"), Server: first("\x06"), Datagram: rmcp},
	{Name: "ZABBIX", Ports: []uint16{10050, 10051}, Client: first("Z"), Server: first("Z"), Stream: zabbix},
	{Name: "NAGIOS-NRPE", Ports: []uint16{5666}, Client: first("\x00"), Server: first("\x00"), Stream: nrpe},
	{Name: "CHECKMK", Ports: []uint16{6556}, Server: first("<"), Stream: checkMK},
	{Name: "MUNIN", Ports: []uint16{4949}, Server: first("#"), Stream: munin},
	{Name: "COLLECTD", Ports: []uint16{25826}, Client: first("\x00\x02"), Server: first("\x00\x02"), Datagram: collectd},
	{Name: "STATSD", Ports: []uint16{8125}, Client: letters, Datagram: statsd},
	{Name: "GRAPHITE", Ports: []uint16{2003}, Client: letters, Stream: graphiteStream, Datagram: graphite},
	{Name: "GANGLIA", Ports: []uint16{8649}, Client: first("\x00"), Server: first("\x00"), Datagram: ganglia},
	{Name: "KISMET", Ports: []uint16{2501}, Server: first("*"), Stream: kismet},
	{Name: "LIVESTATUS", Ports: []uint16{6557}, Client: first("G"), Stream: livestatus},
	{Name: "NUT", Ports: []uint16{3493}, Client: capitals, Stream: nut},
	{Name: "APC-UPS", Ports: []uint16{3551}, Client: first("\x00"), Stream: apcups},
	{Name: "IPERF", Ports: []uint16{5201}, Client: letters.Or(digits).Or(first("\x15\x07")), Stream: iperf, Datagram: iperfDatagram},
	{Name: "IPERF", Ports: []uint16{5001}, Client: iperf2Flags, Stream: iperf2, Datagram: iperf2Datagram},
	{Name: "OOKLA", Ports: []uint16{8080, 5060}, Client: first("H"), Stream: ookla},
	{Name: "RIPE-ATLAS", Client: first("M"), Server: first("M"), Datagram: ripeAtlas},
	{Name: "NETFLOW", Ports: []uint16{2055, 9995, 9996}, Client: first("\x00"), Server: first("\x00"), Datagram: netflow},
	{Name: "SFLOW", Ports: []uint16{6343}, Client: first("\x00"), Server: first("\x00"), Datagram: sflow},
	{Name: "SYSLOG", Ports: []uint16{514, 601}, Client: first("<").Or(digits), Server: first("<").Or(digits), Datagram: syslog, Stream: syslogStream},
	{Name: "RELP", Ports: []uint16{2514}, Client: first("1"), Server: first("1"), Stream: relp},
	{Name: "GELF", Ports: []uint16{12201}, Client: first("\x1e\x1f\x78{"), Datagram: gelf, Stream: gelfStream},
	{Name: "LUMBERJACK", Ports: []uint16{5044}, Client: first("12"), Stream: lumberjack},
	{Name: "FLUENTD", Ports: []uint16{24224}, Client: decode.FirstRange(0x92, 0x94), Server: decode.FirstRange(0x92, 0x94), Stream: fluentd},
	{Name: "SPLUNK-S2S", Ports: []uint16{9997}, Client: first("-"), Stream: splunk},
}

// snmpMessage checks version and the message of that version. size is how long it is.
func snmpMessage(s *decode.Session, data []byte) (size int, verdict decode.Verdict) {
	message, part := readElement(data)
	if part != decode.Whole || message.tag != tagSequence {
		return 0, verdictOf(min(part, decode.Partly))
	}
	size = len(data) - len(message.rest) + message.length - len(message.content)
	missing := decode.More
	if message.whole() {
		missing = decode.No
	}
	version, rest, part := integer(message.content)
	switch {
	case part == decode.Partly:
		return 0, missing
	case part == decode.None || version > 3 || version < 0:
		return 0, decode.No
	}
	head, part := readElement(rest)
	switch {
	case part == decode.Partly || part == decode.Whole && !head.whole():
		return 0, missing
	case part == decode.None:
		return 0, decode.No
	}
	if version == 3 {
		if _, _, part := integer(head.content); head.tag != tagSequence || part != decode.Whole {
			return 0, decode.No
		}
		return size, decode.Match
	}
	const trap, inform, trapV2, report, pdu = 0xa4, 0xa6, 0xa7, 0xa8, 0xa0
	switch {
	case head.tag != tagOctets:
		return 0, decode.No
	case len(head.rest) == 0:
		return 0, missing
	case head.rest[0] < pdu || head.rest[0] > report:
		return 0, decode.No
	case head.rest[0] == trap || head.rest[0] == inform || head.rest[0] == trapV2:
		s.Protocol("SNMP-TRAP")
	}
	return size, decode.Match
}

func snmp(s *decode.Session, data []byte) decode.Verdict {
	size, verdict := snmpMessage(s, data)
	return yes(verdict == decode.Match && size == len(data))
}

func snmpStream(s *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		_, verdict := snmpMessage(s, data)
		return verdict
	})
}

// agentX begins with a packet that opens the session: version, type, flags, zero, session, and a
// length that is a multiple of four.
func agentX(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, from decode.Direction) decode.Verdict {
		const header, open, response = 20, 1, 18
		kind := byte(open)
		if from == decode.ToClient {
			kind = response
		}
		switch {
		case len(data) > 1 && data[1] != kind, len(data) > 3 && (data[2]&^0x1f != 0 || data[3] != 0):
			return decode.No
		case len(data) < header:
			return decode.More
		}
		length := decode.Uint32(data, 16)
		if data[2]&0x10 == 0 {
			length = decode.Little32(data, 16)
		}
		return yes(length%4 == 0 && length >= 8 && length < 1<<12)
	})
}

// rmcp checks the header (version 6, a sequence number, the class of message) and the length of the
// message in it.
func rmcp(s *decode.Session, data []byte) decode.Verdict {
	const header, asf, ipmi = 4, 6, 7
	if len(data) < header || data[1] != 0 {
		return decode.No
	}
	switch data[3] & 0x1f {
	case asf:
		s.Protocol("ASF")
		if data[3]&0x80 != 0 {
			return yes(len(data) == header && s.Port(623))
		}
		return yes(len(data) >= 12 && string(data[4:8]) == "\x00\x00\x11\xbe" && len(data) == 12+int(data[11]))
	case ipmi:
		if len(data) < 14 {
			return decode.No
		}
		const plus = 6
		if data[4] == plus {
			return yes(len(data) >= 16 && len(data) >= 16+int(decode.Little16(data, 14)) && len(data) < 16+int(decode.Little16(data, 14))+64)
		}
		length := 13
		if data[4] != 0 {
			length += 16
		}
		return yes(data[4] < plus && len(data) > length && len(data)-length-1-int(data[length]) <= 1 && len(data) > length+int(data[length]))
	}
	return decode.No
}

func zabbix(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		if v := text.Begins(data, "ZBXD"); v != decode.Match || len(data) < 5 {
			return min(v, decode.More)
		}
		return yes(data[4] > 0 && data[4] < 8)
	})
}

// nrpe packets are of fixed size in version 2, tell theirs in later ones, and carry a check sum.
func nrpe(_ *decode.Session, client, server []byte) decode.Verdict {
	return text.Either(client, server, func(data []byte, _ decode.Direction) decode.Verdict {
		const header, fixed, query, response = 16, 1036, 1, 2
		switch {
		case len(data) > 1 && (data[1] < 2 || data[1] > 4), len(data) > 3 && (data[2] != 0 || data[3] != query && data[3] != response):
			return decode.No
		case len(data) < header:
			return decode.More
		}
		size := fixed
		if data[1] > 2 {
			size = header + int(decode.Uint32(data, 12))
		}
		switch {
		case size > 1<<16 || size < header+1:
			return decode.No
		case len(data) < size:
			return decode.More
		}
		var none [4]byte
		sum := crc32.ChecksumIEEE(data[:4])
		sum = crc32.Update(sum, crc32.IEEETable, none[:])
		return yes(crc32.Update(sum, crc32.IEEETable, data[8:size]) == decode.Uint32(data, 4))
	})
}

func checkMK(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return text.Begins(server, "<<<check_mk>>>", "<<<cmk_agent_ctl_status", "<<<uname>>>")
}

func munin(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return text.Begins(server, "# munin node at ")
}

// collectd packets are parts of a type and a length; the first tells the host, or that the rest is
// signed or encrypted.
func collectd(_ *decode.Session, data []byte) decode.Verdict {
	const host, signature, encryption = 0, 0x200, 0x210
	if len(data) < 9 {
		return decode.No
	}
	kind, length := decode.Uint16(data, 0), int(decode.Uint16(data, 2))
	if length < 5 || length > len(data) {
		return decode.No
	}
	switch kind {
	case signature:
		return yes(length > 36 && length < len(data) && data[length] == 0)
	case encryption:
		return yes(length == len(data) && length > 26 && int(decode.Uint16(data, 4)) < length-26)
	case host:
		next := data[length:]
		if data[length-1] != 0 || !decode.Printable(data[4:length-1]) || len(next) < 4 {
			return decode.No
		}
		kind, length := decode.Uint16(next, 0), decode.Uint16(next, 2)
		return yes((kind == 1 || kind == 8 || kind == 7 || kind == 9) && length == 12 || (kind == 2 || kind == 4) && length > 4 && int(length) <= len(next))
	}
	return decode.No
}

// statsd lines are name:value|type.
func statsd(_ *decode.Session, data []byte) decode.Verdict {
	line := text.First(data)
	colon := bytes.IndexByte(line, ':')
	if colon <= 0 || colon > 200 || !metric(line[:colon]) {
		return decode.No
	}
	value := line[colon+1:]
	bar := bytes.IndexByte(value, '|')
	if bar <= 0 || bar > 32 || !number(value[:bar]) {
		return decode.No
	}
	kind, _, _ := bytes.Cut(value[bar+1:], []byte("|"))
	switch string(kind) {
	case "c", "g", "ms", "h", "s", "m", "d":
		return decode.Match
	}
	return decode.No
}

// metric says whether name can be that of a metric.
func metric(name []byte) bool {
	for _, c := range name {
		if !isLetter(c) && !isDigit(c) && bytes.IndexByte([]byte("._-/=;,~%@"), c) < 0 {
			return false
		}
	}
	return len(name) > 0 && isLetter(name[0])
}

// number says whether value is a decimal number.
func number(value []byte) bool {
	seen := false
	for i, c := range value {
		switch {
		case isDigit(c):
			seen = true
		case (c == '-' || c == '+') && (i == 0 || value[i-1]|0x20 == 'e'), c == '.', c|0x20 == 'e' && seen:
		default:
			return false
		}
	}
	return seen
}

// graphite lines are a path with dots, a value and a time.
func graphite(_ *decode.Session, data []byte) decode.Verdict {
	line, _, ok := decode.Line(data)
	if !ok {
		return decode.No
	}
	return graphiteLine(line)
}

func graphiteLine(line []byte) decode.Verdict {
	path, value, when := text.Field(line, 0), text.Field(line, 1), text.Field(line, 2)
	_, n := text.Number(when)
	return yes(metric(path) && bytes.IndexByte(path, '.') > 0 && number(value) && (n == 10 || n == 13) && (n == len(when) || when[n] == '.') && text.Field(line, 3) == nil)
}

func graphiteStream(_ *decode.Session, client, server []byte) decode.Verdict {
	const longest = 512
	line, _, ok := decode.Line(client)
	switch {
	case len(server) > 0:
		return decode.No
	case ok:
		return graphiteLine(line)
	case len(client) > longest || !metric(text.Field(client, 0)):
		return decode.No
	}
	return decode.More
}

// ganglia packets are XDR: the sort of packet, then the name of the host.
func ganglia(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 16 || decode.Uint32(data, 0) < 128 || decode.Uint32(data, 0) > 135 {
		return decode.No
	}
	length := int(decode.Uint32(data, 4))
	if length < 1 || length > 255 || len(data) < 8+length+8 || !decode.Printable(data[8:8+length]) {
		return decode.No
	}
	name := (length + 3) &^ 3
	if len(data) < 12+name {
		return decode.No
	}
	second := int(decode.Uint32(data, 8+name))
	return yes(second > 0 && second < 255 && len(data) >= 12+name+second && decode.Printable(data[12+name:12+name+second]))
}

func kismet(_ *decode.Session, _, server []byte) decode.Verdict {
	if len(server) == 0 {
		return decode.More
	}
	return text.Begins(server, "*KISMET: ")
}

func livestatus(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return text.Begins(client, "GET hosts\n", "GET services\n", "GET status\n", "GET log\n", "GET contacts\n", "GET hostgroups\n",
		"GET servicegroups\n", "GET commands\n", "GET downtimes\n", "GET comments\n", "GET columns\n")
}

// nut recognises a request of Network UPS Tools (RFC 9271).
func nut(_ *decode.Session, client, server []byte) decode.Verdict {
	if v := text.Begins(server, "BEGIN LIST UPS", "BEGIN LIST VAR ", "Network UPS Tools "); len(server) > 0 && v == decode.Match {
		return v
	}
	if len(client) == 0 {
		return decode.More
	}
	return text.Begins(client, "LIST UPS\n", "LIST VAR ", "LIST RW ", "LIST CMD ", "LIST CLIENT ", "GET VAR ", "GET NUMLOGINS ", "GET UPSDESC ", "NETVER\n", "PROTVER\n")
}

func apcups(_ *decode.Session, client, _ []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.More
	}
	return text.Begins(client, "\x00\x06status", "\x00\x06events")
}

// iperf begins, in version 3, each of its connections with the cookie of the test: 36 characters of
// base 32 and a zero. That which controls the test is asked for the parameters then; the others
// carry its data, one way or the other.
func iperf(_ *decode.Session, client, _ []byte) decode.Verdict {
	const cookie, variety = 37, 8
	var seen uint64
	for _, c := range client[:min(len(client), cookie-1)] {
		switch {
		case 'a' <= c && c <= 'z':
			seen |= 1 << (c - 'a')
		case '2' <= c && c <= '7':
			seen |= 1 << (c - '2' + 26)
		default:
			return decode.No
		}
	}
	if len(client) < cookie {
		return decode.More
	}
	return yes(client[cookie-1] == 0 && bits.OnesCount64(seen) >= variety)
}

// iperfDatagram recognises how version 3 opens a stream of datagrams: either side sends one number, in
// the byte order of its machine.
func iperfDatagram(s *decode.Session, data []byte) decode.Verdict {
	if s.Index == 0 {
		switch string(data) {
		case "9876", "6789", "\x15\xcd\x5b\x07", "\x07\x5b\xcd\x15":
			s.Remember(true)
			return decode.More
		}
		return decode.No
	}
	if s.Memory() == nil || s.Direction != decode.ToClient {
		return decode.No
	}
	switch string(data) {
	case "6789", "9876", "\xb1\x68\xde\x3a", "\x3a\xde\x68\xb1":
		return decode.Match
	}
	return decode.No
}

// iperf2 is the header of version 2 in front of the data: flags, streams, the port, the size of a
// buffer, the rate, and how much: bytes, or hundredths of a second as a negative number.
func iperf2(s *decode.Session, client, _ []byte) decode.Verdict {
	const header = 24
	switch {
	case len(client) > 4 && client[4] != 0:
		return decode.No
	case len(client) < header:
		return decode.More
	}
	return yes(iperf2Header(s, client))
}

// iperf2Datagram has the number of the datagram and the time before the header. The number is of 64
// bits in later versions, its upper half behind the time.
func iperf2Datagram(s *decode.Session, data []byte) decode.Verdict {
	const short, long, header, wide, million = 12, 16, 24, 0x08, 1_000_000
	if len(data) < long+header || decode.Uint32(data, 0) > 1<<16 || decode.Uint32(data, 8) >= million {
		return decode.No
	}
	if data[long]&wide != 0 && decode.Zero(data[short:long]) {
		return yes(iperf2Header(s, data[long:]))
	}
	return yes(iperf2Header(s, data[short:]))
}

func iperf2Header(s *decode.Session, data []byte) bool {
	const streams, port, buffer, amount, usual = 4, 8, 12, 20, 5001
	called := decode.Uint32(data, port)
	return (called == usual || called == uint32(s.Server.Port()) && called > 0) &&
		decode.Uint32(data, streams) > 0 && decode.Uint32(data, streams) < 1<<12 &&
		decode.Uint32(data, buffer) <= 1<<24 && decode.Uint32(data, amount) != 0
}

// ripeAtlas recognises the measurement payload of RIPE Atlas probes.
func ripeAtlas(_ *decode.Session, data []byte) decode.Verdict {
	const magic = "MGLNDD_"
	return yes(len(data) > len(magic) && len(data) < 64 && decode.Prefix(data, magic) == decode.Whole && decode.Printable(data))
}

// ookla accepts the greeting of a speed test: HI, perhaps with the name of the session, and HELLO
// with the version of the server.
func ookla(_ *decode.Session, client, server []byte) decode.Verdict {
	const longest = 64
	line, _, ok := decode.Line(client[:min(len(client), longest)])
	switch {
	case !ok && (len(client) >= longest || decode.Prefix(client, "HI") == decode.None):
		return decode.No
	case !ok:
		return decode.More
	case string(line) != "HI" && decode.Prefix(line, "HI ") != decode.Whole:
		return decode.No
	}
	return decode.Magic(server, "HELLO ")
}
