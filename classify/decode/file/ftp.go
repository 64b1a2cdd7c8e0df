package file

// FTP (RFC 959), extensions for IPv6 and NAT (RFC 2428), FTP over TLS (RFC 4217), and the listings
// that its data sessions carry.

import (
	"bytes"
	"net/netip"
	"strings"

	"sluice/classify/decode"
	"sluice/classify/decode/text"
)

var (
	// Commands that no other protocol of this kind has, and those that some have.
	ftpSure   = []string{"FEAT", "SYST", "OPTS", "HOST", "PASV", "EPSV", "PORT", "EPRT", "PBSZ", "PROT", "CLNT", "AUTH TLS", "AUTH SSL", "CWD", "RETR", "STOR", "TYPE", "SITE"}
	ftpLikely = []string{"USER", "PASS", "ACCT", "AUTH", "QUIT", "NOOP", "HELP", "STAT", "LIST", "NLST", "MLSD", "REST", "DELE", "REIN", "SIZE", "MDTM", "PWD", "XPWD", "ADAT", "LANG"}
	// Commands whose argument is the name of a file.
	ftpNames = []string{"RETR", "STOR", "APPE", "STOU", "DELE", "SIZE", "MDTM", "RNFR", "RNTO"}
)

// ftpProgress is how much of an FTP session has been told.
type ftpProgress struct{ client, server int }

// ftpTransfers says whether a client whose server is not seen goes on as none but that of FTP does.
func ftpTransfers(client []byte) bool {
	const most = 8
	_, rest, ok := decode.Line(client)
	for range most {
		if _, part := text.Command(rest, ftpSure); part == decode.Whole {
			return ok
		}
		if _, rest, ok = decode.Line(rest); !ok {
			return false
		}
	}
	return false
}

func ftp(s *decode.Session, client, server []byte) decode.Verdict {
	sure, likely := 0, 0
	if len(server) > 0 {
		code, part := text.Reply(server)
		switch {
		case part == decode.None || part == decode.Whole && code != 220 && code != 120 && code != 421 && code != 530:
			return decode.No
		case part == decode.Whole && text.Contains(text.First(server), "FTP") && !text.Contains(text.First(server), "SMTP"):
			sure++
		case part == decode.Whole:
			likely++
		}
	}
	if len(client) > 0 {
		_, part := text.Command(client, ftpSure)
		_, other := text.Command(client, ftpLikely)
		switch {
		case part == decode.Whole:
			likely++
			if len(server) == 0 && s.Port(21) {
				sure++
			}
		case other == decode.Whole:
			likely++
			if len(server) == 0 && ftpTransfers(client) {
				sure++
			}
		case max(part, other) == decode.None && sure == 0:
			return decode.No
		}
	}
	switch {
	case sure > 0 || likely == 2:
	case likely == 1 && s.Port(21):
		return decode.Maybe
	default:
		return decode.More
	}
	progress, _ := s.Memory().(*ftpProgress)
	if progress == nil {
		progress = &ftpProgress{}
		s.Remember(progress)
		if line, _, ok := decode.Line(server); ok {
			s.Value(decode.FTPGreeting, line)
		}
	}
	if text.Upgraded(s, client, server, "FTPS") {
		return decode.Match
	}
	for {
		line, rest, ok := decode.Line(client[min(progress.client, len(client)):])
		if !ok {
			break
		}
		progress.client = len(client) - len(rest)
		ftpCommand(s, line)
	}
	for {
		line, rest, ok := decode.Line(server[min(progress.server, len(server)):])
		if !ok {
			break
		}
		progress.server = len(server) - len(rest)
		ftpReply(s, line)
	}
	return decode.MatchMore
}

// ftpCommand tells what a command says, and the data session that an active client waits for.
func ftpCommand(s *decode.Session, line []byte) {
	command := text.Field(line, 0)
	s.Value(decode.FTPMethod, command)
	if _, part := text.Command(line, ftpNames); part == decode.Whole && len(line) > 5 {
		s.Value(decode.FTPFileName, line[5:])
		return
	}
	if to, ok := FTPActive(line, s.Client.Addr()); ok {
		expectData(s, to)
	}
}

// FTPActive reads where the client asks to be called, by PORT or EPRT; own stands for an address that
// it leaves out.
func FTPActive(line []byte, own netip.Addr) (to netip.AddrPort, ok bool) {
	switch {
	case decode.PrefixFold(line, "PORT ") == decode.Whole:
		return hostPort(line[5:])
	case decode.PrefixFold(line, "EPRT ") == decode.Whole:
		return extendedPort(line[5:], own)
	}
	return netip.AddrPort{}, false
}

// ftpReply tells a reply, and the data session that a passive server waits for.
func ftpReply(s *decode.Session, line []byte) {
	s.Value(decode.FTPReply, line)
	if to, ok := FTPPassive(line, s.Server.Addr()); ok {
		expectData(s, to)
		// A server behind address translation tells its inner address.
		if own := netip.AddrPortFrom(s.Server.Addr(), to.Port()); own != to {
			expectData(s, own)
		}
	}
}

// FTPPassive reads where the server asks to be called, in its reply to PASV or EPSV; own stands for
// an address that it leaves out.
func FTPPassive(line []byte, own netip.Addr) (to netip.AddrPort, ok bool) {
	code, part := text.Reply(line)
	if part != decode.Whole {
		return netip.AddrPort{}, false
	}
	switch code {
	case 227: // "Entering Passive Mode (h1,h2,h3,h4,p1,p2)", the brackets being optional
		for i := 4; i < len(line); i++ {
			if line[i] < '0' || line[i] > '9' {
				continue
			}
			return hostPort(line[i:])
		}
	case 229: // "Entering Extended Passive Mode (|||port|)"
		if i := bytes.IndexByte(line, '('); i >= 0 {
			return extendedPort(line[i+1:], own)
		}
	}
	return netip.AddrPort{}, false
}

// FTPData is the protocol of data sessions.
const FTPData = "FTP-DATA"

func expectData(s *decode.Session, to netip.AddrPort) {
	s.Expect(decode.Expected{Addr: to.Addr(), Port: to.Port(), Protocol: decode.TCP, Name: FTPData, Whole: true})
}

// hostPort reads h1,h2,h3,h4,p1,p2.
func hostPort(data []byte) (netip.AddrPort, bool) {
	var v [6]byte
	for i := range v {
		value, n := text.Number(data)
		if n == 0 || value > 255 {
			return netip.AddrPort{}, false
		}
		v[i] = byte(value)
		if data = data[n:]; i == len(v)-1 {
			break
		}
		if len(data) == 0 || data[0] != ',' {
			return netip.AddrPort{}, false
		}
		data = data[1:]
	}
	port := uint16(v[4])<<8 | uint16(v[5])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(v[:4])), port), port != 0
}

// extendedPort reads |family|address|port|, any character being the delimiter. own stands where
// the address is left out.
func extendedPort(data []byte, own netip.Addr) (netip.AddrPort, bool) {
	if len(data) == 0 {
		return netip.AddrPort{}, false
	}
	parts := bytes.SplitN(data[1:], data[:1], 4)
	if len(parts) < 3 {
		return netip.AddrPort{}, false
	}
	addr := own
	if len(parts[1]) > 0 {
		var err error
		if addr, err = netip.ParseAddr(string(parts[1])); err != nil {
			return netip.AddrPort{}, false
		}
	}
	port, n := text.Number(parts[2])
	return netip.AddrPortFrom(addr, uint16(port)), n > 0 && port > 0 && port < 1<<16
}

// ftpData recognises a directory listing, as ls -l prints it. Files are known by the control
// session that arranged their transfer.
func ftpData(_ *decode.Session, client, server []byte) decode.Verdict {
	if len(client) > 0 {
		if len(server) > 0 {
			return decode.No
		}
		return listing(client)
	}
	return listing(server)
}

// listing checks the start of the first line: type and permissions, and the number of links.
func listing(data []byte) decode.Verdict {
	const permissions = 10
	allowed := [3]string{"r-", "w-", "x-sStT"}
	for i, c := range data[:min(len(data), permissions)] {
		kinds := "-dlbcps"
		if i > 0 {
			kinds = allowed[(i-1)%3]
		}
		if strings.IndexByte(kinds, c) < 0 {
			return decode.No
		}
	}
	if len(data) <= permissions {
		return decode.More
	}
	if strings.IndexByte(" +.@", data[permissions]) < 0 {
		return decode.No
	}
	rest := bytes.TrimLeft(data[permissions+1:min(len(data), permissions+12)], " ")
	switch _, n := text.Number(rest); {
	case n == len(rest) && len(rest) < 11:
		return decode.More
	case n == len(rest):
		return decode.No
	case n == 0 || rest[n] != ' ':
		return decode.No
	}
	return decode.Match
}
