// Package verify answers: may this server be believed? It judges the certificates of a server at least
// as strictly as any client behind the gateway would, and says what is wrong in OpenSSL's terms.
//
// A certificate is believed only if crypto/x509 builds a chain for it and if that chain also passes the
// checks of this package, which refuse what the library lets through. When the library finds no chain, the
// same checks look at the path that the certificates name, to find out why; whatever they find, the answer
// stays a refusal.
package verify

import (
	"crypto/x509"
	"errors"
	"strings"
	"time"
)

const (
	// DefaultMinRSABits is the least size of RSA keys where a request names none.
	DefaultMinRSABits = 2048
	// maxRSABits is the greatest size of RSA keys; greater ones cost too much to work with.
	maxRSABits = 8192
	// maxSent is how many certificates of a server are looked at, its own included.
	maxSent = 32
)

// Request is what a server showed, and what it has to prove.
type Request struct {
	// Certificates as the server sent them: its own first, the others in any order.
	Certificates []*x509.Certificate
	// Name is the host name (IDNs as A-labels) or the address, as text, that the client asked for. With
	// "" the names of the certificate are left to the client, who is shown them.
	Name string
	// Roots are the certificates that are trusted; nil: none is. RootList has the same certificates, to
	// find out why a chain fails.
	Roots    *x509.CertPool
	RootList []*x509.Certificate
	// Forbidden are certificates whose keys no server may have and none may be vouched for with, whoever
	// trusts them: the authorities that the gateway forges certificates with.
	Forbidden []*x509.Certificate
	// Now is the time of the check; zero: the present.
	Now time.Time
	// MinRSABits is the least size of RSA keys in the chain; 0: DefaultMinRSABits.
	MinRSABits int
}

// Result is the verdict on a server.
type Result struct {
	// Code is OK, or what is wrong first.
	Code Code
	// SelfSigned says that the server's certificate is signed with its own key and not trusted.
	SelfSigned bool
	// Chain leads from the server's certificate to a trusted one. Where there is none it is as much of
	// the path as could be found.
	Chain []*x509.Certificate
	// Err says what is wrong with which certificate; nil with OK. It is an *Error.
	Err error
}

// Check judges a server by its certificates. It does not ask whether they were revoked.
func Check(r Request) Result {
	if len(r.Certificates) == 0 {
		return refuse(nil, &Error{Code: Unspecified, Detail: "the server sent no certificate"})
	}
	sent := make([]*x509.Certificate, min(len(r.Certificates), maxSent))
	for i := range sent {
		sent[i] = understood(r.Certificates[i])
	}
	r.Certificates = sent
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	if r.MinRSABits == 0 {
		r.MinRSABits = DefaultMinRSABits
	}
	if r.Roots == nil {
		r.Roots = x509.NewCertPool()
	}
	leaf := r.Certificates[0]
	if bits := rsaBits(leaf); bits > maxRSABits {
		return refuse(r.Certificates[:1], fault(Application, leaf, "has an RSA key of %d bits; at most %d can be worked with", bits, maxRSABits))
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots:         r.Roots,
		Intermediates: r.intermediates(),
		CurrentTime:   r.Now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return r.diagnose(err)
	}
	var verdict Result
	for i, chain := range chains {
		e := first(chain, trusted, append(r.checks(), r.checkConstraints))
		if e == nil {
			return Result{Code: OK, Chain: chain}
		}
		if i == 0 {
			verdict = refuse(chain, e)
		}
	}
	return verdict
}

// diagnose finds out why the library refused, by the path that the certificates name.
func (r *Request) diagnose(reason error) Result {
	chain, end := r.path()
	e := first(chain, end, append(r.checks(), r.checkSignatures, r.checkConstraints))
	if e == nil {
		e = translate(reason, chain[0])
	}
	result := refuse(chain, e)
	result.SelfSigned = e.Code == DepthZeroSelfSigned
	return result
}

// intermediates are the certificates that the server sent beside its own and that may be worked with.
func (r *Request) intermediates() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range r.Certificates[1:] {
		if rsaBits(c) <= maxRSABits {
			pool.AddCert(c)
		}
	}
	return pool
}

// translate says in OpenSSL's terms what only the library found.
func translate(reason error, leaf *x509.Certificate) *Error {
	var invalid x509.CertificateInvalidError
	if !errors.As(reason, &invalid) {
		return &Error{Code: Unspecified, Certificate: leaf, Detail: reason.Error()}
	}
	code := Unspecified
	switch invalid.Reason {
	case x509.CANotAuthorizedForThisName:
		code = ExcludedViolation
		if strings.Contains(invalid.Detail, "not permitted") {
			code = PermittedViolation
		}
	case x509.IncompatibleUsage, x509.CANotAuthorizedForExtKeyUsage:
		code = InvalidPurpose
	case x509.NoValidChains:
		code = InvalidPolicy
	}
	return &Error{Code: code, Certificate: leaf, Detail: reason.Error()}
}

func refuse(chain []*x509.Certificate, e *Error) Result {
	return Result{Code: e.Code, Chain: chain, Err: e}
}
