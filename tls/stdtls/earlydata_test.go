package tls_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tls "sluice/tls/stdtls"
)

// A client that has a ticket of the real server and sends early data with it completes its
// handshake with us, who do not have the ticket's key (G-11, RFC 8446 section 4.2.10).
func TestEarlyDataSkipped(t *testing.T) {
	id := ecdsaIdentity(t)
	ticket, early := filepath.Join(t.TempDir(), "ticket.pem"), filepath.Join(t.TempDir(), "early")
	if err := os.WriteFile(early, bytes.Repeat([]byte("early data "), 1400), 0o600); err != nil {
		t.Fatal(err)
	}
	_, origin := startServer(t, id, "-tls1_3", "-early_data", "-max_early_data", "1000000")
	first := startOpenSSL(t, "s_client", "-connect", origin, "-servername", serverName, "-sess_out", ticket)
	eventually(t, "a ticket of the origin", func() bool {
		text, err := os.ReadFile(ticket)
		return err == nil && strings.HasSuffix(string(text), "-----END SSL SESSION PARAMETERS-----\n")
	})
	first.stdin.Close()
	<-first.done

	for _, test := range []struct {
		name   string
		groups []tls.CurveID
		retry  bool
	}{
		{"one round trip", nil, false},
		{"hello retry request", []tls.CurveID{tls.CurveP521}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			address, result := serveOnce(t, &tls.Config{Certificates: []tls.Certificate{id.certificate}, CurvePreferences: test.groups})
			client := startOpenSSL(t, "s_client", "-connect", address, "-servername", serverName, "-CAfile", id.certFile,
				"-verify_return_error", "-groups", "X25519:P-521", "-sess_in", ticket, "-early_data", early)
			client.await(t, "Early data was rejected")
			if _, err := client.stdin.Write([]byte("after the handshake\n")); err != nil {
				t.Fatal(err)
			}
			client.await(t, "\nafter the handshake\n")
			client.stdin.Close()
			<-client.done
			s := <-result
			if s.err != nil {
				t.Fatal(s.err)
			}
			if s.received != "after the handshake\n" {
				t.Errorf("the server received %q", s.received)
			}
			if s.state.HelloRetryRequest != test.retry || s.state.DidResume {
				t.Errorf("hello retry request %v, resumed %v", s.state.HelloRetryRequest, s.state.DidResume)
			}
		})
	}

	for _, groups := range [][]tls.CurveID{nil, {tls.CurveP521}} {
		if err := os.WriteFile(early, make([]byte, 200_000), 0o600); err != nil {
			t.Fatal(err)
		}
		address, result := serveOnce(t, &tls.Config{Certificates: []tls.Certificate{id.certificate}, CurvePreferences: groups})
		startOpenSSL(t, "s_client", "-connect", address, "-groups", "X25519:P-521", "-sess_in", ticket, "-early_data", early)
		if s := <-result; s.err == nil {
			t.Errorf("groups %v: 200 kB of early data were skipped", groups)
		}
	}
}
