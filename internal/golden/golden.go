// Package golden compares what a test got with a file that keeps what it should get.
package golden

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Check reports where got differs from the contents of file. With UPDATE_GOLDEN in the environment
// it writes the file anew.
func Check(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-file +got; UPDATE_GOLDEN=1 writes it anew):\n%s", file, diff)
	}
}
