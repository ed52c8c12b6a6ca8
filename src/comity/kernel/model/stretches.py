"""Stretches of time as people write them, before anybody counts them on a calendar.

    PT72H             exact hours
    P3D, P1M, P1Y     days, months and years of the calendar
    3 working days    days that are worked

What they come to is the calendar's to say (`comity.kernel.procedure.calendar`); here is what can be written, and which of two is
the longer wherever they are counted. Source: ISO 8601-1 §5.5.2; docs/formats/procedure.md, Calendars.
"""

from __future__ import annotations

import re
from typing import Final

from comity.kernel.model.instants import DAY, HOUR, MINUTE, SECOND

MOST_DAYS: Final = 36_600
"""Longer stretches than a hundred years are refused, so that no date leaves the calendar."""

_ISO: Final = re.compile(
    r"P(?:(\d{1,5})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_WORKING: Final = re.compile(r"(\d{1,4}) working days?", re.ASCII)


def counted(stretch: str) -> int | tuple[int, int, int, int] | None:
    """What a stretch counts: working days; or (years, months, days, microseconds); None where it is no stretch."""
    working = _WORKING.fullmatch(stretch)
    if working is not None:
        return int(working[1]) if 0 < int(working[1]) <= 2_000 else None
    match = _ISO.fullmatch(stretch)
    if match is None or not any(match.groups()) or stretch.endswith("T"):
        return None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    exact = hours * HOUR + minutes * MINUTE + seconds * SECOND
    if years * 366 + months * 31 + weeks * 7 + days + exact // DAY > MOST_DAYS:
        return None
    return years, months, weeks * 7 + days, exact


def no_shorter(stretch: str, other: str) -> bool:
    """Whether a stretch is as long as another, or longer, on every calendar; False where that depends on the calendar.

    Working days compare with working days alone. A day of the calendar may have 25 hours and more, so hours never stand for days.
    """
    one, two = counted(stretch), counted(other)
    if one is None or two is None or isinstance(one, int) != isinstance(two, int):
        return False
    if isinstance(one, int) or isinstance(two, int):
        return bool(one >= two)  # type: ignore[operator]
    months = (one[0] - two[0]) * 12 + one[1] - two[1]
    return months >= 0 and one[2] >= two[2] and one[3] >= two[3]
