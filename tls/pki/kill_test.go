package pki

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// kills is how often TestKill kills a process that changes its store.
const kills = 8

// storeVariable makes the test a process that changes the store in this directory without end.
const storeVariable = "SLUICE_TEST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(storeVariable); dir != "" {
		changeForever(dir)
	}
	os.Exit(m.Run())
}

// changeForever certifies and clears a key pair, and prints a line whenever it is certified.
func changeForever(dir string) {
	s, err := Open(dir)
	for ; err == nil; err = s.ClearCertificate("id") {
		if l, _ := s.Local("id"); l.Certificate == nil {
			err = s.SelfSign("id", Template{Subject: "CN=a", CA: true})
		}
		if err != nil {
			break
		}
		os.Stdout.WriteString("certified\n")
	}
	os.Stderr.WriteString(err.Error())
	os.Exit(1)
}

// A process that changes its store is killed at any moment: the store is whole afterwards, the key pair
// is the one it was, and nothing half-written is left.
func TestKill(t *testing.T) {
	s := openStore(t)
	keyPair(t, s, "id", ECDSA)
	was, _ := s.Local("id")
	for i := range kills {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), storeVariable+"="+s.dir)
		var complaint strings.Builder
		cmd.Stderr = &complaint
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		changes := bufio.NewReader(out)
		for range i + 1 {
			if _, err := changes.ReadString('\n'); err != nil {
				t.Fatalf("%v: %s", err, complaint.String())
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		again := reopened(t, s)
		l, ok := again.Local("id")
		if faults := again.Faults(); len(faults) > 0 || !ok || !equalKeys(l.Key.Public(), was.Key.Public()) {
			t.Fatalf("after kill %d: %v, %v", i, faults, ok)
		}
		files, err := os.ReadDir(filepath.Join(s.dir, localFolder))
		if err != nil || len(files) != 1 {
			t.Fatalf("after kill %d: %v, %v", i, files, err)
		}
	}
}
