package policy

import "slices"

// Decryption is what the policies that a session may come to have ask of the SSL proxy.
type Decryption struct {
	// Profiles are the SSL proxy profiles that they name: none where the session's TLS stays closed,
	// two where they disagree. More than two are not looked for.
	Profiles []string
	// WebFilter says whether one of the policies with a profile has a web filter beside it.
	WebFilter bool
}

// Conflict says whether the policies disagree.
func (d *Decryption) Conflict() bool { return len(d.Profiles) > 1 }

// Decrypts says whether some policy has an SSL proxy profile.
func (e *Engine) Decrypts() bool { return e.decrypts }

// Decryption looks at the policy of a flow as far as it is certain, and at all that it may turn out
// to have while its content is not known: guide section "SSL Proxy Support for Unified Policies". A
// policy that tells users why it refuses them needs the plaintext for that: where it names no profile
// itself, the session is opened as it might have been before its content was known.
func (e *Engine) Decryption(f *Flow) (d Decryption) {
	if !e.decrypts {
		return d
	}
	certain := e.eachPossible(f, func(p *Policy) (more bool) {
		if p.SSLProxy == "" || p.Action != Permit && p.Message == nil {
			return true
		}
		d.WebFilter = d.WebFilter || p.WebFilter != ""
		if !slices.Contains(d.Profiles, p.SSLProxy) {
			d.Profiles = append(d.Profiles, p.SSLProxy)
		}
		return !d.Conflict()
	})
	if p := certain; p != nil && len(d.Profiles) == 0 && p.Action != Permit && p.Message != nil && f.Content != nil {
		before := *f
		before.Content = nil
		return e.Decryption(&before)
	}
	return d
}

// LooksInside says whether p, or a service on what it permits, depends on what sessions carry.
func (p *Policy) LooksInside() bool {
	return p.applications != nil || p.categories != nil || p.Firewall != nil || p.TrafficControl != ""
}
