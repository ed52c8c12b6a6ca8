"""Clocks that duties set: which run, until when, on what evidence, and what stopped them.

A clock is one row of reference data: who owes what to whom, when it starts, when it is due, with its sources and whether somebody
checked them. A second table gives each the ids of the events that start and stop it. A clock whose due is no stretch of time
(``on-request``, ``configurable``) or that has no event ids is *shown* with its words and never counted down: nobody can say
when it is over.

What happened is a list of happenings, each with its instant and its evidence. Besides starting and stopping events there are
five that name a clock itself: ``extend:<id>`` with a later end, ``pause:<id>`` and ``resume:<id>``, ``waive:<id>``, and
``supersede:<id>`` where another clock took its place. Who may do them is not decided here: in a procedure they are acts.

    not-started    the event has not happened
    running        until `due`; a minimum period is ``holding`` until then, and ``elapsed`` after
    paused         the rest of the time waits
    met, met-late  stopped before or after it was due
    missed         due, and not stopped
    waived, superseded
    shown          no executable due

Source: reference/clocks.yaml; docs/formats/procedure.md, Clocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NoReturn

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import Instant
from comity.kernel.procedure.calendar import Calendar, after, executable

MINIMUM: Final = "at-least"
"""The kind of a clock that says how long something is kept at least: it is never missed."""

_NAMED: Final = ("extend", "pause", "resume", "waive", "supersede")


class ClockState(StrEnum):
    """Where a clock stands, as the module says."""

    NOT_STARTED = "not-started"
    RUNNING = "running"
    HOLDING = "holding"
    ELAPSED = "elapsed"
    PAUSED = "paused"
    MET = "met"
    MET_LATE = "met-late"
    MISSED = "missed"
    WAIVED = "waived"
    SUPERSEDED = "superseded"
    SHOWN = "shown"


@dataclass(frozen=True, slots=True)
class ClockRule:
    """One clock of the reference data.

    Args:
        id, regime, owed_by, owed_to: As the data have them.
        start_words: What starts it, in words.
        due: The stretch of time, or a word that is none.
        kind: None for a deadline; ``at-least``, ``at-most-renewable``, ``recommended``.
        start, stop: Event ids; None where there are none.
        latest: Whether each new start begins it anew; else the first one counts.
        sources: Ids of the sources.
        verified: Whether somebody checked the due against its source: True, False, or ``partly``.
        data: The whole row, for showing what is not counted (`also`, `range`, `status`).
    """

    id: str
    regime: str
    start_words: str
    due: str
    kind: str | None
    owed_by: str
    owed_to: str
    start: str | None
    stop: str | None
    latest: bool
    sources: tuple[str, ...]
    verified: bool | str
    data: Mapping[str, Any]

    @property
    def counted(self) -> bool:
        """Whether it can be counted down."""
        return self.start is not None and executable(self.due)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened: an event id, when, what shows it (an object id, a digest), and for an extension the new end."""

    event: str
    at: Instant
    evidence: str
    until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock at an instant.

    Args:
        clock: Its id.
        state: Where it stands.
        started_at, evidence: The start that counts, and what shows it; None where it has not started.
        due: When it is due, None where it has not started, is paused or is only shown.
        left: Microseconds until it is due, never negative; None where `due` is.
        ended_at, ended_by: When and by what it was stopped, waived or superseded.
        extended_by: What shows each extension, in order.
    """

    clock: str
    state: ClockState
    started_at: Instant | None = None
    evidence: str | None = None
    due: Instant | None = None
    left: int | None = None
    ended_at: Instant | None = None
    ended_by: str | None = None
    extended_by: tuple[str, ...] = ()


def read_clocks(reference: Any, events: Any) -> tuple[ClockRule, ...]:
    """The clocks of the reference data with their event ids.

    Args:
        reference: ``{clocks: [{id, regime, start, due, owed_by, owed_to, ...}]}``.
        events: ``{form, clocks: {id: {start, stop, starts?}}}``.

    Raises:
        InputRefused: `procedure-clock`, naming the clock.
    """
    try:
        listed, named = reference["clocks"], events["clocks"]
        rows = [dict(row) for row in listed]
        ids = {name: dict(row) for name, row in named.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as broken:
        raise InputRefused(
            "procedure-clock", "The data of the clocks are not in the form of reference/clocks.yaml."
        ) from broken
    rules = tuple(_rule(row, ids.pop(str(row.get("id")), {})) for row in rows)
    if ids:
        _refuse(f"There are event ids for the clock {min(ids)}, which is none of the reference data.")
    if len({rule.id for rule in rules}) != len(rules):
        _refuse("Two clocks have one id.")
    return rules


def reading(rule: ClockRule, happenings: Iterable[Happening], calendar: Calendar, at: Instant) -> Reading:
    """Where a clock stands at an instant.

    Args:
        rule: The clock.
        happenings: Everything known, in any order; what is later than `at` is left out.
        calendar: Where its stretch of time is counted.
        at: The instant.

    Raises:
        InputRefused: `procedure-calendar` where the stretch leaves the calendar.
    """
    if not rule.counted:
        return Reading(rule.id, ClockState.SHOWN)
    known = sorted((one for one in happenings if one.at <= at), key=_in_order)
    starts = [one for one in known if one.event == rule.start]
    if not starts:
        return Reading(rule.id, ClockState.NOT_STARTED)
    start = starts[-1] if rule.latest else starts[0]
    since = [one for one in known if one.at >= start.at]
    due = after(start.at, rule.due, calendar)
    extended: list[str] = []
    paused: Happening | None = None
    for one in since:
        word, _, about = one.event.partition(":")
        if one.event == rule.stop and one is not start:
            late = paused is None and one.at > due and rule.kind != MINIMUM
            return _ended(rule, start, one, ClockState.MET_LATE if late else ClockState.MET, due, extended)
        if word not in _NAMED or about != rule.id:
            continue
        if word in ("waive", "supersede"):
            state = ClockState.WAIVED if word == "waive" else ClockState.SUPERSEDED
            return _ended(rule, start, one, state, due, extended)
        if word == "extend" and one.until is not None and one.until > due:
            due = one.until
            extended.append(one.evidence)
        elif word == "pause" and paused is None and one.at < due:
            paused = one
        elif word == "resume" and paused is not None:
            due, paused = due + one.at - paused.at, None
    shown = tuple(extended)
    if paused is not None:
        return Reading(rule.id, ClockState.PAUSED, start.at, start.evidence, extended_by=shown)
    running, over = (
        (ClockState.HOLDING, ClockState.ELAPSED) if rule.kind == MINIMUM else (ClockState.RUNNING, ClockState.MISSED)
    )
    state = running if at <= due else over
    return Reading(rule.id, state, start.at, start.evidence, due, max(due - at, 0), extended_by=shown)


def _in_order(one: Happening) -> tuple[Instant, str, str, Instant]:
    """By instant; of one instant in an order that does not depend on who told what first."""
    return one.at, one.event, one.evidence, one.until or 0


def running(
    rules: Sequence[ClockRule], happenings: Sequence[Happening], calendar: Calendar, at: Instant
) -> tuple[Reading, ...]:
    """Every clock that started and is not over or ended, and every one missed; the earliest due first."""
    live = (ClockState.RUNNING, ClockState.HOLDING, ClockState.PAUSED, ClockState.MISSED)
    found = [one for one in (reading(rule, happenings, calendar, at) for rule in rules) if one.state in live]
    return tuple(sorted(found, key=lambda one: (one.due is None, one.due or 0, one.clock)))


def _ended(
    rule: ClockRule, start: Happening, by: Happening, state: ClockState, due: Instant, extended: Sequence[str]
) -> Reading:
    return Reading(
        rule.id, state, start.at, start.evidence, due, ended_at=by.at, ended_by=by.evidence, extended_by=tuple(extended)
    )


def _rule(row: Mapping[str, Any], events: Mapping[str, Any]) -> ClockRule:
    name = row.get("id")
    what = f"The clock {name!r}"
    for member in ("id", "regime", "start", "due", "owed_by", "owed_to"):
        if not isinstance(row.get(member), str):
            _refuse(f"{what} has no text {member!r}.")
    start, stop, starts = events.get("start"), events.get("stop"), events.get("starts", "first")
    if any(one is not None and not isinstance(one, str) for one in (start, stop)) or starts not in ("first", "latest"):
        _refuse(f"The event ids of {what[:1].lower()}{what[1:]} are start, stop, and starts: first or latest.")
    if set(events) - {"start", "stop", "starts"} or (start is not None and start == stop):
        _refuse(f"The event ids of {what[:1].lower()}{what[1:]} are start, stop and starts, and no other.")
    kind, sources = row.get("kind"), row.get("source", [])
    if kind is not None and not isinstance(kind, str):
        _refuse(f"{what} has a kind that is no word.")
    return ClockRule(
        row["id"],
        row["regime"],
        row["start"],
        row["due"],
        kind,
        row["owed_by"],
        row["owed_to"],
        start,
        stop,
        starts == "latest",
        tuple(str(one) for one in (sources if isinstance(sources, list) else [sources])),
        row.get("verified", False),
        row,
    )


def _refuse(sentence: str) -> NoReturn:
    raise InputRefused("procedure-clock", sentence)
