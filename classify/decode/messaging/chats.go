// Chats with open protocols: XMPP (RFC 6120), IRC (RFC 2812, IRCv3), and the old networks OSCAR
// (AIM, ICQ), MSNP, YMSG and Gadu-Gadu, as documented by the community; OICQ of QQ.

package messaging

import (
	"bytes"

	"sluice/classify/decode"
)

var chats = []decode.Decoder{
	{Name: "XMPP", Ports: []uint16{5222, 5269, 5298}, Client: decode.FirstBytes("< \r\n"), Server: decode.FirstBytes("< \r\n"), Stream: xmpp},
	{Name: "IRC", Ports: []uint16{6667, 6666, 6668, 6669, 7000}, Client: decode.FirstBytes("NUPCJMnupcjm:A"), Server: decode.FirstBytes(":NPEA"), Stream: irc},
	{Name: "OSCAR", Ports: []uint16{5190}, Client: decode.FirstBytes("*"), Server: decode.FirstBytes("*"), Stream: oscar},
	{Name: "MSN-MESSENGER", Ports: []uint16{1863}, Client: decode.FirstBytes("VUA"), Server: decode.FirstBytes("VUA"), Stream: msn},
	{Name: "YAHOO-MESSENGER", Ports: []uint16{5050}, Client: decode.FirstBytes("Y"), Server: decode.FirstBytes("Y"), Stream: ymsg},
	{Name: "GADU-GADU", Ports: []uint16{8074}, Server: decode.FirstBytes("\x01"), Stream: gaduGadu},
	{Name: "OICQ", Ports: []uint16{8000}, Client: decode.FirstBytes("\x02"), Server: decode.FirstBytes("\x02"), Datagram: oicq},
}

// xmpp looks for the opening of a stream, tells the domain it is for, and follows into encryption.
func xmpp(s *decode.Session, client, server []byte) decode.Verdict {
	v := decode.More
	for _, side := range [...][]byte{client, server} {
		if len(side) == 0 {
			continue
		}
		switch xmppOpening(side) {
		case decode.No:
			return decode.No
		case decode.Match:
			v = decode.Match
		}
	}
	if v != decode.Match {
		return v
	}
	if to := attribute(client, " to="); len(to) > 0 {
		s.Host(decode.MessagingHost, to)
	} else if from := attribute(server, " from="); len(from) > 0 {
		s.Host(decode.MessagingHost, from)
	}
	asked, granted := bytes.Index(client, []byte("<starttls")), bytes.Index(server, []byte("<proceed"))
	switch {
	case asked >= 0 && granted >= 0:
		from, to := bytes.IndexByte(client[asked:], '>'), bytes.IndexByte(server[granted:], '>')
		if from < 0 || to < 0 {
			return decode.MatchMore
		}
		from, to = skipClosing(client, asked+from+1, "</starttls>"), skipClosing(server, granted+to+1, "</proceed>")
		s.Upgrade(from, to)
		return decode.Match
	case asked >= 0, len(server) == 0, bytes.Contains(server, []byte("<starttls")), len(server) < 300:
		return decode.MatchMore
	}
	return decode.Match
}

// skipClosing is the place after a closing tag and white space at at, if they are there.
func skipClosing(data []byte, at int, tag string) int {
	if decode.Prefix(data[at:], tag) == decode.Whole {
		at += len(tag)
	}
	for at < len(data) && (data[at] == '\n' || data[at] == '\r' || data[at] == ' ') {
		at++
	}
	return at
}

// xmppOpening says whether data opens a stream, or is a stanza of one that is open.
func xmppOpening(data []byte) decode.Verdict {
	head := bytes.TrimLeft(data[:min(len(data), 600)], " \r\n")
	switch {
	case len(head) == 0:
		return decode.More
	case head[0] != '<':
		return decode.No
	}
	for _, text := range [...]string{"<stream:", "<message ", "<presence", "<iq ", "</stream:stream>", "<starttls", "<proceed", "<success xmlns='urn:ietf:params:xml:ns:xmpp", "<auth xmlns"} {
		if decode.Prefix(head, text) == decode.Partly {
			return decode.More
		}
	}
	stream := bytes.Index(head, []byte("<stream:stream"))
	switch {
	case stream >= 0 && (bytes.Contains(head, []byte("etherx.jabber.org")) || bytes.Contains(head, []byte("jabber:"))):
		return decode.Match
	case decode.Prefix(head, "<stream:features") == decode.Whole, decode.Prefix(head, "<stream:error") == decode.Whole, decode.Prefix(head, "</stream:stream>") == decode.Whole:
		return decode.Match
	case bytes.Contains(head, []byte("urn:ietf:params:xml:ns:xmpp-")), bytes.Contains(head, []byte("jabber:")):
		return decode.Match
	case stream < 0 && stanza(head):
		return decode.Match
	case stream >= 0 && len(head) < 500 || bytes.HasPrefix(head, []byte("<?xml")) && len(head) < 100 || decode.Prefix(head, "<?xml") == decode.Partly:
		return decode.More
	}
	return decode.No
}

// stanza says whether data begins with a stanza that names its receiver, its sender or its type.
func stanza(head []byte) bool {
	if decode.Prefix(head, "<message ") != decode.Whole && decode.Prefix(head, "<iq ") != decode.Whole && decode.Prefix(head, "<presence ") != decode.Whole {
		return false
	}
	head = head[:min(len(head), 200)]
	return bytes.Contains(head, []byte(" to=")) || bytes.Contains(head, []byte(" type="))
}

// attribute is the value in quotes after name, in the first 600 bytes.
func attribute(data []byte, name string) []byte {
	data = data[:min(len(data), 600)]
	at := bytes.Index(data, []byte(name))
	if at < 0 || at+len(name) >= len(data) {
		return nil
	}
	data = data[at+len(name):]
	if data[0] != '\'' && data[0] != '"' {
		return nil
	}
	end := bytes.IndexByte(data[1:], data[0])
	if end < 0 {
		return nil
	}
	return data[1 : 1+end]
}

// irc checks the commands with which a client registers, or the notices of the server.
func irc(s *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		if v := ircClient(s, client, server); v != decode.More {
			return v
		}
	}
	if len(server) > 0 {
		return ircServer(server)
	}
	return decode.More
}

func ircClient(s *decode.Session, client, server []byte) decode.Verdict {
	line, rest, ok := decode.Line(client[:min(len(client), 512)])
	if !ok {
		if len(client) >= 512 || !decode.Printable(client) {
			return decode.No
		}
		for _, verb := range [...]string{"NICK ", "USER ", "PASS ", "CAP ", "AUTHENTICATE ", "JOIN ", "PRIVMSG ", "PING ", "PONG ", "MODE ", ":"} {
			if decode.PrefixFold(client, verb) != decode.None {
				return decode.More
			}
		}
		return decode.No
	}
	switch {
	case !decode.Printable(line):
		return decode.No
	case decode.PrefixFold(line, "CAP LS") == decode.Whole, decode.PrefixFold(line, "CAP REQ") == decode.Whole,
		decode.PrefixFold(line, "JOIN #") == decode.Whole, decode.PrefixFold(line, "PRIVMSG #") == decode.Whole:
		return decode.Match
	case decode.PrefixFold(line, "NICK ") == decode.Whole, decode.PrefixFold(line, "PASS ") == decode.Whole:
		if next := bytes.TrimLeft(rest, "\r\n"); len(next) > 0 {
			return ircNext(next)
		}
		return decode.More
	case decode.PrefixFold(line, "USER ") == decode.Whole:
		// Four words; file transfer and mail have one.
		if words := bytes.Count(line, []byte{' '}); words < 4 || bytes.IndexByte(line, ':') < 0 && words != 4 {
			return decode.No
		}
		return decode.Match
	case decode.PrefixFold(line, "PRIVMSG ") == decode.Whole && bytes.Contains(line, []byte(" :")):
		return decode.Match
	case s.Port(6667) && (decode.PrefixFold(line, "PING ") == decode.Whole || decode.PrefixFold(line, "PONG ") == decode.Whole || bytes.HasPrefix(line, []byte{':'})):
		return decode.Match
	}
	return decode.No
}

// ircNext judges the second line of a client.
func ircNext(data []byte) decode.Verdict {
	for _, verb := range [...]string{"USER ", "NICK ", "CAP ", "PASS ", "JOIN ", "PROTOCTL ", "SERVER "} {
		switch decode.PrefixFold(data, verb) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			return decode.Match
		}
	}
	return decode.No
}

func ircServer(server []byte) decode.Verdict {
	line := server[:min(len(server), 512)]
	for _, text := range [...]string{"NOTICE AUTH :", "NOTICE * :", "ERROR :Closing Link"} {
		switch decode.Prefix(line, text) {
		case decode.Partly:
			return decode.More
		case decode.Whole:
			return decode.Match
		}
	}
	if line[0] != ':' {
		return decode.No
	}
	// The server's name, then a number of three digits, a notice or a capability.
	name, _, named := bytes.Cut(line, []byte{' '})
	space := len(name)
	switch {
	case space > 300 || !decode.Printable(name):
		return decode.No
	case !named || len(line) < space+8:
		return decode.More
	}
	word := line[space+1 : space+8]
	switch {
	case decode.Prefix(word, "NOTICE ") == decode.Whole, decode.Prefix(word, "CAP ") == decode.Whole, decode.Prefix(word, "PRIVMSG") == decode.Whole:
		return decode.Match
	case word[0] >= '0' && word[0] <= '9' && word[1] >= '0' && word[1] <= '9' && word[2] >= '0' && word[2] <= '9' && word[3] == ' ' && bytes.IndexByte(name, '.') > 0:
		return decode.Match
	}
	return decode.No
}

// oscar checks the first FLAP frame, which signs on.
func oscar(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if len(data) < 10 {
		if len(data) >= 2 && (data[1] == 0 || data[1] > 5) {
			return decode.No
		}
		return decode.More
	}
	length := int(decode.Uint16(data, 4))
	return decode.If(data[1] == 1 && length >= 4 && length < 2048 && decode.Uint32(data, 6) == 1)
}

// msn checks the negotiation of the version, and the opening of a conversation.
func msn(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	line, _, ok := decode.Line(data[:min(len(data), 200)])
	if !ok {
		if len(data) >= 200 || !decode.Printable(data) {
			return decode.No
		}
		return decode.More
	}
	switch {
	case !decode.Printable(line):
		return decode.No
	case decode.Prefix(line, "VER ") == decode.Whole:
		return decode.If(bytes.Contains(line, []byte(" MSNP")) || bytes.Contains(line, []byte(" CVR0")))
	case decode.Prefix(line, "USR ") == decode.Whole, decode.Prefix(line, "ANS ") == decode.Whole:
		return decode.If(bytes.IndexByte(line, '@') > 0 && bytes.Count(line, []byte{' '}) >= 3)
	}
	return decode.No
}

// ymsg checks the header of a packet.
func ymsg(_ *decode.Session, client, server []byte) decode.Verdict {
	data := decode.Opening(client, server)
	if v := decode.Magic(data, "YMSG"); v != decode.Match {
		return v
	}
	if len(data) < 10 {
		return decode.More
	}
	return decode.If(data[4] == 0 && data[5] < 32 || data[5] == 0 && data[4] < 32)
}

// gaduGadu checks the welcome of the server, and the log-on that follows.
func gaduGadu(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(server) < 12 {
		if len(server) > 0 && decode.Prefix(server[:min(len(server), 8)], "\x01\x00\x00\x00\x04\x00\x00\x00") == decode.None {
			return decode.No
		}
		return decode.More
	}
	if string(server[:8]) != "\x01\x00\x00\x00\x04\x00\x00\x00" {
		return decode.No
	}
	if len(client) < 4 {
		return decode.More
	}
	switch decode.Little32(client, 0) {
	case 0x0c, 0x13, 0x15, 0x19, 0x29, 0x31, 0x83:
		return decode.Match
	}
	return decode.No
}

// oicq checks start, end, version and command of a datagram of QQ.
func oicq(_ *decode.Session, data []byte) decode.Verdict {
	if len(data) < 14 || data[len(data)-1] != 3 {
		return decode.No
	}
	version, command := decode.Uint16(data, 1), decode.Uint16(data, 3)
	switch {
	case version < 0x0900 || version > 0x3fff:
		return decode.No
	case command == 0 || command > 0x0300:
		return decode.No
	}
	return decode.If(decode.Uint32(data, 7) >= 10000)
}
