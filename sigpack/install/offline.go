package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"sluice/sigpack"
)

// OfflineDownload begins to take a package from an offline archive, and returns what the command
// prints. The package is verified and waits for Install.
func (m *Manager) OfflineDownload(path string) (string, error) {
	err := m.begin(Offline, running(0, "AppID sigpack offline download is in progress..."), func(ctx context.Context) {
		_, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = notice(fmt.Sprintf("AppID offline download package <%s> does not exist", path))
		case err == nil:
			err = m.stage(Offline, 0, func(dir string) (*sigpack.Fetched, error) {
				return m.opt.Archive(ctx, path, dir)
			}, succeeded(0, "AppID sigpack offline download : Complete"))
		}
		if err != nil {
			m.fail(Offline, failed(0, "AppID sigpack offline download : Failed with error (%v)", err), nothing)
		}
	})
	return offlineStarted, err
}
