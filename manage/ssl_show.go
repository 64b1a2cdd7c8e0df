package manage

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"sluice/manage/api"
	"sluice/manage/view"
	"sluice/store/schema"
	"sluice/tls/dn"
	"sluice/tls/profile"
	"sluice/tls/sslproxy"
	"sluice/tls/verify"
)

func showSSLSession(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	id := r.number("session")
	session, ok := proxy.Session(id)
	if !ok {
		return nil, &api.Error{Message: fmt.Sprintf("session %d is not decrypted", id), Hint: "show security flow session ssl lists those that are"}
	}
	status := "OK"
	if session.Code != verify.OK {
		status = session.Code.String()
	}
	return &view.SSLSession{
		ID: session.ID, Profile: session.Profile, Resumed: session.Resumed, Renegotiations: session.Renegotiations,
		Subject: dn.Slash(session.Subject), Verification: status, CRL: session.CRL,
		Termination: legView(session.Client), Initiation: legView(session.Server),
	}, nil
}

func legView(l sslproxy.Agreed) view.SSLLeg {
	return view.SSLLeg{KeyBits: l.KeyBits, Cipher: profile.SuiteName(l.Suite), Version: profile.VersionName(l.Version)}
}

func showProxyProfile(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	set, name := proxy.Profiles(), r.args["profile"]
	if name == "" {
		answer := &view.SSLProfiles{Profiles: []view.SSLProfileKey{}}
		for _, p := range set.Proxies() {
			answer.Profiles = append(answer.Profiles, view.SSLProfileKey{ID: p.ID, Name: p.Name})
		}
		return answer, nil
	}
	p := set.Proxy(name)
	if p == nil {
		var names []string
		for _, other := range set.Proxies() {
			names = append(names, other.Name)
		}
		return nil, unknownProfile("SSL proxy profile", name, names, "show services ssl proxy profile all")
	}
	return &view.SSLProxyProfile{
		Name: p.Name, Tracing: p.FlowTracing, RootCAExpired: p.RootExpired(s.options.Now()),
		TerminationID: p.TerminationID, InitiationID: p.InitiationID, Whitelist: p.Whitelist.Len(), Broken: p.Broken,
	}, nil
}

// leg is one side of a profile: of an SSL proxy profile, or of one that the gateway has for itself.
type leg struct {
	key   view.SSLProfileKey
	show  view.SSLLegProfile
	names []string // by which it is found
	count string   // the profile that it is counted under
}

// legs are the sides of all profiles that face clients, or servers.
func legs(set *profile.Set, of side) []leg {
	var list []leg
	for _, p := range set.Proxies() {
		list = append(list, proxyLeg(p, of))
	}
	if of == termination {
		for _, p := range set.Terminations() {
			l := leg{key: view.SSLProfileKey{ID: p.ID, Name: p.Name}, names: []string{p.Name}, count: p.Name}
			l.show = view.SSLLegProfile{Resumption: true, Renegotiation: profile.AllowSecure.String(), ServerCerts: len(p.ServerCertificates), Broken: p.Broken}
			l.fill(&p.Protocols, p.ServerCertificates)
			list = append(list, l)
		}
	} else {
		for _, p := range set.Initiations() {
			l := leg{key: view.SSLProfileKey{ID: p.ID, Name: p.Name}, names: []string{p.Name}, count: p.Name}
			l.show = view.SSLLegProfile{
				Resumption: true, Renegotiation: profile.AllowSecure.String(), IgnoreFailure: p.IgnoreServerAuthFailure, CRL: !p.CRL.Disable,
				TrustedCAs: len(p.TrustedCAs), Broken: p.Broken,
			}
			var own []*profile.Identity
			if p.ClientCertificate != nil {
				own = append(own, p.ClientCertificate)
			}
			l.fill(&p.Protocols, own)
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b leg) int { return int(int64(a.key.ID) - int64(b.key.ID)) })
	return list
}

// proxyLeg is one side of an SSL proxy profile.
func proxyLeg(p *profile.Proxy, of side) leg {
	l := leg{key: view.SSLProfileKey{ID: p.TerminationID, Name: p.TerminationName()}, count: p.Name}
	l.show = view.SSLLegProfile{
		Categories: len(p.WhitelistCategories), Whitelist: p.Whitelist.Len(), IgnoreFailure: p.IgnoreServerAuthFailure, Resumption: !p.DisableResumption,
		CRL: !p.CRL.Disable, Renegotiation: p.Renegotiation.String(), ServerCerts: len(p.ServerCertificates), Mirror: p.Mirror != nil, Broken: p.Broken,
	}
	if of == initiation {
		l.key = view.SSLProfileKey{ID: p.InitiationID, Name: p.InitiationName()}
		l.show.TrustedCAs = len(p.TrustedCAs)
	}
	l.names = []string{l.key.Name, p.Name}
	l.fill(&p.Protocols, slices.Concat(p.RootCAs, p.ServerCertificates))
	return l
}

// fill sets what profiles of every kind have.
func (l *leg) fill(p *profile.Protocols, certificates []*profile.Identity) {
	l.show.Name = l.key.Name
	l.show.PreferredCiphers, l.show.CustomCiphers, l.show.ProtocolVersion = p.Preferred, p.CustomCiphers, p.ProtocolVersion
	for _, c := range slices.Backward(certificates) {
		if c.IsECDSA() {
			l.show.CertificateECDSA = c.ID
		} else {
			l.show.CertificateRSA = c.ID
		}
	}
}

// unknownProfile says that there is no such profile, and what may have been meant, or which command lists them.
func unknownProfile(what, name string, known []string, list string) error {
	return &api.Error{Message: "there is no " + what + " " + name, Hint: cmp.Or(schema.DidYouMean(name, known), list+" lists those that there are")}
}

// showLegProfile makes the handler that shows profiles of one side.
func showLegProfile(of side) handler {
	return func(s *Server, r *request) (view.View, error) {
		proxy, err := s.ssl()
		if err != nil {
			return nil, err
		}
		list := legs(proxy.Profiles(), of)
		name, detail := r.args["brief"], false
		if r.args.Has("detail") {
			name, detail = r.args["detail"], true
		}
		if name == "" {
			answer := &view.SSLProfiles{Legs: true, Profiles: []view.SSLProfileKey{}}
			for _, l := range list {
				answer.Profiles = append(answer.Profiles, l.key)
			}
			return answer, nil
		}
		var known []string
		for _, l := range list {
			if slices.Contains(l.names, name) {
				answer := l.show
				answer.Initiation, answer.Detail = of == initiation, detail
				answer.Counters = profileCounters(proxy.Counters(), l.count, of)
				return &answer, nil
			}
			known = append(known, l.key.Name)
		}
		return nil, unknownProfile("profile", name, known, "show services ssl "+of.String()+" profile all")
	}
}

func showProxyStatus(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	cfg, _ := s.options.Store.Active()
	set := proxy.Profiles()
	resumed := func(p *profile.Proxy) bool { return !p.DisableResumption }
	sessions, maxSessions := proxy.CachedSessions()
	certificates, maxCertificates := proxy.CachedCertificates()
	return &view.SSLStatus{
		LocalLogging:     cfg.Security.Log.Mode == "event" || cfg.Security.Log.File != nil,
		CertificateStore: s.options.Certificates != nil && len(s.options.Certificates.Faults()) == 0,
		CertificateCache: set.Global.CertificateCache, InvalidateOnCRLUpdate: set.Global.InvalidateOnCRLUpdate,
		Certificates: view.Room{InUse: len(certificates), Maximum: maxCertificates},
		SessionCache: len(set.Proxies()) == 0 || slices.ContainsFunc(set.Proxies(), resumed),
		Sessions:     view.Room{InUse: len(sessions), Maximum: maxSessions},
	}, nil
}

func showCachedSessions(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	entries, _ := proxy.CachedSessions()
	answer := &view.SSLSessionCache{Detail: r.args.Has("detail"), Entries: []view.SSLCachedSession{}}
	for i := range entries {
		e := &entries[i]
		answer.Entries = append(answer.Entries, view.SSLCachedSession{
			ID: hex.EncodeToString(e.ID[:]), Expires: s.left(e.Expires), Destination: e.Server, TerminationID: e.TerminationID, InitiationID: e.InitiationID,
			Certificate: shownCertificate(e), Verification: verification(e.Code), ServerName: e.ServerName, ChainHash: hex.EncodeToString(e.ChainHash[:16]),
			Termination: secretView(e.Client), Initiation: secretView(e.Initiated),
		})
	}
	return answer, nil
}

// shownCertificate is what the client of a session was shown.
func shownCertificate(e *sslproxy.Resumable) string {
	if e.Own {
		return "[0x3]: Server certificate"
	}
	return e.Kind.String()
}

// secretView is what a side of a session is resumed with: TLS 1.2 has secrets of 48 bytes, TLS 1.3
// of the size of the suite's hash.
func secretView(l sslproxy.Agreed) view.SSLSecret {
	const tls13, aes256 = 0x304, 0x1302
	length := 48
	if l.Version >= tls13 && l.Suite != aes256 {
		length = 32
	}
	return view.SSLSecret{Version: l.Version, Cipher: l.Suite, KeyLength: length}
}

func showCachedCertificates(s *Server, r *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	entries, _ := proxy.CachedCertificates()
	answer := &view.SSLCertificateCache{Detail: r.args.Has("detail"), Entries: []view.SSLCachedCertificate{}}
	for _, e := range entries {
		leaf := e.Certificate.Leaf
		answer.Entries = append(answer.Entries, view.SSLCachedCertificate{
			Serial: leaf.SerialNumber.Text(16), InitiationID: e.Profile, CRLUpdates: e.Updates, Expires: s.left(e.Expires),
			Certificate: e.Certificate.Kind.String(), Verification: verification(verify.Code(e.Verdict)), References: e.Uses,
			Subject: dn.Slash(leaf.RawSubject), Issuer: dn.Slash(leaf.RawIssuer),
		})
	}
	return answer, nil
}

// verification is a result with its code, as the caches show it: certificate has expired [0xa].
func verification(code verify.Code) string { return fmt.Sprintf("%s [0x%x]", code, uint16(code)) }

// left is how many seconds there are until t; 0 when it is over.
func (s *Server) left(t time.Time) int64 {
	left := t.Sub(s.options.Now())
	if left <= 0 {
		return 0
	}
	return int64((left + time.Second - 1) / time.Second)
}

func showDrops(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	answer := &view.SSLDrops{Drops: []view.SSLDrop{}}
	for _, d := range proxy.Drops().List() {
		drop := view.SSLDrop{
			Time: d.Time, Message: d.Message, File: d.File, Function: d.Function, Line: d.Line, Client: d.Client, Server: d.Server,
			SourceInterface: d.SourceInterface, DestinationInterface: d.DestinationInterface, SourceZone: d.SourceZone, DestinationZone: d.DestinationZone,
			Services: []view.SSLService{},
		}
		for _, service := range d.Services {
			drop.Services = append(drop.Services, view.SSLService(service))
		}
		answer.Drops = append(answer.Drops, drop)
	}
	return answer, nil
}

func showPassThrough(s *Server, _ *request) (view.View, error) {
	proxy, err := s.ssl()
	if err != nil {
		return nil, err
	}
	answer := &view.SSLPassThrough{Exemptions: []view.SSLExemption{}}
	for _, e := range proxy.Exemptions() {
		answer.Exemptions = append(answer.Exemptions, view.SSLExemption{
			Client: e.Client, Server: e.Server, Profile: e.Profile, Failures: e.Failures, Last: e.Last, Expires: s.left(e.Until),
		})
	}
	return answer, nil
}
