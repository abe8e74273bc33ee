#!/usr/bin/env bash
# eval.sh DIR measures the search on every evaluation set of DIR:
#
#	DIR/SET/dev/{kb,queries}.jsonl      a knowledge base and questions to it
#	DIR/SET/dev_*/queries_*.jsonl       the same questions typed badly, for the same base
#	DIR/tools/score.py SETDIR RUN       prints the figures of one run
#
# The runs stay in eval-runs/, to be compared with the next ones.
set -euo pipefail
dir=${1:-}
if [ -z "$dir" ] || [ ! -f "$dir/tools/score.py" ]; then
	echo "usage: make eval EVAL=DIR, where DIR/tools/score.py is the scorer and DIR/SET/dev holds kb.jsonl and queries.jsonl" >&2
	exit 2
fi
dir=$(cd "$dir" && pwd)
cd "$(dirname "$0")/.."
mkdir -p eval-runs

# score.py reads queries.jsonl out of a folder: a set of another name gets one.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# measure NAME KB QUERIES
measure() {
	local run=eval-runs/$1.jsonl set=$scratch/$1
	mkdir -p "$set"
	cp "$3" "$set/queries.jsonl"
	printf '== %s\n' "$1"
	bin/nastavnik eval "$2" "$3" --out "$run"
	python3 "$dir/tools/score.py" "$set" "$run" --dev "$set" "$run"
}

measured=0
for kb in "$dir"/*/dev/kb.jsonl; do
	[ -f "$kb" ] || continue
	set=$(basename "$(dirname "$(dirname "$kb")")")
	for queries in "$dir/$set"/dev/queries.jsonl "$dir/$set"/dev_*/queries_*.jsonl; do
		[ -f "$queries" ] || continue
		name=$(basename "$queries" .jsonl)
		measure "$set${name#queries}" "$kb" "$queries"
		measured=$((measured + 1))
	done
done
if [ "$measured" -eq 0 ]; then
	echo "make eval: $dir has no SET/dev/kb.jsonl" >&2
	exit 1
fi
