package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// How hard a handle pushes its transactions to the disk. Both survive the death of the process;
// only syncFull also survives a power failure with certainty.
const (
	syncFull   = "FULL"
	syncNormal = "NORMAL"
)

// openWriter opens the database at path, creating it for its owner alone, with the one connection
// that SQLite's single writer needs. Transactions take the write lock when they begin, because a
// transaction that starts reading and then writes would be refused instead of waiting.
func openWriter(path, synchronous string) (*sql.DB, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return openPool(path, 1, url.Values{"_synchronous": {synchronous}, "_txlock": {"immediate"}})
}

// openReaders opens a pool of connections that cannot write.
func openReaders(path string) (*sql.DB, error) {
	return openPool(path, 4, url.Values{"_query_only": {"true"}})
}

func openPool(path string, connections int, options url.Values) (*sql.DB, error) {
	options.Set("_journal_mode", "WAL")
	options.Set("_busy_timeout", "5000")
	options.Set("_foreign_keys", "on")
	name := url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options.Encode()}
	db, err := sql.Open("sqlite3", name.String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.Ping(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, explain(err)), db.Close())
	}
	return db, nil
}

// migrate brings the tables of the configuration database up to this version. Migrations only
// ever add, so a database that a later version has written is left as it is.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the configuration database: %w", explain(err))
	}
	return nil
}

// transact runs do in one transaction of db: all of it is stored, or nothing.
func transact(db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return explain(err)
	}
	if err := do(tx); err != nil {
		return errors.Join(explain(err), ignoreDone(tx.Rollback()))
	}
	return explain(tx.Commit())
}

// store runs do in one transaction of the configuration database: when it returns nil, what do wrote
// is safe on the disk, and otherwise nothing of it will ever be seen.
func (s *Store) store(do func(*sql.Tx) error) error {
	err := transact(s.commits, do)
	if err != nil {
		s.overwrite()
	}
	return err
}

// overwrite makes a failed transaction unreadable. When the write-ahead log could be written but not
// synced, SQLite takes the transaction back, but leaves it whole in the log, and a process that
// reads the log after a crash would find it and take it for good. The next transaction is written
// in its place: a change of nothing, on the handle that does not sync. Where even that fails, the
// log could not be written, so there is nothing whole in it.
func (s *Store) overwrite() { _, _ = s.edits.Exec("PRAGMA user_version = 0") }

// ignoreDone drops the error of a rollback that SQLite has already made by itself.
func ignoreDone(err error) error {
	var lite sqlite3.Error
	if errors.Is(err, sql.ErrTxDone) || errors.As(err, &lite) && lite.Code == sqlite3.ErrError {
		return nil
	}
	return err
}

// explain adds what to do to an error of the database.
func explain(err error) error {
	var lite sqlite3.Error
	if !errors.As(err, &lite) {
		return err
	}
	switch lite.Code {
	case sqlite3.ErrFull:
		return fmt.Errorf("%w: the disk is full, free some space and try again", err)
	case sqlite3.ErrIoErr:
		return fmt.Errorf("%w: the disk refuses to read or write, see the kernel log", err)
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return fmt.Errorf("%w: check the owner and mode of the state directory", err)
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return fmt.Errorf("%w: the database is damaged; config.txt beside it holds the last committed configuration", err)
	}
	return err
}
