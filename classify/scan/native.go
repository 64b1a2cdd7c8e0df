package scan

// The running half of Hyperscan, bound here rather than through gohs: there a scan costs a handle,
// an allocation and a call back into Go for each match, which together is more than the scanning
// of a header. Here the matches are gathered in C, and one call that neither keeps its arguments
// nor calls back does it all.

/*
#cgo pkg-config: libhs
#cgo LDFLAGS: -lm -lstdc++
#cgo noescape sluice_scan
#cgo nocallback sluice_scan

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <hs.h>

// How often expressions that may match many times are written down in one scan.
#define REPEATS 4096

enum { ONCE = 0, REPEATED = 1 };

// A database and what its expressions are, by their number.
typedef struct {
	hs_database_t *hs;
	unsigned expressions;
	unsigned *depth;        // a match must end here or before
	unsigned char *repeated; // every match is of interest, not the first only
} database;

typedef struct { unsigned expression, end; } match;

// What one goroutine at a time scans with.
typedef struct {
	hs_scratch_t *scratch;
	const database *db;     // during a scan
	unsigned n, repeats, room;
	match *matches;
	unsigned char *seen;    // by expression: has matched in this scan
} lane;

static int note(unsigned id, unsigned long long from, unsigned long long to, unsigned flags, void *context) {
	lane *l = context;
	if (to > l->db->depth[id]) return 0;
	if (l->seen[id]) {
		if (!l->db->repeated[id] || l->repeats == REPEATS) return 0;
		l->repeats++;
	}
	l->seen[id] = 1;
	l->matches[l->n++] = (match){id, (unsigned)to};
	return 0;
}

static int sluice_scan(const database *db, lane *l, const char *data, unsigned length) {
	for (unsigned i = 0; i < l->n; i++) l->seen[l->matches[i].expression] = 0;
	l->n = l->repeats = 0;
	l->db = db;
	return hs_scan(db->hs, data, length, 0, l->scratch, note, l);
}

static void sluice_unload(database *db) {
	if (!db) return;
	hs_free_database(db->hs);
	free(db->depth);
	free(db->repeated);
	free(db);
}

static database *sluice_load(const char *data, size_t length, unsigned expressions) {
	database *db = calloc(1, sizeof *db);
	if (!db) return NULL;
	db->expressions = expressions;
	db->depth = calloc(expressions, sizeof *db->depth);
	db->repeated = calloc(expressions, 1);
	if (!db->depth || !db->repeated || hs_deserialize_database(data, length, &db->hs) != HS_SUCCESS) {
		sluice_unload(db);
		return NULL;
	}
	return db;
}

static void sluice_free_lane(lane *l) {
	if (!l) return;
	hs_free_scratch(l->scratch);
	free(l->matches);
	free(l->seen);
	free(l);
}

// A lane for all databases of a list.
static lane *sluice_new_lane(database **dbs, unsigned n) {
	lane *l = calloc(1, sizeof *l);
	if (!l) return NULL;
	for (unsigned i = 0; i < n; i++) {
		if (dbs[i]->expressions > l->room) l->room = dbs[i]->expressions;
		if (hs_alloc_scratch(dbs[i]->hs, &l->scratch) != HS_SUCCESS) {
			sluice_free_lane(l);
			return NULL;
		}
	}
	l->matches = calloc(l->room + REPEATS, sizeof *l->matches);
	l->seen = calloc(l->room + 1, 1);
	if (!l->matches || !l->seen) {
		sluice_free_lane(l);
		return NULL;
	}
	return l;
}

// The least time, in nanoseconds of this thread, that one of several scans takes.
static long long sluice_time(const database *db, lane *l, const char *data, unsigned length, int rounds) {
	long long least = -1;
	for (int i = 0; i < rounds; i++) {
		struct timespec a, b;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
		if (sluice_scan(db, l, data, length) != HS_SUCCESS) return -1;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
		long long took = (b.tv_sec - a.tv_sec) * 1000000000LL + (b.tv_nsec - a.tv_nsec);
		if (least < 0 || took < least) least = took;
	}
	return least;
}
*/
import "C"

import (
	"errors"
	"math"
	"time"
	"unsafe"
)

// match is one expression that matched, and the end of the match.
type match = C.match

// native is a compiled database in the memory of Hyperscan.
type native struct{ c *C.database }

// load brings a compiled database into memory. It fails for one that another version of the
// library or another sort of processor made, and for anything that is none.
func load(compiled []byte, expressions []expression) (native, error) {
	if len(compiled) == 0 {
		return native{}, errors.New("no database")
	}
	c := C.sluice_load((*C.char)(unsafe.Pointer(unsafe.SliceData(compiled))), C.size_t(len(compiled)), C.uint(len(expressions)))
	if c == nil {
		return native{}, errors.New("not a database of this library and processor")
	}
	depths := unsafe.Slice(c.depth, len(expressions))
	repeated := unsafe.Slice(c.repeated, len(expressions))
	for i, e := range expressions {
		depths[i] = math.MaxUint32
		if e.depth > 0 {
			depths[i] = C.uint(e.depth)
		}
		if e.chain {
			repeated[i] = C.REPEATED
		}
	}
	return native{c}, nil
}

func (n native) free() { C.sluice_unload(n.c) }

// scanner is what one goroutine at a time scans with.
type scanner struct{ c *C.lane }

func newScanner(databases []native) (scanner, error) {
	list := make([]*C.database, len(databases))
	for i, n := range databases {
		list[i] = n.c
	}
	c := C.sluice_new_lane(unsafe.SliceData(list), C.uint(len(list)))
	if c == nil {
		return scanner{}, errors.New("no memory to scan with")
	}
	return scanner{c}, nil
}

func (s scanner) free() { C.sluice_free_lane(s.c) }

// scan returns the matches in value, which is not empty. They are valid until the next scan.
func (s scanner) scan(n native, value []byte) []match {
	if C.sluice_scan(n.c, s.c, (*C.char)(unsafe.Pointer(unsafe.SliceData(value))), C.uint(len(value))) != C.HS_SUCCESS {
		return nil
	}
	return unsafe.Slice(s.c.matches, s.c.n)
}

// time measures the scan of value: the least that one of several rounds took.
func (s scanner) time(n native, value []byte, rounds int) time.Duration {
	return time.Duration(C.sluice_time(n.c, s.c, (*C.char)(unsafe.Pointer(unsafe.SliceData(value))), C.uint(len(value)), C.int(rounds)))
}
