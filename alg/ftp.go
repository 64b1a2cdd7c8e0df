package alg

import (
	"bytes"
	"fmt"
	"net/netip"

	"sluice/classify/decode"
	"sluice/classify/decode/file"
)

// ftp reads the lines of a control session of FTP (RFC 959, RFC 2428).
type ftp struct {
	ends
	lines [2]lines // of the client, of the server
	held  []byte   // the beginning of a command that may have to be written anew
}

// Pass reads both sides, and writes the addresses anew that the client tells. Of the server, whose
// address is not translated, everything goes on as it is.
func (f *ftp) Pass(fromServer bool, data []byte) []byte {
	if fromServer {
		f.lines[1].add(data, func(line []byte) {
			if to, ok := file.FTPPassive(line, f.server.Addr()); ok {
				// A server behind address translation tells its inner address: it is called at the one
				// that the control session has.
				f.expect(true, netip.AddrPortFrom(f.server.Addr(), to.Port()))
			}
		})
		return data
	}
	if len(f.held) == 0 && f.lines[0].between() && !mayTellAddress(data) {
		f.lines[0].add(data, func([]byte) {})
		return data
	}
	return f.passCommands(data)
}

// mayTellAddress says whether some line of data is, or may become, a command with an address.
func mayTellAddress(data []byte) bool {
	for len(data) > 0 {
		if tellsAddress(data) {
			return true
		}
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			return false
		}
		data = data[end+1:]
	}
	return false
}

// tellsAddress says whether a line that begins with data is, or may become, a command with an address.
func tellsAddress(data []byte) bool {
	return decode.PrefixFold(data, "PORT ") != decode.None || decode.PrefixFold(data, "EPRT ") != decode.None
}

// passCommands passes what the client sends, but for the end where that is the beginning of a command
// with an address.
func (f *ftp) passCommands(data []byte) []byte {
	data = append(f.held, data...)
	f.held = nil
	out := data[:0:0]
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		begins := f.lines[0].between()
		if end < 0 {
			if begins && tellsAddress(data) && len(data) <= longestLine {
				f.held = data
				return out
			}
			f.lines[0].add(data, func([]byte) {})
			return append(out, data...)
		}
		line := data[:end+1]
		data = data[end+1:]
		if begins {
			line = f.command(line)
		} else {
			f.lines[0].add(line, func([]byte) {}) // the end of a longer one
		}
		out = append(out, line...)
	}
	return out
}

// command reads a command, and writes the address in it anew where the server has to call another.
func (f *ftp) command(line []byte) []byte {
	text := bytes.TrimRight(line, "\r\n")
	to, ok := file.FTPActive(text, f.client.Addr())
	if !ok || to.Addr().Unmap() != f.client.Addr().Unmap() { // a server is not made to call a third
		return line
	}
	at := f.expect(false, to)
	if at == to {
		return line
	}
	if decode.PrefixFold(text, "EPRT ") == decode.Whole {
		family := 1
		if at.Addr().Is6() {
			family = 2
		}
		return fmt.Appendf(nil, "EPRT |%d|%s|%d|\r\n", family, at.Addr(), at.Port())
	}
	a := at.Addr().As4()
	return fmt.Appendf(nil, "PORT %d,%d,%d,%d,%d,%d\r\n", a[0], a[1], a[2], a[3], at.Port()>>8, at.Port()&0xff)
}

func (f *ftp) expect(byServer bool, to netip.AddrPort) netip.AddrPort {
	return f.sessions.Expect(Expected{ByServer: byServer, To: to, Protocol: decode.TCP, Name: file.FTPData})
}

// longestLine bounds a line that is read; of a longer one nothing is.
const longestLine = 512

// lines cuts what a side sends into lines.
type lines struct {
	part []byte // of a line whose end is not there yet
	long bool   // the line is too long to be read
}

// between says whether the next byte begins a line.
func (l *lines) between() bool { return len(l.part) == 0 && !l.long }

// add calls read for each line that data completes, without its end.
func (l *lines) add(data []byte, read func(line []byte)) {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		piece := data
		if end >= 0 {
			piece = data[:end]
		}
		if len(l.part)+len(piece) > longestLine {
			l.long = true
		}
		if !l.long {
			l.part = append(l.part, piece...)
		}
		if end < 0 {
			return
		}
		if !l.long {
			read(bytes.TrimRight(l.part, "\r"))
		}
		l.part, l.long = l.part[:0], false
		data = data[end+1:]
	}
}
