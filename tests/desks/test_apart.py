"""A desk that is taken away, its folder and with it its registration, is gone from every face, and nothing else notices.

``python tools/without.py DESK`` runs every test that is left; here are those that look at the whole.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from comity.desks import desks

ROOT: Final = Path(__file__).resolve().parents[2]
OVER_ALL: Final = ("tests/shape/test_code.py", "tests/faces/api/test_commands.py", "tests/node/test_rehearsal.py")
LOOK: Final = """
import sys
from comity.__main__ import wiring
from comity.desks import desks
from comity.faces.cli.desks import desk_commands
from comity.faces.cli.main import run
gone, groups = sys.argv[1], set(sys.argv[2:])
assert gone not in {desk.name for desk in desks()}
assert not groups & {name.split()[0] for name in desk_commands()}, "a command of it is still offered"
assert run(wiring(), ["--help"]) == 0
assert run(wiring(), ["--home", "no-such-folder", next(iter(groups)), "list"]) == 2, "a word of it is still understood"
"""


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("without", ROOT / "tools" / "without.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("desk", [desk.name for desk in desks()])
def test_a_desk_that_is_taken_away_leaves_the_rest_whole(desk: str, tmp_path: Path) -> None:
    without = tool()
    copy = without.cut(desk, tmp_path)
    groups = next(one.groups for one in desks() if one.name == desk)
    assert without.run(copy, "-c", LOOK, desk, *groups) == 0
    assert without.run(copy, "-m", "pytest", "-q", *OVER_ALL) == 0
