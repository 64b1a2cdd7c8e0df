-- +goose Up

-- One row for every commit that can still be rolled back to. Ids only ever grow.
CREATE TABLE revision (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    time      INTEGER NOT NULL, -- nanoseconds since 1970
    user      TEXT    NOT NULL,
    client    TEXT    NOT NULL,
    comment   TEXT    NOT NULL,
    confirmed INTEGER NOT NULL, -- minutes of a "commit confirmed", 0 for a plain commit
    text      TEXT    NOT NULL  -- the whole configuration
) STRICT;

-- At most one row: a confirmed commit that nobody has confirmed yet.
CREATE TABLE confirmation (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL, -- the revision that waits
    previous INTEGER NOT NULL, -- the revision to go back to, 0 for the empty configuration
    until    INTEGER NOT NULL, -- nanoseconds since 1970
    minutes  INTEGER NOT NULL  -- the whole time that was given
) STRICT;

-- At most one row: the shared candidate, when it differs from the active configuration.
CREATE TABLE shared_candidate (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    base_revision INTEGER NOT NULL, -- the revision it started from, 0 for the empty configuration
    base          TEXT    NOT NULL, -- that revision's text
    text          TEXT    NOT NULL, -- the candidate after the edit named below
    edit          INTEGER NOT NULL  -- the last edit that text contains, 0 for none
) STRICT;

-- The edits of the shared candidate, in order. Those after shared_candidate.edit are replayed at
-- start; all of them tell who changed it.
CREATE TABLE shared_edit (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    time      INTEGER NOT NULL, -- nanoseconds since 1970
    user      TEXT    NOT NULL,
    client    TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('run', 'set', 'lines', 'merge', 'override', 'replace', 'reset')),
    level     TEXT    NOT NULL, -- the edit level, a JSON array of words
    statement TEXT    NOT NULL
) STRICT;
