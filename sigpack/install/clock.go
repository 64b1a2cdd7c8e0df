package install

import "time"

// Clock tells the time.
type Clock interface {
	Now() time.Time
	// After sends once when d has passed; stop gives that up.
	After(d time.Duration) (elapsed <-chan time.Time, stop func())
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) After(d time.Duration) (<-chan time.Time, func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
