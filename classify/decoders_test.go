package classify

import (
	"testing"

	"sluice/classify/appdb"
	"sluice/classify/data"
)

// Every decoder can be asked, and recognises a protocol that the database describes.
func TestDecoders(t *testing.T) {
	db, _ := data.Load()
	for _, d := range Decoders() {
		a, ok := db.Lookup(appdb.Prefix + d.Name)
		switch {
		case !ok || a.Kind != appdb.Protocol:
			t.Errorf("%s: the database has no such protocol", d.Name)
		case d.Stream == nil && d.Datagram == nil && d.SCTP == nil:
			t.Errorf("%s: recognises nothing", d.Name)
		case d.PortsOnly && len(d.Ports) == 0:
			t.Errorf("%s: is tied to ports but has none", d.Name)
		}
	}
}
