#!/usr/bin/env bash
# golden.sh rewrites the golden files of every package whose tests take -update,
# then shows what changed: a golden file is right when its diff has been read.
set -euo pipefail
cd "$(dirname "$0")/.."

files=$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' . || true)
if [ -z "$files" ]; then
	echo "no package has golden files"
	exit 0
fi
packages=$(xargs -n 1 dirname <<<"$files" | sort -u)
# shellcheck disable=SC2086 # a list of folders whose names are Go's
go test -count=1 $packages -update
git status --short -- '*testdata*' 2>/dev/null || true
