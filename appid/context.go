package appid

import "sluice/classify/decode"

// families are the protocols that have the contexts whose names begin with a word.
var families = map[string][]string{
	"http": {"HTTP", "HTTP2", "HTTPS", "HTTP-PROXY"},
	"ssl":  {"SSL", "QUIC", "DTLS", "HTTPS"},
	"ftp":  {"FTP", "FTPS"},
	"dns":  {"DNS"},
	"ssh":  {"SSH"},
	"sip":  {"SIP"},
	"quic": {"QUIC"},
}

// senders tells who sends a context that only one side does.
var senders = map[decode.Context]decode.Direction{
	decode.HTTPHost: decode.ToServer, decode.HTTPURL: decode.ToServer, decode.HTTPUserAgent: decode.ToServer,
	decode.HTTPReferer: decode.ToServer, decode.HTTPMethod: decode.ToServer, decode.HTTPServer: decode.ToClient,

	decode.SSLServerName: decode.ToServer, decode.SSLFingerprint: decode.ToServer, decode.SSLECH: decode.ToServer,
	decode.QUICServerName: decode.ToServer, decode.QUICUserAgent: decode.ToServer,

	decode.DNSAnswer:   decode.ToClient,
	decode.FTPFileName: decode.ToServer, decode.FTPMethod: decode.ToServer,
	decode.FTPGreeting: decode.ToClient, decode.FTPReply: decode.ToClient,
	decode.MailGreeting: decode.ToClient,
	decode.ProxyTarget:  decode.ToServer,
	decode.VNCName:      decode.ToClient,
}

// directions are those in which a context is searched. The word "any" stands for all in which it
// occurs. It fails for a direction in which the context never occurs.
func directions(c decode.Context, word string) (in [2]bool, ok bool) {
	sender, one := senders[c]
	for _, d := range [...]decode.Direction{decode.ToServer, decode.ToClient} {
		asked := word == "" || word == "any" || word == d.String()
		in[d] = asked && (!one || d == sender)
		ok = ok || in[d]
	}
	return in, ok
}
