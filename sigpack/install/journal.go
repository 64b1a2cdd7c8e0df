package install

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/sigpack"
)

const journalName = "journal.json"

// slot is a package that lies in a directory, or the one that the program carries.
type slot struct {
	sigpack.Info
	// Dir is its directory below that of the manager; "" for the built-in package.
	Dir string `json:"dir,omitempty"`
	// Digest identifies its bytes.
	Digest string `json:"digest,omitempty"`
	// Added are its applications that the package installed before it had not.
	Added []string `json:"added,omitempty"`
}

// builtin says whether the slot is the package that the program carries.
func (s *slot) builtin() bool { return s.Dir == "" }

// underway is an operation that has begun.
type underway struct {
	Operation string `json:"operation"`
	Version   int    `json:"version,omitempty"`
	// Trial says that the version was put in force on trial.
	Trial bool `json:"trial,omitempty"`
	// Boot identifies the run of the kernel.
	Boot string `json:"boot"`
}

// record is what the journal says. A record that was written is not changed any more.
type record struct {
	Format int `json:"format"`
	// Device names this gateway in reports to the feed.
	Device string `json:"device"`
	// Installed is what is in force; nil after an uninstallation.
	Installed *slot `json:"installed"`
	// Previous is what a rollback leads to; nil: nothing.
	Previous *slot `json:"previous"`
	// Staged is what an installation installs.
	Staged *slot `json:"staged"`
	// Uninstalled is what was in force before the last uninstallation.
	Uninstalled *sigpack.Info `json:"uninstalled,omitempty"`
	// Underway is what the process was doing; an operation that ended leaves nothing here.
	Underway *underway `json:"underway,omitempty"`
	// Faulty are versions that failed an installation, the newest failure last.
	Faulty []sigpack.Info `json:"faulty,omitempty"`
	// Skip is the version that was rolled back by hand; schedules ignore it and older ones.
	Skip int `json:"skip,omitempty"`
	// Anchor is when a schedule without a start time was first seen.
	Anchor time.Time `json:"anchor,omitzero"`
	// Offered is what the feed had at the last contact, the newest first.
	Offered []offer `json:"offered,omitempty"`
	// Alarm is when a failed installation was last rolled back; zero: nothing is wrong.
	Alarm time.Time `json:"alarm,omitzero"`
	// Results are the last results of operations, by their names.
	Results map[string]Status `json:"results,omitempty"`
}

// offer is a version of the feed.
type offer struct {
	Version   int  `json:"version"`
	Withdrawn bool `json:"withdrawn,omitempty"`
}

const journalFormat = 1

// result notes how an operation ended.
func (r *record) result(op Operation, s Status) {
	r.Results = maps.Clone(r.Results)
	if r.Results == nil {
		r.Results = map[string]Status{}
	}
	r.Results[op.String()] = s
}

// faulty finds a version that failed an installation.
func (r *record) faulty(version int) (sigpack.Info, bool) {
	i := slices.IndexFunc(r.Faulty, func(f sigpack.Info) bool { return f.Version == version })
	if i < 0 {
		return sigpack.Info{}, false
	}
	return r.Faulty[i], true
}

// markFaulty remembers that a version failed its installation.
func (r *record) markFaulty(info sigpack.Info) {
	others := slices.DeleteFunc(slices.Clone(r.Faulty), func(f sigpack.Info) bool { return f.Version == info.Version })
	r.Faulty = append(others, info)
}

// slots are the packages that the record refers to.
func (r *record) slots() []*slot {
	var all []*slot
	for _, s := range []*slot{r.Installed, r.Previous, r.Staged} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// journal keeps the record on disk.
type journal struct {
	dir   string
	fault func(point string)

	mu     sync.Mutex
	record *record
}

// openJournal reads the journal of a directory. One that does not exist is begun, with the built-in
// package installed.
func openJournal(dir string, fault func(string)) (*journal, error) {
	j := &journal{dir: dir, fault: fault}
	text, err := os.ReadFile(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		j.record = &record{Format: journalFormat, Device: rand.Text(), Installed: &slot{}}
		return j, nil
	}
	if err != nil {
		return nil, err
	}
	j.record = &record{}
	if err := json.Unmarshal(text, j.record); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, journalName), err)
	}
	if j.record.Format != journalFormat {
		return nil, fmt.Errorf("%s: format %d; this program reads format %d", filepath.Join(dir, journalName),
			j.record.Format, journalFormat)
	}
	return j, nil
}

// read returns the record. It must not be changed.
func (j *journal) read() *record {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.record
}

// write changes the record and returns when the change is on the disk. What change puts into the
// record must not be changed later. When it fails nothing has changed. The point is named for tests.
func (j *journal) write(point string, change func(*record)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := *j.record
	change(&next)
	text, err := json.MarshalIndent(&next, "", "\t")
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.fault(point + ": before the journal")
	if err := replaceFile(filepath.Join(j.dir, journalName), append(text, '\n'), func() { j.fault(point + ": in the journal") }); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.record = &next
	j.fault(point + ": after the journal")
	return nil
}

// hold keeps a result that the disk did not take, as long as the process lives.
func (j *journal) hold(op Operation, s Status) {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := *j.record
	next.result(op, s)
	j.record = &next
}

// sweep removes the directories that the record does not refer to. What cannot be removed is left
// to the next time.
func (j *journal) sweep() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	used := map[string]bool{}
	for _, s := range j.record.slots() {
		used[s.Dir] = true
	}
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), packagePrefix) && !used[e.Name()] {
			err = errors.Join(err, os.RemoveAll(filepath.Join(j.dir, e.Name())))
			j.fault("sweep")
		}
	}
	return err
}

// packagePrefix begins the names of the directories of packages.
const packagePrefix = "package-"

// newDir is the name of a directory for a package; it does not exist yet.
func (j *journal) newDir() string { return packagePrefix + strings.ToLower(rand.Text()) }

// path is where a slot's directory is.
func (j *journal) path(s *slot) string { return filepath.Join(j.dir, s.Dir) }
