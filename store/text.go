package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// textPiece is how much of a text is written at once, in bytes. Kernels that are not preempted within a system
// call would let packets wait for ten megabytes.
const textPiece = 256 << 10

// writeText writes the configuration in force to config.txt, for people and for backups. The file
// is replaced whole, so that a reader finds the old text or the new one, and is never read back.
func writeText(dir, configuration string, revision Revision) error {
	text := fmt.Sprintf("## %s\n%s", revision, configuration)
	temporary := filepath.Join(dir, textFile+".new")
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for len(text) > 0 && err == nil {
		piece := text[:min(len(text), textPiece)]
		_, err = file.WriteString(piece)
		text = text[len(piece):]
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, filepath.Join(dir, textFile))
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}
