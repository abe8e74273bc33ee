#!/bin/sh
# secrets.sh [FOLDER] makes the secrets of docker-compose.yaml, each a random one
# in a file of its own, in deploy/secrets unless another folder is named. Those
# that are there already stay as they are.
#
# The folder is closed to everybody else. The files in it can be read by all,
# because compose mounts a file with the owner that it has here, and the users in
# the containers are others.
set -eu
umask 022

folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

# keep NAME reads the new secret from its standard input.
keep() {
	if [ -s "$folder/$1" ]; then
		cat >/dev/null
		return
	fi
	cat >"$folder/$1.new"
	chmod 444 "$folder/$1.new"
	mv "$folder/$1.new" "$folder/$1"
}

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in postgres_superuser_password postgres_owner_password postgres_password s3_secret; do
	random | keep "$name"
done
printf 'postgres://nastavnik_owner:%s@postgres:5432/nastavnik?sslmode=disable' \
	"$(cat "$folder/postgres_owner_password")" | keep postgres_owner_dsn
printf 'postgres://nastavnik:%s@postgres:5432/nastavnik?sslmode=disable' \
	"$(cat "$folder/postgres_password")" | keep postgres_dsn
