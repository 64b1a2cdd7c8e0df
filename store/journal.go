package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/store/schema"
	"sluice/store/tree"
)

// editKind is what an edit does with its statement.
type editKind string

const (
	editRun   editKind = "run"   // run it
	editReset editKind = "reset" // the whole candidate was replaced; the text is with the candidate
)

// loadKinds are the edits that load a text.
var loadKinds = map[tree.LoadMode]editKind{
	tree.LoadSet: "set", tree.LoadSetLines: "lines", tree.LoadMerge: "merge", tree.LoadOverride: "override", tree.LoadReplace: "replace",
}

// edit is one change of a candidate. The shared candidate is stored as the edits that made it, so
// that an edit costs the same however large the configuration is.
type edit struct {
	time      time.Time
	who       Who
	kind      editKind
	level     []string
	statement string
}

// apply makes the edit on t, which it may leave half changed when it fails with an error.
func (e edit) apply(t *tree.Tree) ([]schema.Problem, error) {
	if e.kind == editRun {
		return nil, t.Run(e.level, e.statement)
	}
	for mode, kind := range loadKinds {
		if kind == e.kind {
			return t.Load(mode, e.level, e.statement), nil
		}
	}
	return nil, fmt.Errorf("edit of an unknown kind %q", e.kind)
}

// loadShared reads the shared candidate; without uncommitted changes it is the active configuration.
func (s *Store) loadShared(active *running) (*working, error) {
	var baseText, text string
	var w working
	var done int64
	err := s.reader.QueryRow(`SELECT base_revision, base, text, edit FROM shared_candidate`).Scan(&w.baseID, &baseText, &text, &done)
	if errors.Is(err, sql.ErrNoRows) {
		return unchanged(active), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the shared candidate: %w", explain(err))
	}
	if w.base, err = parse(baseText); err == nil {
		w.tree, err = parse(text)
	}
	if err != nil {
		return nil, fmt.Errorf("shared candidate: %w", err)
	}
	edits, err := readEdits(s.reader, done)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		// An edit that was accepted once can only fail after a change of version.
		before := w.tree.Clone()
		if _, err := e.apply(w.tree); err != nil {
			w.tree = before
			s.log.Warn("an uncommitted statement of the shared candidate is no longer accepted and is left out",
				"statement", e.statement, "author", e.who.String(), "error", err)
		}
	}
	return &w, nil
}

// unchanged is a candidate that nobody has edited.
func unchanged(active *running) *working {
	return &working{tree: active.tree, base: active.tree, baseID: active.revision.ID}
}

// saveEdit stores e and makes next the shared candidate; s.mu is held.
func (s *Store) saveEdit(next *working, e edit) error {
	level, err := json.Marshal(e.level)
	if err != nil {
		return err
	}
	err = transact(s.edits, func(tx *sql.Tx) error {
		if !s.shared.changed() {
			// The first edit; what is left of changes that were undone by hand goes with it.
			if err := clearShared(tx); err != nil {
				return err
			}
			base := next.base.Text()
			if err := writeShared(tx, next.baseID, base, base); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO shared_edit (time, user, client, kind, level, statement) VALUES (?, ?, ?, ?, ?, ?)`,
			e.time.UnixNano(), e.who.User, e.who.Client, string(e.kind), string(level), e.statement)
		return err
	})
	if err != nil {
		return fmt.Errorf("edit not stored, the candidate is as it was: %w", err)
	}
	s.shared = next
	return nil
}

// replaceShared stores next as the shared candidate; s.mu is held. Author replaced all of it; without
// one it is the work of those who edited it so far.
func (s *Store) replaceShared(next *working, author *Who) error {
	err := transact(s.edits, func(tx *sql.Tx) error {
		if author != nil {
			if err := clearShared(tx); err != nil {
				return err
			}
			_, err := tx.Exec(`INSERT INTO shared_edit (time, user, client, kind, level, statement) VALUES (?, ?, ?, ?, '[]', '')`,
				time.Now().UnixNano(), author.User, author.Client, string(editReset))
			if err != nil {
				return err
			}
		}
		return saveShared(tx, next)
	})
	if err != nil {
		return fmt.Errorf("edit not stored, the candidate is as it was: %w", err)
	}
	s.shared = next
	return nil
}

// saveShared stores w as the shared candidate. The edits so far stay, to tell who made it.
func saveShared(tx *sql.Tx, w *working) error {
	if !w.changed() {
		return clearShared(tx)
	}
	return writeShared(tx, w.baseID, w.base.Text(), w.tree.Text())
}

// writeShared stores a shared candidate that contains all edits up to now.
func writeShared(tx *sql.Tx, baseID int64, base, text string) error {
	_, err := tx.Exec(`INSERT OR REPLACE INTO shared_candidate (id, base_revision, base, text, edit)
		VALUES (1, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM shared_edit))`, baseID, base, text)
	return err
}

// clearShared forgets the shared candidate and its edits.
func clearShared(tx *sql.Tx) error {
	if _, err := tx.Exec(`DELETE FROM shared_edit`); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM shared_candidate`)
	return err
}

// readEdits reads the edits of the shared candidate that came after the one with the id after.
func readEdits(db *sql.DB, after int64) ([]edit, error) {
	rows, err := db.Query(`SELECT time, user, client, kind, level, statement FROM shared_edit WHERE id > ? ORDER BY id`, after)
	if err != nil {
		return nil, fmt.Errorf("read the edits of the shared candidate: %w", explain(err))
	}
	defer rows.Close()
	var edits []edit
	for rows.Next() {
		var e edit
		var nanoseconds int64
		var level string
		if err := rows.Scan(&nanoseconds, &e.who.User, &e.who.Client, &e.kind, &level, &e.statement); err != nil {
			return nil, fmt.Errorf("read the edits of the shared candidate: %w", explain(err))
		}
		if err := json.Unmarshal([]byte(level), &e.level); err != nil {
			return nil, fmt.Errorf("read the edits of the shared candidate: %w", err)
		}
		e.time = time.Unix(0, nanoseconds)
		edits = append(edits, e)
	}
	return edits, explain(rows.Err())
}

// readAuthors reads who edited the shared candidate, each once, in the order of their first edits.
func readAuthors(db *sql.DB) ([]Who, error) {
	edits, err := readEdits(db, 0)
	var authors []Who
	for _, e := range edits {
		if !slices.Contains(authors, e.who) {
			authors = append(authors, e.who)
		}
	}
	return authors, err
}
