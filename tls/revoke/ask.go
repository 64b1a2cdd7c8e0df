package revoke

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

const (
	// maxResponses is how many answers of responders are kept, and maxAsking how many are waited for.
	maxResponses = 20000
	maxAsking    = 64
	// maxResponseAge is how long an answer is kept at most.
	maxResponseAge = 12 * time.Hour
	// askTimeout ends a question.
	askTimeout = 10 * time.Second
	// maxGET is how long a URL may be that has the question in it (RFC 5019, 5).
	maxGET = 255
)

// responses are the answers of OCSP responders.
type responses struct {
	options Options

	mu      sync.Mutex
	answers map[subject]response
	asking  map[subject]*flight
	failed  map[string]errFailed // by URL of the responder
}

// response is what a responder said of a certificate.
type response struct {
	answer
	until time.Time
}

func newResponses(o Options) *responses {
	return &responses{options: o, answers: map[subject]response{}, asking: map[subject]*flight{}, failed: map[string]errFailed{}}
}

// known is what was answered before about a certificate.
func (r *responses) known(cert, issuer *x509.Certificate) answer {
	id := subjectOf(cert, issuer)
	r.mu.Lock()
	defer r.mu.Unlock()
	got, is := r.answers[id]
	if !is || !r.options.Now().Before(got.until) {
		return answer{status: NoInfo}
	}
	return got.answer
}

// ask asks a responder about a certificate, unless that is being done, or the responder failed a while ago.
// Nobody waits for a responder that failed the last time.
func (r *responses) ask(c *Checker, responder string, cert, issuer *x509.Certificate) *flight {
	id := subjectOf(cert, issuer)
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.asking[id]; f != nil {
		return f
	}
	failed, before := r.failed[responder]
	if before && r.options.Now().Before(failed.until) || len(r.asking) >= maxAsking {
		return nil
	}
	f := newFlight()
	r.asking[id] = f
	c.running.Go(func() {
		defer close(f.done)
		ctx, cancel := c.lifetime()
		defer cancel()
		ctx, cancel = context.WithTimeout(ctx, askTimeout)
		defer cancel()
		var got response
		err := guard(func() (err error) {
			got.answer, got.until, err = r.question(ctx, responder, cert, issuer)
			return err
		})
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.asking, id)
		if err != nil {
			r.fail(responder, err)
			return
		}
		delete(r.failed, responder)
		r.add(id, got)
	})
	if before {
		return nil
	}
	return f
}

// failure is why a responder did not answer the last time; nil: it did.
func (r *responses) failure(responder string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if failed, is := r.failed[responder]; is {
		return failed
	}
	return nil
}

// fail remembers that a responder failed; r.mu is held.
func (r *responses) fail(responder string, err error) {
	now := r.options.Now()
	if len(r.failed) >= maxResponses {
		for u, f := range r.failed {
			if len(r.failed) < maxResponses/2 && now.Before(f.until) {
				break
			}
			delete(r.failed, u)
		}
	}
	r.failed[responder] = errFailed{responder, now.Add(minRetry), err}
	r.options.Logger.Debug("OCSP responder", "url", responder, "err", err)
}

// add keeps an answer; r.mu is held.
func (r *responses) add(id subject, got response) {
	now := r.options.Now()
	if latest := now.Add(maxResponseAge); got.until.After(latest) {
		got.until = latest
	}
	if len(r.answers) >= maxResponses {
		for k, old := range r.answers {
			if len(r.answers) < maxResponses*3/4 && now.Before(old.until) {
				break
			}
			delete(r.answers, k)
		}
	}
	r.answers[id] = got
}

// clear forgets all answers and failures.
func (r *responses) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.answers)
	clear(r.failed)
}

// question asks a responder: by GET, which caches on the way can answer, and where that fails or would be
// too long by POST (RFC 6960, appendix A).
func (r *responses) question(ctx context.Context, responder string, cert, issuer *x509.Certificate) (answer, time.Time, error) {
	der, err := ocsp.CreateRequest(cert, issuer, nil)
	if err != nil {
		return answer{}, time.Time{}, err
	}
	short := strings.TrimSuffix(responder, "/") + "/" + url.PathEscape(base64.StdEncoding.EncodeToString(der))
	if len(short) <= maxGET {
		if body, err := r.send(ctx, http.MethodGet, short, nil); err == nil {
			if a, until, err := readResponse(body, cert, issuer, r.options.Now()); err == nil {
				return a, until, nil
			}
		}
	}
	body, err := r.send(ctx, http.MethodPost, responder, der)
	if err != nil {
		return answer{}, time.Time{}, err
	}
	return readResponse(body, cert, issuer, r.options.Now())
}

func (r *responses) send(ctx context.Context, method, address string, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if method == http.MethodPost {
		q.Header.Set("Content-Type", "application/ocsp-request")
	}
	q.Header.Set("Accept", "application/ocsp-response")
	got, err := r.options.Client.Do(q)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the responder answered %q", got.Status)
	}
	return readLimited(got.Body, maxResponse)
}
