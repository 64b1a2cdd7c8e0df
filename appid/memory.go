package appid

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// mark is something that operators have decided by command.
type mark string

const (
	markApplication mark = "disabled-application"
	markGroup       mark = "disabled-group"
	markProduction  mark = "production" // an application of a package is not new any more
)

// marks are the versions of packages that a decision is about, by its kind and the name in lower
// case. 0 stands for every package.
type marks map[mark]map[string]int

// has says whether a decision was made about a name in a package.
func (m marks) has(kind mark, name string, version int) bool {
	of, ok := m[kind][strings.ToLower(name)]
	return ok && (of == 0 || of == version)
}

// memory is what outlives the process: decisions, and the numbers of custom applications.
type memory struct {
	db      *sql.DB // nil: nothing does
	marks   marks
	numbers map[string]uint32
}

// openMemory reads what was kept.
func openMemory(ctx context.Context, db *sql.DB) (*memory, error) {
	m := &memory{db: db, marks: marks{markApplication: {}, markGroup: {}, markProduction: {}}, numbers: map[string]uint32{}}
	if db == nil {
		return m, nil
	}
	if err := m.load(ctx); err != nil {
		return nil, fmt.Errorf("what is kept of applications: %w", err)
	}
	return m, nil
}

func (m *memory) load(ctx context.Context) error {
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, m.db, steps,
		goose.WithTableName("application_version"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return err
	}
	err = each(ctx, m.db, "SELECT kind, name, package FROM application_mark", func(rows *sql.Rows) error {
		var kind, name string
		var version int
		if err := rows.Scan(&kind, &name, &version); err != nil {
			return err
		}
		if known := m.marks[mark(kind)]; known != nil {
			known[name] = version
		}
		return nil
	})
	if err != nil {
		return err
	}
	return each(ctx, m.db, "SELECT name, number FROM application_number", func(rows *sql.Rows) error {
		var name string
		var number uint32
		if err := rows.Scan(&name, &number); err != nil {
			return err
		}
		m.numbers[name] = number
		return nil
	})
}

func each(ctx context.Context, db *sql.DB, query string, row func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// set keeps a decision about names, or forgets it.
func (m *memory) set(kind mark, version int, decided bool, names ...string) error {
	if err := m.write(kind, version, decided, names); err != nil {
		return fmt.Errorf("keeping it: %w", err)
	}
	for _, name := range names {
		if decided {
			m.marks[kind][strings.ToLower(name)] = version
		} else {
			delete(m.marks[kind], strings.ToLower(name))
		}
	}
	return nil
}

func (m *memory) write(kind mark, version int, decided bool, names []string) error {
	return m.transaction(func(tx *sql.Tx) error {
		for _, name := range names {
			query, args := "DELETE FROM application_mark WHERE kind = ? AND name = ?", []any{string(kind), strings.ToLower(name)}
			if decided {
				query, args = "INSERT OR REPLACE INTO application_mark (kind, name, package) VALUES (?, ?, ?)", append(args, version)
			}
			if _, err := tx.Exec(query, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// keep takes over the numbers that a configuration has given to new custom applications.
func (m *memory) keep(fresh map[string]uint32) error {
	maps.Copy(m.numbers, fresh)
	if len(fresh) == 0 {
		return nil
	}
	return m.transaction(func(tx *sql.Tx) error {
		for name, number := range fresh {
			if _, err := tx.Exec("INSERT OR REPLACE INTO application_number (name, number) VALUES (?, ?)", name, number); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m *memory) transaction(do func(*sql.Tx) error) error {
	if m.db == nil {
		return nil
	}
	tx, err := m.db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it says that the transaction was committed, or failed before
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// firstNumber is the number of the first custom application; those of packages are below it.
const firstNumber = 0x0100_0000

// numbering gives custom applications their numbers: an application keeps it for ever, by its name.
type numbering struct {
	known map[string]uint32
	fresh map[string]uint32 // given by this configuration
	next  uint32
}

func (m *memory) numbering() numbering {
	n := numbering{known: m.numbers, fresh: map[string]uint32{}, next: firstNumber}
	for _, number := range m.numbers {
		n.next = max(n.next, number+1)
	}
	return n
}

func (n *numbering) of(name string) uint32 {
	name = strings.ToLower(name)
	if number, ok := n.known[name]; ok {
		return number
	}
	n.fresh[name] = n.next
	n.next++
	return n.fresh[name]
}
