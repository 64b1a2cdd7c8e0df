package store

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	"sluice/store/tree"
)

// MaxRevisions is how many revisions are kept: rollback 0 (the active one) to rollback 49.
const MaxRevisions = 50

// Who is a person or program that edits or commits.
type Who struct {
	User   string `json:"user"`
	Client string `json:"client"` // how they came: "cli", "api"
}

// String is the way Junos writes it: "alice via cli".
func (w Who) String() string { return w.User + " via " + w.Client }

// system is who acts when nobody asked: the timer of a confirmed commit.
var system = Who{User: "sluice", Client: "timer"}

// Revision is one committed configuration. The zero Revision is the empty configuration of a
// gateway on which nothing was ever committed.
type Revision struct {
	Number int       `json:"number"` // as in "rollback 3"; 0 is the newest
	ID     int64     `json:"id"`     // counts commits from 1 and never changes
	Time   time.Time `json:"time"`
	Who
	Comment   string        `json:"comment,omitempty"`
	Confirmed time.Duration `json:"confirmed,omitempty"` // time given by "commit confirmed", 0 for a plain commit
}

// String names the revision by its id, author and time.
func (r Revision) String() string {
	if r.ID == 0 {
		return "the empty configuration"
	}
	return fmt.Sprintf("revision %d by %s at %s", r.ID, r.Who, r.Time.Format(time.DateTime))
}

// Revisions returns what can be rolled back to, newest first. The slice is the caller's own.
func (s *Store) Revisions() []Revision { return slices.Clone(*s.revisions.Load()) }

// listRevisions reads what can be rolled back to, newest first.
func listRevisions(db *sql.DB) ([]Revision, error) {
	rows, err := db.Query(`SELECT id, time, user, client, comment, confirmed FROM revision ORDER BY id DESC LIMIT ?`, MaxRevisions)
	if err != nil {
		return nil, fmt.Errorf("list the revisions: %w", explain(err))
	}
	defer rows.Close()
	var revisions []Revision
	for rows.Next() {
		r := Revision{Number: len(revisions)}
		var nanoseconds, minutes int64
		if err := rows.Scan(&r.ID, &nanoseconds, &r.User, &r.Client, &r.Comment, &minutes); err != nil {
			return nil, fmt.Errorf("list the revisions: %w", explain(err))
		}
		r.Time, r.Confirmed = time.Unix(0, nanoseconds), time.Duration(minutes)*time.Minute
		revisions = append(revisions, r)
	}
	return revisions, explain(rows.Err())
}

// follow returns the list of revisions after r was committed on top of it.
func follow(r Revision, older []Revision) []Revision {
	revisions := append([]Revision{r}, older...)
	revisions = revisions[:min(len(revisions), MaxRevisions)]
	for i := range revisions {
		revisions[i].Number = i
	}
	return revisions
}

// Rollback returns the statements of rollback number n, 0 to 49. The tree is the caller's own.
func (s *Store) Rollback(n int) (*tree.Tree, error) {
	if n < 0 || n >= MaxRevisions {
		return nil, fmt.Errorf("rollback %d: the number must be 0 to %d", n, MaxRevisions-1)
	}
	revisions := *s.revisions.Load()
	if n == 0 && len(revisions) == 0 {
		return tree.New(), nil
	}
	if n >= len(revisions) {
		return nil, fmt.Errorf("rollback %d: there are only %d revisions", n, len(revisions))
	}
	t, err := readText(s.reader, revisions[n].ID)
	if err != nil {
		return nil, fmt.Errorf("rollback %d: %w", n, err)
	}
	return t, nil
}

// find returns the revision with the given id. One that is too old for the list has only its id.
func (s *Store) find(id int64) Revision {
	for _, r := range *s.revisions.Load() {
		if r.ID == id {
			return r
		}
	}
	return Revision{ID: id}
}

// readText reads the statements of the revision with the given id; id 0 is the empty configuration.
func readText(db *sql.DB, id int64) (*tree.Tree, error) {
	if id == 0 {
		return tree.New(), nil
	}
	var text string
	if err := db.QueryRow(`SELECT text FROM revision WHERE id = ?`, id).Scan(&text); err != nil {
		return nil, fmt.Errorf("read revision %d: %w", id, explain(err))
	}
	t, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("revision %d: %w", id, err)
	}
	return t, nil
}

// insertRevision stores r and its text, sets its id, and forgets the revisions that nobody can
// roll back to any more, but never the one named keep.
func insertRevision(tx *sql.Tx, r *Revision, text string, keep int64) error {
	result, err := tx.Exec(`INSERT INTO revision (time, user, client, comment, confirmed, text) VALUES (?, ?, ?, ?, ?, ?)`,
		r.Time.UnixNano(), r.User, r.Client, r.Comment, int64(r.Confirmed/time.Minute), text)
	if err != nil {
		return err
	}
	if r.ID, err = result.LastInsertId(); err != nil {
		return err
	}
	_, err = tx.Exec(`DELETE FROM revision WHERE id != ? AND id NOT IN (SELECT id FROM revision ORDER BY id DESC LIMIT ?)`, keep, MaxRevisions)
	return err
}

// parse reads a text that the store itself has written.
func parse(text string) (*tree.Tree, error) {
	t, problems := tree.Parse(text)
	for _, p := range problems {
		if !p.Warning {
			return nil, fmt.Errorf("stored configuration cannot be read: %w", p)
		}
	}
	return t, nil
}
