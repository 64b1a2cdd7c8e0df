package users

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/pressly/goose/v3"

	"sluice/policy"
)

//go:embed migrations/*.sql
var migrations embed.FS

// read fills the table with what the database keeps.
func (t *Table) read(ctx context.Context, into *entries) error {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, t.db, steps,
		goose.WithTableName("local_user_version"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	rows, err := t.db.QueryContext(ctx, "SELECT address, name, roles FROM local_user")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var address, name, roles string
		if err := rows.Scan(&address, &name, &roles); err != nil {
			return err
		}
		addr, err := netip.ParseAddr(address)
		if err != nil {
			return fmt.Errorf("kept entry %q: %w", address, err)
		}
		user := &policy.User{Name: name}
		if err := json.Unmarshal([]byte(roles), &user.Roles); err != nil {
			return fmt.Errorf("roles kept of %s: %w", address, err)
		}
		into.Insert(host(addr), user)
	}
	return rows.Err()
}

// keep writes a change down, all or nothing.
func (t *Table) keep(ctx context.Context, added []Entry, removed []netip.Addr) (err error) {
	if t.db == nil {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keeping the local authentication table: %w", err)
		}
	}()
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit there is nothing to undo
	for _, e := range added {
		roles, err := json.Marshal(e.Roles)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO local_user (address, name, roles) VALUES (?, ?, ?)", e.Address.String(), e.User, string(roles)); err != nil {
			return err
		}
	}
	for _, addr := range removed {
		if _, err := tx.ExecContext(ctx, "DELETE FROM local_user WHERE address = ?", addr.String()); err != nil {
			return err
		}
	}
	return tx.Commit()
}
