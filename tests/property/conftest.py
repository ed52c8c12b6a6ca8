"""How long the random histories are looked at.

COMITY_EXAMPLES multiplies how many are played (default 1). They shrink slowly, so a failing one is shown as it was drawn;
COMITY_SHRINK=1 makes it small first.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

PHASES = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if os.environ.get("COMITY_SHRINK") else [])]
for name, examples in (("histories", 25), ("worlds", 12)):
    settings.register_profile(
        name,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=PHASES,
        max_examples=examples * int(os.environ.get("COMITY_EXAMPLES") or "1"),
    )
