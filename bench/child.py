"""One side of a measure in a fresh process: ``python -m bench.child FUNCTION {arguments}``; one JSON object on stdout.

A function is ``module:name`` under `bench.measures`. It returns rates or durations by name; the highest resident memory is added.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
from pathlib import Path


def peak_mb() -> float:
    """The highest resident memory of this process so far, MiB; of this program only, not of what it was forked from."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def main() -> int:
    """Run the function named and print what it gives."""
    module, _, name = sys.argv[1].partition(":")
    found = getattr(importlib.import_module(f"bench.measures.{module}"), name)(**json.loads(sys.argv[2]))
    print(json.dumps({**found, "peak_mb": round(peak_mb(), 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
