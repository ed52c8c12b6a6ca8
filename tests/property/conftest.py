"""Random histories shrink slowly, so by default a failing one is shown as it was drawn; COMITY_SHRINK=1 makes it small first."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_PHASES = [Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if os.environ.get("COMITY_SHRINK") else [])]
settings.register_profile("histories", deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
