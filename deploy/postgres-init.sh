#!/bin/sh
# postgres-init.sh makes the database and its two roles on an empty server:
# nastavnik_owner changes the schema, nastavnik works in it and can change
# nothing but rows. The PostgreSQL image runs it once, when its volume is empty;
# by hand, as a superuser:
#
#   SECRETS=/etc/nastavnik/secrets deploy/postgres-init.sh
#
# SECRETS is a folder with the files postgres_owner_password and
# postgres_password; libpq's variables (PGHOST, PGUSER …) say where the server is.
set -eu

SECRETS=${SECRETS:-/run/secrets}
export SECRETS
for name in postgres_owner_password postgres_password; do
	if [ ! -s "$SECRETS/$name" ]; then
		echo "postgres-init: there is no password in $SECRETS/$name" >&2
		exit 1
	fi
done

# psql reads the passwords itself, so that no list of processes shows them.
psql -X -q -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-${PGUSER:-postgres}}" --dbname postgres <<'SQL'
\set owner_password `cat "$SECRETS/postgres_owner_password"`
\set password `cat "$SECRETS/postgres_password"`

CREATE ROLE nastavnik_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE nastavnik LOGIN PASSWORD :'password';

-- Under the locale C, Russian letters have no upper and lower case.
CREATE DATABASE nastavnik OWNER nastavnik_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE nastavnik FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE nastavnik TO nastavnik;

\connect nastavnik
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO nastavnik_owner;
GRANT USAGE ON SCHEMA public TO nastavnik;
ALTER DEFAULT PRIVILEGES FOR ROLE nastavnik_owner IN SCHEMA public
	GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO nastavnik;
ALTER DEFAULT PRIVILEGES FOR ROLE nastavnik_owner IN SCHEMA public
	GRANT SELECT, USAGE ON SEQUENCES TO nastavnik;
SQL
