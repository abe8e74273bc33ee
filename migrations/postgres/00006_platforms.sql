-- What platforms call the messages that were sent there. A message may have arrived
-- without our knowing (doubt), and is asked for before it is sent again.

-- +goose Up

ALTER TABLE outbox ADD COLUMN doubt BIGINT NOT NULL DEFAULT 0;

CREATE TABLE sent_messages (
    room     TEXT COLLATE "C" NOT NULL, -- the chat without its thread and person
    external TEXT COLLATE "C" NOT NULL,
    delivery BIGINT NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
    PRIMARY KEY (room, external)
);
CREATE INDEX sent_messages_delivery ON sent_messages (delivery);

-- +goose Down

DROP TABLE sent_messages;
ALTER TABLE outbox DROP COLUMN doubt;
