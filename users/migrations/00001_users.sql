-- +goose Up
CREATE TABLE local_user (
    address TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    roles   TEXT NOT NULL -- JSON list
) STRICT;

-- +goose Down
DROP TABLE local_user;
