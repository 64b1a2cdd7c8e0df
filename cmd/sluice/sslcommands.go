package main

import (
	"sluice/tls/profile"
	"sluice/tls/report"
)

// sslCommands is what the commands of the SSL proxy ask for, over a decryption.
type sslCommands struct{ *decryption }

// Profiles are the profiles in force.
func (c sslCommands) Profiles() *profile.Set {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set
}

// Counters are the counters of the SSL proxy.
func (c sslCommands) Counters() *report.Counters { return c.counters }

// Drops are the sessions that were dropped last.
func (c sslCommands) Drops() *report.Drops { return c.drops }
