-- +goose Up
DROP TABLE log_history;
CREATE TABLE log_batch (
    first        INTEGER PRIMARY KEY, -- number of its first record; numbers grow by one with each record
    records      INTEGER NOT NULL,    -- how many
    oldest       INTEGER NOT NULL,    -- nanoseconds since 1970
    newest       INTEGER NOT NULL,
    tags         INTEGER NOT NULL,    -- 1<<tag of each tag in it
    session_low  INTEGER NOT NULL,
    session_high INTEGER NOT NULL,
    data         BLOB    NOT NULL     -- the records
) STRICT;

-- +goose Down
DROP TABLE log_batch;
CREATE TABLE log_history (
    number      INTEGER PRIMARY KEY,
    time        INTEGER NOT NULL,
    tag         INTEGER NOT NULL,
    session     INTEGER NOT NULL,
    protocol    INTEGER NOT NULL,
    source      BLOB    NOT NULL,
    source_port INTEGER NOT NULL,
    destination BLOB    NOT NULL,
    destination_port INTEGER NOT NULL,
    policy      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    record      BLOB    NOT NULL
) STRICT;
CREATE INDEX log_history_time ON log_history (time);
CREATE INDEX log_history_session ON log_history (session);
