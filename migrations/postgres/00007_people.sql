-- Who people are, when they work and how they can be reached; invitations; why a
-- senior was chosen.

-- +goose Up

ALTER TABLE persons ADD COLUMN email TEXT COLLATE "C" NOT NULL DEFAULT ''; -- folded
ALTER TABLE persons ADD COLUMN team TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN zone TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN hours TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN away BIGINT NOT NULL DEFAULT 0;
ALTER TABLE persons ADD COLUMN gone BIGINT NOT NULL DEFAULT 0; -- has left the company
ALTER TABLE persons ADD COLUMN admitted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE persons ADD COLUMN unreachable TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX persons_email ON persons (email) WHERE email <> '';

ALTER TABLE identities ADD COLUMN email TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN team TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN zone TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN outsider BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN unreachable TEXT COLLATE "C" NOT NULL DEFAULT '';

-- People who turned out to be others: their numbers stand in messages.
CREATE TABLE merges (
    person BIGINT NOT NULL PRIMARY KEY,
    became BIGINT NOT NULL REFERENCES persons (id) ON DELETE CASCADE
);
CREATE INDEX merges_became ON merges (became);

-- hash is that of the code, which nobody keeps.
CREATE TABLE invitations (
    hash    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person  BIGINT NOT NULL DEFAULT 0, -- 0: whoever comes
    senior  BIGINT NOT NULL DEFAULT 0,
    created BIGINT NOT NULL DEFAULT 0,
    expires BIGINT NOT NULL DEFAULT 0,
    used    BIGINT NOT NULL DEFAULT 0,
    used_by BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX invitations_person ON invitations (person);

ALTER TABLE escalations ADD COLUMN reason TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE escalations ADD COLUMN given BIGINT NOT NULL DEFAULT 0;
ALTER TABLE escalations ADD COLUMN reminded BIGINT NOT NULL DEFAULT 0;
UPDATE escalations SET given = created WHERE senior <> 0;

-- +goose Down

ALTER TABLE escalations DROP COLUMN reminded;
ALTER TABLE escalations DROP COLUMN given;
ALTER TABLE escalations DROP COLUMN reason;
DROP TABLE invitations;
DROP TABLE merges;
ALTER TABLE identities DROP COLUMN unreachable;
ALTER TABLE identities DROP COLUMN outsider;
ALTER TABLE identities DROP COLUMN zone;
ALTER TABLE identities DROP COLUMN team;
ALTER TABLE identities DROP COLUMN email;
DROP INDEX persons_email;
ALTER TABLE persons DROP COLUMN unreachable;
ALTER TABLE persons DROP COLUMN admitted;
ALTER TABLE persons DROP COLUMN gone;
ALTER TABLE persons DROP COLUMN away;
ALTER TABLE persons DROP COLUMN hours;
ALTER TABLE persons DROP COLUMN zone;
ALTER TABLE persons DROP COLUMN team;
ALTER TABLE persons DROP COLUMN email;
