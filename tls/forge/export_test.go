package forge

import "time"

// SetClock sets the clock of a cache.
func (c *Cache) SetClock(now func() time.Time) { c.now = now }
