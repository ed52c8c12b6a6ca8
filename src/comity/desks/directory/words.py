"""The short words in which hours, closures, roads, keys and duties are said on the command line and in tables, read and written.

    hours      mo-fr 09:00-17:00      24/7                 daily 22:00-06:00
    closure    2026-12-24/2026-12-26 Christmas             yearly 2026-05-01 Labour Day
    road       telephone=+3725550100;always;priority=10;note=switchboard
    key        openpgp=0123 4567 ...                       openpgp=https://cert.example/key.asc
    duty       ann=Ann Example;telephone=+3725550101;lang=fr
    week       mo-fr 08:00-18:00 ann
    shift      2026-12-24T16:00:00Z/2026-12-25T08:00:00Z ben
    step       ben 15

Each is refused with one sentence where it is not of its form; what is written is read back the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from comity.desks.directory.defects import LANGUAGE
from comity.desks.directory.hours import day_of, minutes_of, zone_of
from comity.desks.directory.kinds import CHANNELS, DAYS, USES, Channel, Closure, Duty, Hours, Key, Shift, Step, Weekly
from comity.kernel.errors import InputRefused, Usage
from comity.kernel.model.instants import parse_offset

_RANGE: Final = re.compile(r"([a-z,-]+|24/7)(?:\s+(\d\d:\d\d)-(\d\d:\d\d))?", re.ASCII)


def _wrong(what: str, text: str, example: str) -> NoReturn:
    raise Usage("desk-asked", f"{text[:80]!r} is not of the form of {what}, such as {example}.")


def read_days(text: str, what: str, whole: str) -> tuple[Any, ...]:
    """``mo-fr``, ``sa,su`` or ``daily``: days of the week in order.

    Raises:
        Usage: `desk-asked`.
    """
    if text == "daily":
        return DAYS
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            _wrong(what, whole, "mo-fr 09:00-17:00")
        a, b = DAYS.index(first), DAYS.index(last) if dash else DAYS.index(first)
        found.update(range(a, b + 1) if a <= b else [*range(a, 7), *range(b + 1)])
    return tuple(DAYS[n] for n in sorted(found))


def write_days(days: Sequence[str]) -> str:
    """The inverse of `read_days`, runs of three and more as a range."""
    numbers = sorted({DAYS.index(day) for day in days})
    if len(numbers) == 7:
        return "daily"
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    parts = [[DAYS[n] for n in run] if len(run) < 3 else [f"{DAYS[run[0]]}-{DAYS[run[-1]]}"] for run in runs]
    return ",".join(word for part in parts for word in part)


def read_hours(text: str) -> Hours:
    """Hours of an office.

    Raises:
        Usage: `desk-asked`.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None or (match[1] == "24/7") != (match[2] is None):
        _wrong("hours", text, "'mo-fr 09:00-17:00' or 24/7")
    if match[1] == "24/7":
        return Hours(days=DAYS, opens="00:00", closes="24:00")
    if minutes_of(match[2]) in (None, 1440) or minutes_of(match[3]) is None:
        _wrong("hours", text, "'mo-fr 09:00-17:00'")
    return Hours(days=read_days(match[1], "hours", text), opens=match[2], closes=match[3])


def write_hours(hours: Hours) -> str:
    """The inverse of `read_hours`."""
    if (set(hours.days), hours.opens, hours.closes) == (set(DAYS), "00:00", "24:00"):
        return "24/7"
    return f"{write_days(hours.days)} {hours.opens}-{hours.closes}"


def read_closure(text: str) -> Closure:
    """A closure: a day or two, and a name.

    Raises:
        Usage: `desk-asked`.
    """
    rest = text.strip()
    yearly = rest.startswith("yearly ")
    days, _, name = rest.removeprefix("yearly ").strip().partition(" ")
    first, slash, last = days.partition("/")
    if day_of(first) is None or (slash and day_of(last) is None):
        _wrong("a closure", text, "'2026-12-24/2026-12-26 Christmas' or 'yearly 2026-05-01 Labour Day'")
    return Closure(first=first, last=last or None, name=name.strip() or None, yearly=yearly)


def write_closure(one: Closure) -> str:
    """The inverse of `read_closure`."""
    days = one.first if one.last is None else f"{one.first}/{one.last}"
    return " ".join(filter(None, ("yearly" if one.yearly else "", days, one.name or "")))


def split(text: str, mark: str = ";") -> list[str]:
    """Parts between semicolons, or another mark; a backslash keeps the next character."""
    parts, taken = [""], iter(text)
    for char in taken:
        if char == "\\":
            parts[-1] += next(taken, "\\")
        elif char == mark:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def joined(parts: Sequence[str], mark: str = ";") -> str:
    """The inverse of `split`, but that no part is one empty one."""
    return mark.join(part.replace("\\", "\\\\").replace(mark, "\\" + mark) for part in parts)


def read_channel(text: str) -> Channel:
    """A road to an office.

    Raises:
        Usage: `desk-asked`.
    """
    first, *more = split(text)
    by, equals, value = first.partition("=")
    if by not in CHANNELS or not equals or not value.strip():
        _wrong("a road", text, f"telephone=+3725550100; the roads are {', '.join(CHANNELS)}")
    always, priority, note = False, 50, None
    for part in more:
        name, _, said = part.partition("=")
        if part == "always":
            always = True
        elif name == "priority" and said.isascii() and said.isdigit() and 1 <= int(said[:4]) <= 100:
            priority = int(said)
        elif name == "note" and said:
            note = said
        else:
            _wrong("a road", text, "telephone=+3725550100;always;priority=10;note=switchboard")
    return Channel(by=by, value=value.strip(), priority=priority, always=always, note=note)  # type: ignore[arg-type]


def write_channel(one: Channel) -> str:
    """The inverse of `read_channel`."""
    parts = [f"{one.by}={one.value}"]
    parts += ["always"] if one.always else []
    parts += [f"priority={one.priority}"] if one.priority != 50 else []
    parts += [f"note={one.note}"] if one.note is not None else []
    return joined(parts)


def read_key(text: str) -> Key:
    """A key, by fingerprint or by where it is.

    Raises:
        Usage: `desk-asked`.
    """
    use, _, said = text.partition("=")
    if use not in USES or not said.strip():
        _wrong("a key", text, "'openpgp=0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567'")
    parts = split(said)
    uri = next((one.strip() for one in parts if ":" in one), None)
    print_ = next((one.strip() for one in parts if ":" not in one), None)
    return Key(use=use, fingerprint=print_ or None, uri=uri)  # type: ignore[arg-type]


def write_key(one: Key) -> str:
    """The inverse of `read_key`."""
    return f"{one.use}=" + joined([part for part in (one.fingerprint, one.uri) if part is not None])


def read_duty(text: str) -> Duty:
    """Somebody who may be on duty.

    Raises:
        Usage: `desk-asked`.
    """
    first, *more = split(text)
    word, _, name = first.partition("=")
    if not word or re.search(r"\s", word):
        _wrong("a duty", text, "'ann=Ann Example;telephone=+3725550101;lang=fr'")
    roads, tags = [], []
    for part in more:
        key, _, said = part.partition("=")
        if key == "lang":
            tags.append(read_language(said))
        else:
            roads.append(read_channel(part))
    return Duty(word=word, name=name.strip() or None, languages=tuple(tags), channels=tuple(roads))


def read_weekly(text: str) -> Weekly:
    """A line of the weekly pattern.

    Raises:
        Usage: `desk-asked`.
    """
    when, _, word = text.strip().rpartition(" ")
    if not when or not word:
        _wrong("a week", text, "'mo-fr 08:00-18:00 ann'")
    hours = read_hours(when)
    return Weekly(days=hours.days, start=hours.opens, end=hours.closes, duty=word)


def read_shift(text: str) -> Shift:
    """A dated shift.

    Raises:
        Usage: `desk-asked`.
    """
    when, _, word = text.strip().rpartition(" ")
    start, _, end = when.partition("/")
    try:
        good = parse_offset(start) < parse_offset(end)
    except InputRefused:
        good = False
    if not good or not word:
        _wrong("a shift", text, "'2026-12-24T16:00:00Z/2026-12-25T08:00:00Z ben'")
    return Shift(start=start, end=end, duty=word)


def read_step(text: str) -> Step:
    """A step of the escalation.

    Raises:
        Usage: `desk-asked`.
    """
    word, _, minutes = text.strip().rpartition(" ")
    if not word or not (minutes.isascii() and minutes.isdigit()) or not 1 <= int(minutes[:6]) <= 10_080:
        _wrong("a step", text, "'ben 15', fifteen minutes after the one before")
    return Step(duty=word, minutes=int(minutes))


def read_language(text: str) -> str:
    """A language tag.

    Raises:
        Usage: `desk-asked`.
    """
    if LANGUAGE.fullmatch(text.strip()) is None:
        _wrong("a language", text, "en or pt-BR")
    return text.strip()


def read_zone(text: str) -> str:
    """A time zone that this machine knows.

    Raises:
        Usage: `desk-asked`.
    """
    if zone_of(text) is None:
        _wrong("a time zone", text, "Europe/Tallinn")
    return text
