"""Reference data that ships: YAML read safely, the clocks of the duties, and the time zones of this machine.

YAML is read safely: no tag makes an object. A time zone is looked up here, once, when a calendar is written, and travels as data
from then on: two nodes with different time zone data would count to different instants.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import DAY, SECOND, Instant
from comity.kernel.procedure.calendar import Zone
from comity.kernel.procedure.clocks import ClockRule, read_clocks


def read_yaml(text: str) -> Any:
    """The data of a YAML document.

    Raises:
        InputRefused: `procedure-table` when it is none.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as broken:
        told = " ".join(str(broken).split())[:200]
        raise InputRefused("procedure-table", f"The file is not YAML: {told}.") from broken


@cache
def shipped(package: str, *path: str) -> Any:
    """The data of a YAML file that ships in a package; not to be changed by anybody."""
    return read_yaml(files(package).joinpath("/".join(path)).read_text(encoding="utf-8"))


@cache
def shipped_clocks() -> tuple[ClockRule, ...]:
    """Every clock of the reference data, with its event ids."""
    return read_clocks(
        shipped("comity.data", "reference", "clocks.yaml"), shipped("comity.data", "procedures", "clock-events.yaml")
    )


def zone(name: str, first: Instant, last: Instant) -> Zone:
    """The changes of a time zone between two instants, as this machine knows them, to be signed with a calendar.

    Raises:
        InputRefused: `procedure-calendar` when there is no such zone here.
    """
    try:
        known = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as broken:
        raise InputRefused(
            "procedure-calendar", f"There is no time zone {name[:80]!r} here; write it as Europe/Tallinn."
        ) from broken

    def offset(at: Instant) -> int:
        told = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(known).utcoffset()
        return 0 if told is None else int(told.total_seconds())

    changes = [(first, offset(first))]
    for day in range(first, last, DAY):
        if offset(min(day + DAY, last)) != changes[-1][1]:
            seconds = range(day // SECOND, min(day + DAY, last) // SECOND + 1)
            before = changes[-1][1]
            at = seconds[bisect_right(seconds, False, key=lambda second: offset(second * SECOND) != before)] * SECOND
            changes.append((at, offset(at)))
    return Zone(name, tuple(changes))
