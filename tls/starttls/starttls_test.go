package starttls

import (
	"strings"
	"testing"
)

// say plays a dialogue: lines that begin with "C" or "S" and a blank. It returns the events, by
// the line that led to them.
func say(d *Dialogue, script string) (events []Event) {
	for _, line := range strings.Split(strings.TrimSpace(script), "\n") {
		take := d.Client
		if line[0] == 'S' {
			take = d.Server
		}
		data := line[2:] + "\r\n"
		half := len(data) / 2
		n, e := take([]byte(data[:half])) // a line may come in pieces
		if e == Going {
			n, e = take([]byte(data[half:]))
			n += half
		}
		if n != len(data) {
			panic("part of a line was left")
		}
		if e != Going {
			events = append(events, e)
		}
	}
	return events
}

// SP-37, SP-40.
func TestDialogue(t *testing.T) {
	for _, c := range []struct {
		name     string
		protocol Protocol
		script   string
		want     []Event
		offered  bool
	}{
		{"smtp", SMTP, "S 220-mail.example\nS 220 ready\nC EHLO a\nS 250-mail.example\nS 250-STARTTLS\nS 250 HELP\nC STARTTLS\nS 220 go ahead", []Event{Asked, Agreed}, true},
		{"smtp pipelined", SMTP, "S 220 ready\nC EHLO a\nC NOOP\nC starttls\nS 250 mail.example\nS 250 noop\nS 220 go ahead", []Event{Asked, Agreed}, false},
		{"smtp refused, asked again", SMTP, "S 220 ready\nC EHLO a\nS 250 mail.example\nC STARTTLS\nS 454 not now\nC STARTTLS\nS 220 now", []Event{Asked, Refused, Asked, Agreed}, false},
		{"smtp in the clear", SMTP, "S 220 ready\nC HELO a\nS 250 mail.example\nC MAIL FROM:<a@example.com>\nS 250 ok\nC DATA", []Event{Hopeless}, false},
		{"smtp says 220 to something else", SMTP, "S 220 ready\nC NOOP\nS 220 odd", nil, false},
		{"imap", IMAP, "S * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC a1 CAPABILITY\nS * CAPABILITY IMAP4rev1 STARTTLS\nS a1 OK done\nC a2 STARTTLS\nS * something\nS a2 OK begin", []Event{Asked, Agreed}, true},
		{"imap refused", IMAP, "S * OK ready\nC x starttls\nS x BAD what", []Event{Asked, Refused}, false},
		{"imap literal", IMAP, "S * OK ready\nC a1 LOGIN {5}", []Event{Hopeless}, false},
		{"imap logs in", IMAP, "S * OK ready\nC a1 LOGIN a b", []Event{Hopeless}, false},
		{"pop3", POP3, "S +OK ready\nC CAPA\nS +OK list\nS STLS\nS +OK no answer\nS .\nC STLS\nS +OK begin", []Event{Asked, Agreed}, true},
		{"pop3 refused", POP3, "S +OK ready\nC STLS\nS -ERR no", []Event{Asked, Refused}, false},
		{"client does not wait", SMTP, "S 220 ready\nC STARTTLS\nC EHLO b", []Event{Asked, Hopeless}, false},
	} {
		d := New(c.protocol)
		got := say(d, c.script)
		if len(got) != len(c.want) || d.Offered() != c.offered {
			t.Errorf("%s: %v, offered %v", c.name, got, d.Offered())
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// What follows the request, or the answer, in the same bytes is told apart.
func TestDialogueStopsAtTheRequest(t *testing.T) {
	d := New(SMTP)
	d.Server([]byte("220 ready\r\n"))
	if n, e := d.Client([]byte("STARTTLS\r\nEHLO injected\r\n")); n != len("STARTTLS\r\n") || e != Asked {
		t.Errorf("%d %v", n, e)
	}
	if n, e := d.Server([]byte("220 go\r\n250 injected\r\n")); n != len("220 go\r\n") || e != Agreed {
		t.Errorf("%d %v", n, e)
	}
	if n, e := New(IMAP).Client([]byte(strings.Repeat("x", maxLine+1))); n != maxLine+1 || e != Hopeless {
		t.Errorf("%d %v", n, e)
	}
}

func TestRecognise(t *testing.T) {
	for greeting, want := range map[string]Protocol{
		"220 mail": SMTP, "220-mail": SMTP, "* OK hi": IMAP, "* OK": IMAP, "+OK": POP3, "SSH-2.0-x": None, "2200": None, "* BYE": None, "+ERR": None,
	} {
		if p, more := Recognise([]byte(greeting)); p != want || more {
			t.Errorf("%q: %v, more %v", greeting, p, more)
		}
	}
	for _, greeting := range []string{"", "2", "220", "*", "* O", "+O"} {
		if p, more := Recognise([]byte(greeting)); p != None || !more {
			t.Errorf("%q: %v, more %v", greeting, p, more)
		}
	}
}

func FuzzDialogue(f *testing.F) {
	f.Add(uint8(1), []byte("EHLO a\r\nSTARTTLS\r\n"), []byte("220 a\r\n250 b\r\n220 c\r\n"))
	f.Add(uint8(2), []byte("a STARTTLS\r\n"), []byte("* OK\r\na OK\r\n"))
	f.Add(uint8(3), []byte("CAPA\r\nSTLS\r\n"), []byte("+OK\r\n+OK\r\n.\r\n+OK\r\n"))
	f.Fuzz(func(t *testing.T, protocol uint8, client, server []byte) {
		whole, pieces := New(Protocol(1+protocol%3)), New(Protocol(1+protocol%3))
		n, e := whole.Client(client)
		m, g := 0, Going
		for m < len(client) && g == Going {
			_, g = pieces.Client(client[m : m+1])
			m++
		}
		if n != m || e != g {
			t.Fatalf("%d %v as a whole, %d %v in pieces", n, e, m, g)
		}
		if n, _ := whole.Server(server); n > len(server) {
			t.Fatalf("%d of %d", n, len(server))
		}
	})
}
