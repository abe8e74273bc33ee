-- How far everything has been copied into this database from another one, a row a
-- table and one of the name '' for the whole. last is the primary key of the last
-- row that has come, as JSON; copied counts those that have.

-- +goose Up

CREATE TABLE transfers (
    name   TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL DEFAULT '',
    last   TEXT NOT NULL DEFAULT '',
    copied INTEGER NOT NULL DEFAULT 0,
    done   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Counted for monitors.
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead';

-- +goose Down

DROP INDEX outbox_dead;
DROP TABLE transfers;
