package remote

// VNC, the Remote Framebuffer protocol: RFC 6143 section 7.

import "sluice/classify/decode"

const rfbLine = len("RFB 003.008\n")

// vnc recognises the versions that both sides name, and follows on to the name of the desktop
// where no password is asked.
func vnc(s *decode.Session, client, server []byte) decode.Verdict {
	a, b := rfbVersion(client), rfbVersion(server)
	if a == decode.None || b == decode.None {
		return decode.No
	}
	if a != decode.Whole && b != decode.Whole {
		return decode.More
	}
	if b == decode.Whole && string(server[4:rfbLine-1]) == "003.889" {
		s.Application("APPLE-REMOTE-DESKTOP")
		return decode.Match
	}
	if a != decode.Whole || b != decode.Whole {
		return decode.MatchMore
	}
	return vncDesktop(s, client[rfbLine:], server[rfbLine:], client[10])
}

// rfbVersion says whether data begins with the line that names the version.
func rfbVersion(data []byte) decode.Part {
	const pattern = "RFB 000.000\n"
	for i := range min(len(data), rfbLine) {
		if pattern[i] == '0' {
			if data[i] < '0' || data[i] > '9' {
				return decode.None
			}
		} else if data[i] != pattern[i] {
			return decode.None
		}
	}
	if len(data) < rfbLine {
		return decode.Partly
	}
	return decode.Whole
}

// vncDesktop finds the name of the desktop behind the versions. Without authentication, the server
// lists its security types, the client takes type 1 and says whether it shares, and the server
// answers with a result (from version 3.8 on), the format of the screen and the name.
func vncDesktop(s *decode.Session, client, server []byte, minor byte) decode.Verdict {
	const none = 1
	if minor < '7' || len(server) > 0 && server[0] == 0 {
		return decode.Match
	}
	if len(server) == 0 || len(client) < 2 {
		if len(client) > 0 && client[0] != none {
			return decode.Match
		}
		return decode.MatchMore
	}
	if client[0] != none {
		return decode.Match
	}
	at := 1 + int(server[0])
	if minor >= '8' {
		at += 4
	}
	const format = 20
	if len(server) < at+format+4 {
		return decode.MatchMore
	}
	n := int(decode.Uint32(server, at+format))
	name := server[at+format+4:]
	if n > 256 {
		return decode.Match
	}
	if len(name) < n {
		return decode.MatchMore
	}
	s.Value(decode.VNCName, name[:n])
	return decode.Match
}
