// Package scan looks for the signatures of applications with Hyperscan: one database for each
// context and direction, in block mode over values and bounded beginnings of streams.
//
//	set, problems, err := scan.Compile(ctx, database, scan.Options{CacheDir: dir})
//	engine, more := classify.Compile(database, state, classify.Options{Signatures: set})
//	…
//	set.Close()
//
// A pattern matches when all its members have matched in the session, in any order or, with
// Chain, in theirs: each ends after the one before it, in the same value or in a later one. Of
// several patterns that are complete, the first one by precedence is reported: custom applications
// with high priority, predefined ones, custom ones with low priority; among these by order, then
// by name.
//
// An expression may match anywhere in a value unless it is anchored. A dot matches every byte, line
// ends included. $ matches at the end of the value, or before a line feed there. In contexts that
// hold host names (http-header-host, ssl-server-name, dns-query and the like) case is of no
// account; elsewhere it counts, unless the expression begins with (?i). Expressions are written in
// ASCII; other bytes as \xNN.
//
// The life of a signature is the order of the files: syntax.go and check.go (may it be used),
// patterns.go (what to look for, and where), build.go and cache.go (compiled), native.go and
// match.go (found).
package scan

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"

	"sluice/classify/appdb"
	"sluice/classify/decode"
)

// Limits of what is compiled.
const (
	// MaxLength of an expression, in bytes.
	MaxLength = 512
	// MaxSize of an expression: the number of characters and classes when its counted repeats are
	// written out.
	MaxSize = 1000
	// MaxMembers of a pattern.
	MaxMembers = 15
	// MaxExpressions of a context and direction.
	MaxExpressions = 20000
)

// Options of Compile.
type Options struct {
	// CacheDir holds compiled databases between runs; "" for none. It is made when absent. Nobody
	// else should be able to write there.
	CacheDir string
	// Logger takes what goes wrong with the cache; nil for slog.Default.
	Logger *slog.Logger
}

// Set is a set of compiled signatures. It implements classify.Signatures, and may be used by any
// number of goroutines.
type Set struct {
	tables [][2]*table // by context and direction
	lanes  []lane
	loaded []native
	closed sync.Once
}

// table is what is looked for in one place.
type table struct{ databases []database }

// database is a compiled database and whose expressions it holds.
type database struct {
	native  native
	members [][]member // by number of the expression
	chains  bool       // some are members of patterns whose order counts
}

// lane is what one goroutine at a time scans with. Lanes are as many as can be of use at once, and
// none is made or given up between Compile and Close.
type lane struct {
	sync.Mutex
	scanner scanner
	ends    []end
	_       [64]byte // lanes do not share cache lines
}

// Compile compiles the patterns of all applications of a database. Problems tell which of them are
// left out, and why. It fails when ctx is done, or memory runs out.
//
// What was compiled before comes from the cache. The rest takes some milliseconds for each pattern,
// and goes on in the background for the database at hand when ctx ends.
func Compile(ctx context.Context, db *appdb.Database, options Options) (*Set, []appdb.Problem, error) {
	patterns, problems := collect(db)
	b := newBuilder(openCache(options))
	s := &Set{tables: make([][2]*table, len(decode.ContextNames())+1)}
	wanted := places(patterns)
	for _, at := range slices.SortedFunc(maps.Keys(wanted), place.compare) {
		t, err := b.table(ctx, wanted[at])
		if err != nil {
			b.discard()
			return nil, problems, fmt.Errorf("compile signatures of context %s: %w", at.context, err)
		}
		s.tables[at.context][at.direction] = t
	}
	for _, p := range patterns {
		for i := range p.of.Members {
			if err := b.refused[p.expression(i)]; err != nil {
				problems = append(problems, problem(p.hit.Application, p.of, wrong(p.of, i, err)))
			}
		}
	}
	s.loaded = b.loaded
	b.cache.prune()
	if err := s.openLanes(); err != nil {
		s.Close()
		return nil, problems, fmt.Errorf("compile signatures: %w", err)
	}
	return s, problems, nil
}

// openLanes makes two lanes for each processor: a scan that the scheduler has set aside holds one.
func (s *Set) openLanes() error {
	if len(s.loaded) == 0 {
		return nil
	}
	s.lanes = make([]lane, 2*runtime.GOMAXPROCS(0))
	for i := range s.lanes {
		var err error
		if s.lanes[i].scanner, err = newScanner(s.loaded); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the memory of Hyperscan. It waits for scans that are going on; later ones find
// nothing. It may be called more than once.
func (s *Set) Close() { s.closed.Do(s.free) }

func (s *Set) free() {
	for i := range s.lanes {
		l := &s.lanes[i]
		l.Lock()
		l.scanner.free()
		l.scanner = scanner{}
		l.Unlock()
	}
	for _, n := range s.loaded {
		n.free()
	}
}
