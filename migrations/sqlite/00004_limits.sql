-- How fast platforms let the bot send, counted by all replicas together. full_at
-- is in microseconds since 1970 UTC.

-- +goose Up

CREATE TABLE limits (
    key     TEXT    NOT NULL PRIMARY KEY,
    full_at INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down

DROP TABLE limits;
