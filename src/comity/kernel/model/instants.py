"""Instants: integer microseconds since 1970-01-01T00:00:00Z inside, STIX timestamps outside.

STIX 2.1 §2.17: RFC 3339, upper-case ``T``, a ``Z``, any number of fractional digits. Digits after the sixth are cut, never
rounded, so that two objects that differ only there are told apart by their bytes and not by their order.
"""

from __future__ import annotations

import re
from calendar import timegm
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from comity.kernel.errors import InputRefused

Instant = int  # microseconds since the epoch, UTC

MICROSECOND: Final = 1
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_STIX = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z", re.ASCII)
_OFFSET = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_DAYS_IN = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII
)


def parse(text: str) -> Instant:
    """Read a STIX timestamp.

    Raises:
        InputRefused: `timestamp` when the text is not a STIX 2.1 §2.17 timestamp or names no real instant.
    """
    match = _STIX.fullmatch(text)
    if match is None:
        raise InputRefused(
            "timestamp",
            f"{text!r} is not a STIX timestamp; write it as 2021-03-02T12:00:00.000Z.",
            clause="STIX 2.1 §2.17",
        )
    return _instant(match.groups()[:7], text)


def parse_offset(text: str) -> Instant:
    """Read an RFC 3339 instant with ``Z`` or a numeric offset (agreement files, command line).

    Raises:
        InputRefused: `timestamp` when there is no offset or no such instant.
    """
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise InputRefused(
            "timestamp",
            f"{text!r} is not an instant with an offset; write it as 2021-03-05T12:00:00Z.",
            clause="RFC 3339 §5.6",
        )
    groups = match.groups()
    at = _instant(groups[:7], text)
    if groups[7] is None:
        shift = (int(groups[9]) * 60 + int(groups[10])) * MINUTE
        at += -shift if groups[8] == "+" else shift
    return at


def _instant(groups: tuple[str | None, ...], text: str) -> Instant:
    year, month, day, hour, minute, second = (int(part or 0) for part in groups[:6])
    leap = second == 60
    if (
        not 1 <= month <= 12
        or not 1 <= day <= _DAYS_IN[month]
        or hour > 23
        or minute > 59
        or second > 60
        or (month == 2 and day == 29 and (year % 4 != 0 or (year % 100 == 0 and year % 400 != 0)))
        or year == 0
    ):
        raise InputRefused(
            "timestamp", f"{text!r} names no real instant; check month, day and hour.", clause="STIX 2.1 §2.17"
        )
    fraction = groups[6]
    micro = int((fraction + "000000")[:6]) if fraction else 0
    seconds = timegm((year, month, day, hour, minute, 59 if leap else second, 0, 0, 0)) + (1 if leap else 0)
    return seconds * SECOND + micro


@lru_cache(maxsize=256)
def format(at: Instant) -> str:
    """Write an instant as a STIX timestamp: three fractional digits, six where microseconds need them."""
    seconds, micro = divmod(at, SECOND)
    base = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if base.index("-") != 4:
        base = base.zfill(19)
    return f"{base}.{micro // 1000:03d}Z" if micro % 1000 == 0 else f"{base}.{micro:06d}Z"


def duration(text: str) -> int:
    """Read an ISO 8601 duration as microseconds; a year counts 365 days, a month 30.

    Raises:
        InputRefused: `duration` when it is none, or is empty.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise InputRefused(
            "duration", f"{text!r} is not a duration; write it as P30D, P1Y or PT24H.", clause="ISO 8601-1 §5.5"
        )
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (years * 365 + months * 30 + weeks * 7 + days) * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND
