package data

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"

	"sluice/classify/appdb"
)

// categories and their sub-categories. A new one is a decision, not a spelling.
var categories = map[string][]string{
	"Infrastructure": {"Authentication", "Backup", "Database", "Development", "Directory", "ERP", "Encryption", "File-Servers",
		"Finance", "Health", "IoT", "Legacy", "Mail", "Messaging", "Mobile", "Monitoring", "Networking", "Printing", "RPC",
		"Routing", "SCADA", "Software-Update", "Virtualization", "VoIP"},
	"Remote-Access": {"Command", "Interactive-Desktop", "Tunneling"},
	"Messaging":     {"Chat", "Conferencing", "Mail"},
	"P2P":           {"Cryptocurrency", "File-Sharing", "Streaming"},
	"Gaming":        {"Platforms", "Protocols"},
	"Multimedia":    {"Streaming", "Transport"},
	"Web": {"", "AI", "Adult", "Advertisements", "Applications", "Business", "CDN", "Dating", "Development", "Education",
		"File-Sharing", "Finance", "Food", "Forums", "Gambling", "Gaming", "Government", "Health", "Infrastructure", "IoT",
		"Jobs", "Multimedia", "News", "Portal", "Proxy", "Real-Estate", "Search", "Security", "Shopping",
		"Social-Networking", "Software-Update", "Sports", "Travel", "Weather", "Wiki"},
}

func core(t *testing.T) *appdb.Database {
	t.Helper()
	db, problems := Load()
	for _, p := range problems {
		t.Error(p)
	}
	return db
}

// Every stanza is complete: what an operator is shown of an application (AI-14) is there.
func TestCoreIsComplete(t *testing.T) {
	numbers := map[uint32]bool{}
	for _, a := range core(t).Applications {
		bad := func(format string, args ...any) {
			t.Errorf("%s: %s: "+format, append([]any{a.Source, a.Short()}, args...)...)
		}
		numbers[a.Number] = true
		subs, known := categories[a.Category]
		if !known || !slices.Contains(subs, a.SubCategory) {
			bad("unknown category %q, sub-category %q", a.Category, a.SubCategory)
		}
		if a.Risk == 0 {
			bad("no risk")
		}
		if a.Description == "" || !strings.HasSuffix(a.Description, ".") {
			bad("description %q is no sentence", a.Description)
		}
		if a.Kind != appdb.Micro && a.Title == "" {
			bad("no title")
		}
		if a.Kind == appdb.Ordinary && len(a.Hosts)+len(a.Addresses)+len(a.Signatures) == 0 {
			bad("nothing says how to recognise it")
		}
		if a.Number == 0 {
			next := uint32(1)
			for numbers[next] {
				next++
			}
			bad("no number")
		}
	}
}

// Hosts are names that somebody can own: below a public suffix, under a top-level domain that exists.
func TestHostsCanBeOwned(t *testing.T) {
	for _, a := range core(t).Applications {
		for _, host := range a.Hosts {
			name, anySuffix := strings.CutSuffix(strings.TrimPrefix(host, "="), ".*")
			if anySuffix {
				continue
			}
			suffix, icann := publicsuffix.PublicSuffix(name)
			if !icann && !strings.Contains(suffix, ".") {
				t.Errorf("%s: %s: no top-level domain %s", a.Source, host, suffix)
			}
			if icann && suffix == name {
				t.Errorf("%s: %s is a public suffix", a.Source, host)
			}
		}
	}
}

// Names of hosts below another application's are more telling than that, never the same.
func TestHostsAreNotRepeatedBelow(t *testing.T) {
	below := map[string]*appdb.Application{}
	applications := core(t).Applications
	for _, a := range applications {
		for _, host := range a.Hosts {
			below[host] = a
		}
	}
	for _, a := range applications {
		for _, host := range a.Hosts {
			name := strings.TrimPrefix(host, "=")
			for i := strings.IndexByte(name, '.'); i >= 0; i = strings.IndexByte(name, '.') {
				name = name[i+1:]
				if other := below[name]; other != nil {
					if other == a {
						t.Errorf("%s: %s is part of %s already", a.Source, host, name)
					}
					break
				}
			}
		}
	}
}

// Names the guide's configurations and displays use exist (AG-23, MA-28, MA-31).
func TestNamesOfTheGuide(t *testing.T) {
	db := core(t)
	names := strings.Fields(`HTTP http FTP SSH SSL SIP RTP GOPHER HTTPS SMTPS IMAPS POP3S ICMP ICMP-ECHO IPP-IGMP ORACLE
		MODBUS BITTORRENT BITTORRENT-APPLICATION BITTORRENT-WEB-CLIENT CCPROXY YAHOO YAHOO-MAIL GOOGLE GOOGLETALK AMAZON HULU
		OUTLOOK OWA CNN GOOGLE-GEN office-365 FACEBOOK-ACCESS FACEBOOK-APP FACEBOOK-CHAT FACEBOOK-FARMVILLE FACEBOOK-MAIL
		FACEBOOK-SOCIALRSS MS-TEAMS OFFICE365-CREATE-CONVERSATION DNS-ENCRYPTED MODBUS-READ MODBUS-WRITE
		MODBUS-READ-COILS MODBUS-WRITE-SINGLE-COIL MODBUS-WRITE-MULTIPLE-COILS SIEMENS-S7-SETUP-COMM SIEMENS-S7-UPLOAD-START
		LINKEDIN-LOGIN LINKEDIN-POST LINKEDIN-LIKE`)
	for _, f := range strings.Fields(`GET-EVENT-INFORMATION SUBSCRIBE-COV-PROPERTY LIFE-SAFETY-OPERATION READ-RANGE REQUEST-KEY
		AUTHENTICATE VT-DATA VT-CLOSE VT-OPEN REINITIALIZE-DEVICE CONFIRMED-TEXT-MESSAGE CONFIRMED-PRIVATE-XFER
		DEVICE-COMM-CONTROL WRITE-PROP-MULTIPLE WRITE-PROPERTY READ-PROP-MULTIPLE READ-PROP-CONDITIONAL READ-PROPERTY
		DELETE-OBJECT CREATE-OBJECT REMOVE-LIST-ELEMENT ADD-LIST-ELEMENT ATOMIC-WRITE-FILE ATOMIC-READ-FILE SUBSCRIBE-COV`) {
		names = append(names, "BACNET-"+f)
	}
	for _, name := range names {
		if _, ok := db.Lookup(appdb.Prefix + name); !ok {
			t.Errorf("no application junos:%s", name)
		}
	}
	for _, group := range []string{"junos:web", "junos:web:social-networking", "junos:social-networking"} {
		if len(db.Members(group)) == 0 {
			t.Errorf("group %s is empty", group)
		}
	}
	talk, _ := db.Lookup("junos:GOOGLETALK")
	if !slices.Contains(db.Members("junos:social-networking"), talk) {
		t.Error("GOOGLETALK is not in junos:social-networking")
	}
}

func TestCounts(t *testing.T) {
	db, _ := Core()
	kinds := map[appdb.Kind]int{}
	for _, a := range db.Applications {
		kinds[a.Kind]++
	}
	t.Logf("%d applications, %d protocols, %d micro-applications", kinds[appdb.Ordinary], kinds[appdb.Protocol], kinds[appdb.Micro])
	if kinds[appdb.Ordinary] < 500 || kinds[appdb.Protocol] < 250 {
		t.Errorf("the core has %d applications and %d protocols; 500 and 250 are the least", kinds[appdb.Ordinary], kinds[appdb.Protocol])
	}
}

// Every name that is translated is one of ours, and one of theirs could be typed on a command line.
func TestNamesAreOurs(t *testing.T) {
	db := core(t)
	names, err := NamesOf("ndpi")
	if err != nil {
		t.Fatal(err)
	}
	wellFormed := regexp.MustCompile(`^[A-Za-z0-9_.+-]+$`)
	for ours, theirs := range names {
		for _, name := range strings.Split(ours, "/") {
			a, ok := db.Lookup(appdb.Prefix + name)
			if name != "UNKNOWN" && name != "*" && (!ok || a.Short() != name) {
				t.Errorf("%s %s: no application %s of ours", ours, theirs, name)
			}
		}
		if !wellFormed.MatchString(theirs) {
			t.Errorf("%s: name %q", ours, theirs)
		}
	}
}
