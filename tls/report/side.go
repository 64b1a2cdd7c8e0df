package report

// Side is one side of one session: what happens there is counted for the side as a whole and for
// the profile. It is used by one goroutine at a time.
type Side struct {
	leg     *Leg
	profile *ProfileLeg

	proxied, active, resumed bool
	renegotiations           int
}

// TerminationSide is the side towards the client of a session with a profile, proxy or not.
func (c *Counters) TerminationSide(profile string) *Side {
	return &Side{leg: &c.Termination, profile: c.ProfileTermination(profile)}
}

// InitiationSide is the side towards the server of a session with a profile, proxy or not.
func (c *Counters) InitiationSide(profile string) *Side {
	return &Side{leg: &c.Initiation, profile: c.ProfileInitiation(profile)}
}

// Begin counts that the SSL proxy takes the session. A side that the gateway has for itself, with
// an initiation or termination profile, begins with HandshakeStarted.
func (s *Side) Begin() {
	s.proxied = true
	s.leg.StartRequests.Inc()
	s.leg.ProxyCreated.Inc()
	s.leg.ProxyActive.Up()
}

// GiveUp counts that the session passes as it is although it had begun.
func (s *Side) GiveUp() {
	s.leg.ProxyIgnored.Inc()
	s.leg.PassthroughRequests.Inc()
}

// HandshakeStarted counts the first byte of a handshake.
func (s *Side) HandshakeStarted() {
	s.leg.HandshakesStarted.Inc()
	s.profile.HandshakesStarted.Inc()
}

// HandshakeCompleted counts that both Finished messages were seen.
func (s *Side) HandshakeCompleted(resumed bool) {
	s.leg.HandshakesCompleted.Inc()
	s.profile.HandshakesCompleted.Inc()
	if !s.active {
		s.active = true
		s.leg.Active.Up()
		s.profile.Active.Up()
	}
	if s.resumed = resumed; resumed {
		s.leg.Resumptions.Inc()
		s.profile.Resumptions.Inc()
	}
}

// HandshakeFailed counts a handshake that came to nothing.
func (s *Side) HandshakeFailed() {
	s.leg.HandshakeErrors.Inc()
	s.profile.HandshakeErrors.Inc()
}

// CertificateRefused counts a handshake that came to nothing for a certificate.
func (s *Side) CertificateRefused() {
	s.leg.CertificateErrors.Inc()
	s.HandshakeFailed()
}

// Unprotected counts a reverse proxy's handshake without a key for the server's certificate.
func (s *Side) Unprotected() {
	s.leg.ServerProtectionErrors.Inc()
	s.HandshakeFailed()
}

// Interdicted counts a certificate that was made for the client.
func (s *Side) Interdicted() { s.leg.InterdictedGenerated.Inc() }

// Authenticated counts by which kind of key the server authenticated itself.
func (s *Side) Authenticated(ecdsa bool) {
	if ecdsa {
		s.leg.ECDSAAuthentications.Inc()
	} else {
		s.leg.RSAAuthentications.Inc()
	}
}

// DataFailed counts a record after the handshake that could not be decrypted or made.
func (s *Side) DataFailed() {
	s.leg.CryptoErrors.Inc()
	s.profile.DataErrors.Inc()
}

// Renegotiated counts another handshake within the session; secure says whether RFC 5746 protects it.
func (s *Side) Renegotiated(secure bool) {
	if secure {
		s.leg.SecureRenegotiations.Inc()
		s.profile.SecureRenegotiations.Inc()
	} else {
		s.leg.InsecureRenegotiations.Inc()
		s.profile.InsecureRenegotiations.Inc()
	}
	if s.renegotiations++; s.renegotiations > 1 {
		s.leg.MultipleRenegotiations.Inc()
		s.profile.MultipleRenegotiations.Inc()
	}
	if s.resumed {
		s.leg.RenegotiationsAfterResumption.Inc()
		s.profile.RenegotiationsAfterResumption.Inc()
	}
}

// Renegotiations is how many times the session was negotiated again.
func (s *Side) Renegotiations() int { return s.renegotiations }

// RenegotiationIgnored counts a request for another handshake that was not acted on.
func (s *Side) RenegotiationIgnored() { s.leg.RenegotiationsIgnored.Inc() }

// RenegotiationDropped counts a request for another handshake that ended the session.
func (s *Side) RenegotiationDropped() { s.profile.DropsOnRenegotiation.Inc() }

// RenegotiationRefused counts the peer's alert no_renegotiation.
func (s *Side) RenegotiationRefused() { s.profile.NoRenegotiationAlerts.Inc() }

// MirrorFailed counts a copy of decrypted traffic that was lost.
func (s *Side) MirrorFailed() { s.leg.MirrorErrors.Inc() }

// End counts that the side is over. It may be called more than once.
func (s *Side) End() {
	if s.active {
		s.active = false
		s.leg.Active.Down()
		s.profile.Active.Down()
	}
	if s.proxied {
		s.proxied = false
		s.leg.ProxyActive.Down()
	}
}
