package shell

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"sluice/manage/api"
)

// A gateway that asks for files which the command does not name gets none, and writes none.
func TestUnnamedFiles(t *testing.T) {
	dir := t.TempDir()
	secret, target := filepath.Join(dir, "secret"), filepath.Join(dir, "target")
	if err := writeOutput(secret, "secret", false); err != nil {
		t.Fatal(err)
	}
	for name, result := range map[string]api.Result{
		"read":  {File: secret},
		"write": {View: "text", Data: json.RawMessage("{}"), Save: &api.File{Name: target, Content: []byte("x")}},
	} {
		socket := filepath.Join(t.TempDir(), "s.sock")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body api.Command
			if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
				t.Error(err)
			}
			for _, content := range body.Files {
				got = append(got, string(content))
			}
			if err := json.NewEncoder(w).Encode(result); err != nil {
				t.Error(err)
			}
		})}
		go server.Serve(l) //nolint:errcheck // it ends when it is closed
		t.Cleanup(func() { server.Close() })
		s := newShell(api.NewClient(socket), &strings.Builder{}, &strings.Builder{})
		if err := s.execute(t.Context(), "show version"); err == nil || !strings.Contains(err.Error(), "does not name") || got != nil {
			t.Errorf("%s: %v, the gateway has %q", name, err, got)
		}
		if files, err := filepath.Glob(target); err != nil || len(files) > 0 {
			t.Errorf("%s: %v, %v", name, files, err)
		}
		s.client.Close()
	}
}
