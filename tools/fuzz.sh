#!/usr/bin/env bash
# fuzz.sh TIME runs every native fuzz target of the project in turn, each for
# TIME (a duration as Go writes it: 30s, 5m). It stops at the first finding; the
# go command has then written the input under testdata/fuzz, to be committed
# with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:?usage: fuzz.sh TIME}

packages=$(go list ./...)
found=0
for package in $packages; do
	listed=$(go test -list '^Fuzz' "$package")
	for target in $(grep '^Fuzz' <<<"$listed" || true); do
		printf '== %s %s\n' "$package" "$target"
		# Making an input smaller takes up to a minute by default, for every input
		# that reaches new code, and nothing is looked for meanwhile.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1s "$package"
		found=$((found + 1))
	done
done
printf '%d fuzz targets, nothing found\n' "$found"
