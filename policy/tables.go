package policy

import "sluice/store/schema"

// zoneTable has, for each zone, the global policies that are not limited to other zones.
type zoneTable struct {
	limited bool // some policy is limited
	zones   map[string]bitmap
	others  bitmap
}

// newZoneTable makes the table of the zones that limits tells for each policy.
func newZoneTable(policies []*Policy, limits func(*Policy) []string) zoneTable {
	t := zoneTable{zones: map[string]bitmap{}}
	var everywhere []uint32
	named := map[string][]uint32{}
	for i, p := range policies {
		zones := limits(p)
		if len(zones) == 0 {
			everywhere = append(everywhere, uint32(i))
		}
		for _, z := range zones {
			named[z] = append(named[z], uint32(i))
			t.limited = true
		}
	}
	t.others = bitmapOf(blocksFor(len(policies)), everywhere)
	for z, positions := range named {
		t.zones[z] = bitmapOf(blocksFor(len(policies)), sorted(append(positions, everywhere...)))
	}
	return t
}

// find is the policies that zone admits.
func (t *zoneTable) find(zone string) bitmap {
	if m, ok := t.zones[zone]; ok {
		return m
	}
	return t.others
}

// serviceTable has the policies that a protocol and its ports admit.
type serviceTable struct {
	base      bitmap // policies of any application
	protocols [256]*portTable
	sources   [256]*portTable // nil: no policy is limited to source ports of the protocol
}

// newServiceTable makes the table of the policies' terms.
func newServiceTable(policies []*Policy) serviceTable {
	n := len(policies)
	var t serviceTable
	var base []uint32
	keys, sources := map[schema.Protocol]map[portSpan][]uint32{}, map[schema.Protocol]map[portSpan][]uint32{}
	limited := map[schema.Protocol]bool{}
	for i, p := range policies {
		at := uint32(i)
		if len(p.services) == 0 {
			base = append(base, at)
		}
		for _, term := range p.naming {
			addSpan(keys, term.protocol, term.key, at)
			addSpan(sources, term.protocol, term.source, at)
			limited[term.protocol] = limited[term.protocol] || term.source != everyPort
		}
	}
	t.base = bitmapOf(blocksFor(n), base)
	for protocol, spans := range keys {
		t.protocols[protocol] = newPortTable(n, spans)
		if limited[protocol] {
			t.sources[protocol] = newPortTable(n, sources[protocol])
		}
	}
	return t
}

// addSpan notes that the policy at position p matches span of a protocol.
func addSpan(to map[schema.Protocol]map[portSpan][]uint32, protocol schema.Protocol, s portSpan, p uint32) {
	if to[protocol] == nil {
		to[protocol] = map[portSpan][]uint32{}
	}
	list := to[protocol][s]
	if len(list) == 0 || list[len(list)-1] != p {
		to[protocol][s] = append(list, p)
	}
}
