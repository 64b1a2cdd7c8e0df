package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/store/tree"
)

// writeText writes the configuration in force to config.txt, for people and for backups. The file
// is replaced whole, so that a reader finds the old text or the new one, and is never read back.
func writeText(dir string, t *tree.Tree, revision Revision) error {
	text := fmt.Sprintf("## %s\n%s", revision, t.Text())
	temporary := filepath.Join(dir, textFile+".new")
	file, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(text)
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
