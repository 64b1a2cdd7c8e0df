// Package mail recognises the protocols of mail and news: SMTP, LMTP, IMAP, POP3, NNTP and
// ManageSieve, all followed into TLS, and those between mail servers and their filters.
package mail

import "sluice/classify/decode"

// letters are what a command begins with.
var letters = decode.FirstRange('A', 'Z').Or(decode.FirstRange('a', 'z'))

// Decoders of this family.
var Decoders = []decode.Decoder{
	{Name: "SMTP", Ports: []uint16{25, 587, 2525}, Client: letters, Server: decode.FirstBytes("245"), Stream: smtp},
	{Name: "POP3", Ports: []uint16{110}, Client: letters, Server: decode.FirstBytes("+-"), Stream: pop3},
	{Name: "IMAP", Ports: []uint16{143}, Client: letters.Or(decode.FirstRange('0', '9')), Server: decode.FirstBytes("*"), Stream: imap},
	{Name: "NNTP", Ports: []uint16{119, 433}, Client: letters, Server: decode.FirstBytes("245"), Stream: nntp},
	{Name: "MANAGESIEVE", Ports: []uint16{4190}, Client: letters, Server: decode.FirstBytes("\""), Stream: sieve},
	{Name: "SPAMD", Ports: []uint16{783}, Client: decode.FirstBytes("CHPRST"), Server: decode.FirstBytes("S"), Stream: spamd},
	{Name: "CLAMD", Ports: []uint16{3310}, Client: decode.FirstBytes("zn"), Stream: clamd},
	{Name: "POLICYD", Ports: []uint16{10023}, Client: decode.FirstBytes("r"), Stream: policyd},
	{Name: "MILTER", Client: decode.FirstBytes("\x00"), Server: decode.FirstBytes("\x00"), Stream: milter},
}
