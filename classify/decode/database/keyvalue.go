// Stores of keys and values, and queues: Redis (RESP2 and RESP3), Memcached (protocol.txt and the
// binary protocol), Riak's protocol buffers and beanstalkd.

package database

import (
	"bytes"

	"sluice/classify/decode"
)

var keyValue = []decode.Decoder{
	{Name: "REDIS", Ports: []uint16{6379, 6380, 16379, 26379}, Client: decode.FirstBytes("*PIAEpiae"), Server: decode.FirstBytes("+-$:*%"), Stream: redis},
	{Name: "MEMCACHED", Ports: []uint16{11211}, Client: decode.FirstBytes("\x80gsardivctfpm"), Server: decode.FirstBytes("\x81VSNEDOTRCHM0123456789"), Stream: memcached},
	{Name: "MEMCACHED", Ports: []uint16{11211}, Datagram: memcachedDatagram},
	{Name: "RIAK", Ports: []uint16{8087}, PortsOnly: true, Client: decode.FirstBytes("\x00"), Stream: riak},
	{Name: "BEANSTALKD", Ports: []uint16{11300}, Client: decode.FirstBytes("pruwlibks"), Server: decode.FirstBytes("IURWNOFBKPTD"), Stream: beanstalk},
}

// redis checks a command, which is an array of texts, or one in words that only Redis knows.
func redis(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return redisReply(s, server)
	}
	if client[0] != '*' {
		return redisInline(client, server)
	}
	line, rest, ok := decode.Line(client[:min(len(client), 16)])
	if !ok {
		if len(client) >= 10 || len(client) > 1 && !digits(bytes.TrimRight(client[1:], "\r")) {
			return decode.No
		}
		return decode.More
	}
	if !digits(line[1:]) {
		return decode.No
	}
	if len(rest) == 0 && len(client) < 16 {
		return decode.More
	}
	rest = client[len(client[:min(len(client), 16)])-len(rest):]
	line, value, ok := decode.Line(rest[:min(len(rest), 12)])
	switch {
	case rest[0] != '$', ok && !digits(line[1:]):
		return decode.No
	case !ok && len(rest) >= 12:
		return decode.No
	case !ok, len(value) == 0:
		return decode.More
	}
	return decode.If(decode.Printable(value[:1]))
}

// redisInline knows the commands that are sent in words, together with their answer.
func redisInline(client, server []byte) decode.Verdict {
	for _, word := range [...]string{"PING\r\n", "INFO\r\n", "AUTH ", "ECHO "} {
		switch decode.PrefixFold(client, word) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			if len(server) < 5 {
				return decode.More
			}
			return decode.If(string(server[:3]) == "+PO" || string(server[:3]) == "+OK" || string(server[:4]) == "-ERR" ||
				string(server[:5]) == "-NOAU" || string(server[:5]) == "-WRON" || string(server[:5]) == "-DENI" || server[0] == '$' && server[1] >= '1' && server[1] <= '9')

		}
	}
	return decode.No
}

// redisReply knows answers when the client was not seen. Only the arrays and errors of Redis say
// enough.
func redisReply(s *decode.Session, server []byte) decode.Verdict {
	for _, word := range [...]string{"-NOAUTH ", "-WRONGTYPE ", "-MOVED ", "-DENIED Redis", "-ERR unknown command", "*3\r\n$7\r\nmessage\r\n"} {
		switch decode.Prefix(server, word) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			return decode.Match
		}
	}
	if server[0] == '*' || s.Port(6379) {
		return decode.More
	}
	return decode.No
}

// memcached checks the binary header, or a command with as many words as it needs.
func memcached(s *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if data[0] == 0x80 || data[0] == 0x81 {
		return memcachedBinary(data)
	}
	if len(client) == 0 {
		return memcachedReply(server)
	}
	line, _, ok := decode.Line(client[:min(len(client), 300)])
	if !ok {
		if len(client) >= 300 || !decode.Printable(client) || !memcachedVerb(client) {
			return decode.No
		}
		return decode.More
	}
	if !decode.Printable(line) {
		return decode.No
	}
	verb, arguments, _ := bytes.Cut(line, []byte{' '})
	words := bytes.Count(arguments, []byte{' '}) + 1
	if len(arguments) == 0 {
		words = 0
	}
	switch string(verb) {
	case "set", "add", "replace", "append", "prepend", "cas":
		fields := arguments
		if at := bytes.IndexByte(fields, ' '); at >= 0 {
			fields = fields[at+1:]
		}
		return decode.If((words == 4 || words == 5 || words == 6) && len(fields) > 0 && fields[0] >= '0' && fields[0] <= '9')
	case "get", "gets", "gat", "gats", "incr", "decr", "touch", "delete", "mg", "ms", "md", "me":
		if words == 0 {
			return decode.No
		}
	case "stats", "version", "flush_all", "verbosity", "mn":
	default:
		return decode.No
	}
	if len(server) == 0 {
		if s.Port(11211) {
			return decode.Match
		}
		return decode.More
	}
	return memcachedReply(server)
}

// memcachedVerb says whether data may be the beginning of a command.
func memcachedVerb(data []byte) bool {
	for _, verb := range [...]string{"set ", "add ", "replace ", "append ", "prepend ", "cas ", "get ", "gets ", "gat ", "gats ",
		"incr ", "decr ", "touch ", "delete ", "stats", "version", "flush_all", "verbosity", "mg ", "ms ", "md ", "me ", "mn"} {
		if decode.Prefix(data, verb) != decode.None {
			return true
		}
	}
	return false
}

// memcachedReply checks the first word of an answer.
func memcachedReply(server []byte) decode.Verdict {
	for _, word := range [...]string{"VALUE ", "STORED\r\n", "NOT_STORED\r\n", "EXISTS\r\n", "NOT_FOUND\r\n", "END\r\n", "DELETED\r\n",
		"TOUCHED\r\n", "STAT ", "VERSION ", "HD", "EN\r\n", "MN\r\n", "ERROR\r\n", "CLIENT_ERROR ", "SERVER_ERROR ", "RESET\r\n"} {
		switch decode.Prefix(server, word) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			return decode.If(word != "ERROR\r\n" && word != "RESET\r\n" && word != "HD")
		}
	}
	if digits(server[:1]) {
		return decode.More
	}
	return decode.No
}

// memcachedBinary checks the header: operation, data type, and lengths that fit in each other.
func memcachedBinary(data []byte) decode.Verdict {
	if len(data) >= 6 && data[5]&^3 != 0 { // plain, JSON, compressed, or both
		return decode.No
	}
	if len(data) < 12 {
		return decode.More
	}
	key, extras, body := uint32(decode.Uint16(data, 2)), uint32(data[4]), decode.Uint32(data, 8)
	if data[1] > 0x60 && data[1] < 0x90 || key > 250 || extras > 32 || key+extras > body || body > 1<<20+1024 {
		return decode.No
	}
	if len(data) < 24 {
		return decode.More
	}
	switch data[1] { // operations without a key are exact
	case 0x07, 0x0a, 0x0b, 0x17:
		return decode.If(data[0] == 0x81 || body <= 4)
	case 0x00, 0x09, 0x0c, 0x0d, 0x04, 0x14:
		return decode.If(data[0] == 0x81 || key > 0 && extras == 0 && body == key)
	case 0x01, 0x02, 0x03, 0x11, 0x12, 0x13:
		return decode.If(data[0] == 0x81 || key > 0 && extras == 8)
	}
	return decode.If(data[1] <= 0x25 || body > 0)
}

// memcachedDatagram checks the frame header in front of a command or an answer.
func memcachedDatagram(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 13 || data[6]|data[7] != 0 {
		return decode.No
	}
	index, total := decode.Uint16(data, 2), decode.Uint16(data, 4)
	if total == 0 || index >= total || index != 0 {
		return decode.No
	}
	return decode.If(memcachedVerb(data[8:]) && bytes.IndexByte(data, '\n') > 0 || memcachedReply(data[8:]) == decode.Match)
}

// riak checks the length of the opening request and its code.
func riak(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 {
		return decode.No
	}
	if len(client) < 5 {
		return decode.More
	}
	length, code := decode.Uint32(client, 0), client[4]
	if length == 0 || length > 1<<20 || code > 150 || length == 1 && code != 1 && code != 3 && code != 5 && code != 7 && code != 15 {
		return decode.No
	}
	if len(server) < 5 {
		return decode.More
	}
	return decode.If(server[4] == code+1 || server[4] == 0)
}

// beanstalk checks a command, together with its answer.
func beanstalk(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) == 0 || len(server) == 0 {
		return decode.More
	}
	asked := false
	for _, verb := range [...]string{"put ", "reserve", "use ", "watch ", "list-tube", "ignore ", "release ", "bury ", "kick ", "kick-job ", "peek", "stats", "pause-tube "} {
		asked = asked || decode.Prefix(client, verb) != decode.None
	}
	if !asked {
		return decode.No
	}
	for _, word := range [...]string{"INSERTED ", "USING ", "RESERVED ", "WATCHING ", "NOT_IGNORED\r\n", "NOT_FOUND\r\n", "FOUND ", "BURIED", "KICKED", "PAUSED\r\n", "TIMED_OUT\r\n", "DEADLINE_SOON\r\n", "OK "} {
		switch decode.Prefix(server, word) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			if word == "OK " {
				return beanstalkYAML(server[len(word):])
			}
			return decode.Match
		}
	}
	return decode.No
}

// beanstalkYAML checks the answer that is a document: its length, and its first line.
func beanstalkYAML(data []byte) decode.Verdict {
	const longest = 12
	line, _, ok := decode.Line(data[:min(len(data), longest)])
	switch {
	case !ok && len(data) < longest:
		return decode.More
	case !digits(line) || data[len(line)] != '\r':
		return decode.No
	}
	return decode.Magic(data[len(line)+2:], "---\n")
}
