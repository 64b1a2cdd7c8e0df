package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"sluice/store/schema"
)

// A process with keys in its memory leaves no core dump; a file of the store that cannot be read is an
// alarm; a profile without certificate is warned of at commit.
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
	cfg := &schema.Config{}
	cfg.Security.PKI.CAProfiles = []schema.CAProfile{{Name: "p"}}
	_, problems := k.Prepare(cfg)
	if len(problems) != 1 || !problems[0].Warning || problems[0].Path != "security pki ca-profile p" {
		t.Errorf("%v", problems)
	}
}
