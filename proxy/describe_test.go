package proxy

import (
	"net/netip"
	"testing"
	"time"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/data"
)

// Records say whether a session is encrypted once that is known, and that an application is the
// operator's own.
func TestRecordsDescribeWhatWasFound(t *testing.T) { // TR-19, TR-30, TR-31, TR-32
	for _, c := range []struct {
		name, says, server                 string
		encrypted                          string
		application, category, subCategory string
	}{
		{"nothing", "", "198.51.100.20", "No", "", "", ""},
		{"web", "GET / HTTP/1.1\r\nHost: www.youtube.com\r\n\r\n", "198.51.100.20", "No", "YOUTUBE", "Web", "Multimedia"},
		{"secure shell", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "198.51.100.20", "Yes", "", "Remote-Access", "Command"},
		{"the operator's own", "GET / HTTP/1.1\r\nHost: wiki.example.org\r\n\r\n", "198.51.100.21", "", "our-wiki", "custom application", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := identifying(t)
			database, _ := data.Load()
			own := &appdb.Application{Name: "our-wiki", Custom: true, Servers: []appdb.ServerMapping{{Prefix: netip.MustParsePrefix("198.51.100.21/32")}}}
			database, problems := database.With([]*appdb.Application{own}, nil)
			engine, more := classify.Compile(database, classify.NewState(time.Now), classify.Options{})
			if problems := append(problems, more...); len(problems) > 0 {
				t.Fatal(problems)
			}
			b.identifier = &recorder{Engine: engine}
			b.log.tracked = true
			v := newConversation("192.0.2.10:40000", c.server+":80")
			v.connect(b)
			if first := b.logged("create", "app create"); first.Encrypted != "" || first.Application == "HTTP" || first.Category != "" && c.category != first.Category {
				t.Errorf("at first: %+v", first)
			}
			if c.says != "" {
				b.from(b.lan, v.carrying(c.says))
			}
			b.Clear(Filter{})
			last := b.logged("close CLI", "app close CLI")
			if last.Encrypted != c.encrypted || last.NestedApplication != c.application || last.Category != c.category || last.SubCategory != c.subCategory {
				t.Errorf("at the end: encrypted %q, application %q, nested %q, category %q, %q",
					last.Encrypted, last.Application, last.NestedApplication, last.Category, last.SubCategory)
			}
		})
	}
}
