"""pymerkle on SQLite, in an environment of its own: ``python merkle.py DATABASE N``; one JSON object on stdout."""

import json
import random
import statistics
import sys
import time

from pymerkle import SqliteTree

PROOFS = 20


def peak_mb() -> float | None:
    with open("/proc/self/status") as status:
        return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:")), None)


def main() -> None:
    path, n = sys.argv[1], int(sys.argv[2])
    entries = [i.to_bytes(32, "big") for i in range(n)]
    tree = SqliteTree(path)
    began = time.perf_counter()
    for start in range(0, n, 1_000):
        tree.append_entries(entries[start : start + 1_000])
    append = n / (time.perf_counter() - began)
    draw = random.Random(1)
    spans = []
    for _ in range(PROOFS):
        index = draw.randrange(1, n + 1)
        tree.cache_clear()
        began = time.perf_counter()
        tree.prove_inclusion(index, n)
        spans.append(time.perf_counter() - began)
    print(json.dumps({"n": n, "append": append, "prove": statistics.median(spans) * 1e3, "peak_mb": peak_mb()}))


main()
