package revoke

import "time"

const (
	// freshness is how often the lists are looked through for those to be renewed.
	freshness = time.Minute
	// maxRenew is how long a list is kept at most without asking for a new one.
	maxRenew = 12 * time.Hour
	// A list that nobody asked for in this time is no longer renewed, and goes when it ends.
	maxIdle = 7 * 24 * time.Hour
	// withoutEnd is how long a list holds that does not say when the next one comes.
	withoutEnd = 24 * time.Hour
)

// keepFresh renews lists before they end, as long as the checker lives.
func (c *Checker) keepFresh() {
	t := time.NewTicker(freshness)
	defer t.Stop()
	for {
		select {
		case <-c.closed:
			return
		case <-t.C:
			c.refresh()
		}
	}
}

// refresh starts to renew the lists whose time has come, and forgets those that ended and that nobody
// asks for.
func (c *Checker) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	for _, s := range c.sources {
		idle := now.Sub(s.used) > maxIdle
		switch {
		case s.flight != nil || s.url == "":
		case s.record.Size == 0:
			if idle {
				c.forget(s)
			}
		case idle && now.After(s.record.ends()):
			c.forget(s)
		case !idle && s.certificate != nil && !now.Before(s.record.renewal()) && !now.Before(s.retry):
			c.start(s)
		}
	}
}

// ends is when the list is no longer the newest.
func (r *record) ends() time.Time {
	if r.NextUpdate.IsZero() {
		return r.Fetched.Add(withoutEnd)
	}
	return r.NextUpdate
}

// renewal is when a list is asked for again: when half of the time is over that it had left when it came.
func (r *record) renewal() time.Time {
	half := r.ends().Sub(r.Fetched) / 2
	return r.Fetched.Add(min(max(half, freshness), maxRenew))
}
