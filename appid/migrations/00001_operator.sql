-- +goose Up
CREATE TABLE application_mark (
    kind    TEXT    NOT NULL, -- disabled-application, disabled-group, production
    name    TEXT    NOT NULL, -- in lower case
    package INTEGER NOT NULL, -- version that a mark of production is about; 0: every one
    PRIMARY KEY (kind, name)
) STRICT;
CREATE TABLE application_number (
    name    TEXT    PRIMARY KEY, -- of a custom application, in lower case
    number  INTEGER NOT NULL UNIQUE
) STRICT;

-- +goose Down
DROP TABLE application_number;
DROP TABLE application_mark;
