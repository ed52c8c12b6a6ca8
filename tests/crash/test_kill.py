"""kill -9 of either side at random moments of import and exchange; COMITY_SEED replays, COMITY_CRASH_ROUNDS says how often."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

DRIVER = Path(__file__).with_name("driver.py")


@pytest.mark.parametrize("what", ["import", "exchange"])
def test_nothing_acknowledged_is_lost_when_processes_are_killed(what: str, tmp_path: Path) -> None:
    seed = os.environ.get("COMITY_SEED") or str(time.time_ns() % 1_000_000)
    rounds = os.environ.get("COMITY_CRASH_ROUNDS") or "6"
    done = subprocess.run(
        [sys.executable, str(DRIVER), what, seed, rounds, str(tmp_path)], capture_output=True, text=True, timeout=1500
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0, (
        f"COMITY_SEED={seed} COMITY_CRASH_ROUNDS={rounds}\n{done.stdout}\n{done.stderr[-3000:]}"
    )
    assert "killed" in done.stdout
