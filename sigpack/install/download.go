package install

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/sigpack"
)

// downloadTimeout bounds a download, however slowly the server sends.
const downloadTimeout = time.Hour

// Download begins to download a version, and returns what the command prints. The package is
// verified and waits for Install.
func (m *Manager) Download(w Want) (string, error) {
	err := m.begin(Download, running(w.Version, "Downloading application package %s is in progress ...", w), func(ctx context.Context) {
		versions, err := m.contact(ctx)
		if err != nil {
			m.downloadFailed(w, err)
			return
		}
		version, err := m.journal.read().choose(w, versions)
		if err != nil {
			m.downloadFailed(w, err)
			return
		}
		m.download(ctx, w, version)
	})
	return downloadStarted, err
}

// versions asks the feed what it has.
func (m *Manager) versions(ctx context.Context) ([]sigpack.Version, error) {
	feed, err := m.feed()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	return feed.Versions(ctx)
}

// contact is versions, and remembers the answer.
func (m *Manager) contact(ctx context.Context) ([]sigpack.Version, error) {
	versions, err := m.versions(ctx)
	if err != nil {
		return nil, err
	}
	offers := make([]offer, len(versions))
	for i, v := range versions {
		offers[i] = offer{v.Version, v.Withdrawn}
	}
	if slices.Equal(offers, m.journal.read().Offered) {
		return versions, nil
	}
	return versions, m.journal.write("contact", func(r *record) { r.Offered = offers })
}

// download fetches and stages a version, and says whether that succeeded.
func (m *Manager) download(ctx context.Context, w Want, version int) bool {
	m.progress(Download, version, "Downloading application package %d is in progress ...", version)
	feed, err := m.feed()
	if err == nil {
		err = m.stage(Download, version, func(dir string) (*sigpack.Fetched, error) {
			ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
			defer cancel()
			return feed.Fetch(ctx, version, dir)
		}, succeeded(version, "Application package %d is downloaded successfully", version))
	}
	if err != nil {
		m.downloadFailed(w, err)
	}
	return err == nil
}

// stage lets fetch unpack a package into a new directory and makes it the one that is installed
// next.
func (m *Manager) stage(op Operation, version int, fetch func(dir string) (*sigpack.Fetched, error), done Status) error {
	if err := m.note(op, version, false); err != nil {
		return err
	}
	next := &slot{Dir: m.journal.newDir()}
	dir := m.journal.path(next)
	m.opt.fault(op.String() + ": before the fetch")
	fetched, err := fetch(dir)
	m.opt.fault(op.String() + ": fetched")
	if err == nil {
		next.Info, next.Digest = fetched.Info, fetched.Digest
		for _, note := range fetched.Notes {
			m.opt.Logger.Warn("signature package", "version", fetched.Version, "note", note)
		}
		err = m.acceptable(op, next, version)
	}
	if err == nil {
		err = syncTree(dir)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	m.opt.fault(op.String() + ": on disk")
	if done.Version == 0 {
		done.Version = next.Version
	}
	if err := m.end(op, done, func(r *record) { r.Staged = next }); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	m.sweep()
	return nil
}

// acceptable says why a package that was fetched is not to be staged.
func (m *Manager) acceptable(op Operation, s *slot, version int) error {
	r := m.journal.read()
	if op == Download {
		if s.Version != version {
			return errors.New("the download server sent another version than was asked for")
		}
		return nil
	}
	if _, is := r.faulty(s.Version); is {
		return faultyError{s.Version}
	}
	for _, o := range r.Offered {
		if o.Version == s.Version && o.Withdrawn {
			return unavailableError{s.Version}
		}
	}
	return nil
}

// downloadFailed ends a download.
func (m *Manager) downloadFailed(w Want, err error) {
	var faulty faultyError
	if errors.As(err, &faulty) && w.Version != 0 {
		m.fail(Download, failed(w.Version, "%v", faulty), nothing)
		return
	}
	if errors.Is(err, sigpack.ErrUnavailable) && w.Version != 0 {
		err = unavailableError{w.Version}
	}
	m.fail(Download, failed(w.Version, "Downloading application package %s failed with error (%v)", w, err), nothing)
}

// note remembers that an operation has begun, for the case that the process does not see its end.
func (m *Manager) note(op Operation, version int, trial bool) error {
	return m.journal.write(op.String()+" begins", func(r *record) {
		r.Underway = &underway{Operation: op.String(), Version: version, Trial: trial, Boot: bootID()}
	})
}

// sweep removes packages that are not needed any more.
func (m *Manager) sweep() {
	if err := m.journal.sweep(); err != nil {
		m.opt.Logger.Warn("signature packages that are not needed could not be removed", "directory", filepath.Clean(m.opt.Dir), "error", err)
	}
}
