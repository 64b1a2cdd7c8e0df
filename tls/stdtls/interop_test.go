package tls_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	tls "sluice/tls/stdtls"
)

// suite is a cipher suite that configurations may name.
type suite struct {
	id      uint16
	openssl string
	ecdsa   bool // the server's key is ECDSA, otherwise RSA
	minimum uint16
	bits    int
}

// suites are those of the tables of cipher suites: TLS 1.3, up to TLS 1.2, and for initiation and
// termination profiles.
var suites = []suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", true, tls.VersionTLS12, 256},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", true, tls.VersionTLS12, 128},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, "ECDHE-ECDSA-AES256-SHA384", true, tls.VersionTLS12, 256},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", true, tls.VersionTLS12, 128},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", true, tls.VersionTLS10, 256},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", true, tls.VersionTLS10, 128},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", false, tls.VersionTLS12, 256},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, "ECDHE-RSA-AES256-SHA384", false, tls.VersionTLS12, 256},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", false, tls.VersionTLS10, 256},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", false, tls.VersionTLS12, 128},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", false, tls.VersionTLS12, 128},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", false, tls.VersionTLS10, 128},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", false, tls.VersionTLS12, 256},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA256, "AES256-SHA256", false, tls.VersionTLS12, 256},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", false, tls.VersionTLS12, 128},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", false, tls.VersionTLS12, 128},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", false, tls.VersionTLS10, 128},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", false, tls.VersionTLS10, 256},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", true, tls.VersionTLS12, 256},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", false, tls.VersionTLS12, 256},
	{tls.TLS_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", true, tls.VersionTLS13, 256},
	{tls.TLS_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", false, tls.VersionTLS13, 128},
	{tls.TLS_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", true, tls.VersionTLS13, 256},
	{tls.TLS_AES_128_CCM_SHA256, "TLS_AES_128_CCM_SHA256", true, tls.VersionTLS13, 128},
	{tls.TLS_AES_128_CCM_8_SHA256, "TLS_AES_128_CCM_8_SHA256", false, tls.VersionTLS13, 128},
}

var versionFlags = map[uint16]string{tls.VersionTLS10: "-tls1", tls.VersionTLS11: "-tls1_1", tls.VersionTLS12: "-tls1_2", tls.VersionTLS13: "-tls1_3"}

// versions are those in which the suite can be used.
func (s suite) versions() []uint16 {
	switch s.minimum {
	case tls.VersionTLS10:
		return []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12}
	default:
		return []uint16{s.minimum}
	}
}

// config offers the suite alone, in one version.
func (s suite) config(version uint16) *tls.Config {
	config := &tls.Config{ServerName: serverName, MinVersion: version, MaxVersion: version}
	if s.minimum == tls.VersionTLS13 {
		config.CipherSuites13 = []uint16{s.id}
	} else {
		config.CipherSuites = []uint16{s.id}
	}
	return config
}

func (s suite) check(t *testing.T, state tls.ConnectionState, version uint16) {
	t.Helper()
	if state.CipherSuite != s.id || state.Version != version || state.CipherBits() != s.bits {
		t.Errorf("negotiated %s with %s, %d bits", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.CipherBits())
	}
}

// Every suite is spoken with OpenSSL, in every version that has it, by our server and our client
// (SP-15, SP-49, SP-50, SP-62, G-1, G-2, G-3).
func TestSuites(t *testing.T) {
	identities := map[bool]*identity{true: ecdsaIdentity(t), false: rsaIdentity(t)}
	servers := make(map[bool]string)
	const all13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"
	for ecdsa, id := range identities {
		_, servers[ecdsa] = startServer(t, id, "-rev", "-cipher", "ALL:@SECLEVEL=0", "-ciphersuites", all13)
	}
	for _, s := range suites {
		id := identities[s.ecdsa]
		for _, version := range s.versions() {
			name := fmt.Sprintf("%s %s", s.openssl, tls.VersionName(version))
			t.Run("server "+name, func(t *testing.T) {
				config := s.config(version)
				config.Certificates = []tls.Certificate{id.certificate}
				address, result := serveOnce(t, config)
				args := []string{"s_client", "-connect", address, "-servername", serverName, "-CAfile", id.certFile, "-verify_return_error", versionFlags[version]}
				if version == tls.VersionTLS13 {
					args = append(args, "-ciphersuites", s.openssl, "-cipher", "ALL:@SECLEVEL=0")
				} else {
					args = append(args, "-cipher", s.openssl+":@SECLEVEL=0")
				}
				client := startOpenSSL(t, args...)
				client.stdin.Write([]byte("through the suite\n"))
				client.await(t, "\nthrough the suite\n")
				client.stdin.Close()
				seen := <-result
				if seen.err != nil || seen.received != "through the suite\n" {
					t.Fatalf("received %q, error %v", seen.received, seen.err)
				}
				s.check(t, seen.state, version)
			})
			t.Run("client "+name, func(t *testing.T) {
				raw, err := net.Dial("tcp", servers[s.ecdsa])
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				raw.SetDeadline(time.Now().Add(patience))
				config := s.config(version)
				config.RootCAs = id.roots
				conn := tls.Client(raw, config)
				if _, err := conn.Write([]byte("through the suite\n")); err != nil {
					t.Fatal(err)
				}
				line, err := bufio.NewReader(conn).ReadString('\n')
				if err != nil || line != "etius eht hguorht\n" {
					t.Fatalf("received %q, error %v", line, err)
				}
				s.check(t, conn.ConnectionState(), version)
			})
		}
	}
}

// hello returns the ClientHello of a client.
func hello(t *testing.T, config *tls.Config) *tls.ClientHelloInfo {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		_ = tls.Client(far, config).Handshake() // ends with the server's refusal
	}()
	var seen *tls.ClientHelloInfo
	server := tls.Server(near, &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		seen = info
		return nil, tls.AlertAccessDenied
	}})
	if err := server.Handshake(); err == nil || seen == nil {
		t.Fatalf("the client said nothing, error %v", err)
	}
	return seen
}

// Suites that are not listed are not offered, and TLS 1.3 is not without a suite (G-3).
func TestSuitesOffered(t *testing.T) {
	standard := []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_CHACHA20_POLY1305_SHA256}
	for name, test := range map[string]struct {
		listed, offered []uint16
	}{
		"nothing said": {nil, standard},
		"one":          {[]uint16{tls.TLS_AES_256_GCM_SHA384}, []uint16{tls.TLS_AES_256_GCM_SHA384}},
		"CCM":          {[]uint16{tls.TLS_AES_128_CCM_8_SHA256, tls.TLS_AES_128_CCM_SHA256}, []uint16{tls.TLS_AES_128_CCM_SHA256, tls.TLS_AES_128_CCM_8_SHA256}},
		"none":         {[]uint16{}, nil},
		"unknown":      {[]uint16{0x13ff}, nil},
	} {
		info := hello(t, &tls.Config{InsecureSkipVerify: true, CipherSuites13: test.listed})
		var offered []uint16
		for _, id := range info.CipherSuites {
			if id>>8 == 0x13 {
				offered = append(offered, id)
			}
			if id == tls.TLS_RSA_WITH_AES_256_CBC_SHA256 || id == tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 || id == tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 {
				t.Errorf("%s: %s is offered and not listed", name, tls.CipherSuiteName(id))
			}
		}
		slices.Sort(offered)
		if !slices.Equal(offered, test.offered) {
			t.Errorf("%s: offered %x, want %x", name, offered, test.offered)
		}
		if got := slices.Contains(info.SupportedVersions, tls.VersionTLS13); got != (test.offered != nil) {
			t.Errorf("%s: TLS 1.3 offered: %v", name, got)
		}
	}
}
