#!/usr/bin/env bash
# eval.sh DIR measures the search on every evaluation set of DIR and prints one
# table of what the project has set itself as targets:
#
#	DIR/SET/dev/{kb,queries}.jsonl      a knowledge base and questions to it
#	DIR/SET/dev_*/queries_*.jsonl       the same questions typed badly, for the same base
#
# A set that has badly typed questions is also measured with the
# other wordings of each entry stored, and replayed from an empty base. The runs
# stay in eval-runs/, to be compared with later ones (nastavnik eval --compare);
# vectors stay there too, so that the next time takes a fraction.
set -euo pipefail
dir=${1:-}
if [ -z "$dir" ] || [ ! -d "$dir" ]; then
	echo "usage: make eval EVAL=DIR, where DIR/SET/dev holds kb.jsonl and queries.jsonl" >&2
	exit 2
fi
dir=$(cd "$dir" && pwd)
cd "$(dirname "$0")/.."
mkdir -p eval-runs
rm -f eval-runs/*.json

# measure NAME KB QUERIES [FLAGS]
measure() {
	local name=$1 kb=$2 queries=$3
	shift 3
	echo "measuring $name" >&2
	bin/nastavnik eval "$kb" "$queries" --vectors eval-runs/vectors.gob --json "$@" >"eval-runs/$name.json"
}

measured=0
for kb in "$dir"/*/dev/kb.jsonl; do
	[ -f "$kb" ] || continue
	set=$(basename "$(dirname "$(dirname "$kb")")")
	queries=$dir/$set/dev/queries.jsonl
	[ -f "$queries" ] || continue
	measure "$set" "$kb" "$queries" --out "eval-runs/$set.jsonl"
	measured=$((measured + 1))
	noisy=0
	for typed in "$dir/$set"/dev_*/queries_*.jsonl; do
		[ -f "$typed" ] || continue
		kind=$(basename "$typed" .jsonl)
		measure "$set${kind#queries}" "$kb" "$typed" --out "eval-runs/$set${kind#queries}.jsonl"
		noisy=1
	done
	if [ "$noisy" -eq 1 ]; then
		measure "${set}_leave_one_out" "$kb" "$queries" --leave-one-out --out "eval-runs/${set}_leave_one_out.jsonl"
		measure "${set}_replay" "$kb" "$queries" --replay
	fi
done
if [ "$measured" -eq 0 ]; then
	echo "make eval: $dir has no SET/dev/kb.jsonl" >&2
	exit 1
fi
go run ./internal/evalreport eval-runs
