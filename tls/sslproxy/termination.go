package sslproxy

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"sync/atomic"
	"time"

	"sluice/tls/forge"
	"sluice/tls/profile"
	tls "sluice/tls/stdtls"
	"sluice/track"
)

// termination is how the client is answered: as the server would, as far as the profile allows it.
func (h *handshake) termination() (*tls.Config, *fault) {
	p, side := h.profile, h.towardsClient
	shown, err := h.certificate()
	if err != nil {
		side.CertificateRefused()
		return nil, &fault{origin: track.FromCertificate, text: err.Error(), alert: alertHandshakeFailure}
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{*shown},
		MinVersion:   p.MinVersion, MaxVersion: p.MaxVersion,
		CipherSuites: p.CipherSuites, CipherSuites13: p.Suites13,
	}
	server := h.server.ConnectionState()
	if server.NegotiatedProtocol != "" {
		config.NextProtos = []string{server.NegotiatedProtocol} // it was the client's own offer
	}
	if server.Version < tls.VersionTLS12 {
		config.MaxVersion = server.Version // before TLS 1.3 only the client itself knows what is too old for it
	}
	h.sessions.configure(h, config)
	side.HandshakeStarted()
	return config, nil
}

// certificate is what the client is shown.
func (h *handshake) certificate() (*tls.Certificate, error) {
	chain := h.server.ConnectionState().PeerCertificates
	if h.verdict.reverse {
		h.keyBits = keyBits(chain[0].PublicKey)
		shown := &tls.Certificate{PrivateKey: ownKey(h.profile, chain[0]).Key, Leaf: chain[0]}
		for _, c := range chain {
			shown.Certificate = append(shown.Certificate, c.Raw)
		}
		return shown, nil
	}
	rsa, ecdsa := h.accepts()
	if _, is := chain[0].PublicKey.(*rsaKey); is && rsa && h.signs(forge.RSA) {
		ecdsa = false // the key is of the server's own kind where the client can have it so
	}
	authority, key, err := forge.Choose(authorities(h.profile), rsa, ecdsa)
	if err != nil {
		return nil, err
	}
	made, hit, err := h.certificates.forged.Get(forge.Order{
		Profile: h.profile.InitiationID, Server: chain[0], Authority: authority, Kind: h.verdict.kind, KeyType: key, Name: h.hello.ServerName,
		Verdict: uint16(h.verdict.code), Updates: h.certificates.updates.Load(),
	})
	if err != nil {
		h.Counters.Termination.CertificateCacheErrors.Inc()
		return nil, err
	}
	h.certificates.counted(hit)
	if !hit {
		h.towardsClient.Interdicted()
	}
	h.keyBits = keyBits(made.Leaf.PublicKey)
	return &tls.Certificate{Certificate: made.Chain, PrivateKey: made.Key, Leaf: made.Leaf}, nil
}

type rsaKey = rsa.PublicKey

// accepts says which kinds of keys the client can check.
func (h *handshake) accepts() (rsa, ecdsa bool) {
	hello := *h.hello
	hello.ServerName = "" // which the samples do not have
	rsa = hello.SupportsCertificate(sampleRSA) == nil
	ecdsa = hello.SupportsCertificate(sampleECDSA) == nil
	return rsa, ecdsa
}

// signs says whether an authority of the profile has a key of a kind.
func (h *handshake) signs(kind forge.KeyType) bool {
	for _, a := range authorities(h.profile) {
		if a.KeyType() == kind {
			return true
		}
	}
	return false
}

// Certificates of both kinds, of which nothing but the kind matters.
var (
	sampleRSA   = &tls.Certificate{PrivateKey: &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}}, Leaf: &x509.Certificate{}}
	sampleECDSA = &tls.Certificate{PrivateKey: &ecdsa.PrivateKey{PublicKey: ecdsa.PublicKey{Curve: elliptic.P256()}}, Leaf: &x509.Certificate{}}
)

// authorities are those of a profile that certificates for clients are made with.
func authorities(p *profile.Proxy) (list []*forge.Authority) {
	for _, ca := range p.RootCAs {
		list = append(list, &forge.Authority{Certificate: ca.Certificate, Chain: ca.Chain, Key: ca.Key})
	}
	return list
}

// certificates are what is thought of servers, and the certificates made for their clients. Both
// are used again for as long as the configuration says.
type certificates struct {
	service  *Service
	forged   *forge.Cache
	verdicts *cache[verdictKey, *verdict]
	updates  atomic.Uint64 // of revocation lists so far
	full     atomic.Uint64 // entries that made room before their time, as counted so far
}

// verdictKey tells apart what was judged.
type verdictKey struct {
	stamp  profile.Fingerprint
	server [sha256.Size]byte // its certificate
	name   string            // whom the client wanted
}

func newCertificates(v *Service) *certificates {
	return &certificates{
		service: v, forged: forge.NewCache(forge.New(), forge.DefaultSize),
		verdicts: newCache[verdictKey, *verdict](forge.DefaultSize, v.Now, nil),
	}
}

// configure follows the global settings. Every server is judged anew, as what is asked of it may have
// changed.
func (c *certificates) configure(global *profile.Global) {
	timeout := global.CertificateCacheTimeout
	if !global.CertificateCache {
		timeout = 0
	}
	c.forged.SetTimeout(timeout)
	c.forgetVerdicts()
}

// forgetVerdicts has every server judged anew.
func (c *certificates) forgetVerdicts() {
	c.verdicts.drop(func(verdictKey, *verdict, time.Time) bool { return true })
}

// known is what was thought of a server's certificate.
func (c *certificates) known(k verdictKey) *verdict {
	v, _ := c.verdicts.get(k)
	return v
}

// note remembers what is thought of a server's certificate, no longer than that is valid.
func (c *certificates) note(k verdictKey, v *verdict, server *x509.Certificate) {
	global := &c.service.set.Load().Global
	if !global.CertificateCache {
		return
	}
	ends := c.service.Now().Add(global.CertificateCacheTimeout)
	if v.unsure {
		ends = c.service.Now().Add(unsureTime)
	}
	if server.NotAfter.Before(ends) {
		ends = server.NotAfter
	}
	c.verdicts.put(k, v, ends)
}

// unsureTime is how long a verdict holds that was made without knowing whether the certificate was revoked.
const unsureTime = 10 * time.Second

// counted counts a use of the cache.
func (c *certificates) counted(hit bool) {
	count := &c.service.Counters.CertificateCache
	if hit {
		count.Hit.Inc()
		return
	}
	count.Miss.Inc()
	full := c.forged.Statistics().Full
	if before := c.full.Swap(full); full > before {
		count.Full.Add(full - before)
	}
}

// CachedCertificates are the certificates made for clients that may be shown again, and how many there
// may be.
func (v *Service) CachedCertificates() (list []forge.Entry, limit int) {
	return v.certificates.forged.List(), v.certificates.forged.Statistics().Size
}

// ClearCertificates forgets the certificates made for clients, and says how many.
func (v *Service) ClearCertificates() int {
	n := v.certificates.forged.Statistics().Entries
	v.certificates.forged.Clear()
	v.certificates.forgetVerdicts()
	return n
}
