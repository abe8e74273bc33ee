-- The files of answers and of asks. Contents lie outside, under their keys.
-- An attachment has one owner: the other reference is NULL.

-- +goose Up

CREATE TABLE attachments (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    answer  INTEGER REFERENCES answers (id) ON DELETE CASCADE,
    ask     INTEGER REFERENCES asks (id) ON DELETE CASCADE,
    content TEXT    NOT NULL CHECK (content <> ''),
    media   TEXT    NOT NULL,
    size    INTEGER NOT NULL CHECK (size > 0),
    name    TEXT    NOT NULL CHECK (name <> ''),
    author  INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    CHECK ((answer IS NULL) <> (ask IS NULL))
);
CREATE INDEX attachments_answer ON attachments (answer, id);
CREATE INDEX attachments_ask ON attachments (ask, id);
CREATE INDEX attachments_content ON attachments (content);

-- +goose Down

DROP TABLE attachments;
