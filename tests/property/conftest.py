"""How long the random histories are looked at.

COMITY_EXAMPLES multiplies how many are played and draws them anew each time; without it they are the same ones, so that a change is
judged by what it changed. They shrink slowly, so a failing one is shown as it was drawn;
COMITY_SHRINK=1 makes it small first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from comity.node import catchup, intake, streams

PHASES = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if os.environ.get("COMITY_SHRINK") else [])]
for name, examples in (("histories", 25), ("worlds", 12), ("durable", 5)):
    settings.register_profile(
        name,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
        derandomize="COMITY_EXAMPLES" not in os.environ,
        max_examples=examples * int(os.environ.get("COMITY_EXAMPLES") or "1"),
    )


@pytest.fixture(autouse=True, scope="package")
def small_edges() -> Iterator[None]:
    """Chunks of an import, rows of a transaction and what counts as much are so small that their edges fall everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intake, "CHUNK", 2)
        patch.setattr(catchup, "ROWS", 2)
        patch.setattr(streams, "MANY", 3)
        yield
