package track

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// historyStore is the table of records in the state database.
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

// historyWriter inserts batches of records, a transaction each, and removes the oldest.
type historyWriter struct {
	store      *historyStore
	maxRecords int64
	insert     *sql.Stmt
	buf        []byte
}

func (w *historyWriter) open(ctx context.Context) (fresh bool, err error) {
	if w.insert != nil {
		return false, nil
	}
	if err := w.store.prepare(ctx); err != nil {
		return false, err
	}
	insert, err := w.store.db.PrepareContext(ctx, `INSERT INTO log_history
		(time, tag, session, protocol, source, source_port, destination, destination_port, policy, reason, record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return false, fmt.Errorf("history: %w", err)
	}
	w.insert = insert
	return true, nil
}

func (w *historyWriter) write(_ context.Context, batch []*record) (sent, lost int, err error) {
	if err := w.transaction(batch); err != nil {
		return 0, 0, fmt.Errorf("history: %w", err)
	}
	return len(batch), 0, nil
}

// transaction inserts batch. Its statements run without a context that can end: the driver starts
// a goroutine per statement for those, and a batch is short.
func (w *historyWriter) transaction(batch []*record) (err error) {
	tx, err := w.store.db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	insert := tx.Stmt(w.insert)
	var last int64
	for _, r := range batch {
		src, dst := r.Source.Addr().As16(), r.Destination.Addr().As16()
		w.buf = encodeSession(w.buf[:0], &r.Session)
		result, err := insert.Exec(r.time.UnixNano(), int64(r.tag), int64(r.ID), int64(r.Protocol),
			src[:], int64(r.Source.Port()), dst[:], int64(r.Destination.Port()), r.Policy, r.reason, w.buf)
		if err != nil {
			return err
		}
		if last, err = result.LastInsertId(); err != nil {
			return err
		}
	}
	// Numbers grow by one, so the oldest to go are known without counting. A bound on how many go
	// at once keeps the transaction short after max-records was made smaller.
	_, err = tx.Exec(`DELETE FROM log_history WHERE number IN
		(SELECT number FROM log_history WHERE number <= ? ORDER BY number LIMIT ?)`, last-w.maxRecords, 4*batchSize)
	if err != nil {
		return err
	}
	return tx.Commit()
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

// History returns the records that q wants, newest first.
func (t *Tracker) History(q Query) ([]Entry, error) {
	if t.history == nil {
		return nil, ErrNoHistory
	}
	ctx := context.Background()
	if err := t.history.prepare(ctx); err != nil {
		return nil, err
	}
	where, args := q.conditions()
	rows, err := t.history.db.QueryContext(ctx, "SELECT number, time, tag, reason, record FROM log_history"+where+" ORDER BY number DESC LIMIT ?", args...)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var e Entry
		var nanos int64
		var raw sql.RawBytes
		if err := rows.Scan(&e.Number, &nanos, &e.Tag, &e.Reason, &raw); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if e.Session, err = decodeSession(raw); err != nil {
			return nil, fmt.Errorf("history: record %d: %w", e.Number, err)
		}
		e.Time = time.Unix(0, nanos)
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return entries, nil
}

// conditions is the WHERE clause of q, and the arguments of the whole query.
func (q *Query) conditions() (where string, args []any) {
	var terms []string
	add := func(term string, values ...any) {
		terms, args = append(terms, term), append(args, values...)
	}
	if !q.From.IsZero() {
		add("time >= ?", q.From.UnixNano())
	}
	if !q.To.IsZero() {
		add("time <= ?", q.To.UnixNano())
	}
	if len(q.Tags) > 0 {
		values := make([]any, len(q.Tags))
		for i, tag := range q.Tags {
			values[i] = int64(tag)
		}
		add("tag IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	}
	if q.Session != 0 {
		add("session = ?", int64(q.Session))
	}
	if q.Protocol != 0 {
		add("protocol = ?", int64(q.Protocol))
	}
	if q.Source.IsValid() {
		low, high := prefixRange(q.Source)
		add("source BETWEEN ? AND ?", low, high)
	}
	if q.Destination.IsValid() {
		low, high := prefixRange(q.Destination)
		add("destination BETWEEN ? AND ?", low, high)
	}
	if q.SourcePort != 0 {
		add("source_port = ?", int64(q.SourcePort))
	}
	if q.DestinationPort != 0 {
		add("destination_port = ?", int64(q.DestinationPort))
	}
	if q.Policy != "" {
		add("policy = ?", q.Policy)
	}
	if len(terms) > 0 {
		where = " WHERE " + strings.Join(terms, " AND ")
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	return where, append(args, min(limit, MaxEntries))
}

// prefixRange is the first and the last address of p in the form the table keeps.
func prefixRange(p netip.Prefix) (low, high []byte) {
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	first := p.Masked().Addr().As16()
	last := first
	for i := bits; i < 128; i++ {
		last[i/8] |= 1 << (7 - i%8)
	}
	return first[:], last[:]
}
