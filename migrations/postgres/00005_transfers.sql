-- How far everything has been copied into this database from another one, a row a
-- table and one of the name '' for the whole. last is the primary key of the last
-- row that has come, as JSON; copied counts those that have.

-- +goose Up

CREATE TABLE transfers (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    source TEXT COLLATE "C" NOT NULL DEFAULT '',
    last   TEXT COLLATE "C" NOT NULL DEFAULT '',
    copied BIGINT NOT NULL DEFAULT 0,
    done   BIGINT NOT NULL DEFAULT 0
);

-- Counted for monitors.
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead';

-- +goose Down

DROP INDEX outbox_dead;
DROP TABLE transfers;
