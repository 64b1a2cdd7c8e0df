package main

import (
	"bytes"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// leftOutTests are the test files of crypto/tls that ask about what the package has not: FIPS
// 140-3 mode, the linker's view of crypto/tls, BoringSSL's test runner, examples of its name.
var leftOutTests = []string{"fips140_test.go", "link_test.go", "bogo_shim_test.go", "bogo_shim_notunix_test.go",
	"bogo_shim_unix_test.go", "example_test.go"}

// testPackages stand for the internal packages that the tests import.
var testPackages = files{
	"internal/boring/boring.go": []byte("package boring\n\nconst Enabled = false\n"),
	"internal/byteorder/byteorder.go": []byte("package byteorder\n\nimport \"encoding/binary\"\n\n" +
		"func BEUint16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }\n"),
	"internal/testenv/testenv.go": []byte("package testenv\n\nimport \"testing\"\n\n" +
		"func MustHaveExternalNetwork(t *testing.T) { t.Skip(\"no network\") }\n"),
	"internal/fips140tls/force.go": []byte("package fips140tls\n\nfunc Force()                {}\nfunc TestingOnlyAbandon() {}\n"),
	// The tests change settings, which the package itself does not read.
	"internal/godebug/godebug.go": []byte(`package godebug

import (
	"os"
	"strings"
)

type Setting string

func New(name string) *Setting { return (*Setting)(&name) }

func (s *Setting) Value() (value string) {
	for _, setting := range strings.Split(os.Getenv("GODEBUG"), ",") {
		if name, v, ok := strings.Cut(setting, "="); ok && name == string(*s) {
			value = v
		}
	}
	return value
}

func (*Setting) IncNonDefault() {}
`),
	"own_test.go": []byte("package tls\n\nvar ownSuites = map[uint16]bool{TLS_RSA_WITH_AES_256_CBC_SHA256: true, " +
		"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384: true, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384: true}\n\n" +
		"type ownSessions struct{ ServerSessionCache }\n"),
	"fips140_test.go": []byte("package tls\n\nvar testConfigFIPS140 *Config\n\nfunc isFIPSVersion(uint16) bool { return true }\n"),
}

// testReplacements adapt the text of the tests.
var testReplacements = []string{
	`"crypto/internal/boring"`, `"` + modulePath + `/internal/boring"`,
	`"internal/byteorder"`, `"` + modulePath + `/internal/byteorder"`,
	`"internal/testenv"`, `"` + modulePath + `/internal/testenv"`,
	`t.Run("fips140tls", testFunc)`, `_ = testFunc`,
	`case "CipherSuites":`, `case "CipherSuites", "CipherSuites13":`,
	`case "InsecureSkipVerify",`, `case "InsecureSkipVerify", "RequireSecureRenegotiation",`,
	"\t\tcase \"ClientSessionCache\":\n", "\t\tcase \"ServerSessionCache\":\n\t\t\tf.Set(reflect.ValueOf(ownSessions{}))\n\t\tcase \"ClientSessionCache\":\n",
	"\tbogoShim()\n", "",
	// The suites of ours are not in the recorded handshakes, and follow the rules of their kind.
	"ids := make([]uint16, len(cipherSuites))\n\tfor i, suite := range cipherSuites {\n\t\tids[i] = suite.id\n",
	"var ids []uint16\n\tfor _, suite := range cipherSuites {\n\t\tif !ownSuites[suite.id] {\n\t\t\tids = append(ids, suite.id)\n\t\t}\n",
	"func http2isBadCipher(cipher uint16) bool {\n", "func http2isBadCipher(cipher uint16) bool {\n\tif ownSuites[cipher] {\n\t\treturn true\n\t}\n",
	"aName, bName := CipherSuiteName(a), CipherSuiteName(b)",
	`aName, bName := strings.Replace(CipherSuiteName(a), "CBC_SHA384", "CBC_SHA256", 1), strings.Replace(CipherSuiteName(b), "CBC_SHA384", "CBC_SHA256", 1)`,
}

// runTests runs the tests that crypto/tls has, on a copy of the package in a module of its own.
func runTests(dir, goroot string) error {
	module, err := os.MkdirTemp("", "stdtls")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(module) }()
	to := filepath.Join(module, "tls", "stdtls")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(to, "sync")); err != nil {
		return err
	}
	own, err := filepath.Glob(filepath.Join(to, "*_test.go"))
	if err != nil {
		return err
	}
	for _, name := range own {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	basis, err := readFiles(filepath.Join(dir, "..", ".."), []string{"go.mod", "go.sum"})
	if err != nil {
		return err
	}
	if err := basis.write(module); err != nil {
		return err
	}
	tests, err := readTests(filepath.Join(goroot, "src", "crypto", "tls"))
	if err != nil {
		return err
	}
	for _, f := range []files{tests, testPackages} {
		if err := f.write(to); err != nil {
			return err
		}
	}
	if err := os.Symlink(filepath.Join(goroot, "src", "crypto", "tls", "testdata"), filepath.Join(to, "testdata")); err != nil {
		return err
	}
	command := exec.Command("go", "test", "-mod=mod", "-vet=off", "./tls/stdtls")
	command.Dir, command.Stdout, command.Stderr = module, os.Stdout, os.Stderr
	return command.Run()
}

// readTests reads the tests of crypto/tls, adapted.
func readTests(dir string) (files, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	tests := make(files)
	for _, name := range names {
		if slices.Contains(leftOutTests, filepath.Base(name)) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for from, to := range replaced {
			text = bytes.ReplaceAll(text, []byte(`"`+from+`"`), []byte(`"`+to+`"`))
		}
		adapted := strings.NewReplacer(testReplacements...).Replace(string(text))
		if tests[filepath.Base(name)], err = format.Source([]byte(adapted)); err != nil {
			return nil, err
		}
	}
	return tests, nil
}
