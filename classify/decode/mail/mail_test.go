package mail

import (
	"testing"

	"sluice/classify/decode"
	. "sluice/classify/decode/decodetest"
)

const hello = "\x16\x03\x01\x00\x05hello"

func TestDialogues(t *testing.T) {
	for _, c := range []struct {
		name     string
		messages []Message
	}{
		{"SMTP", []Message{Server("220 mx.example.com ESMTP ready\r\n"), Client("EHLO a.example\r\n")}},
		{"SMTP", []Message{Client("helo a.example\r\nMAIL FROM:<a@example.com>\r\n")}},
		{"SMTP", []Message{Server("220 mx.example.com welcome\r\n"), Client("NOOP\r\n")}},
		{"LMTP", []Message{Server("220 mx.example.com LMTP ready\r\n"), Client("LHLO a.example\r\n")}},
		{"POP3", []Message{Server("+OK POP3 ready\r\n"), Client("USER a\r\n"), Server("+OK\r\n"), Client("PASS b\r\n")}},
		{"POP3", []Message{Server("+OK <1896.697170952@dbc.example.com>\r\n")}},
		{"POP3", []Message{Server("+OK Hello there.\r\n"), Client("USER a\r\n")}},
		{"IMAP", []Message{Server("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Client("a001 LOGIN a b\r\n")}},
		{"IMAP", []Message{Client("1 CAPABILITY\r\n")}},
		{"IMAP", []Message{Server("* OK ready\r\n"), Client("A1 ID NIL\r\n")}},
		{"NNTP", []Message{Server("200 news.example.com\r\n"), Client("MODE READER\r\n")}},
		{"NNTP", []Message{Server("201 NNTP service ready\r\n"), Client("GROUP misc.test\r\n")}},
		{"MANAGESIEVE", []Message{Server("\"IMPLEMENTATION\" \"Example1 ManageSieved v001\"\r\n\"SASL\" \"PLAIN\"\r\nOK\r\n"), Client("LOGOUT\r\n")}},
		{"SPAMD", []Message{Client("REPORT_IFSPAM SPAMC/1.5\r\n")}},
		{"SPAMD", []Message{Server("SPAMD/1.1 0 EX_OK\r\n")}},
		{"CLAMD", []Message{Client("zINSTREAM\x00\x00\x00\x00\x01a")}},
		{"POLICYD", []Message{Client("request=smtpd_access_policy\nprotocol_state=RCPT\n")}},
		{"MILTER", []Message{Client("\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff"), Server("\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00\x00")}},
	} {
		Stream(t, Decoders, 1025, c.name, c.messages...)
	}
}

func TestStartTLS(t *testing.T) {
	for _, c := range []struct {
		name                string
		greet, ask, consent string
	}{
		{"SMTPS", "220 mx.example.com ESMTP\r\n", "EHLO a\r\nSTARTTLS\r\n", "250 STARTTLS\r\n220 go\r\n"},
		{"POP3S", "+OK POP3\r\n", "STLS\r\n", "+OK begin\r\n"},
		{"IMAPS", "* OK IMAP4\r\n", "a STARTTLS\r\n", "a OK begin\r\n"},
		{"NNTPS", "200 NNTP\r\n", "STARTTLS\r\n", "382 continue\r\n"},
		{"MANAGESIEVE", "\"IMPLEMENTATION\" \"x\"\r\nOK\r\n", "STARTTLS\r\n", "OK\r\n"},
	} {
		o := Stream(t, Decoders, 1025, c.name, Server(c.greet), Client(c.ask), Server(c.consent), Client(hello))
		if want := [2]int{len(c.ask), len(c.greet) + len(c.consent)}; o.Tunnel == nil || *o.Tunnel != want || !o.Upgrade {
			t.Errorf("%s: TLS at %v, want %v", c.name, o.Tunnel, want)
		}
	}
}

// One direction alone is enough to find TLS.
func TestStartTLSOneWay(t *testing.T) {
	o := Stream(t, Decoders, 25, "SMTPS", Client("EHLO a\r\nSTARTTLS\r\n"+hello))
	if o.Tunnel == nil || *o.Tunnel != [2]int{18, 0} {
		t.Errorf("TLS at %v", o.Tunnel)
	}
}

func TestGreetingTold(t *testing.T) {
	o := Stream(t, Decoders, 25, "SMTP", Server("220 mx.example.com ESMTP\r\n"))
	if o.Value(decode.MailHost) != "mx.example.com" || o.Value(decode.MailGreeting) != "220 mx.example.com ESMTP" {
		t.Errorf("contexts: %q", o.Values)
	}
}

// What other protocols say too is not enough.
func TestUndecided(t *testing.T) {
	for _, m := range [][]Message{
		{Server("220 welcome\r\n")}, {Server("+OK\r\n")}, {Server("200 OK\r\n")}, {Client("USER a\r\nPASS b\r\n")}, {Client("EH")}, {Server("* OK ")},
	} {
		if o := Run(Decoders, TCP(4000), m...); o.Verdict >= decode.Maybe {
			t.Errorf("%q: %s %v", m[0].Data, o.Name, o.Verdict)
		}
	}
}

func TestOthers(t *testing.T) {
	for _, m := range [][]Message{
		{Client("GET / HTTP/1.1\r\n"), Server("HTTP/1.1 200 OK\r\n")},
		{Server("220 ftp.example.com FTP ready\r\n"), Client("USER a\r\n")},
		{Server("220 welcome\r\n"), Client("AUTH TLS\r\n")}, // FTP
		{Server("+OK\r\n"), Client("AUTH secret\r\n")},      // Redis
		{Client("EHLOX\r\n")}, {Client("\x00\x00\x00\x0dO\x00\x00\x00\x09\x00\x00\x01\xff\x00\x1f\xff\xff")},
		{Client("zINSTREAMS\x00")}, {Client("SKIP SPAM/1.0")},
	} {
		if o := Run(Decoders, TCP(4000), m...); o.Verdict != decode.No {
			t.Errorf("%q: %s %v", m[0].Data, o.Name, o.Verdict)
		}
	}
}

func FuzzMail(f *testing.F) {
	Fuzz(f, Decoders, []byte("220 mx ESMTP\r\n"), []byte("EHLO a\r\nSTARTTLS\r\n"+hello), []byte("+OK POP3\r\n"), []byte("CAPA\r\n"),
		[]byte("* OK IMAP4\r\n"), []byte("a LOGIN x y\r\n"), []byte("200 NNTP\r\n"), []byte("MODE READER\r\n"), []byte("\"IMPLEMENTATION\" \"x\"\r\n"),
		[]byte("PING SPAMC/1.2\r\n"), []byte("zPING\x00"), []byte("request=smtpd_access_policy\n"), []byte("\x00\x00\x00\x0dO\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff"))
}

// SMTP begins with a greeting of the client's (RFC 5321 section 4.1.4), so that a session that
// begins with STARTTLS is not known by what the client sends.
func TestUpgradeWithoutGreeting(t *testing.T) {
	if o := Run(Decoders, TCP(4190), Client("STARTTLS\r\n"+hello)); o.Verdict >= decode.Match {
		t.Errorf("recognised as %s", o.Name)
	}
}
