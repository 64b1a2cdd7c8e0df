package sslproxy

import (
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"time"

	"sluice/tls/forge"
	"sluice/tls/profile"
	tls "sluice/tls/stdtls"
	"sluice/tls/verify"
)

// How many sessions are remembered that may be taken up again, on either side.
const maxSessions = 19660

// sessionID tells sessions apart that a client may take up again. The client's ticket carries it.
type sessionID [32]byte

// Resumable is a session that a client may take up again: with the same server, shown the same
// certificate, under the same rules.
type Resumable struct {
	ID                          [32]byte
	Expires                     time.Time
	Server                      netip.AddrPort
	ServerName                  string // "" where the client named none
	TerminationID, InitiationID uint32 // of the profile's sides
	Kind                        forge.Kind
	Own                         bool // the client was shown the server's own certificate, whatever Kind
	Code                        verify.Code
	ChainHash                   [sha256.Size]byte // of what the server showed
	Client, Initiated           Agreed

	bound [sha256.Size]byte // what it depends on
	stamp profile.Fingerprint
	state *tls.SessionState // of a client without tickets
}

// resumption keeps the sessions of clients. Their secrets are in tickets, sealed with a key that is
// known here alone (RFC 5077, RFC 8446 section 4.6.1), but for clients that have no tickets.
type resumption struct {
	service *Service
	seal    *tls.Config
	cache   *cache[sessionID, *Resumable]
}

func newResumption(v *Service) *resumption {
	return &resumption{service: v, seal: new(tls.Config), cache: newCache[sessionID, *Resumable](maxSessions, v.Now, &v.Counters.SessionCache)}
}

// keep forgets the sessions of profiles that are gone or have changed.
func (r *resumption) keep(current map[profile.Fingerprint]bool) {
	r.cache.drop(func(_ sessionID, s *Resumable, _ time.Time) bool { return !current[s.stamp] })
}

// configure lets the client of h take its session up again.
func (r *resumption) configure(h *handshake, config *tls.Config) {
	if config.SessionTicketsDisabled = h.profile.DisableResumption; config.SessionTicketsDisabled {
		return
	}
	mine := h.resumable()
	config.ServerSessionCache = &ticketless{r, h, mine}
	config.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		var id sessionID
		if _, err := rand.Read(id[:]); err != nil {
			return nil, err
		}
		r.keepOne(h, mine, id, &cs, nil)
		ss.Extra = [][]byte{id[:]}
		return r.seal.EncryptTicket(cs, ss)
	}
	config.UnwrapSession = func(identity []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := r.seal.DecryptTicket(identity, cs)
		if err != nil || ss == nil || len(ss.Extra) != 1 || len(ss.Extra[0]) != len(sessionID{}) {
			return nil, err // a full handshake
		}
		known, ok := r.cache.get(sessionID(ss.Extra[0]))
		if !ok || known.bound != mine.bound {
			return nil, nil
		}
		return ss, nil
	}
}

// keepOne keeps the session of h under an identifier; state is nil where the client's ticket has it.
func (r *resumption) keepOne(h *handshake, mine *Resumable, id sessionID, cs *tls.ConnectionState, state *tls.SessionState) {
	entry := *mine
	entry.ID, entry.Client, entry.state = id, agreed(cs, h.keyBits), state
	r.cache.put(id, &entry, r.service.Now().Add(r.service.set.Load().Global.SessionCacheTimeout))
}

// ticketless lets a client of h take its session up again by its identifier (RFC 5246 section 7.3). It
// implements tls.ServerSessionCache.
type ticketless struct {
	all  *resumption
	h    *handshake
	mine *Resumable
}

// Get finds the session of an identifier, if it is of the same server under the same rules.
func (t *ticketless) Get(id []byte, _ tls.ConnectionState) *tls.SessionState {
	if len(id) != len(sessionID{}) {
		return nil
	}
	known, ok := t.all.cache.get(sessionID(id))
	if !ok || known.bound != t.mine.bound {
		return nil
	}
	return known.state
}

// Put keeps a session.
func (t *ticketless) Put(id []byte, cs tls.ConnectionState, state *tls.SessionState) {
	t.all.keepOne(t.h, t.mine, sessionID(id), &cs, state)
}

// resumable is the session of h as it may be taken up again.
func (h *handshake) resumable() *Resumable {
	state := h.server.ConnectionState()
	leaf := state.PeerCertificates[0]
	r := &Resumable{
		Server: h.session.Server, ServerName: h.hello.ServerName, Kind: h.verdict.kind, Own: h.verdict.reverse, Code: h.verdict.code,
		TerminationID: h.profile.TerminationID, InitiationID: h.profile.InitiationID,
		Initiated: agreed(&state, keyBits(leaf.PublicKey)), stamp: h.profile.Fingerprint,
	}
	sum := sha256.New()
	sum.Write(h.profile.Fingerprint[:])
	sum.Write([]byte(h.session.Server.String() + "\x00" + h.name() + "\x00" + h.verdict.text + "\x00" + state.NegotiatedProtocol + "\x00"))
	sum.Write(leaf.Raw)
	sum.Sum(r.bound[:0])
	chain := sha256.New()
	for _, c := range state.PeerCertificates {
		chain.Write(c.Raw)
	}
	chain.Sum(r.ChainHash[:0])
	return r
}

// CachedSessions are the sessions that clients may take up again, the newest first, those that have
// expired among them, and how many there may be.
func (v *Service) CachedSessions() (list []Resumable, limit int) {
	v.sessions.cache.each(func(_ sessionID, r *Resumable, ends time.Time) {
		entry := *r
		entry.Expires = ends
		list = append(list, entry)
	})
	return list, maxSessions
}

// ClearSessions forgets sessions that clients may take up again: those that have expired, or all. It
// says how many.
func (v *Service) ClearSessions(stale bool) int {
	now := v.Now()
	return v.sessions.cache.drop(func(_ sessionID, _ *Resumable, ends time.Time) bool { return !stale || !now.Before(ends) })
}

// serverTickets keeps the sessions that the gateway may take up again with servers.
type serverTickets struct {
	service *Service
	cache   *cache[serverKey, *tls.ClientSessionState]
}

// serverKey tells apart servers with whom a session may be taken up again.
type serverKey struct {
	stamp  profile.Fingerprint
	server netip.AddrPort
	name   string
}

func newServerTickets(v *Service) *serverTickets {
	return &serverTickets{service: v, cache: newCache[serverKey, *tls.ClientSessionState](maxSessions, v.Now, nil)}
}

func (t *serverTickets) keep(current map[profile.Fingerprint]bool) {
	t.cache.drop(func(k serverKey, _ *tls.ClientSessionState, _ time.Time) bool { return !current[k.stamp] })
}

// of is the session cache for the server of h; nil where none is used.
func (t *serverTickets) of(h *handshake) tls.ClientSessionCache {
	if h.profile.DisableResumption {
		return nil
	}
	return ticketsOf{t, serverKey{h.profile.Fingerprint, h.session.Server, h.hello.ServerName}}
}

// ticketsOf is the part of a cache that is about one server. It implements tls.ClientSessionCache.
type ticketsOf struct {
	all *serverTickets
	key serverKey
}

// Get finds a session, whatever key the TLS library has for its server.
func (t ticketsOf) Get(string) (*tls.ClientSessionState, bool) { return t.all.cache.get(t.key) }

// Put keeps a session, or forgets the one that is kept.
func (t ticketsOf) Put(_ string, session *tls.ClientSessionState) {
	ends := t.all.service.Now()
	if session != nil {
		ends = ends.Add(t.all.service.set.Load().Global.SessionCacheTimeout)
	}
	t.all.cache.put(t.key, session, ends)
}
