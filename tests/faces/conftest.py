"""Fixtures for the faces. Which to pick:

- `teams`: Team A and Team B under the bilateral template, in memory; Team A is served, Team B reads there over TAXII.
"""

from __future__ import annotations

import pytest

from simulators.teams import Teams


@pytest.fixture
def teams() -> Teams:
    return Teams()
