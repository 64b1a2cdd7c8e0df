package main

import (
	"net/netip"

	"sluice/manage"
	"sluice/tls/profile"
	"sluice/tls/report"
)

// sslCommands is what the commands of the SSL proxy ask for, over a decryption.
type sslCommands struct{ *decryption }

func (c sslCommands) Profiles() *profile.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set
}

func (c sslCommands) Counters() *report.Counters { return c.counters }

func (c sslCommands) Drops() *report.Drops { return c.drops }

func (c sslCommands) Session(id uint64) (manage.SSLSession, bool) {
	s, ok := c.Service.Session(id)
	return manage.SSLSession{
		ID: s.ID, Profile: s.Profile, Resumed: s.Resumed, Renegotiations: s.Renegotiations, Subject: s.Subject, Verdict: s.Code, CRL: s.CRL,
		Termination: manage.SSLLeg(s.Client), Initiation: manage.SSLLeg(s.Server),
	}, ok
}

func (c sslCommands) CachedSessions() (entries []manage.SSLCachedSession, limit int) {
	list, limit := c.Service.CachedSessions()
	for i := range list {
		r := &list[i]
		entries = append(entries, manage.SSLCachedSession{
			ID: r.ID[:], Expires: r.Expires, Server: r.Server, ServerName: r.ServerName,
			TerminationID: r.TerminationID, InitiationID: r.InitiationID, Kind: r.Kind, Own: r.Own, Verdict: r.Code, ChainHash: r.ChainHash[:],
			Termination: manage.SSLLeg(r.Client), Initiation: manage.SSLLeg(r.Initiated),
		})
	}
	return entries, limit
}

func (c sslCommands) PassingThrough() (list []manage.SSLExemption) {
	for _, e := range c.Exemptions() {
		list = append(list, manage.SSLExemption(e))
	}
	return list
}

func (c sslCommands) EndPassThrough(client netip.Addr, server string) int {
	return c.EndExemptions(client, server)
}
