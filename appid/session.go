package appid

import (
	"strings"

	"sluice/appid/asc"
	"sluice/appid/usage"
	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Enabled says whether sessions are identified.
func (s *Service) Enabled() bool { return s.current.Load().engine != nil }

// ConcludesUnknown says whether sessions that nothing matched are taken for junos:UNKNOWN. Without
// the application system cache nothing is concluded of them.
func (s *Service) ConcludesUnknown() bool { return s.current.Load().settings.cache }

// Begin starts the identification of a session. When identification is off, the flow is final and
// nothing is known of it.
func (s *Service) Begin(f *classify.Flow, m *classify.Meta) {
	part, g := s.counters.part(m), s.current.Load()
	part.sessions.Add(1)
	*f = classify.Flow{}
	if g.engine != nil {
		g.engine.Begin(f, m)
	}
	if !f.Final() {
		part.begun(f, g)
	}
}

// Arranged answers for a session that was begun and carries what another one has arranged: a protocol by
// its name without prefix. It says whether there is such a protocol; when identification is off, there
// is none.
func (s *Service) Arranged(f *classify.Flow, protocol string) bool {
	g := s.current.Load()
	return g.engine != nil && g.engine.Arranged(f, protocol)
}

// Decrypted goes on with the inspection of a session whose encryption was opened, in its plaintext.
// What that tells is not remembered for the server: the next session with it may not be opened.
func (s *Service) Decrypted(f *classify.Flow, m *classify.Meta) {
	if g := s.current.Load(); g.engine != nil {
		g.engine.Decrypted(f, m)
	}
}

// Identified notes that the answer is final. It is called once for every session that Begin was
// called for, with the same flow and client, as soon as f.Final says so: that may be right after Begin, and
// at the end of the session at the latest, after f.Close.
func (s *Service) Identified(f *classify.Flow, m *classify.Meta) {
	r := f.Result()
	packets, bytes := f.Inspected()
	part := s.counters.part(m)
	part.decided(f)
	part.packets.Add(uint64(packets))
	part.bytes.Add(uint64(bytes))
	switch {
	case !unknown(&r):
		part.identified.Add(1)
	default:
		part.unknown.Add(1)
		if r.Encrypted {
			part.encryptedUnknown.Add(1)
		}
	}
	if s.current.Load().settings.cache && cacheable(f, &r, m, packets) {
		server := m.Server
		if r.Turned {
			server = m.Client
		}
		s.cache.Put(server, m.Protocol, asc.Found{Protocol: r.Protocol, Application: r.Application})
	}
}

func unknown(r *classify.Result) bool { return r.Protocol == appdb.Unknown && r.Application == "" }

// cacheable says whether an answer tells something about further sessions with the same server.
// What was only concluded from the address, the port or an earlier session does not; neither does
// a session in which nobody has spoken.
func cacheable(f *classify.Flow, r *classify.Result, m *classify.Meta, packets int) bool {
	switch {
	case m.Protocol != decode.TCP && m.Protocol != decode.UDP && m.Protocol != decode.SCTP, packets == 0:
		return false
	case unknown(r):
		return true
	case r.Confidence <= classify.Low, r.Evidence == "cache", r.Evidence == "port":
		return false
	}
	protocol, application := f.Applications()
	for _, a := range [...]*appdb.Application{protocol, application} {
		if a != nil && a.Custom && (!a.Cacheable || !strings.HasPrefix(r.Evidence, "signature")) {
			return false
		}
	}
	return true
}

// Ended counts a session that is over; bytes are those it carried both ways.
func (s *Service) Ended(f *classify.Flow, _ *classify.Meta, bytes uint64) {
	g := s.current.Load()
	if !g.settings.statistics {
		return
	}
	r := f.Result()
	count := usage.Session{Base: r.Protocol, Nested: r.Application, Encrypted: r.Encrypted, How: r.HowFinal, Bytes: bytes}
	if count.Base == appdb.Unknown {
		count.Base = ""
	}
	if a := f.Micro(); a != nil {
		// What an application is used for is counted instead of it.
		if a.Of == count.Base {
			count.Base = r.Micro
		} else {
			count.Nested = r.Micro
		}
	}
	s.usage.Count(&count)
}

// UnknownCached says whether the cache knows that nothing matches what the server of a session
// serves. It does not depend on who may rely on the cache.
func (s *Service) UnknownCached(m *classify.Meta) bool {
	found, ok := s.cache.Get(m.Server, m.Protocol)
	return ok && found.Protocol == appdb.Unknown && found.Application == ""
}

// LookupMisc returns what the cache knows of a session's server, on behalf of services that are
// not about security, such as routing by application. The names are full.
func (s *Service) LookupMisc(m *classify.Meta) (protocol, application string, ok bool) {
	if !s.current.Load().settings.miscLookup {
		return "", "", false
	}
	found, ok := s.cache.Get(m.Server, m.Protocol)
	s.counters.part(m).lookup(ok)
	return found.Protocol, found.Application, ok
}

// cacheView answers engines from the cache, on behalf of security services.
type cacheView struct {
	service *Service
	db      *appdb.Database
}

// Lookup finds what a session's server serves. What is unknown, or not in the database any more,
// is left to inspection.
func (v *cacheView) Lookup(m *classify.Meta) (protocol, application *appdb.Application, ok bool) {
	found, ok := v.service.cache.Get(m.Server, m.Protocol)
	if ok {
		protocol, application, ok = v.resolve(found)
	}
	v.service.counters.part(m).lookup(ok)
	return protocol, application, ok
}

func (v *cacheView) resolve(found asc.Found) (protocol, application *appdb.Application, ok bool) {
	if found.Protocol != appdb.Unknown {
		if protocol, ok = v.db.Lookup(found.Protocol); !ok {
			return nil, nil, false
		}
	}
	if found.Application != "" {
		if application, ok = v.db.Lookup(found.Application); !ok || application.Disabled {
			return nil, nil, false
		}
	}
	return protocol, application, protocol != nil || application != nil
}
