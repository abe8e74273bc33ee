-- The record of truth: people, the knowledge base, the mail of the chats.
--
-- Times are whole milliseconds since 1970 UTC, 0 for none. Truth values are 0
-- and 1. A reference that may be empty ('' or 0) is no foreign key. River keeps
-- late work in tables of its own, which it migrates itself.

-- +goose Up

CREATE TABLE persons (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT    NOT NULL,
    senior  INTEGER NOT NULL DEFAULT 0,
    admin   INTEGER NOT NULL DEFAULT 0,
    chat    TEXT    NOT NULL DEFAULT '',
    created INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX persons_senior ON persons (id) WHERE senior = 1;

CREATE TABLE identities (
    platform TEXT    NOT NULL,
    external TEXT    NOT NULL,
    person   INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    name     TEXT    NOT NULL DEFAULT '',
    chat     TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (platform, external)
) WITHOUT ROWID;
CREATE INDEX identities_person ON identities (person);

CREATE TABLE topics (
    name TEXT NOT NULL PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE topic_seniors (
    topic  TEXT    NOT NULL REFERENCES topics (name) ON DELETE CASCADE,
    person INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    PRIMARY KEY (topic, person)
) WITHOUT ROWID;
CREATE INDEX topic_seniors_person ON topic_seniors (person);

-- seq is the order in which questions came, and that in which they are listed.
CREATE TABLE questions (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    id       TEXT    NOT NULL UNIQUE,
    text     TEXT    NOT NULL,
    fold     TEXT    NOT NULL,
    status   TEXT    NOT NULL CHECK (status IN ('unanswered', 'awaiting_senior', 'in_knowledge_base', 'faq')),
    closed   TEXT    NOT NULL DEFAULT '',
    topic    TEXT    NOT NULL DEFAULT '',
    asked    INTEGER NOT NULL DEFAULT 0,
    asked_by INTEGER NOT NULL DEFAULT 0,
    answer   INTEGER NOT NULL DEFAULT 0, -- the current version
    version  INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX questions_fold ON questions (fold);
CREATE INDEX questions_status ON questions (status, seq);

CREATE TABLE phrasings (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    fold     TEXT    NOT NULL,
    text     TEXT    NOT NULL,
    origin   TEXT    NOT NULL,
    person   INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (question, fold)
);

CREATE TABLE answers (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    version  INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    author   INTEGER NOT NULL DEFAULT 0,
    by_name  TEXT    NOT NULL DEFAULT '',
    created  INTEGER NOT NULL DEFAULT 0,
    UNIQUE (question, version)
);

-- The id of an ask is that of the inbox row that began it.
CREATE TABLE asks (
    id         INTEGER PRIMARY KEY,
    person     INTEGER NOT NULL,
    chat       TEXT    NOT NULL DEFAULT '',
    text       TEXT    NOT NULL,
    asked      INTEGER NOT NULL DEFAULT 0,
    decision   TEXT    NOT NULL,
    confidence REAL    NOT NULL DEFAULT 0,
    question   TEXT    NOT NULL DEFAULT '',
    outcome    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX asks_person ON asks (person, id);
CREATE INDEX asks_question ON asks (question, id);

CREATE TABLE candidates (
    ask      INTEGER NOT NULL REFERENCES asks (id) ON DELETE CASCADE,
    place    INTEGER NOT NULL, -- in the list as it was given
    question TEXT    NOT NULL,
    rank     INTEGER NOT NULL,
    score    REAL    NOT NULL,
    PRIMARY KEY (ask, place)
) WITHOUT ROWID;

CREATE TABLE escalations (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    senior   INTEGER NOT NULL DEFAULT 0,
    state    TEXT    NOT NULL CHECK (state IN ('open', 'passed', 'done')),
    created  INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL DEFAULT 0,
    ended    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX escalations_question ON escalations (question, id);
CREATE INDEX escalations_senior ON escalations (senior, state, id);

CREATE TABLE waiters (
    question  TEXT    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    person    INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    chat      TEXT    NOT NULL DEFAULT '',
    ask       INTEGER NOT NULL DEFAULT 0,
    text      TEXT    NOT NULL,
    since     INTEGER NOT NULL DEFAULT 0,
    anonymous INTEGER NOT NULL DEFAULT 0,
    state     TEXT    NOT NULL CHECK (state IN ('waiting', 'answered', 'cancelled')),
    answer    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (question, person)
) WITHOUT ROWID;
CREATE INDEX waiters_person ON waiters (person);

CREATE TABLE conversations (
    chat      TEXT    NOT NULL PRIMARY KEY,
    person    INTEGER NOT NULL DEFAULT 0,
    state     BLOB,
    version   INTEGER NOT NULL DEFAULT 0,
    read_upto INTEGER NOT NULL DEFAULT 0 -- the last delivery that a terminal has printed
);

-- What has come in. Rows stay when they are done: their keys are for ever.
CREATE TABLE inbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    key           TEXT    NOT NULL UNIQUE,
    chat          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    payload       BLOB,
    from_platform TEXT    NOT NULL DEFAULT '',
    from_external TEXT    NOT NULL DEFAULT '',
    from_name     TEXT    NOT NULL DEFAULT '',
    from_chat     TEXT    NOT NULL DEFAULT '',
    at            INTEGER NOT NULL DEFAULT 0,
    is_inner      INTEGER NOT NULL DEFAULT 0,
    attempts      INTEGER NOT NULL DEFAULT 0,
    done          INTEGER NOT NULL DEFAULT 0,
    settled       INTEGER NOT NULL DEFAULT 0,
    failure       TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX inbox_open ON inbox (chat, is_inner DESC, id) WHERE done = 0;

-- What is to go out.
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    key       TEXT    NOT NULL UNIQUE,
    chat      TEXT    NOT NULL,
    message   BLOB    NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('pending', 'sent', 'dead')),
    attempts  INTEGER NOT NULL DEFAULT 0,
    not_until INTEGER NOT NULL DEFAULT 0,
    external  TEXT    NOT NULL DEFAULT '',
    error     TEXT    NOT NULL DEFAULT '',
    created   INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_pending ON outbox (chat, id) WHERE state = 'pending';
CREATE INDEX outbox_sent ON outbox (chat, id) WHERE state = 'sent';

CREATE TABLE choices (
    delivery INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    section  INTEGER NOT NULL,
    label    TEXT    NOT NULL,
    PRIMARY KEY (delivery, section)
) WITHOUT ROWID;

-- What indexes in memory follow: the latest change of each question.
CREATE TABLE changes (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    question TEXT    NOT NULL
);
CREATE INDEX changes_question ON changes (question);

-- data is little-endian float32. A row is too long for WITHOUT ROWID to help.
CREATE TABLE embeddings (
    model TEXT NOT NULL,
    hash  BLOB NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (model, hash)
);

-- +goose Down

DROP TABLE embeddings;
DROP TABLE changes;
DROP TABLE choices;
DROP TABLE outbox;
DROP TABLE inbox;
DROP TABLE conversations;
DROP TABLE waiters;
DROP TABLE escalations;
DROP TABLE candidates;
DROP TABLE asks;
DROP TABLE answers;
DROP TABLE phrasings;
DROP TABLE questions;
DROP TABLE topic_seniors;
DROP TABLE topics;
DROP TABLE identities;
DROP TABLE persons;
