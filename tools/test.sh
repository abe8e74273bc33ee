#!/usr/bin/env bash
# test.sh [race] runs the tests and reports on them through internal/noskip,
# which fails on a skipped test under CI=true. The Makefile runs it with one set of
# real servers; by itself, each package's tests start their own.
#
# Everything runs under the race detector except the embedder: it is arithmetic,
# several times slower under the detector, so it runs plainly, and only its tests
# of concurrent use, those with Concurrent in their names, run again with -race.
# Likewise the search's quality, which embeds a thousand texts; what is killed again
# and again, which repeats under kills what runs with -race without; and crowds on a
# platform, whose figures would be the detector's.
set -euo pipefail
cd "$(dirname "$0")/.."

race=-race
cc=$(go env CC)
if ! command -v "${cc%% *}" >/dev/null; then
	hint="the race detector needs a C compiler and $cc is not in PATH: install gcc, or name another in CC"
	if [ "${CI:-}" = true ]; then
		printf 'make test: %s\n' "$hint" >&2
		exit 1
	fi
	printf 'make test: running WITHOUT -race: %s\n' "$hint" >&2
	race=
fi

packages=$(go list ./...)
raced=$(grep -v '/knowledge/e5\(/\|$\)' <<<"$packages")

plain='WithKills|Chaos|OnAPlatform|AllowedRate'

# run FLAGS… PACKAGES…: the race detector is C, so it wants cgo; the product is
# built without it, so what runs plainly is tested without it.
run() {
	local cgo=0
	if [ "${1:-}" = -race ]; then cgo=1; fi
	CGO_ENABLED=$cgo go test -json -timeout 15m "$@"
}

all() {
	local status=0
	# shellcheck disable=SC2086 # a flag or nothing, and a list of words
	run $race -skip "$plain" $raced || status=1
	if [ "${1:-}" != race ]; then
		run ./knowledge/e5/... || status=1
		run -run "Quality|$plain" ./knowledge/finder ./bot/bottest ./cmd/nastavnik || status=1
		CGO_ENABLED=0 go -C tools test -json -count=1 ./deploytest/... || status=1 # -count=1: the cache does not watch deploy/
	fi
	if [ -n "$race" ]; then
		run -race -run 'Concurrent' ./knowledge/e5 || status=1
	fi
	return "$status"
}

all "${1:-}" | go run ./internal/noskip
