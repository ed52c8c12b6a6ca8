"""Where the bench reads and writes: inputs and environments stay under bench/scratch/ (git-ignored), runs are thrown away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
WORK: Final = ROOT / "bench" / "scratch"
INPUT: Final = WORK / "input"
RUN: Final = WORK / "run"
PEERS: Final = ROOT / "bench" / "peers"
DATA: Final = ROOT / "src" / "comity" / "data"
TEST_DATA: Final = Path(os.environ.get("COMITY_TEST_DATA") or ROOT.parent / "shared" / "data")
