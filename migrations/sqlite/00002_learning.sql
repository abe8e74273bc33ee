-- How the base learns: what people said about wordings, what is held back for a
-- decision, the history of each question, and fitted calibrations.

-- +goose Up

CREATE TABLE verdicts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    fold     TEXT    NOT NULL,
    person   INTEGER NOT NULL,
    wording  TEXT    NOT NULL,
    outcome  TEXT    NOT NULL CHECK (outcome IN ('picked', 'helped', 'rejected', 'not_helped')),
    ask      INTEGER NOT NULL DEFAULT 0,
    at       INTEGER NOT NULL DEFAULT 0,
    void     INTEGER NOT NULL DEFAULT 0,
    UNIQUE (question, fold, person)
);

-- conflicts is JSON: [{"wording":…,"was":{"id":…,"text":…},"now":{…}}]
CREATE TABLE reviews (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    question  TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    wording   TEXT    NOT NULL DEFAULT '',
    person    INTEGER NOT NULL DEFAULT 0,
    conflicts TEXT    NOT NULL,
    created   INTEGER NOT NULL DEFAULT 0,
    decided   INTEGER NOT NULL DEFAULT 0,
    by_person INTEGER NOT NULL DEFAULT 0,
    accepted  INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX reviews_question ON reviews (question, id);
CREATE INDEX reviews_open ON reviews (id) WHERE decided = 0;

CREATE TABLE steps (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    kind     TEXT    NOT NULL,
    at       INTEGER NOT NULL DEFAULT 0,
    person   INTEGER NOT NULL DEFAULT 0,
    text     TEXT    NOT NULL DEFAULT '',
    was      TEXT    NOT NULL DEFAULT '',
    ref      INTEGER NOT NULL DEFAULT 0,
    undone   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX steps_question ON steps (question, id);

CREATE TABLE calibrations (
    embedder TEXT    NOT NULL PRIMARY KEY,
    fitted   INTEGER NOT NULL DEFAULT 0,
    asks     INTEGER NOT NULL DEFAULT 0,
    data     BLOB    NOT NULL
) WITHOUT ROWID;

-- What people asked next in the same chat.
CREATE INDEX asks_chat ON asks (chat, id);

-- +goose Down

DROP INDEX asks_chat;
DROP TABLE calibrations;
DROP TABLE steps;
DROP TABLE reviews;
DROP TABLE verdicts;
