// Package alg follows control sessions that arrange others (FTP, TFTP, RTSP, SIP): it reads in them
// who will call whom, and writes the addresses anew where they are translated on the way.
//
// In reading order: [New] makes the [Watch] of a control session; it reads lines (ftp.go), messages
// (message.go: RTSP and SIP) or datagrams (tftp.go), and tells [Sessions] what was arranged.
package alg

import "net/netip"

// Expected is a data session that a control session has arranged.
type Expected struct {
	ByServer bool           // the server has: its client will call. Otherwise the client has, and its server will call
	To       netip.AddrPort // where it will call
	Protocol uint8          // IP protocol number
	Name     string         // protocol that it will carry ("FTP-DATA")
	Call     string         // which of the things that the control session has arranged it belongs to
}

// Sessions lets data sessions through, and ends them.
type Sessions interface {
	// Expect is told of a data session. The answer is where the caller has to call instead of e.To: the
	// same where nothing is translated.
	Expect(e Expected) netip.AddrPort
	// Over is told that the data sessions of a call are.
	Over(call string)
}

// Watch follows one control session. It is not safe for concurrent use.
type Watch interface {
	// Pass is shown what one side sends, in order: bytes of a stream, or a datagram. The answer goes on
	// in its place; it is data itself unless an address in it is written anew, and may lack the end of
	// it, which then comes before what the side sends next.
	Pass(fromServer bool, data []byte) []byte
}

// New watches a session between client and server for the application layer gateway with a name, as
// application-protocol has it; nil where there is none.
func New(name string, client, server netip.AddrPort, sessions Sessions) Watch {
	e := ends{client: client, server: server, sessions: sessions}
	switch name {
	case "ftp":
		return &ftp{ends: e}
	case "tftp":
		return &tftp{ends: e}
	case "rtsp":
		return &messages{ends: e, read: rtsp}
	case "sip":
		return &messages{ends: e, read: sip}
	}
	return nil
}

// ends are the two sides of a control session.
type ends struct {
	client, server netip.AddrPort
	sessions       Sessions
}

// own is the address of a side.
func (e *ends) own(ofServer bool) netip.Addr {
	if ofServer {
		return e.server.Addr()
	}
	return e.client.Addr()
}
