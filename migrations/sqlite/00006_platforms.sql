-- What platforms call the messages that were sent there. A message may have arrived
-- without our knowing (doubt), and is asked for before it is sent again.

-- +goose Up

ALTER TABLE outbox ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;

CREATE TABLE sent_messages (
    room     TEXT    NOT NULL, -- the chat without its thread and person
    external TEXT    NOT NULL,
    delivery INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    PRIMARY KEY (room, external)
) WITHOUT ROWID;
CREATE INDEX sent_messages_delivery ON sent_messages (delivery);

-- +goose Down

DROP TABLE sent_messages;
ALTER TABLE outbox DROP COLUMN doubt;
