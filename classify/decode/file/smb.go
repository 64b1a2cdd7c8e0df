package file

// NetBIOS session service (RFC 1002 section 4.3), which also frames SMB on its own port
// (MS-SMB2 section 2.1), SMB 1 (MS-CIFS), and SMB 2 and 3 (MS-SMB2).

import (
	"sluice/classify/decode"
	"sluice/classify/decode/netbios"
)

// Types of session packets.
const (
	ssnMessage  = 0x00
	ssnRequest  = 0x81
	ssnPositive = 0x82
	ssnNegative = 0x83
	ssnRetarget = 0x84
)

// netbiosSession recognises the packets, and by the first message of either side which SMB it is.
// A client that begins with SMB 1 may end with SMB 2: what the server answers decides.
func netbiosSession(s *decode.Session, client, server []byte) decode.Verdict {
	clientMessage, asked := sessionMessage(s, client)
	serverMessage, answered := sessionMessage(s, server)
	if asked == decode.No && len(client) > 0 || answered == decode.No && len(server) > 0 {
		return decode.No
	}
	inside, replied := smbVersion(clientMessage), smbVersion(serverMessage)
	if replied != "" {
		inside = replied
	}
	if inside != "" {
		s.Carries(inside)
		if replied == "" && inside == "SMB1" {
			return decode.MatchMore
		}
		return decode.Match
	}
	switch verdict := max(asked, answered); {
	case len(clientMessage) > 4 || len(serverMessage) > 4:
		if verdict == decode.MatchMore {
			return decode.Match
		}
		return decode.No // framed alike, but not SMB
	case verdict == decode.MatchMore && len(server) > 0 && (server[0] == ssnNegative || server[0] == ssnRetarget):
		return decode.Match
	default:
		return verdict
	}
}

// sessionMessage is what the first session message of a side holds, after the requests and
// responses that set the session up. verdict is MatchMore when these were seen.
func sessionMessage(s *decode.Session, data []byte) (message []byte, verdict decode.Verdict) {
	verdict = decode.More
	for range 3 {
		if len(data) < 4 {
			return nil, verdict
		}
		length := int(decode.Uint24(data, 1))
		body := data[4:]
		switch data[0] {
		case ssnMessage:
			return body[:min(len(body), length)], verdict
		case ssnRequest:
			if length != 2*netbios.NameLength {
				return nil, decode.No
			}
			if len(body) < length {
				return nil, verdict
			}
			var called, calling netbios.Name
			if !called.Decode(body) || !calling.Decode(body[netbios.NameLength:]) {
				return nil, decode.No
			}
			s.Value(decode.SMBName, called.Text())
		case ssnPositive:
			if length != 0 {
				return nil, decode.No
			}
		case ssnNegative:
			if length != 1 || len(body) > 0 && body[0] < 0x80 {
				return nil, decode.No
			}
		case ssnRetarget:
			if length != 6 {
				return nil, decode.No
			}
		default:
			return nil, decode.No
		}
		verdict = decode.MatchMore
		data = body[min(len(body), length):]
	}
	return nil, verdict
}

// smbVersion tells SMB 1 from SMB 2 and 3, whose messages may be encrypted or compressed.
func smbVersion(message []byte) string {
	if len(message) < 4 || string(message[1:4]) != "SMB" {
		return ""
	}
	switch message[0] {
	case 0xff:
		return "SMB1"
	case 0xfe, 0xfd, 0xfc:
		return "SMB"
	}
	return ""
}
