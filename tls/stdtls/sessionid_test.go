package tls_test

import (
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	tls "sluice/tls/stdtls"
)

// sessions is a cache of a server.
type sessions struct {
	mu  sync.Mutex
	all map[string]*tls.SessionState
}

func (s *sessions) Get(id []byte, _ tls.ConnectionState) *tls.SessionState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[string(id)]
}

func (s *sessions) Put(id []byte, _ tls.ConnectionState, state *tls.SessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[string(id)] = state
}

// A client of OpenSSL without tickets takes its session up again by its identifier, as long as the server
// knows it; one with tickets does by its ticket (G-8, RFC 5246 section 7.3).
func TestServerSessionIdentifiers(t *testing.T) {
	id := rsaIdentity(t)
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS12} {
		kept := &sessions{all: map[string]*tls.SessionState{}}
		config := &tls.Config{Certificates: []tls.Certificate{id.certificate}, MinVersion: tls.VersionTLS10, MaxVersion: version, ServerSessionCache: kept}
		file := filepath.Join(t.TempDir(), "session")
		visit := func(want bool, args ...string) {
			t.Helper()
			address, result := serveOnce(t, config)
			client := startOpenSSL(t, append([]string{"s_client", "-connect", address, "-servername", serverName, "-CAfile", id.certFile,
				"-cipher", "DEFAULT@SECLEVEL=0", "-sess_out", file}, args...)...)
			if _, err := client.stdin.Write([]byte("a line\n")); err != nil {
				t.Fatal(err)
			}
			client.await(t, "a line\n")
			client.stdin.Close()
			<-client.done
			if s := <-result; s.err != nil || s.state.DidResume != want || s.state.Version != version {
				t.Errorf("%x %v: %v, resumed %v, version %x", version, args, s.err, s.state.DidResume, s.state.Version)
			}
		}
		visit(false, "-no_ticket")
		visit(true, "-no_ticket", "-sess_in", file)
		visit(true, "-no_ticket", "-sess_in", file)
		config.SessionTicketsDisabled = true
		visit(false, "-no_ticket", "-sess_in", file)
		config.SessionTicketsDisabled = false
		kept.all = map[string]*tls.SessionState{}
		visit(false, "-no_ticket", "-sess_in", file)
		kept.all = map[string]*tls.SessionState{}
		visit(false)
		visit(true, "-sess_in", file)
		if len(kept.all) != 0 {
			t.Errorf("%x: %d sessions of a client with tickets are kept", version, len(kept.all))
		}
	}
}

// The client takes its session with a server of OpenSSL up again that gives no tickets, and one that does.
func TestClientSessionIdentifiers(t *testing.T) {
	id := rsaIdentity(t)
	for _, args := range [][]string{{"-tls1_2", "-no_ticket"}, {"-tls1", "-no_ticket", "-cipher", "DEFAULT@SECLEVEL=0"}, {"-tls1_2"}} {
		_, address := startServer(t, id, args...)
		cache := tls.NewLRUClientSessionCache(1)
		for i, want := range []bool{false, true, true} {
			raw, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			_ = raw.SetDeadline(time.Now().Add(patience))
			client := tls.Client(raw, &tls.Config{RootCAs: id.roots, ServerName: serverName, MinVersion: tls.VersionTLS10, ClientSessionCache: cache})
			if err := client.Handshake(); err != nil {
				t.Fatal(args, err)
			}
			if got := client.ConnectionState().DidResume; got != want {
				t.Errorf("%v, connection %d: resumed %v", args, i, got)
			}
			fmt.Fprint(client, "Q\n")
			_ = client.Close()
		}
	}
}
