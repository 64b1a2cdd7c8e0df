package data

import (
	"testing"
)

// The database that is built in has no problems.
func TestLoad(t *testing.T) {
	db, problems := Load()
	for _, p := range problems {
		t.Error(p)
	}
	for _, a := range db.Applications {
		if a.Category == "" || a.Description == "" || a.Risk == 0 {
			t.Errorf("%s: %s has no category, description or risk", a.Source, a.Short())
		}
	}
}

func TestNames(t *testing.T) {
	names, err := NamesOf("ndpi")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][4]string{
		{"junos:SSL", "", "TLS", ""}, {"junos:HTTP", "junos:WEBSOCKET", "HTTP", ""},
		{"junos:SSL", "junos:SOMETHING-ELSE", "TLS", ""}, {"junos:SOCKS5", "junos:YOUTUBE", "SOCKS", ""}, {"junos:SOMETHING-ELSE", "", "SOMETHING-ELSE", ""}, {"junos:UNKNOWN", "", "Unknown", ""},
	} {
		if protocol, application := names.Of(c[0], c[1]); protocol != c[2] || application != c[3] {
			t.Errorf("%s %s became %s %s", c[0], c[1], protocol, application)
		}
	}
	if _, err := NamesOf("nobody"); err == nil {
		t.Error("an unknown engine has names")
	}
}
