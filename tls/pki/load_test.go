package pki

import (
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// chain is a root, an authority below it and a server below that, made by OpenSSL.
type chain struct {
	root, intermediate, server []byte // certificates, PEM
	key                        []byte // of the server, PKCS #8
	dir                        string
}

// newChain has OpenSSL make a chain with keys of a kind (rsa or ecdsa).
func newChain(t *testing.T, kind string) chain {
	t.Helper()
	c := chain{dir: t.TempDir()}
	at := func(name string) string { return filepath.Join(c.dir, name) }
	for _, name := range []string{"root", "intermediate", "server"} {
		args := []string{"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", at(name + ".key")}
		if kind == ECDSA {
			args = []string{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at(name + ".key")}
		}
		openssl(t, nil, args...)
	}
	extensions := at("extensions")
	if err := os.WriteFile(extensions, []byte("[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n[server]\nsubjectAltName=DNS:www.example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl(t, nil, "req", "-new", "-x509", "-key", at("root.key"), "-subj", "/O=Test/CN=root", "-days", "100", "-out", at("root.pem"), "-addext", "keyUsage=keyCertSign,cRLSign")
	for _, step := range [][3]string{{"intermediate", "root", "ca"}, {"server", "intermediate", "server"}} {
		request := openssl(t, nil, "req", "-new", "-key", at(step[0]+".key"), "-subj", "/O=Test/CN="+step[0])
		openssl(t, []byte(request), "x509", "-req", "-CA", at(step[1]+".pem"), "-CAkey", at(step[1]+".key"), "-set_serial", "5", "-days", "50",
			"-extfile", extensions, "-extensions", step[2], "-out", at(step[0]+".pem"))
	}
	c.root, c.intermediate, c.server, c.key = c.read(t, "root.pem"), c.read(t, "intermediate.pem"), c.read(t, "server.pem"), c.read(t, "server.key")
	return c
}

func (c chain) read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// convert has OpenSSL write the server's key in another way.
func (c chain) convert(t *testing.T, args ...string) []byte {
	t.Helper()
	out := filepath.Join(c.dir, "converted")
	openssl(t, nil, append(args, "-in", filepath.Join(c.dir, "server.key"), "-out", out)...)
	return c.read(t, "converted")
}

// der is a PEM certificate as DER.
func der(t *testing.T, certificate []byte) []byte {
	t.Helper()
	return []byte(openssl(t, certificate, "x509", "-outform", "DER"))
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// Certificates and keys are loaded in every form that OpenSSL writes, encrypted or not.
// Rows: PK-4, PK-5, PK-22.
func TestLoadForms(t *testing.T) {
	const secret = "example@1234"
	for _, kind := range []string{RSA, ECDSA} {
		c := newChain(t, kind)
		plain := map[string][]byte{
			"PKCS #8 PEM": c.key,
			"PKCS #8 DER": c.convert(t, "pkey", "-outform", "DER"),
			"traditional": c.convert(t, "pkey", "-traditional"),
			"old DER":     c.convert(t, "pkey", "-traditional", "-outform", "DER"),
			"in one file": join(c.key, c.server),
		}
		encrypted := map[string][]byte{
			"PKCS #8 AES-256": c.convert(t, "pkcs8", "-topk8", "-v2", "aes256", "-passout", "pass:"+secret),
			"PKCS #8 AES-128": c.convert(t, "pkcs8", "-topk8", "-v2", "aes128", "-passout", "pass:"+secret),
			"PKCS #8 3DES":    c.convert(t, "pkcs8", "-topk8", "-v2", "des3", "-passout", "pass:"+secret),
			"PKCS #8 scrypt":  c.convert(t, "pkcs8", "-topk8", "-scrypt", "-scrypt_N", "1024", "-passout", "pass:"+secret),
			"PKCS #8 DER":     c.convert(t, "pkcs8", "-topk8", "-v2", "aes256", "-outform", "DER", "-passout", "pass:"+secret),
			"RFC 1421 AES":    c.convert(t, "pkey", "-traditional", "-aes256", "-passout", "pass:"+secret),
			"RFC 1421 3DES":   c.convert(t, "pkey", "-traditional", "-des3", "-passout", "pass:"+secret),
		}
		s := openStore(t)
		for form, key := range plain {
			if err := s.LoadLocal("server", c.server, key, nil); err != nil {
				t.Errorf("%s %s: %v", kind, form, err)
			}
		}
		for form, key := range encrypted {
			if err := s.LoadLocal("server", c.server, key, []byte(secret)); err != nil {
				t.Errorf("%s %s: %v", kind, form, err)
			}
			if err := s.LoadLocal("server", c.server, key, []byte("wrong")); !errors.Is(err, ErrPassphraseWrong) {
				t.Errorf("%s %s, wrong passphrase: %v", kind, form, err)
			}
			if err := s.LoadLocal("server", c.server, key, nil); !errors.Is(err, ErrPassphraseMissing) {
				t.Errorf("%s %s, no passphrase: %v", kind, form, err)
			}
		}
		trusted := []byte(openssl(t, c.server, "x509", "-trustout", "-setalias", "x"))
		for form, certificate := range map[string][]byte{
			"PEM": c.server, "DER": der(t, c.server), "PEM with text": join([]byte("# a comment\n"), c.server), "OpenSSL's trusted": trusted,
			"chain": join(c.server, c.intermediate), "whole chain": join(c.server, c.intermediate, c.root), "DER chain": join(der(t, c.server), der(t, c.intermediate)),
		} {
			if err := s.LoadLocal("server", certificate, c.key, nil); err != nil {
				t.Errorf("%s %s: %v", kind, form, err)
			}
			l, _ := s.Local("server")
			if want := map[string]int{"chain": 1, "whole chain": 2, "DER chain": 1}[form]; len(l.Chain) != want {
				t.Errorf("%s %s: %d issuers, want %d", kind, form, len(l.Chain), want)
			}
		}
	}
}

// PKCS #12 files of every age are loaded, whatever order their certificates have.
// Rows: PK-4, PK-5.
func TestLoadPKCS12(t *testing.T) {
	const secret = "example@1234"
	c := newChain(t, RSA)
	others := file(t, join(c.root, c.intermediate))
	for form, options := range map[string][]string{
		"today's":  nil,
		"AES-128":  {"-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"},
		"3DES":     {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
		"RC2":      {"-legacy", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1"},
		"one only": {},
	} {
		args := []string{"pkcs12", "-export", "-in", filepath.Join(c.dir, "server.pem"), "-inkey", filepath.Join(c.dir, "server.key"), "-passout", "pass:" + secret}
		want := 0
		if form != "one only" {
			args, want = append(args, "-certfile", others), 2
		}
		content := []byte(openssl(t, nil, append(args, options...)...))
		s := openStore(t)
		if err := s.LoadLocal("server", content, nil, nil); !errors.Is(err, ErrPassphraseMissing) {
			t.Errorf("%s without passphrase: %v", form, err)
		}
		if err := s.LoadLocal("server", content, nil, []byte("wrong")); !errors.Is(err, ErrPassphraseWrong) {
			t.Errorf("%s with a wrong passphrase: %v", form, err)
		}
		if err := s.LoadLocal("server", content, nil, []byte(secret)); err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		l, _ := s.Local("server")
		if l.Certificate.Subject.CommonName != "server" || len(l.Chain) != want {
			t.Errorf("%s: %s with %d issuers", form, l.Certificate.Subject.CommonName, len(l.Chain))
		}
		if want == 2 && (l.Chain[0].Subject.CommonName != "intermediate" || l.Chain[1].Subject.CommonName != "root") {
			t.Errorf("%s: %s, %s", form, l.Chain[0].Subject, l.Chain[1].Subject)
		}
	}
}

// What does not belong together, or cannot be used, is refused with the reason, and what was there
// before stays.
// Rows: PK-5, PK-22, PK-25.
func TestLoadErrors(t *testing.T) {
	c, other := newChain(t, RSA), newChain(t, ECDSA)
	s := openStore(t)
	if err := s.LoadLocal("server", c.server, c.key, nil); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(s.dir, localFolder, "server"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	small := file(t, nil)
	openssl(t, nil, "genrsa", "-out", small, "512")
	smallKey, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	dsaKey := openssl(t, []byte(openssl(t, nil, "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160", "-quiet")), "genpkey", "-paramfile", "/dev/stdin")
	edKey := openssl(t, nil, "genpkey", "-algorithm", "ED25519")
	p224 := openssl(t, nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-224")
	for _, wrong := range []struct {
		name             string
		certificate, key []byte
		want             string
	}{
		{"another key", c.server, other.key, "does not belong to the certificate"},
		{"chain out of order", join(c.server, c.root, c.intermediate), c.key, "certificate 2 (O=Test, CN=root) is not the issuer of certificate 1 (O=Test, CN=server)"},
		{"issuer first", join(c.intermediate, c.server), c.key, "is not the issuer"},
		{"a stranger of the same name", join(c.server, other.intermediate), c.key, "is not the issuer"},
		{"no certificate", []byte("hello"), c.key, "neither PEM nor DER"},
		{"a key as certificate", c.key, c.key, "has no certificate"},
		{"no key", c.server, c.server, "has no private key"},
		{"no key at all", c.server, []byte("hello"), "cannot be read"},
		{"damaged", join(c.server[:200], []byte("AAAA"), c.server[204:]), c.key, "certificate file"},
		{"small", c.server, smallKey, "512 bits"},
		{"DSA", c.server, []byte(dsaKey), "cannot be read"},
		{"Ed25519", c.server, []byte(edKey), "Ed25519"},
		{"P-224", c.server, []byte(p224), "P-224"},
		{"OpenSSH", c.server, []byte("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"), "ssh-keygen"},
	} {
		err := s.LoadLocal("server", wrong.certificate, wrong.key, nil)
		if err == nil || !strings.Contains(err.Error(), wrong.want) {
			t.Errorf("%s: %v, want %q", wrong.name, err, wrong.want)
		}
	}
	unusual := c.convert(t, "pkcs8", "-topk8", "-v2", "aes256", "-v2prf", "hmacWithSHA512", "-passout", "pass:a")
	if err := s.LoadLocal("server", c.server, unusual, []byte("a")); err == nil || !strings.Contains(err.Error(), "convert it with") {
		t.Errorf("an unusual derivation: %v", err)
	}
	if err := s.LoadLocal("../server", c.server, c.key, nil); err == nil {
		t.Error("a path is a name")
	}
	if err := s.LoadLocal("new", c.server, nil, nil); err == nil || !strings.Contains(err.Error(), "no key pair new") {
		t.Errorf("without a key pair: %v", err)
	}
	keyPair(t, s, "waiting", ECDSA)
	if err := s.LoadLocal("waiting", c.server, c.key, nil); err == nil || !strings.Contains(err.Error(), "waits for its certificate") {
		t.Errorf("over a key pair that waits: %v", err)
	}
	if err := s.LoadLocal("waiting", c.server, nil, nil); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("for a key pair that is another's: %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(s.dir, localFolder, "server"+suffix)); string(after) != string(before) {
		t.Error("what was refused changed the store")
	}
}

// A file cannot keep the gateway busy by asking for many iterations, nor fill its memory.
func TestStretched(t *testing.T) {
	type parameters struct {
		Salt       []byte
		Iterations int
	}
	type scrypt struct {
		Salt    []byte
		N, R, P int
	}
	key := func(oid asn1.ObjectIdentifier, p any) []byte {
		type algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters any
		}
		content, err := asn1.Marshal(struct {
			Algorithm algorithm
			Data      []byte
		}{algorithm{oidPBES2, struct{ Derivation, Cipher algorithm }{algorithm{oid, p}, algorithm{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, make([]byte, 16)}}}, make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	salt := []byte("12345678")
	for _, c := range []struct {
		oid   asn1.ObjectIdentifier
		p     any
		wants error
	}{
		{oidPBKDF2, parameters{salt, 2048}, ErrPassphraseWrong},
		{oidPBKDF2, parameters{salt, maxIterations + 1}, errStretched},
		{oidPBKDF2, parameters{salt, 0}, errStretched},
		{oidScrypt, scrypt{salt, 1024, 8, 1}, ErrPassphraseWrong},
		{oidScrypt, scrypt{salt, 1 << 21, 8, 1}, errStretched},
		{oidScrypt, scrypt{salt, 1024, 1 << 20, 1}, errStretched},
		{oidScrypt, scrypt{salt, 1024, 8, 1 << 20}, errStretched},
	} {
		if _, err := privateKey(key(c.oid, c.p), []byte("a")); !errors.Is(err, c.wants) {
			t.Errorf("%+v: %v, want %v", c.p, err, c.wants)
		}
	}
	for iterations, wants := range map[int]bool{2048: true, maxIterations: true, maxIterations + 1: false} {
		inner, err := asn1.Marshal(parameters{salt, iterations})
		if err != nil {
			t.Fatal(err)
		}
		content, err := asn1.Marshal(struct {
			Version int
			Content struct{ Data []byte }
		}{3, struct{ Data []byte }{inner}})
		if err != nil {
			t.Fatal(err)
		}
		if cheap(content, 0) != wants {
			t.Errorf("PKCS #12 with %d iterations", iterations)
		}
	}
}

// A renewed certificate takes the old one's place, with a new key or the same; the times say what
// changed.
// Rows: PK-5.
func TestRenew(t *testing.T) {
	c, other := newChain(t, RSA), newChain(t, ECDSA)
	s := openStore(t)
	changes := 0
	s.OnChange(func() { changes++ })
	for _, load := range []chain{c, c, other} {
		if err := s.LoadLocal("server", load.server, load.key, nil); err != nil {
			t.Fatal(err)
		}
	}
	l, _ := s.Local("server")
	if kind, _ := KeyKind(l.Key.Public()); kind != ECDSA || changes != 3 {
		t.Errorf("%s after %d changes", kind, changes)
	}
	again, err := Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	if r, ok := again.Local("server"); !ok || !r.Certificate.Equal(l.Certificate) || !equalKeys(r.Key.Public(), l.Key.Public()) {
		t.Error("it is another after opening the store again")
	}
}
