package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"sluice/manage/view"
	"sluice/policy"
	"sluice/store"
	"sluice/store/schema"
	"sluice/tls/handout"
	"sluice/tls/pki"
)

// refreshInterval is how often groups that come from the system's bundle are compared with it.
const refreshInterval = time.Hour

// keyring is the store of keys and certificates in the gateway, with the page that hands the root
// certificates out.
type keyring struct {
	*pki.Store
	page     *handout.Server
	policies func() *policy.Engine // in force
	active   func() *schema.Config
	logger   *slog.Logger
	opened   time.Time
}

// openKeyring opens the store. Files of it that cannot be read are an alarm. From here on the process
// leaves no core dump and shows its memory to nobody but root, as there are keys in it.
func openKeyring(o gatewayOptions, active func() *schema.Config, logger *slog.Logger) (*keyring, error) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("core dumps of the gateway cannot be switched off: %w", err)
	}
	st, err := pki.Open(filepath.Join(o.state, "pki"))
	if err != nil {
		return nil, err
	}
	k := &keyring{Store: st, active: active, logger: logger, opened: time.Now()}
	for _, fault := range st.Faults() {
		logger.Error("certificate store", "fault", fault)
	}
	k.page = handout.New(handout.Options{Certificates: k.rootCAs, Logger: logger})
	return k, nil
}

// Name names the engine in logs.
func (*keyring) Name() string { return "pki" }

// Prepare checks what a configuration says about certificates.
func (k *keyring) Prepare(cfg *schema.Config) (store.Change, []schema.Problem) {
	return store.ChangeFunc(func() { k.page.Set(k.pageAddresses(cfg)) }), k.Check(&cfg.Security.PKI)
}

// follow keeps the groups that come from the system's bundle as that is, until ctx ends.
func (k *keyring) follow(ctx context.Context) {
	tick := time.NewTicker(refreshInterval)
	defer tick.Stop()
	for {
		refreshed, err := k.Refresh()
		if err != nil {
			k.logger.Warn("groups of authorities were not compared with the system's", "error", err)
		}
		for _, group := range refreshed {
			k.logger.Info("authorities renewed from the system's bundle", "group", group, "certificates", len(k.CAGroup(group)))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// rootCAs are the certificates that profiles of the active configuration sign with.
func (k *keyring) rootCAs() []*pki.Local {
	var list []*pki.Local
	for _, p := range k.active().Services.SSL.Proxy.Profiles {
		for _, id := range p.RootCA {
			if l, ok := k.Local(id); ok && !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
	}
	return list
}

// pageAddresses are the gateway's addresses on interfaces that accept the system service http, when
// the configuration asks for the page.
func (k *keyring) pageAddresses(cfg *schema.Config) []netip.Addr {
	if !cfg.Security.PKI.RootCAPage {
		return nil
	}
	accepts := map[string]bool{} // by logical interface
	for _, rule := range k.policies().HostInbound() {
		accepts[rule.Interface] = slices.ContainsFunc(rule.Accept, isHTTP) && !slices.ContainsFunc(rule.Except, isHTTP)
	}
	var list []netip.Addr
	for _, l := range cfg.LogicalInterfaces() {
		if !accepts[l.Name] {
			continue
		}
		prefixes := l.Addresses
		if len(prefixes) == 0 {
			prefixes = addressesOf(l.Device)
		}
		for _, prefix := range prefixes {
			if addr := prefix.Addr(); !addr.IsLinkLocalUnicast() && !slices.Contains(list, addr) {
				list = append(list, addr)
			}
		}
	}
	return list
}

// addressesOf are the addresses that a device has now, other than by the configuration.
func addressesOf(device string) []netip.Prefix {
	var list []netip.Prefix
	link, err := net.InterfaceByName(device)
	if err != nil {
		return nil // it is an alarm of the data path
	}
	addrs, err := link.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			list = append(list, prefix)
		}
	}
	return list
}

func isHTTP(m policy.HostMatch) bool { return m.Service == "http" || m.Service == "any-service" }

// expiryNotice is how long before a certificate expires there is an alarm.
const expiryNotice = 14 * 24 * time.Hour

// Alarms are the files that could not be read, certificates that expire, and addresses without page.
func (k *keyring) Alarms() []view.Alarm {
	var list []view.Alarm
	for _, l := range k.Locals() {
		if l.Certificate == nil {
			continue
		}
		switch left := time.Until(l.Certificate.NotAfter); {
		case left < 0:
			list = append(list, view.Alarm{Since: l.Certificate.NotAfter, Class: "Major", Text: l.String() + " has expired"})
		case left < expiryNotice:
			list = append(list, view.Alarm{Since: l.Certificate.NotAfter.Add(-expiryNotice), Class: "Minor", Text: l.String() + " expires on " + l.Certificate.NotAfter.UTC().Format(time.DateOnly)})
		}
	}
	for _, fault := range k.Faults() {
		list = append(list, view.Alarm{Since: k.opened, Class: "Major", Text: fault.Error()})
	}
	for _, fault := range k.page.Faults() {
		list = append(list, view.Alarm{Class: "Minor", Text: fault.Error()})
	}
	return list
}
