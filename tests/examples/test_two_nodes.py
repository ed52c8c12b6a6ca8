"""The README's example is the script, whole, and the script does what it says."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples" / "two-nodes.sh"


def test_the_readme_quotes_the_script_whole() -> None:
    assert SCRIPT.read_text(encoding="utf-8") in (ROOT / "README.md").read_text(encoding="utf-8")


def test_two_nodes_agree_exchange_explain_and_prove() -> None:
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert "14 rows given" in said
    assert "goes to Team B under clause 1" in said
    assert "does not go to Team A" in said
    assert "Verified: indicator--" in said
