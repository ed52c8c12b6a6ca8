"""Who is on duty: dated shifts before the weekly pattern, and who is asked next when nobody answers. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from comity.desks.directory.hours import Span, wall_spans, zone_of
from comity.desks.directory.kinds import Duty, Rota
from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import MINUTE, Instant, parse_offset


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty for a span; `dated` where a shift and not the weekly pattern says so."""

    duty: Duty
    span: Span
    dated: bool


def on_duty(rota: Rota, start: Instant, end: Instant) -> list[OnDuty]:
    """Who is on duty within ``[start, end)``, by time. Within a dated shift the weekly pattern does not count.

    What cannot be read (an unknown zone, a word that names nobody) puts nobody on duty; `defects` tells of it.
    """
    known = {one.word: one for one in rota.duties}
    begins, ends = _bounds(rota)
    start, end = max(start, begins), min(end, ends)
    if start >= end:
        return []
    dated = [OnDuty(known[word], span, True) for word, span in _shifts(rota) if word in known]
    dated = [one for one in dated if one.span[0] < end and one.span[1] > start]
    zone = zone_of(rota.zone)
    weekly: list[OnDuty] = []
    if zone is not None:
        patterns = [(one.days, one.start, one.end) for one in rota.weekly]
        for number, _, span in wall_spans(patterns, zone, start, end):
            word = rota.weekly[number].duty
            if word in known:
                weekly += [OnDuty(known[word], left, False) for left in without(span, [one.span for one in dated])]
    found = [OnDuty(one.duty, (max(one.span[0], start), min(one.span[1], end)), one.dated) for one in (*dated, *weekly)]
    return sorted((one for one in found if one.span[0] < one.span[1]), key=lambda one: (one.span, one.duty.word))


def without(span: Span, others: list[Span]) -> Iterator[Span]:
    """What is left of a span outside of others."""
    at = span[0]
    for start, end in sorted(others):
        if end <= at or start >= span[1]:
            continue
        if start > at:
            yield at, start
        at = max(at, end)
    if at < span[1]:
        yield at, span[1]


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is to be asked, and from when on: so long after the beginning."""

    duty: Duty
    after: int


def order(rota: Rota, at: Instant) -> list[Asked]:
    """Who is asked in turn, beginning at an instant: who is on duty, then the steps of the escalation, each once.

    The minutes of a step run from when the one before it was asked. With nobody on duty the first step is asked at once.
    """
    known = {one.word: one for one in rota.duties}
    found: list[Asked] = []
    for one in on_duty(rota, at, at + 1):
        if one.duty.word not in {asked.duty.word for asked in found}:
            found.append(Asked(one.duty, 0))
    after = 0
    for step in rota.escalation:
        after += step.minutes * MINUTE if found else 0
        if step.duty in known and step.duty not in {asked.duty.word for asked in found}:
            found.append(Asked(known[step.duty], after))
    return found


def _bounds(rota: Rota) -> Span:
    return instant_or(rota.since, 0), instant_or(rota.until, 1 << 62)


def _shifts(rota: Rota) -> Iterator[tuple[str, Span]]:
    for one in rota.shifts:
        start, end = instant_or(one.start, -1), instant_or(one.end, -1)
        if 0 <= start < end:
            yield one.duty, (start, end)


def instant_or(text: str | None, default: Instant) -> Instant:
    """The instant of a text; the default where it is None or names none."""
    if text is None:
        return default
    try:
        return parse_offset(text)
    except InputRefused:
        return default
