package appdb

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const sample = `# A sample.
protocol SSL
  title TLS
  category Infrastructure
  sub-category Encryption
  ports tcp/443 udp/4433-4434

application FACEBOOK   # the network
  description Says "hello" # to all
  category Web
  sub-category Social-Networking
  risk 3
  characteristics excessive-bandwidth file-transfer
  hosts Facebook.com =fb.me
  hosts facebook.*
  addresses 192.0.2.7/24
  over SSL
  alias FACEBOOK-ACCESS
  signature http-header-user-agent client-to-server "^FB AN" depth 64
  flags new

micro FACEBOOK-CHAT
  of FACEBOOK

group web:social-networking
  description People.
`

func TestLoad(t *testing.T) {
	d, problems := LoadFS(fstest.MapFS{"a.apps": {Data: []byte(sample)}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	a, ok := d.Lookup("junos:FACEBOOK-ACCESS")
	if !ok || a.Name != "junos:FACEBOOK" {
		t.Fatalf("the alias finds %v", a)
	}
	if a.Description != `Says "hello" # to all` || a.Group() != "junos:web:social-networking" || !a.RunsOver("junos:SSL") || a.RunsOver("junos:HTTP") {
		t.Errorf("%+v", a)
	}
	if got, want := a.Hosts, []string{"facebook.com", "=fb.me", "facebook.*"}; !cmp.Equal(got, want) {
		t.Errorf("hosts %q", got)
	}
	if s := a.Signatures[0]; s.Pattern != "^FB AN" || s.Depth != 64 || !s.Directions[0] || s.Directions[1] {
		t.Errorf("%+v", s)
	}
	if got := a.Characteristics.Names(); !cmp.Equal(got, []string{"file-transfer", "excessive-bandwidth"}) {
		t.Error(got)
	}
	want := []string{"junos:infrastructure", "junos:infrastructure:encryption", "junos:web", "junos:web:social-networking"}
	if got := d.GroupNames(); !cmp.Equal(got, want) {
		t.Error(got)
	}
	if m := d.Members("junos:web"); len(m) != 1 || m[0] != a {
		t.Errorf("members of junos:web: %v", m)
	}
}

// Every problem is reported at once, each with its place.
func TestLoadReportsAllProblems(t *testing.T) {
	const bad = `  risk 2
thing X
application lower
application A
  risk 6
  ports tcp
  hosts -bad host..name single
  characteristics nice
  colour red
  addresses 10.0.0.0
  signature nowhere any x
  title "
application B
  over NOTHING
  hosts b.example
application B
micro M
  of NOBODY
application C
  hosts b.example
  number 7
application D
  number 7
`
	_, problems := LoadFS(fstest.MapFS{"bad.apps": {Data: []byte(bad)}})
	var text []string
	for _, p := range problems {
		text = append(text, p.Error())
	}
	all := strings.Join(text, "\n")
	for _, want := range []string{
		"bad.apps:1: risk belongs to no stanza", "bad.apps:2: unknown kind", "bad.apps:3: name \"lower\"",
		"bad.apps:5: risk \"6\"", "bad.apps:6: ports", "bad.apps:7: hosts: \"host..name\"", "bad.apps:7: hosts: \"single\"",
		"bad.apps:8: characteristics", "bad.apps:9: unknown attribute \"colour\"", "bad.apps:10: addresses",
		"bad.apps:11: signature: unknown context", "B is already defined at bad.apps:13", "B: over names no protocol: NOTHING",
		"M: of names no application: NOBODY", "host b.example belongs to B", "number 7 belongs to C",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no problem says %q", want)
		}
	}
	if t.Failed() {
		t.Log(all)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		d := New()
		d.Load("fuzz.apps", strings.NewReader(text))
		d.Check()
		d.GroupNames()
	})
}
