#!/usr/bin/env bash
# migrate-new.sh NAME begins a migration: one file of the same number and name
# for each database there is, so that the schemas move together. A migration is
# never edited after it has been merged: somebody's data has been through it.
set -euo pipefail
cd "$(dirname "$0")/.."
name=${1:-}
if [[ ! $name =~ ^[a-z][a-z0-9_]*$ ]]; then
	echo "usage: make migrate-new NAME=words_with_underscores" >&2
	exit 2
fi

last=0
dirs=()
for dialect in sqlite postgres; do
	[ -d "migrations/$dialect" ] || continue
	dirs+=("migrations/$dialect")
	for file in "migrations/$dialect"/[0-9]*_*.sql; do
		[ -e "$file" ] || continue
		number=$(basename "$file")
		number=$((10#${number%%_*}))
		if [ "$number" -gt "$last" ]; then last=$number; fi
	done
done
if [ "${#dirs[@]}" -eq 0 ]; then
	echo "make migrate-new: there is neither migrations/sqlite nor migrations/postgres" >&2
	exit 1
fi

for dir in "${dirs[@]}"; do
	file=$(printf '%s/%05d_%s.sql' "$dir" "$((last + 1))" "$name")
	printf -- '-- Why this change is needed.\n\n-- +goose Up\n\n-- +goose Down\n' >"$file"
	echo "$file"
done
