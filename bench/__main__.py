"""The command: which measures, how large; the table on stdout, the rows in bench/latest.json."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Callable

from bench.paths import RUN, WORK
from bench.plan import GROUPS, QUICK, WHOLE, Bench
from bench.rows import Row, finish, show

LATEST = WORK.parent / "latest.json"


def main() -> int:
    """Run the measures; exit 1 where one of them failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Comity beside its peers.")
    parser.add_argument("--quick", action="store_true", help="small inputs, two minutes")
    parser.add_argument("--only", default="", help=f"comma-separated, of: {', '.join(GROUPS)}")
    parser.add_argument("--no-peers", action="store_true", help="ours and the floors alone")
    parser.add_argument("--scale", type=float, default=1.0, help="multiply every n, to see how a figure grows")
    said = parser.parse_args()
    only = [word for word in said.only.split(",") if word]
    unknown = sorted(set(only) - set(GROUPS))
    if unknown:
        parser.error(f"no such measure: {', '.join(unknown)}")
    bench = Bench((QUICK if said.quick else WHOLE).scaled(said.scale), peers=not said.no_peers)
    rows: list[Row] = []
    failed: list[str] = []
    began = time.monotonic()
    for name in only or GROUPS:
        say(f"{name} ...")
        at = time.monotonic()
        found = attempt(GROUPS[name], bench, failed, name)
        rows += found
        say(f"{name}: {len(found)} rows in {time.monotonic() - at:.0f} s")
    shutil.rmtree(RUN, ignore_errors=True)
    finish(rows)
    print(show(rows))
    if not only:
        LATEST.write_text(json.dumps([row.as_json() for row in rows], indent=1) + "\n", encoding="utf-8")
    say(
        f"{len(rows)} rows in {time.monotonic() - began:.0f} s; {LATEST.name if not only else 'not written, for --only'}"
    )
    failed += bench.failed
    for one in failed:
        say(f"FAILED {one}")
    return 1 if failed else 0


def attempt(group: Callable[[Bench], list[Row]], bench: Bench, failed: list[str], name: str) -> list[Row]:
    """The rows of a group; what breaks is told and the others go on."""
    try:
        return group(bench)
    except Exception as broken:
        failed.append(f"{name}: {type(broken).__name__}: {broken}")
        return []


def say(line: str) -> None:
    """Progress goes to stderr."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
