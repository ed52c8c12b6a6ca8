"""Shows that a desk can be taken away: copies the project, deletes the desk with its own tests and pages, and runs what is left.

``python tools/without.py DESK [pytest arguments]``; without arguments for pytest, all tests that are left. What is deleted is the folder
``src/comity/desks/DESK``, which is its registration too, and what is about it alone: its tests, the stand-ins of tests that use it,
and its pages. The pages that are made from the code are made anew. Prose that names what was deleted is for whoever deletes it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LEFT_OUT: Final = (
    *(".git", ".venv", ".mypy_cache", ".ruff_cache", ".import_linter_cache", "__pycache__", "*.egg-info"),
    "scratch",  # what benchmarks leave beside them; git does not track it
)
ABOUT_PROSE: Final = ("tests/shape/test_docs.py",)
"""Tests that hold pages of prose to the code."""


def cut(desk: str, place: Path) -> Path:
    """A copy of the project without a desk.

    Raises:
        SystemExit: where there is no such desk.
    """
    if not re.fullmatch(r"[a-z]+", desk) or not (ROOT / "src" / "comity" / "desks" / desk).is_dir():
        raise SystemExit(f"There is no desk {desk!r}.")
    copy = place / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for folder in (copy / "src" / "comity" / "desks" / desk, copy / "tests" / "desks" / desk):
        shutil.rmtree(folder, ignore_errors=True)
    for page in (copy / "docs").glob(f"*/{desk}.md"):
        page.unlink()
    for test in (copy / "tests" / "simulators").glob("*.py"):
        if re.search(rf"comity\.desks(\.| import ){desk}\b", test.read_text(encoding="utf-8")):
            test.unlink()
    return copy


def run(copy: Path, *words: str) -> int:
    """Run Python in a copy; gives its exit status."""
    paths = os.pathsep.join(str(copy / name) for name in ("src", "tests"))
    data = os.environ.get("COMITY_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    environment = {
        **outer,
        "PATH": programs,
        "PYTHONPATH": paths,
        "PYTHONDONTWRITEBYTECODE": "1",
        "COMITY_TEST_DATA": data,
    }
    return subprocess.run([sys.executable, *words], cwd=copy, env=environment, check=False).returncode


def main(desk: str, *asked: str) -> int:
    """Cut, make the made pages, test."""
    with tempfile.TemporaryDirectory(prefix="comity-without-") as place:
        copy = cut(desk, Path(place))
        tests = asked or ("-q", "-n", "auto", *(f"--ignore={name}" for name in ABOUT_PROSE))
        return run(copy, "tools/pages.py") or run(copy, "-m", "pytest", *tests)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    raise SystemExit(main(*sys.argv[1:]))
