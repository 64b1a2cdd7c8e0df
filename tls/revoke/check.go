package revoke

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"
)

var (
	oidTLSFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
	oidNoRevAvail = asn1.ObjectIdentifier{2, 5, 29, 56}
)

// maxPoints is how many places that a certificate names are asked, of each kind.
const maxPoints = 4

// answer is what is known of one certificate.
type answer struct {
	status Status
	reason int
	source Source
	err    error
}

// Check says whether a certificate of a chain was withdrawn: chain leads from the server's certificate
// to a trusted one, which is not checked itself. The staple is the OCSP response that the server sent;
// nil: none. It waits at most Options.Wait, and no longer than ctx.
func (c *Checker) Check(ctx context.Context, chain []*x509.Certificate, staple []byte, p Policy) Outcome {
	if p.Disable || len(chain) == 0 {
		return Outcome{Pass: true}
	}
	ctx, cancel := context.WithTimeout(ctx, c.options.Wait)
	defer cancel()
	if len(chain) == 1 && !isSelfIssued(chain[0]) {
		return p.decide(Outcome{Status: NoCA, Certificate: chain[0], Err: fmt.Errorf("the certificate of the issuer %q is not known", chain[0].Issuer)})
	}
	answers := make([]answer, max(len(chain)-1, 1))
	var open []int
	var out Outcome
	for i := range len(chain) - 1 {
		cert, issuer := chain[i], chain[i+1]
		if p.DisabledFor != nil && p.DisabledFor(issuer) {
			continue
		}
		answers[i].status = NoInfo
		if i == 0 {
			var stapled bool
			answers[0], stapled = c.judgeStaple(cert, issuer, staple)
			if !stapled && mustStaple(cert) {
				out.MustStapleMissing = true
				out.Err = errors.Join(errors.New("the certificate promises a stapled OCSP response"), answers[0].err)
			}
		}
		answers[i] = better(answers[i], c.atHand(cert, issuer))
		if answers[i].status == NoInfo {
			open = append(open, i)
		}
	}
	c.resolveAll(ctx, chain, answers, open)
	worst := 0
	for i, a := range answers {
		if a.status > answers[worst].status {
			worst = i
		}
	}
	a := answers[worst]
	out.Status, out.Reason, out.Source = a.status, a.reason, a.source
	if a.status != Good {
		out.Certificate = chain[worst]
	}
	if out.Err == nil {
		out.Err = a.err
	}
	return p.decide(out)
}

// decide says whether what was found passes.
func (p Policy) decide(o Outcome) Outcome {
	switch {
	case o.MustStapleMissing:
	case o.Status == Good:
		o.Pass = true
	case o.Status == OnHold:
		o.Pass = p.IgnoreHold
	case o.Status == NoInfo, o.Status == NoCA:
		o.Pass = !p.DropIfNotPresent
	}
	return o
}

// atHand is what is known of a certificate without asking anybody.
func (c *Checker) atHand(cert, issuer *x509.Certificate) answer {
	if hasExtension(cert, oidNoRevAvail) {
		return answer{status: Good}
	}
	best := c.peek("", cert, issuer)
	for _, url := range points(cert.CRLDistributionPoints) {
		best = better(best, c.peek(url, cert, issuer))
	}
	if len(cert.OCSPServer) > 0 {
		best = better(best, c.ocsp.known(cert, issuer))
	}
	return best
}

// resolveAll asks about the certificates that nothing is known of, all at once.
func (c *Checker) resolveAll(ctx context.Context, chain []*x509.Certificate, answers []answer, open []int) {
	done := make(chan struct{}, len(open))
	for _, i := range open {
		ask := func() {
			defer func() { done <- struct{}{} }()
			answers[i] = better(answers[i], c.resolve(ctx, chain[i], chain[i+1]))
		}
		if len(open) == 1 {
			ask()
		} else {
			go ask()
		}
	}
	for range open {
		<-done
	}
}

// resolve asks about a certificate: its lists first, and OCSP when they do not answer soon.
func (c *Checker) resolve(ctx context.Context, cert, issuer *x509.Certificate) answer {
	var flights []*flight
	lists, responders := points(cert.CRLDistributionPoints), points(cert.OCSPServer)
	for _, url := range append([]string{""}, lists...) {
		a, f := c.look(url, cert, issuer)
		if a.status != NoInfo {
			return a
		}
		if f != nil {
			flights = append(flights, f)
		}
	}
	if len(flights) > 0 {
		soon, cancel := context.WithTimeout(ctx, c.options.Wait/3)
		c.await(soon, flights)
		cancel()
		if a := c.atHand(cert, issuer); a.status != NoInfo {
			return a
		}
	}
	for _, url := range responders {
		if f := c.ocsp.ask(c, url, cert, issuer); f != nil {
			flights = append(flights, f)
		}
	}
	for i := range flights {
		c.await(ctx, flights[i:i+1])
		if a := c.atHand(cert, issuer); a.status != NoInfo {
			return a
		}
	}
	a := c.atHand(cert, issuer)
	if a.status == NoInfo && a.err == nil {
		a.err = c.trouble(cert, issuer, lists, responders)
	}
	return a
}

// trouble says why nothing is known of a certificate.
func (c *Checker) trouble(cert, issuer *x509.Certificate, lists, responders []string) error {
	if len(lists)+len(responders) == 0 {
		return fmt.Errorf("certificate %q names no revocation list and no OCSP responder over HTTP", cert.Subject)
	}
	var all []error
	for _, url := range lists {
		all = append(all, c.failure(url, issuer))
	}
	for _, url := range responders {
		all = append(all, c.ocsp.failure(url))
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	return fmt.Errorf("no revocation list and no OCSP responder of certificate %q answered in time", cert.Subject)
}

// await waits until flights end, at most as long as a check waits after the start of each, so that a
// source that hangs holds up the first sessions only.
func (c *Checker) await(ctx context.Context, flights []*flight) {
	for _, f := range flights {
		t := time.NewTimer(time.Until(f.started.Add(c.options.Wait)))
		select {
		case <-f.done:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
	}
}

// better is the worse news of two about one certificate, and any news rather than none.
func better(a, b answer) answer {
	switch {
	case b.status == NoInfo:
		if a.status == NoInfo && a.err == nil {
			return b
		}
	case a.status == NoInfo, b.status > a.status:
		return b
	}
	return a
}

// points are the places of a certificate that are asked.
func points(urls []string) []string {
	var list []string
	for _, u := range urls {
		if isHTTP(u) && len(list) < maxPoints {
			list = append(list, u)
		}
	}
	return list
}

func isSelfIssued(c *x509.Certificate) bool { return string(c.RawSubject) == string(c.RawIssuer) }

func hasExtension(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

// mustStaple says whether a certificate promises a stapled response: the TLS feature status_request (RFC
// 7633).
func mustStaple(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		var features []int
		if e.Id.Equal(oidTLSFeature) {
			_, err := asn1.Unmarshal(e.Value, &features)
			for _, f := range features {
				if f == 5 {
					return true
				}
			}
			return err != nil
		}
	}
	return false
}
