"""The demo as a process of its own: whoever ends it half-way finds no node running and no folder left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from comity.faces.cli.demo import MUST
from comity.faces.cli.demo.together import SCENES, without

PATIENCE = 120.0
"""Seconds a step may take on a machine that does other things besides."""


def children(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found |= {int(one) for one in path.read_text().split()}
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="children are counted by /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_ended_half_way_leaves_no_node_and_no_folder(how: signal.Signals, tmp_path: Path) -> None:
    foreign = {"COMITY_HOME": str(tmp_path / "own"), "COMITY_DATABASE": f"sqlite:///{tmp_path}/own.db"}
    work = subprocess.Popen(
        [sys.executable, "-m", "comity", "demo", "--once", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **foreign, "TMPDIR": str(tmp_path)},
    )
    try:
        end = time.monotonic() + PATIENCE
        while len(children(work.pid)) < 5:
            assert work.poll() is None, work.communicate()
            assert time.monotonic() < end
            time.sleep(0.05)
        nodes = children(work.pid)
        time.sleep(1)  # into the middle of some command of some officer
        work.send_signal(how)
        out, err = work.communicate(timeout=PATIENCE)
    finally:
        work.kill()
        work.wait()
    assert work.returncode == 130, err
    assert b"Traceback" not in err
    assert b'"code":"stopped"' in out.replace(b" ", b"")
    assert [pid for pid in nodes if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.iterdir()) == []


def test_a_scene_whose_desk_was_taken_away_is_left_out_and_that_is_said() -> None:
    every = {name for _, needed in SCENES for name in needed}
    assert every >= {"incidents", "attribution", "statements", "measures", "cases"}
    assert [without(play, needed, every) for play, needed in SCENES] == [None] * len(SCENES)
    for gone in every:
        said = [without(play, needed, every - {gone}) for play, needed in SCENES]
        assert [gone in needed for _, needed in SCENES] == [one is not None for one in said]
        assert all(f"The desk {gone} is not installed." in one for one in said if one is not None)
    assert {
        "statements",
        "embargo_leaks",
        "sealed_opened",
        "dissent_kept",
        "measures",
        "verified_offline",
    } <= MUST.keys()
