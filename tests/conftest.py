"""Fixtures for every test. Which to pick:

- `test_data`: the folder of wider real data (COMITY_TEST_DATA, default ``../shared/data``). Without it the test skips; under
  COMITY_REQUIRE_TEST_DATA=1 it fails.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of wider real data that the project may read in tests and must not ship."""
    folder = Path(os.environ.get("COMITY_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "MANIFEST.tsv").is_file():
        message = f"no test data at {folder}; set COMITY_TEST_DATA"
        if os.environ.get("COMITY_REQUIRE_TEST_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder
