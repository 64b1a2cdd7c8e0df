-- +goose Up
CREATE TABLE log_history (
    number      INTEGER PRIMARY KEY, -- grows with time
    time        INTEGER NOT NULL,    -- nanoseconds since 1970
    tag         INTEGER NOT NULL,
    session     INTEGER NOT NULL,
    protocol    INTEGER NOT NULL,
    source      BLOB    NOT NULL,    -- 16 bytes, IPv4 mapped, so that prefixes are ranges
    source_port INTEGER NOT NULL,
    destination BLOB    NOT NULL,
    destination_port INTEGER NOT NULL,
    policy      TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    record      BLOB    NOT NULL     -- the whole session
) STRICT;
CREATE INDEX log_history_time ON log_history (time);
CREATE INDEX log_history_session ON log_history (session);

-- +goose Down
DROP TABLE log_history;
