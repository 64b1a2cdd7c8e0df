package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/store"
	"sluice/store/schema"
	"sluice/store/tree"
	"sluice/tls/pki"
	"sluice/track"
)

// Each problem about TLS that refuses a configuration is told under the tag of what it is about.
func TestConfigurationMessages(t *testing.T) {
	var got []string
	complain(func(tag string, severity track.Severity, text string) {
		if severity != 3 {
			t.Errorf("%s has severity %d", tag, severity)
		}
		got = append(got, tag+" "+text)
	}, []schema.Problem{
		{Path: "services ssl proxy profile p root-ca x", Message: "m"},
		{Path: "services ssl initiation profile p client-certificate x", Message: "m"},
		{Path: "services ssl proxy profile p", Message: "m"},
		{Path: "services ssl traceoptions file match", Message: "m"},
		{Path: "services ssl proxy profile p", Message: "a warning", Warning: true},
		{Path: "security policies", Message: "m"},
	})
	want := []string{"SSL_CONFIG_CERT_PROCESS_ERR", "SSL_CONFIG_CERT_PROCESS_ERR", "SSL_CONFIG_PROFILE_PROCESS_ERR", "SSL_GLOBAL_CONFIG_PROCESS_ERR"}
	if len(got) != len(want) || !slices.EqualFunc(got, want, func(g, w string) bool { return strings.HasPrefix(g, w+" [edit services ssl ") }) {
		t.Errorf("got %q", got)
	}
}

// sslGateway is a configuration store with the SSL proxy and the keyring of a gateway whose state
// is in dir.
func sslGateway(t *testing.T, dir string) (*store.Store, *decryption, *pki.Store, func()) {
	t.Helper()
	st, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pki.Open(filepath.Join(dir, "pki"))
	if err != nil {
		t.Fatal(err)
	}
	tracker := track.New(track.Options{})
	d, err := openDecryption(gatewayOptions{state: dir}, dir, keys, nil, tracker, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Revisions()) > 0 {
		d.Resume()
	}
	st.Register(d)
	if err := st.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return st, d, keys, func() {
		d.Close()
		if err := tracker.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// commitLines commits statements; problems are what was said about them.
func commitLines(t *testing.T, st *store.Store, lines string) (problems []schema.Problem, err error) {
	t.Helper()
	c, err := st.Edit(store.Who{User: "root", Client: "test"}, store.Private)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, p := range c.Load(tree.LoadSet, nil, lines) {
		t.Fatal(p)
	}
	_, problems, err = c.Commit(store.CommitOptions{})
	return problems, err
}

// A commit that names a missing certificate changes nothing. A certificate that goes later, even
// while the gateway is down, leaves the configuration in force, with a profile that is out of
// service until the certificate is back.
func TestCertificateComesAndGoes(t *testing.T) {
	dir := t.TempDir()
	st, d, keys, stop := sslGateway(t, dir)
	const statements = "set services ssl proxy profile p root-ca ca\nset services ssl proxy profile p trusted-ca all\n"
	if problems, err := commitLines(t, st, statements); err == nil || !strings.Contains(problems[0].Error(), `there is no certificate "ca"`) || d.set.Proxy("p") != nil {
		t.Fatalf("without the certificate: %v, %v", err, problems)
	}
	issue := func() {
		t.Helper()
		if err := keys.GenerateKeyPair("ca", pki.ECDSA, 256); err != nil {
			t.Fatal(err)
		}
		if err := keys.SelfSign("ca", pki.Template{Subject: "CN=ca", CA: true}); err != nil {
			t.Fatal(err)
		}
	}
	issue()
	if problems, err := commitLines(t, st, statements); err != nil {
		t.Fatal(err, problems)
	}
	if p := d.set.Proxy("p"); p == nil || len(p.RootCAs) != 1 || p.Broken != "" || len(d.Alarms()) != 0 {
		t.Fatalf("with the certificate: %+v, %v", p, d.Alarms())
	}
	number := d.set.Proxy("p").ID
	if err := keys.ClearCertificate("ca"); err != nil {
		t.Fatal(err)
	}
	gone := func() {
		t.Helper()
		if p := d.set.Proxy("p"); p == nil || len(p.RootCAs) != 0 || p.Broken == "" || len(d.Alarms()) != 1 || !strings.Contains(d.Alarms()[0].Text, "profile p is out of service") {
			t.Errorf("without the certificate: %+v, %v", p, d.Alarms())
		}
	}
	gone()
	stop()
	st, d, keys, stop = sslGateway(t, dir)
	defer stop()
	gone()
	if err := keys.ClearKeyPair("ca"); err != nil {
		t.Fatal(err)
	}
	issue()
	if p := d.set.Proxy("p"); p.Broken != "" || len(p.RootCAs) != 1 || p.ID != number {
		t.Errorf("with a new certificate: %+v", p)
	}
	if cfg, _ := st.Active(); len(cfg.Services.SSL.Proxy.Profiles) != 1 {
		t.Error("the configuration is lost")
	}
}
