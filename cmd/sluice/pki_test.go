package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sluice/store/schema"
	"sluice/tls/pki"
)

// A process with keys in its memory leaves no core dump; a file of the store that cannot be read is an
// alarm, and so is a certificate that expires; a profile without certificate is warned of at commit.
// Rows: PK-8, PK-10.
func TestKeyring(t *testing.T) {
	state := t.TempDir()
	local := filepath.Join(state, "pki", "local")
	if err := os.MkdirAll(local, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(local, "bad.pem"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := openKeyring(gatewayOptions{state: state}, func() *schema.Config { return &schema.Config{} }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer k.page.Close()
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("a core dump would have the keys: %d, %v", dumpable, err)
	}
	if alarms := k.Alarms(); len(alarms) != 1 || !strings.Contains(alarms[0].Text, "local/bad.pem") {
		t.Errorf("%+v", alarms)
	}
	for id, validity := range map[string]time.Duration{"new": 0, "soon": 24 * time.Hour, "over": -time.Minute} {
		if err := k.GenerateKeyPair(id, pki.ECDSA, 256); err != nil {
			t.Fatal(err)
		}
		if err := k.SelfSign(id, pki.Template{Subject: "CN=" + id, Validity: validity}); err != nil {
			t.Fatal(err)
		}
	}
	alarms := k.Alarms()
	if len(alarms) != 3 || alarms[0].Text != "local certificate over has expired" || alarms[0].Class != "Major" || !strings.HasPrefix(alarms[1].Text, "local certificate soon expires on ") || alarms[1].Class != "Minor" {
		t.Errorf("%+v", alarms)
	}
	cfg := &schema.Config{}
	cfg.Security.PKI.CAProfiles = []schema.CAProfile{{Name: "p"}}
	_, problems := k.Prepare(cfg)
	if len(problems) != 1 || !problems[0].Warning || problems[0].Path != "security pki ca-profile p" {
		t.Errorf("%v", problems)
	}
}
