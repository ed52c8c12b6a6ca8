"""Calendars: what a day is, and when a stretch of time is over, where the parties agreed to count.

Two nodes with different time zone data would count to different instants. So a calendar is data that the parties sign: the
zone is a list of instants with the offset from UTC that holds from each on, the holidays are dates. Nothing here looks up a zone.

A stretch is written as text:

    PT72H             exact hours, the same everywhere
    P3D, P1M, P1Y     the same hour of the local clock on a later date; a month is a calendar month, the 31st becomes the last day
    3 working days    the day it starts on does not count; it is over when the last of the days closes

A local hour that the clock skips is read with the offset before the change, one that comes twice is the later one: a change of
the clock never shortens anybody's time. Source: ISO 8601-1 §5.5.2; docs/formats/procedure.md, Calendars.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from comity.kernel.errors import ComityError, InputRefused
from comity.kernel.model import instants
from comity.kernel.model.instants import DAY, MINUTE, SECOND, Instant
from comity.kernel.model.stretches import MOST_DAYS, counted

EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
BEGINNING: Final[Instant] = (1 - EPOCH_DAY) * DAY
END: Final[Instant] = (date.max.toordinal() - EPOCH_DAY) * DAY
"""The first instant of the year 1, and of the last day of the year 9999: what can be written as a timestamp lies between."""

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_HOUR: Final = re.compile(r"(\d\d):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone as the parties signed it.

    Args:
        name: What people call it, e.g. ``Europe/Tallinn``; nothing is looked up by it.
        changes: (from which instant on, offset from UTC in seconds), in order; the first offset also holds before its instant.

    Raises:
        InputRefused: `procedure-calendar`.
    """

    name: str
    changes: tuple[tuple[Instant, int], ...]

    def __post_init__(self) -> None:
        since = [at for at, _ in self.changes]
        if not since or since != sorted(set(since)) or any(abs(offset) > 86_399 for _, offset in self.changes):
            raise InputRefused("procedure-calendar", f"The changes of the zone {self.name!r} are not in order of time.")

    def offset(self, at: Instant) -> int:
        """The offset from UTC at an instant, microseconds."""
        place = bisect_right(self.changes, at, key=lambda change: change[0])
        return self.changes[max(place - 1, 0)][1] * SECOND

    def local(self, at: Instant) -> tuple[int, int]:
        """The local date (days since 1970-01-01) and the microseconds since its midnight."""
        return divmod(at + self.offset(at), DAY)

    def instant(self, day: int, micro: int) -> Instant:
        """The instant at which the local clock shows this; the later one where it does so twice."""
        wall = day * DAY + micro
        around = {self.offset(wall + shift) for shift in (-2 * DAY, -DAY, 0, DAY, 2 * DAY)}
        shown = [wall - offset for offset in around if self.offset(wall - offset) == offset]
        return max(shown) if shown else wall - self.offset(wall - 2 * DAY)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Where and how days are counted.

    Args:
        zone: The clock on the wall.
        working: ISO weekdays that are worked, 1 Monday to 7 Sunday.
        holidays: Dates that are not worked, in days since 1970-01-01.
        closes: When a working day is over, minutes after local midnight, 1 to 1,440.

    Raises:
        InputRefused: `procedure-calendar`.
    """

    zone: Zone
    working: frozenset[int] = frozenset((1, 2, 3, 4, 5))
    holidays: frozenset[int] = frozenset()
    closes: int = 1440

    def __post_init__(self) -> None:
        if not self.working or not self.working <= frozenset(range(1, 8)) or not 1 <= self.closes <= 1440:
            raise InputRefused(
                "procedure-calendar", "A calendar names weekdays from 1 to 7 that are worked, and when they close."
            )

    def works(self, day: int) -> bool:
        """Whether this date (days since 1970-01-01) is worked."""
        return day not in self.holidays and (day + 3) % 7 + 1 in self.working


UTC: Final = Calendar(Zone("UTC", ((0, 0),)))
"""Monday to Friday without holidays, in UTC."""


def read_calendar(data: Any) -> Calendar:
    """The calendar in ``{zone: {name, changes: [[instant, seconds]]}, working: [1..7], holidays: [date], closes: "18:00"}``.

    Raises:
        InputRefused: `procedure-calendar`.
    """
    try:
        zone, closes = data["zone"], _HOUR.fullmatch(data["closes"])
        if (
            closes is None
            or not isinstance(zone["name"], str)
            or set(data) != {"zone", "working", "holidays", "closes"}
        ):
            raise ValueError
        changes = tuple((instants.parse(at), int(offset)) for at, offset in zone["changes"])
        holidays = frozenset(_day(one) for one in data["holidays"])
        working = frozenset(int(day) for day in data["working"])
        return Calendar(Zone(zone["name"], changes), working, holidays, int(closes[1]) * 60 + int(closes[2]))
    except InputRefused as broken:
        if broken.code == "procedure-calendar":
            raise
        raise InputRefused("procedure-calendar", f"The calendar cannot be read: {broken.sentence}") from broken
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        raise InputRefused(
            "procedure-calendar",
            "A calendar has zone, working, holidays and closes, as docs/formats/procedure.md shows.",
        ) from broken


def calendar_json(calendar: Calendar) -> dict[str, Any]:
    """The data that `read_calendar` reads."""
    zone = calendar.zone
    return {
        "zone": {"name": zone.name, "changes": [[instants.format(at), offset] for at, offset in zone.changes]},
        "working": sorted(calendar.working),
        "holidays": [date.fromordinal(EPOCH_DAY + day).isoformat() for day in sorted(calendar.holidays)],
        "closes": f"{calendar.closes // 60:02d}:{calendar.closes % 60:02d}",
    }


def executable(stretch: str) -> bool:
    """Whether a text is a stretch of time that can be counted; ``on-request`` and ``configurable`` are not."""
    return counted(stretch) is not None


def after(start: Instant, stretch: str, calendar: Calendar) -> Instant:
    """When a stretch of time that begins at an instant is over.

    Args:
        start: When it begins.
        stretch: As the module says; ``3 working days``, ``P1M``, ``PT24H``.
        calendar: Where it is counted.

    Raises:
        InputRefused: `procedure-calendar` when the text is no stretch, is longer than a hundred years, or when so many
            holidays follow each other that it never ends.
    """
    over = _over(start, stretch, calendar)
    if not BEGINNING <= over < END:
        raise InputRefused("procedure-calendar", "The stretch of time leaves the calendar.")
    return over


def _over(start: Instant, stretch: str, calendar: Calendar) -> Instant:
    found = counted(stretch)
    if found is None:
        raise InputRefused(
            "procedure-calendar", f"{stretch!r} is no stretch of time; write PT24H, P3D, P1M or 3 working days."
        )
    if isinstance(found, int):
        return _working(start, found, calendar)
    years, months, days, exact = found
    if not (years or months or days):
        return start + exact
    day, micro = calendar.zone.local(start)
    return calendar.zone.instant(_dated(day, 12 * years + months) + days, micro) + exact


def _working(start: Instant, days: int, calendar: Calendar) -> Instant:
    day, _ = calendar.zone.local(start)
    left, last = days, day + MOST_DAYS
    while left:
        day += 1
        left -= calendar.works(day)
        if day > last:
            raise InputRefused("procedure-calendar", "The calendar has too few working days to count to the end.")
    return calendar.zone.instant(day, calendar.closes * MINUTE)


def _dated(day: int, months: int) -> int:
    if not months:
        return day
    try:
        start = date.fromordinal(EPOCH_DAY + day)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal() - EPOCH_DAY
    except (ValueError, OverflowError) as broken:
        raise InputRefused("procedure-calendar", "The stretch of time leaves the calendar.") from broken


def _day(text: str) -> int:
    if _DATE.fullmatch(text) is None:
        raise ValueError
    return date.fromisoformat(text).toordinal() - EPOCH_DAY


def check_stretches(stretches: Mapping[str, str]) -> None:
    """Return if every value is a stretch that can be counted.

    Raises:
        InputRefused: `procedure-calendar`, naming the key.
    """
    for name, stretch in stretches.items():
        try:
            after(0, stretch, UTC)
        except ComityError as broken:
            raise InputRefused("procedure-calendar", f"The stretch {name!r}: {broken.sentence}") from broken
