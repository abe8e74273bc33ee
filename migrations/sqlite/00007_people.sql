-- Who people are, when they work and how they can be reached; invitations; why a
-- senior was chosen.

-- +goose Up

ALTER TABLE persons ADD COLUMN email TEXT NOT NULL DEFAULT ''; -- folded
ALTER TABLE persons ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN hours TEXT NOT NULL DEFAULT '';
ALTER TABLE persons ADD COLUMN away INTEGER NOT NULL DEFAULT 0;
ALTER TABLE persons ADD COLUMN gone INTEGER NOT NULL DEFAULT 0; -- has left the company
ALTER TABLE persons ADD COLUMN admitted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE persons ADD COLUMN unreachable TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX persons_email ON persons (email) WHERE email <> '';

ALTER TABLE identities ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN team TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE identities ADD COLUMN outsider INTEGER NOT NULL DEFAULT 0;
ALTER TABLE identities ADD COLUMN unreachable TEXT NOT NULL DEFAULT '';

-- People who turned out to be others: their numbers stand in messages.
CREATE TABLE merges (
    person INTEGER NOT NULL PRIMARY KEY,
    became INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX merges_became ON merges (became);

-- hash is that of the code, which nobody keeps.
CREATE TABLE invitations (
    hash    TEXT    NOT NULL PRIMARY KEY,
    person  INTEGER NOT NULL DEFAULT 0, -- 0: whoever comes
    senior  INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    expires INTEGER NOT NULL DEFAULT 0,
    used    INTEGER NOT NULL DEFAULT 0,
    used_by INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX invitations_person ON invitations (person);

ALTER TABLE escalations ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE escalations ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
ALTER TABLE escalations ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
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
