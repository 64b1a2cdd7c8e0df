package validate

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"sluice/classify"
	"sluice/classify/appdb"
	"sluice/classify/decode"
	"sluice/sigpack"
)

const eaterEnv = "SLUICE_TEST_EAT_MEMORY"

func TestMain(m *testing.M) {
	if os.Getenv(eaterEnv) != "" {
		eat()
	}
	os.Exit(m.Run())
}

// eat takes memory until it is stopped.
func eat() {
	if err := Confine(); err != nil {
		os.Exit(7)
	}
	var all [][]byte
	for range 64 {
		chunk := make([]byte, 128<<20)
		chunk[0] = 1
		all = append(all, chunk)
	}
	os.Exit(len(all) - 64)
}

func TestBuiltin(t *testing.T) {
	pack, err := sigpack.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples() {
		if _, known := pack.Database.Lookup(appdb.Prefix + s.protocol); !known {
			t.Errorf("the built-in package does not know %s, so its sample proves nothing", s.protocol)
		}
	}
	if err := Database(t.Context(), pack.Database); err != nil {
		t.Error(err)
	}
}

func load(t *testing.T, text string) *appdb.Database {
	t.Helper()
	db := appdb.New()
	for _, p := range db.Load("test.apps", strings.NewReader(text)) {
		t.Fatal(p)
	}
	return db
}

// AI-143: a package that compiles and knows what it should is valid, whatever else it does not know.
func TestSmall(t *testing.T) {
	if err := Database(t.Context(), load(t, "protocol HTTP\n  category Web\n")); err != nil {
		t.Error(err)
	}
}

func TestDefects(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "no application"},
		"signature": {"application BAD\n  category Web\n  signature http-header-host client-to-server \"(\"\n", "BAD"},
		"backref":   {"application BAD\n  category Web\n  signature http-header-host client-to-server \"(a)\\1\"\n", "BAD"},
		"answer":    {"protocol HTTP\n  category Web\n  alias SSL\nprotocol FTP\n  category Web\n  alias SSH\n", "taken for"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Database(t.Context(), load(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}

// Samples have something to say, and it is their bytes that tell what they are.
func TestDamage(t *testing.T) {
	whole := []byte{1, 2, 3, 4}
	if c := damage(whole, 1); len(c) != 2 || c[1] == 2 || whole[1] != 2 {
		t.Errorf("damaged to %v, and the original to %v", c, whole)
	}
	engine, _ := classify.Compile(load(t, "protocol DNS\n  category Web\n"), classify.NewState(nil), classify.Options{})
	for _, s := range samples() {
		for _, p := range s.parts {
			if len(p.bytes) == 0 {
				t.Errorf("a part of the sample of %s is empty", s.protocol)
			}
		}
		if got := s.show(engine, func([]byte) []byte { return nil }); s.transport == decode.TCP && got == appdb.Prefix+s.protocol {
			t.Errorf("%s is found without a byte", s.protocol)
		}
	}
}

// A package that eats memory ends its process, not the gateway.
func TestConfine(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), eaterEnv+"=1")
	out, err := child.CombinedOutput()
	if err == nil || child.ProcessState.ExitCode() == 7 || !strings.Contains(string(out), "memory") && !strings.Contains(string(out), "allocate") {
		t.Errorf("a process that eats 8 GiB ends with %v: %.200s", err, out)
	}
}
