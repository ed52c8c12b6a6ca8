"""Clocks of an incident: each duty a party says it owes, from its trigger with the evidence to where it stands now.

A party starts a clock by its own word. Every clock of the same duty that an event of the party sets running follows by itself (the
final report after the notification); other clocks that the same event would start are named as such and never counted, since nobody
said that they are owed. What has no executable due is shown with its words. Clocks of different parties stand side by side.
Source: reference/clocks.yaml; comity.kernel.procedure.clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, MARK, Mark
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import keep, minted, stated, when
from comity.desks.incidents.words import Said, about, all_of, one
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.instants import DAY, Instant, format, parse
from comity.kernel.procedure.calendar import UTC, Calendar, calendar_json, read_calendar
from comity.kernel.procedure.clocks import ClockRule, ClockState, Happening, reading
from comity.kernel.release.purposes import nearest
from comity.kernel.store.ports import Reading
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.facts import mark
from comity.node.reference import shipped, shipped_clocks, zone
from comity.node.saying import Words

HORIZON: Final = 3 * 366 * DAY
"""How far the changes of a time zone are written down with a mark: further than the longest clock runs."""

BY_MARK: Final = ("waive", "extend", "pause", "resume", "supersede")

THE_CLOCK = Meta(description="The clock's id, such as nis2-early-warning.", extra=PLACED)
EVIDENCE = Meta(description="What shows it: words, an object's id, a digest.")


class Start(Like, kw_only=True, forbid_unknown_fields=True):
    """Start a clock that we owe: say when its trigger happened, and what shows it."""

    clock: Annotated[str, THE_CLOCK]
    incident: Annotated[str, THE_INCIDENT]
    evidence: Annotated[str, EVIDENCE]
    at: Annotated[str | None, Meta(description="When the trigger happened; without it, now.")] = None
    zone: Annotated[str | None, Meta(description="Where days are counted, such as Europe/Tallinn; else UTC.")] = None  # fmt: skip


def start(node: Node, asked: Start, officer: str) -> Told:
    """Mint the mark that starts a clock."""
    rule = _rule(asked.clock)
    if rule.start is None:
        raise Usage("desk-asked", f"Nothing starts the clock {rule.id} here; it is only shown: {rule.start_words}.")
    with deed(node, officer) as work:
        at = _at(work, asked.at)
        calendar = None if asked.zone is None else calendar_json(Calendar(zone(asked.zone, at - DAY, at + HORIZON)))
        says = Mark(
            incident_ref=asked.incident,
            event=rule.start,
            happened_at=format(at),
            evidence=asked.evidence,
            clocks=(rule.id,),
            calendar=calendar,
        )
        shape = _keep(work, asked, "incident clock start", says)
        found = _of(work.tx, node.party, asked.incident, node.party, work.at)
    line = next(item for item in found if item["clock"] == rule.id)
    return Told({**shape, "reading": line}, [_sentence(line)])


class Stop(Like, kw_only=True, forbid_unknown_fields=True):
    """Stop a clock of ours: say when what it asks for was done, and what shows it; or that it is waived, and why."""

    clock: Annotated[str, THE_CLOCK]
    incident: Annotated[str, THE_INCIDENT]
    evidence: Annotated[str, EVIDENCE]
    at: Annotated[str | None, Meta(description="When it was done; without it, now.")] = None
    waived: Annotated[bool, Meta(description="It was not done, and whom it is owed to waived it.")] = False
    superseded: Annotated[bool, Meta(description="Another clock took its place.")] = False
    reason: Annotated[str | None, Meta(description="Why; needed where it is waived or superseded.")] = None


def stop(node: Node, asked: Stop, officer: str) -> Told:
    """Mint the mark that stops a clock."""
    rule = _rule(asked.clock)
    word = "waive" if asked.waived else "supersede" if asked.superseded else None
    if word is not None and not asked.reason:
        raise Usage("desk-asked", "A clock that is waived or superseded needs a reason: say --reason.")
    event = rule.stop if word is None else f"{word}:{rule.id}"
    if event is None:
        raise Usage("desk-asked", f"Nothing stops the clock {rule.id} but that it is waived or superseded.")
    return _mark(node, asked, officer, "incident clock stop", rule, event, asked.reason, None)


class Move(Like, kw_only=True, forbid_unknown_fields=True):
    """Extend a clock of ours to a later end, or pause it and let it go on."""

    clock: Annotated[str, THE_CLOCK]
    incident: Annotated[str, THE_INCIDENT]
    evidence: Annotated[str, EVIDENCE]
    until: Annotated[str | None, Meta(description="Extend it until then.")] = None
    pause: Annotated[bool, Meta(description="Pause it.")] = False
    resume: Annotated[bool, Meta(description="Let it go on.")] = False
    at: Annotated[str | None, Meta(description="When that was granted; without it, now.")] = None
    reason: Annotated[str | None, Meta(description="Why.")] = None


def move(node: Node, asked: Move, officer: str) -> Told:
    """Mint the mark that extends, pauses or resumes a clock."""
    rule = _rule(asked.clock)
    words = [word for word, said in (("extend", asked.until), ("pause", asked.pause), ("resume", asked.resume)) if said]
    if len(words) != 1:
        raise Usage("desk-asked", "Say one of --until, --pause and --resume.")
    until = when(asked.until, "--until")
    return _mark(node, asked, officer, "incident clock move", rule, f"{words[0]}:{rule.id}", asked.reason, until)


def _mark(
    node: Node,
    asked: Stop | Move,
    officer: str,
    name: str,
    rule: ClockRule,
    event: str,
    reason: str | None,
    until: Instant | None,
) -> Told:
    with deed(node, officer) as work:
        before = _of(work.tx, node.party, asked.incident, node.party, work.at)
        if not any(line["clock"] == rule.id and line["state"] != ClockState.NOT_STARTED for line in before):
            raise NotFound(
                "desk-asked", f"The clock {rule.id} does not run for us in {asked.incident}; start it first."
            )
        says = Mark(
            incident_ref=asked.incident,
            event=event,
            happened_at=format(_at(work, asked.at)),
            evidence=asked.evidence,
            until=None if until is None else format(until),
            reason=reason,
        )
        shape = _keep(work, asked, name, says)
        found = _of(work.tx, node.party, asked.incident, node.party, work.at)
    line = next(item for item in found if item["clock"] == rule.id)
    return Told({**shape, "reading": line}, [_sentence(line)])


def _keep(work: Deed, asked: Start | Stop | Move, name: str, says: Mark) -> dict[str, Any]:
    incident = one(work.tx, work.node.party, asked.incident, INCIDENT)
    made = minted(work, MARK, says)
    keep(work, name, [made], stated(work, asked, incident.seen, asked.incident))
    return {"object": made["id"]}


def _at(work: Deed, text: str | None) -> Instant:
    at = when(text, "--at")
    if at is not None and at > work.at:
        raise Usage("desk-asked", "What starts or stops a clock has happened; --at is later than now.")
    return work.at if at is None else at


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the clocks of an incident with where each stands, its source and whether somebody checked it."""

    incident: Annotated[str | None, Meta(description="The incident's id; without it, of every incident.")] = None
    known: Annotated[bool, Meta(description="Every clock that can be started, with its words, instead.")] = False


def list_(node: Node, asked: List, officer: str) -> Told:
    """Where the clocks stand, the earliest due first; missed ones before all."""
    if asked.known:
        known = [_facts(rule) for rule in shipped_clocks()]
        listed = [(one["clock"], one["starts_with"], one["due_words"], one["owed_by"], checked(one)) for one in known]
        return Told({"clocks": known}, Lines().table(("clock", "starts", "due", "owed by", "checked"), listed).found)
    now = node.clock()
    with node.store.read() as tx:
        if asked.incident is not None:
            one(tx, node.party, asked.incident, INCIDENT)
            incidents = [asked.incident]
        else:
            incidents = sorted({said.id for said in all_of(tx, node.party, INCIDENT).said})
        lines: list[dict[str, Any]] = []
        may: list[dict[str, Any]] = []
        defects: list[dict[str, Any]] = []
        for incident in incidents:
            words = about(tx, node.party, incident)
            defects += [defect.as_json(tx) for defect in words.defects]
            found, others = clocks_of(tx, words, incident, now)
            lines += found
            may += others
    lines.sort(key=_first)
    rows = [
        (
            line["clock"],
            line["name"],
            line["state"],
            line["due"] or line["due_words"],
            _left(line["left"]),
            checked(line),
        )
        for line in lines
    ]
    told = Lines().table(("clock", "owed by the word of", "state", "due", "left", "checked"), rows)
    told.add(
        *(f"May be owed too, if it applies: {line['clock']} ({line['owed_by']}), {line['due_words']}." for line in may)
    )
    told.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    return Told(
        {"at": format(now), "clocks": lines, "may_apply": may, "defects": defects}, told.found or ["No clock runs."]
    )


def clocks_of(
    tx: Reading, words: Words[Said], incident: str, now: Instant
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The clocks of an incident, party by party: those said to be owed, and those that may be."""
    lines: list[dict[str, Any]] = []
    may: list[dict[str, Any]] = []
    marked: dict[tuple[str | None, str | None], list[Said]] = {}
    for said in words.of(MARK):
        marked.setdefault((said.by, said.via if said.by is None else None), []).append(said)
    for (by, _), marks in marked.items():
        head = {"incident": incident, "by": by, "name": marks[0].named(tx)}
        found, others = _readings(marks, now)
        lines += [{**head, **line} for line in found]
        may += [{**head, **line} for line in others]
    return sorted(lines, key=_first), may


def _first(line: dict[str, Any]) -> tuple[bool, bool, str, str]:
    """Missed ones before all, then the earliest due."""
    return line["state"] != ClockState.MISSED, line["due"] is None, line["due"] or "", line["clock"]


def _of(tx: Reading, us: str, incident: str, party: str, now: Instant) -> list[dict[str, Any]]:
    marks = [said for said in about(tx, us, incident).of(MARK) if said.by == party]
    return _readings(marks, now)[0]


def _readings(marks: Sequence[Said], now: Instant) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The clocks one party owes in one incident, and those that the same events would start if they were owed."""
    rules = {rule.id: rule for rule in shipped_clocks()}
    happened = [
        Happening(
            said.says.event,
            parse(said.says.happened_at),
            said.says.evidence,
            None if said.says.until is None else parse(said.says.until),
        )
        for said in marks
    ]
    named = [rules[name] for said in marks for name in said.says.clocks if name in rules]
    owed = {rule.id: rule for rule in named}
    waiting = list(named)
    while waiting:
        rule = waiting.pop()
        for after in rules.values():
            if after.id not in owed and after.regime == rule.regime and after.start == rule.stop is not None:
                owed[after.id] = after
                waiting.append(after)
    calendars = {name: said.says.calendar for said in marks for name in said.says.clocks if said.says.calendar}
    shared = next(iter(calendars.values()), None)
    lines: list[dict[str, Any]] = []
    for rule in owed.values():
        data = calendars.get(rule.id, shared)
        reasons = [said.says.reason for said in marks if said.says.event.endswith(f":{rule.id}") and said.says.reason]
        line = _line(rule, happened, UTC if data is None else read_calendar(data), now)
        lines.append({**line, "reasons": reasons})
    events = {one.event for one in happened}
    regimes = {rule.regime for rule in named}
    others = [
        _facts(rule)
        for rule in rules.values()
        if rule.id not in owed and rule.start in events and rule.regime in regimes
    ]
    unknown = sorted({name for said in marks for name in said.says.clocks if name not in rules})
    lines += [_strange(name, marks) for name in unknown]
    return lines, others


def _line(rule: ClockRule, happened: Sequence[Happening], calendar: Calendar, now: Instant) -> dict[str, Any]:
    try:
        found = reading(rule, happened, calendar, now)
        due = _text(found.due)
    except (InputRefused, ValueError, OverflowError) as broken:  # an instant at the edge of what a calendar can say
        told = broken.sentence if isinstance(broken, InputRefused) else "Its instants leave the calendar."
        return {**_facts(rule), "state": ClockState.SHOWN, "due": None, "left": None, "defect": told}
    started = [one for one in happened if one.event == rule.start and one.at <= now]
    first = started[0] if started and found.state is ClockState.SHOWN else None
    return {
        **_facts(rule),
        "state": found.state,
        "zone": calendar.zone.name,
        "started_at": _text(found.started_at if first is None else first.at),
        "evidence": found.evidence if first is None else first.evidence,
        "due": due,
        "left": found.left,
        "ended_at": _text(found.ended_at),
        "ended_by": found.ended_by,
        "extended_by": list(found.extended_by),
    }


def _strange(name: str, marks: Sequence[Said]) -> dict[str, Any]:
    mark = next(said for said in marks if name in said.says.clocks)
    return {
        "clock": name,
        "state": ClockState.SHOWN,
        "due": None,
        "left": None,
        "due_words": "this node does not know this clock",
        "started_at": mark.says.happened_at,
        "evidence": mark.says.evidence,
        "owed_by": "",
        "verified": False,
        "sources": [],
        "version": None,
    }


def _facts(rule: ClockRule) -> dict[str, Any]:
    """What the reference data say of a clock: with each fact its source, the day it stands for, and whether it was checked."""
    data = shipped("comity.data", "reference", "clocks.yaml")
    more = ("also", "also_verified", "range", "status", "applies_from", "ongoing", "cadence", "content")
    return {
        "clock": rule.id,
        "regime": rule.regime,
        "kind": rule.kind,
        "starts_with": rule.start_words,
        "due_words": rule.due,
        "counted": rule.counted,
        "owed_by": rule.owed_by,
        "owed_to": rule.owed_to,
        "sources": [{"id": name, **data["sources"].get(name, {})} for name in rule.sources],
        "version": str(data["as_of"]),
        "verified": rule.verified,
        "further": {name: _plain(rule.data[name]) for name in more if name in rule.data},
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | bool | int | list) else str(value)


def _rule(name: str) -> ClockRule:
    rules = {rule.id: rule for rule in shipped_clocks()}
    if name not in rules:
        near = nearest(name, list(rules))
        hint = f"did you mean {near}? " if near else ""
        raise NotFound("desk-asked", f"There is no clock {name!r}; {hint}comity incident clock list --known shows all.")
    return rules[name]


def _text(at: Instant | None) -> str | None:
    return None if at is None else format(at)


def _left(left: int | None) -> str:
    if left is None:
        return ""
    minutes = left // 60_000_000
    return f"{minutes // 1440} d {minutes // 60 % 24} h {minutes % 60} min"


def checked(line: dict[str, Any]) -> str:
    """The mark of the facts of a clock."""
    return mark(line["verified"], [one["id"] for one in line["sources"]], line["version"] or "no version")


def _sentence(line: dict[str, Any]) -> str:
    due = (
        f", due {line['due']}"
        if line["due"]
        else f", {line['due_words']}, not counted"
        if line["state"] == "shown"
        else ""
    )
    return f"{line['clock']}: {line['state']}{due} ({checked(line)})."


DEEDS = (
    DeskDeed("incident clock start", "take in", Start, start),
    DeskDeed("incident clock stop", "take in", Stop, stop),
    DeskDeed("incident clock move", "take in", Move, move),
    DeskDeed("incident clock list", "read", List, list_),
)
