"""Fixtures of the command line. Which to pick: `alone` for one party with a node; `shell` for a call without a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity.__main__ import wiring
from simulators.shell import Answer, Party, call, found


@pytest.fixture
def alone(tmp_path: Path) -> Party:
    """One party with a node and an officer, Ann, who has every role but audit."""
    return found(tmp_path / "alpha", "Alpha", "csirt", "XA")


@pytest.fixture
def shell() -> Callable[..., Answer]:
    """The command line without a folder of its own."""
    wired = wiring()
    return lambda *words, stdin=b"": call(wired, *words, stdin=stdin)
