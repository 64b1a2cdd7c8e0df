package text

import (
	"testing"

	"sluice/classify/decode"
)

func TestCommand(t *testing.T) {
	words := []string{"USER", "MODE READER"}
	for _, c := range []struct {
		data, word string
		part       decode.Part
	}{
		{"", "", decode.Partly}, {"us", "", decode.Partly}, {"USER", "", decode.Partly}, {"user x", "USER", decode.Whole},
		{"USERS x", "", decode.None}, {"mode Reader\r\n", "MODE READER", decode.Whole}, {"MODE X", "", decode.None},
	} {
		if word, part := Command([]byte(c.data), words); word != c.word || part != c.part {
			t.Errorf("%q: %q %v", c.data, word, part)
		}
	}
}

func TestReply(t *testing.T) {
	for _, c := range []struct {
		data string
		code int
		part decode.Part
	}{
		{"22", 0, decode.Partly}, {"220", 220, decode.Partly}, {"220-", 220, decode.Whole}, {"220x", 0, decode.None}, {"2x", 0, decode.None},
	} {
		if code, part := Reply([]byte(c.data)); code != c.code || part != c.part {
			t.Errorf("%q: %d %v", c.data, code, part)
		}
	}
}

func TestWords(t *testing.T) {
	line := []byte("  220 \tmail.example.com ESMTP")
	if got := string(Field(line, 1)); got != "mail.example.com" {
		t.Errorf("field 1 is %q", got)
	}
	if Field(line, 3) != nil {
		t.Error("there is no field 3")
	}
	if !Contains(line, "SMTP") || Contains(line, "FTP") {
		t.Error("contains")
	}
	if value, n := Number([]byte("443)")); value != 443 || n != 3 {
		t.Errorf("number %d of %d digits", value, n)
	}
	if value, _ := Number([]byte("99999999999999999999999")); value != 1<<31 {
		t.Errorf("a huge number became %d", value)
	}
}

// A TLS record begins at the start of a line only.
func TestStartOfTLS(t *testing.T) {
	for data, want := range map[string]int{
		"STARTTLS\r\n\x16\x03\x01": 10, "STARTTLS\r\n\x16": -1, "a\x16\x03": -1, "\x16\x03": 0, "": -1,
	} {
		if got := StartOfTLS([]byte(data)); got != want {
			t.Errorf("%q: %d, want %d", data, got, want)
		}
	}
}
