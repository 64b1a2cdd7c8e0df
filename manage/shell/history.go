package shell

import (
	"os"
	"path/filepath"
	"strings"
)

// historyLimit is how many lines are kept.
const historyLimit = 1000

// history is the lines a user has typed, kept in a file of theirs.
type history struct {
	path  string // "" keeps them in memory only
	lines []string
}

// historyPath is where the history of the user who runs the shell is kept, or "".
func historyPath() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "sluice", "history")
}

// loadHistory reads the history in path; a file that cannot be read is an empty one.
func loadHistory(path string) *history {
	h := &history{path: path}
	if data, err := os.ReadFile(path); err == nil && path != "" {
		h.lines = strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
		h.trim()
	}
	return h
}

// hasSecret says whether a line gives a passphrase, by the whole keyword or, in a command that loads something,
// by the beginning of it.
func hasSecret(line string) bool {
	loads := false
	for words := strings.Fields(line); len(words) > 1; words = words[1:] {
		if words[0] == "passphrase" || loads && strings.HasPrefix("passphrase", words[0]) {
			return true
		}
		loads = loads || strings.HasPrefix("load", words[0])
	}
	return false
}

// Add keeps line, unless it is empty, the same as the last one, or has a secret in it.
func (h *history) Add(line string) {
	if strings.TrimSpace(line) == "" || h.Len() > 0 && h.At(0) == line || hasSecret(line) {
		return
	}
	h.lines = append(h.lines, line)
	h.trim()
}

// Len is the number of lines.
func (h *history) Len() int { return len(h.lines) }

// At is line i, the newest being 0.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

func (h *history) trim() {
	h.lines = h.lines[max(0, len(h.lines)-historyLimit):]
}

// save writes the history to its file, readable by its owner only. It is a convenience: when it
// cannot be written the shell goes on without.
func (h *history) save() error {
	if h.path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(h.path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(h.path, []byte(strings.Join(h.lines, "\n")+"\n"), 0o600)
}
