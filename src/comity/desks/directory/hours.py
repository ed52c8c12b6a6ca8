"""When an office is open: hours by the wall clock of its zone, public holidays, changes of summer time; pure but for the zone's table.

Spans are half-open, ``[start, end)``, in instants. A time of the clock that a change of summer time leaves out (02:30 in a spring
night) is read by the offset before the change (so it is 03:30 by the new one); one that comes twice is its first. A zone that this
machine does not know is no zone: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from comity.desks.directory.kinds import DAYS, Closure, Hours
from comity.kernel.model.instants import SECOND, Instant

Span = tuple[Instant, Instant]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

LONGEST: Final = 400
"""Days that a question may look ahead."""


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo | None:
    """The zone of an IANA name such as Europe/Tallinn; None for one this machine does not know."""
    if _ZONE.fullmatch(name) is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def minutes_of(clock: str) -> int | None:
    """Minutes since midnight of ``HH:MM``, 1440 for ``24:00``; None for what is no time of a clock."""
    if clock == "24:00":
        return 1440
    match = _CLOCK.fullmatch(clock)
    return None if match is None else int(match[1]) * 60 + int(match[2])


def day_of(text: str) -> date | None:
    """The day of ``YYYY-MM-DD``; None for none."""
    if _DATE.fullmatch(text) is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def instant_at(day: date, minutes: int, zone: ZoneInfo) -> Instant:
    """The instant at which clocks of a zone show so many minutes after midnight of a day."""
    wall = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minutes)
    return int((wall.astimezone(UTC) - _EPOCH).total_seconds()) * SECOND


def local(at: Instant, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show at an instant."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone)


def wall_spans(
    patterns: Iterable[tuple[Sequence[str], str, str]], zone: ZoneInfo, start: Instant, end: Instant
) -> Iterator[tuple[int, date, Span]]:
    """Spans of weekly patterns, ``(days, from, to)``, that touch ``[start, end)``: (which pattern, its day, the span).

    One that ends at or before its beginning runs into the next day. What is no time of a clock gives nothing.
    """
    read = []
    for number, (days, first, last) in enumerate(patterns):
        opens, closes = minutes_of(first), minutes_of(last)
        if opens is not None and closes is not None and opens < 1440:
            read.append((number, {DAYS.index(day) for day in days}, opens, closes if closes > opens else closes + 1440))
    day = local(start, zone).date() - timedelta(days=1)
    until = min(local(end, zone).date(), day + timedelta(days=LONGEST))
    while day <= until:
        for number, weekdays, opens, closes in read:
            if day.weekday() in weekdays:
                span = instant_at(day, opens, zone), instant_at(day, closes, zone)
                if span[0] < end and span[1] > start and span[0] < span[1]:
                    yield number, day, span
        day += timedelta(days=1)


def closed_on(closures: Sequence[Closure], day: date) -> Closure | None:
    """The closure that holds on a day, or None. Days that do not exist close nothing."""
    for one in closures:
        first = day_of(one.first)
        last = first if one.last is None else day_of(one.last)
        if first is None or last is None:
            continue
        if one.yearly:
            a, b, here = (first.month, first.day), (last.month, last.day), (day.month, day.day)
            if a <= here <= b if a <= b else (here >= a or here <= b):
                return one
        elif first <= day <= last:
            return one
    return None


def open_spans(
    hours: Sequence[Hours], closures: Sequence[Closure], zone: ZoneInfo, start: Instant, end: Instant
) -> list[Span]:
    """When an office is open within ``[start, end)``, in order, joined where spans meet. A closed day opens no span."""
    found = [
        (max(span[0], start), min(span[1], end))
        for _, day, span in wall_spans(((one.days, one.opens, one.closes) for one in hours), zone, start, end)
        if closed_on(closures, day) is None
    ]
    return joined(found)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that meet or overlap made one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span[0] <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], span[1])
        else:
            found.append(span)
    return found
