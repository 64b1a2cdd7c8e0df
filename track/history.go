package track

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// historyStore is the table of records in the state database, a batch of them in a row.
type historyStore struct {
	db *sql.DB

	ready struct {
		sync.Mutex
		done bool
	}
}

// prepare brings the table to the current schema, once; after a failure it may be tried again.
func (h *historyStore) prepare(ctx context.Context) error {
	h.ready.Lock()
	defer h.ready.Unlock()
	if h.ready.done {
		return nil
	}
	steps, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, h.db, steps,
		goose.WithTableName("log_history_version"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	h.ready.done = true
	return nil
}

// historyWriter adds batches of records, a row each, and removes the oldest.
type historyWriter struct {
	store      *historyStore
	maxRecords int64
	insert     *sql.Stmt
	next       int64 // number of the next record
	pruned     int64 // number of the next record when the oldest were last removed
}

func (w *historyWriter) open(ctx context.Context) (fresh bool, err error) {
	if w.insert != nil {
		return false, nil
	}
	if err := w.store.prepare(ctx); err != nil {
		return false, err
	}
	db := w.store.db
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(first + records), 1) FROM log_batch").Scan(&w.next); err != nil {
		return false, fmt.Errorf("history: %w", err)
	}
	insert, err := db.PrepareContext(ctx, `INSERT INTO log_batch
		(first, records, oldest, newest, tags, session_low, session_high, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return false, fmt.Errorf("history: %w", err)
	}
	w.insert = insert
	return true, nil
}

// write adds a batch. Its statements run without a context that can end: the driver starts a goroutine
// per statement for those, and they are short.
func (w *historyWriter) write(_ context.Context, b *batch) (sent, lost int, err error) {
	n, s := len(b.items), &b.span
	if _, err := w.insert.Exec(w.next, n, s.oldest.UnixNano(), s.newest.UnixNano(), s.tags, int64(s.low), int64(s.high), b.data); err != nil {
		return 0, 0, fmt.Errorf("history: %w", err)
	}
	w.next += int64(n)
	if w.next-w.pruned >= batchSize {
		return n, 0, w.prune()
	}
	return n, 0, nil
}

// prune removes the oldest batches as far as the newest records are enough without them. A bound on how
// many go at once keeps it short after max-records was made smaller.
func (w *historyWriter) prune() error {
	w.pruned = w.next
	enough := w.next - w.maxRecords
	if enough <= 1 {
		return nil
	}
	if _, err := w.store.db.Exec(`DELETE FROM log_batch WHERE first IN
		(SELECT first FROM log_batch WHERE first < ? AND first + records <= ? ORDER BY first LIMIT ?)`, enough, enough, 4*batchSize); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func (w *historyWriter) broken() <-chan struct{} { return nil }

func (w *historyWriter) close() {
	if w.insert != nil {
		w.insert.Close()
		w.insert = nil
	}
}

// Query says which records of the history are wanted; an empty field wants all.
type Query struct {
	From, To        time.Time // both included
	Tags            []Tag
	Session         uint64
	Protocol        uint8
	Source          netip.Prefix
	Destination     netip.Prefix
	SourcePort      uint16
	DestinationPort uint16
	Policy          string
	Limit           int // at most; 0 is 100, and more than MaxEntries is MaxEntries
}

// MaxEntries is what one query returns at most, so that no question keeps the database from the writer for long.
const MaxEntries = 10_000

// ErrNoHistory is returned when no history is kept.
var ErrNoHistory = errors.New("no history of security logs is kept here")

// batchesAtOnce is how many batches a query reads in a row, so that it keeps the database from the
// writer for a moment only.
const batchesAtOnce = 16

// History returns the records that q wants, newest first.
func (t *Tracker) History(q Query) ([]Entry, error) {
	if t.history == nil {
		return nil, ErrNoHistory
	}
	if err := t.history.prepare(context.Background()); err != nil {
		return nil, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, MaxEntries)
	var entries []Entry
	for below := int64(math.MaxInt64); len(entries) < limit; {
		rows, err := t.history.rows(&q, below)
		if err != nil || len(rows) == 0 {
			return entries, err
		}
		for _, b := range rows {
			list, err := decodeBatch(b.data, b.first)
			if err != nil {
				return nil, fmt.Errorf("history: records from %d: %w", b.first, err)
			}
			for _, e := range slices.Backward(list) {
				if len(entries) < limit && q.wants(&e) {
					entries = append(entries, e)
				}
			}
			below = b.first
		}
	}
	return entries, nil
}

// row is a batch of records in the history.
type row struct {
	first int64
	data  []byte
}

// rows are the newest ones below a number that may have records that q wants.
func (h *historyStore) rows(q *Query, below int64) (list []row, err error) {
	where, args := q.conditions(below)
	rows, err := h.db.Query("SELECT first, data FROM log_batch WHERE "+where+" ORDER BY first DESC LIMIT ?", append(args, batchesAtOnce)...)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var b row
		if err := rows.Scan(&b.first, &b.data); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		list = append(list, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return list, nil
}

// conditions is the WHERE clause of the batches below a number that may have records that q wants.
func (q *Query) conditions(below int64) (where string, args []any) {
	where, args = "first < ?", []any{below}
	add := func(term string, values ...any) {
		where, args = where+" AND "+term, append(args, values...)
	}
	if !q.From.IsZero() {
		add("newest >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		add("oldest <= ?", q.To.UnixNano())
	}
	if len(q.Tags) > 0 {
		tags := int64(0)
		for _, tag := range q.Tags {
			tags |= 1 << tag
		}
		add("tags & ? != 0", tags)
	}
	if q.Session != 0 {
		add("? BETWEEN session_low AND session_high", int64(q.Session))
	}
	return where, args
}

// wants says whether q wants a record.
func (q *Query) wants(e *Entry) bool {
	s := &e.Session
	switch {
	case !q.From.IsZero() && e.Time.Before(q.From),
		!q.To.IsZero() && e.Time.After(q.To),
		len(q.Tags) > 0 && !slices.Contains(q.Tags, e.Tag),
		q.Session != 0 && s.ID != q.Session,
		q.Protocol != 0 && s.Protocol != q.Protocol,
		q.Source.IsValid() && !contains(q.Source, s.Source.Addr()),
		q.Destination.IsValid() && !contains(q.Destination, s.Destination.Addr()),
		q.SourcePort != 0 && s.Source.Port() != q.SourcePort,
		q.DestinationPort != 0 && s.Destination.Port() != q.DestinationPort,
		q.Policy != "" && s.Policy != q.Policy:
		return false
	}
	return true
}

// contains says whether an address is in p, whether or not it is written as an IPv6 address.
func contains(p netip.Prefix, a netip.Addr) bool { return p.Contains(a.Unmap()) }
