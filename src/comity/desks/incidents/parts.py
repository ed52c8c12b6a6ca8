"""Events, tasks and impacts of an incident: the suite's own types, each naming the incident it is part of.

A task is changed only by who said it; another party answers with a task of its own. Impacts of money are ranges with a currency and
a source; they are added up within one currency only, side by side for each party, and with the sum it is told who sees its parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import (
    EVENT,
    IMPACT,
    INCIDENT,
    MOST,
    TASK,
    Economic,
    Event,
    EventStatus,
    Impact,
    Outcome,
    Task,
)
from comity.desks.incidents.knowing import seers
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import keep, minted, stated, when
from comity.desks.incidents.words import Said, about, economic_of, one
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import Instant, format, parse
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.minting import Kind, next_version, our_own
from comity.node.parties import name_of, resolve_party

Percent = Annotated[int, Meta(ge=0, le=100)]
Amount = Annotated[float, Meta(ge=0, le=MOST)]

SOURCE = Meta(description="Where it comes from, in words.")


class AddEvent(Like, kw_only=True, forbid_unknown_fields=True):
    """Add an event to an incident: what happened, or may have."""

    incident: Annotated[str, THE_INCIDENT]
    name: Annotated[str, Meta(description="What happened.", extra=PLACED)]
    status: Annotated[EventStatus, Meta(description="occurred, ongoing, not-occurred, pending or undetermined.")] = (
        "occurred"
    )
    description: Annotated[str | None, Meta(description="More of it.")] = None
    kind: Annotated[tuple[str, ...], Meta(description="Kind of event; once for each.")] = ()
    start: Annotated[str | None, Meta(description="When it began.")] = None
    end: Annotated[str | None, Meta(description="When it was over.")] = None
    source: Annotated[str | None, SOURCE] = None


def add_event(node: Node, asked: AddEvent, officer: str) -> Told:
    """Mint an event."""
    says = Event(
        status=asked.status,
        name=asked.name,
        description=asked.description,
        event_types=asked.kind,
        start_time=_stamp(asked.start, "--start"),
        end_time=_stamp(asked.end, "--end"),
    )
    return _add(node, asked, officer, "incident event add", EVENT, says, {"source": asked.source})


class AddTask(Like, kw_only=True, forbid_unknown_fields=True):
    """Add a task to an incident: what is to be done, by whom and until when."""

    incident: Annotated[str, THE_INCIDENT]
    name: Annotated[str, Meta(description="What is to be done.", extra=PLACED)]
    description: Annotated[str | None, Meta(description="More of it.")] = None
    kind: Annotated[tuple[str, ...], Meta(description="Kind of task, such as containment; once for each.")] = ()
    owner: Annotated[str | None, Meta(description="The party that does it, name or id; without it, we.")] = None
    office: Annotated[str | None, Meta(description="The office there, one word.")] = None
    due: Annotated[str | None, Meta(description="Until when.")] = None
    priority: Annotated[Percent | None, Meta(description="0 to 100.")] = None


def add_task(node: Node, asked: AddTask, officer: str) -> Told:
    """Mint a task."""
    with node.store.read() as tx:
        owner = node.party if asked.owner is None else resolve_party(tx, asked.owner).id
    says = Task(
        outcome="pending",
        name=asked.name,
        description=asked.description,
        task_types=asked.kind,
        due_date=_stamp(asked.due, "--due"),
        priority=asked.priority,
    )
    return _add(node, asked, officer, "incident task add", TASK, says, {"owner": owner, "office": asked.office})


class SetTask(Like, kw_only=True, forbid_unknown_fields=True):
    """Say how a task of ours stands."""

    task: Annotated[str, Meta(description="The task's id.", extra=PLACED)]
    outcome: Annotated[
        Outcome, Meta(description="pending, ongoing, successful, failed, cancelled or unknown.", extra=PLACED)
    ]


def set_task(node: Node, asked: SetTask, officer: str) -> Told:
    """A later version of a task of ours."""
    with deed(node, officer) as work:
        before = our_own(work.tx, node.party, asked.task)
        said = one(work.tx, node.party, asked.task, TASK)
        says: dict[str, Any] = {"outcome": asked.outcome}
        if asked.outcome == "ongoing" and said.says.start_time is None:
            says["start_time"] = format(work.at)
        if asked.outcome in ("successful", "failed", "cancelled"):
            says["end_time"] = format(work.at)
        made = next_version(before.data, says, work.at)
        cases = [ref for ref in (said.part.incident_ref,) if ref is not None]
        keep(work, "incident task set", [made], stated(work, asked, before, *cases))
    return Told({"object": asked.task, "outcome": asked.outcome}, [f"{asked.task}: {asked.outcome}."])


class ListTasks(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the tasks of an incident: who does what until when, each by whose word."""

    incident: Annotated[str, THE_INCIDENT]


def list_tasks(node: Node, asked: ListTasks, officer: str) -> Told:
    """The tasks."""
    now = node.clock()
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        words = about(tx, node.party, asked.incident)
        found = by_due(words.of(TASK))
        lines = [
            {
                **said.as_json(tx),
                "late": _late(said, now),
                "owner_name": None if said.part.owner is None else name_of(tx, said.part.owner),
            }
            for said in found
        ]
        rows = [
            (
                said.says.name or "(name not shown)",
                line["owner_name"] or "nobody",
                said.part.office,
                said.says.due_date,
                f"{said.says.outcome}{', late' if line['late'] else ''}",
                said.named(tx),
                said.id,
            )
            for said, line in zip(found, lines, strict=True)
        ]
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(("task", "owner", "office", "due", "outcome", "by", "object"), rows).found
    return Told({"tasks": lines, "defects": defects}, table or ["No task is known of this incident."])


def by_due(tasks: Iterable[Said]) -> tuple[Said, ...]:
    """Tasks in the order they are due; those without an instant last."""
    return tuple(
        sorted(tasks, key=lambda said: (said.says.due_date is None, parse(said.says.due_date or format(0)), said.id))
    )


def _late(said: Said, now: Instant) -> bool:
    due, over = said.says.due_date, said.says.outcome in ("successful", "failed", "cancelled")
    if due is None:
        return False
    ended = said.says.end_time
    return (parse(ended) if over and ended is not None else now) > parse(due) and (not over or ended is not None)


class AddImpact(Like, kw_only=True, forbid_unknown_fields=True):
    """Add an impact to an incident; money as a range in a currency, with its source."""

    incident: Annotated[str, THE_INCIDENT]
    category: Annotated[
        str, Meta(description="economic, availability, confidentiality, integrity, external, physical or another.", extra=PLACED)
    ]  # fmt: skip
    description: Annotated[str | None, Meta(description="In words.")] = None
    variety: Annotated[str | None, Meta(description="Of economic: such as response-costs or lost-revenue.")] = None
    currency: Annotated[str | None, Meta(description="ISO 4217, such as EUR.")] = None
    least: Annotated[Amount | None, Meta(description="The lower end of the range.")] = None
    most: Annotated[Amount | None, Meta(description="The upper end of the range.")] = None
    availability: Annotated[
        Percent | None, Meta(description="Of availability: 0 to 100, how much was unavailable.")
    ] = None
    count: Annotated[
        tuple[str, ...], Meta(description="How many were hit, as organizations=12; once for each kind.")
    ] = ()
    source: Annotated[str | None, SOURCE] = None


def add_impact(node: Node, asked: AddImpact, officer: str) -> Told:
    """Mint an impact."""
    given = (asked.variety, asked.currency, asked.least, asked.most)
    body: dict[str, Any] | None = None
    if asked.category == "economic":
        if any(item is None for item in given) or asked.source is None:
            raise Usage(
                "desk-asked",
                "Money is said as a range: --variety, --currency, --least, --most and --source, each of them.",
            )
        body = {
            "variety": asked.variety,
            "currency": str(asked.currency).upper(),
            "min_amount": _plain(asked.least),
            "max_amount": _plain(asked.most),
        }
        try:
            msgspec.convert(body, Economic)
        except msgspec.ValidationError as broken:
            raise Usage("desk-asked", f"This is no range of money: {broken}.") from broken
    elif asked.category == "availability" and asked.availability is not None:
        body = {"availability_impact": asked.availability}
    counts = dict(_count(text) for text in asked.count)
    says = Impact(impact_category=asked.category, description=asked.description, impacted_entity_counts=counts)
    more = {} if body is None else {f"{asked.category}-ext": body}
    return _add(node, asked, officer, "incident impact add", IMPACT, says, {"source": asked.source}, more)


def _count(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not name or not number.isascii() or not number.isdigit():
        raise Usage("desk-asked", f"{text!r} is no count; write it as organizations=12.")
    return name, int(number)


def _plain(amount: float | None) -> int | float | None:
    return int(amount) if amount is not None and float(amount).is_integer() else amount


class Sum(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Add up the money of an incident's impacts, for each party and currency, and say who sees the parts."""

    incident: Annotated[str, THE_INCIDENT]


def sum_(node: Node, asked: Sum, officer: str) -> Told:
    """The sums; currencies are never turned into each other, and what was superseded does not count."""
    us = node.party
    with node.store.read() as tx:
        one(tx, us, asked.incident, INCIDENT)
        words = about(tx, us, asked.incident)
        counted: dict[tuple[str, str | None, str], list[tuple[Said, Economic]]] = {}
        for said in words.of(IMPACT):
            money = economic_of(said.seen.data)
            if money is None or money.currency is None or said.says.superseded_by_ref is not None:
                continue
            counted.setdefault((money.currency.upper(), said.by, said.via), []).append((said, money))
        lines: list[dict[str, Any]] = []
        for (currency, by, _), found in sorted(counted.items(), key=lambda item: (item[0][0], item[0][1] or "")):
            parts: list[dict[str, Any]] = [
                {
                    "object": said.id,
                    "least": money.min_amount,
                    "most": money.max_amount,
                    "variety": money.variety,
                    "source": said.part.source,
                    "at": format(said.at),
                    "seen_by": sorted({us, *seers(tx, said.id), *([said.by] if said.by else [])}),
                }
                for said, money in found
            ]
            everybody = set.intersection(*(set(part["seen_by"]) for part in parts))
            lines.append(
                {
                    "currency": currency,
                    "by": by,
                    "name": found[0][0].named(tx),
                    "least": _total(part["least"] for part in parts),
                    "most": _total(part["most"] for part in parts),
                    "parts": parts,
                    "all_parts_seen_by": [{"party": party, "name": name_of(tx, party)} for party in sorted(everybody)],
                    "given_on": "not known here" if by != us else "as our streams say",
                }
            )
        rows = [
            (
                line["currency"],
                line["name"],
                f"{line['least']:,} to {line['most']:,}",
                len(line["parts"]),
                ", ".join(one["name"] for one in line["all_parts_seen_by"]),
            )
            for line in lines
        ]
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(("currency", "by", "range", "parts", "all parts seen by"), rows)
    if rows:
        table.add(
            "Ranges of different parties may count the same loss twice, so they are not added together.",
            "To whom others gave their parts is not known here.",
        )
    return Told({"sums": lines, "defects": defects}, table.found or ["No impact of this incident is given in money."])


def _total(amounts: Any) -> int | float:
    exact = sum((Decimal(str(one)) for one in amounts if one is not None), Decimal())
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _add(
    node: Node,
    asked: AddEvent | AddTask | AddImpact,
    officer: str,
    name: str,
    kind: Kind,
    says: msgspec.Struct,
    part: dict[str, Any],
    extensions: dict[str, Any] | None = None,
) -> Told:
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        made = minted(work, kind, says, part={"incident_ref": asked.incident, **part})
        made["extensions"] |= extensions or {}
        keep(work, name, [made], stated(work, asked, incident.seen, asked.incident))
    return Told({"object": made["id"]}, [f"The {kind.name} stands as {made['id']}."])


def _stamp(text: str | None, option: str) -> str | None:
    at = when(text, option)
    return None if at is None else format(at)


class Drop(Like, kw_only=True, forbid_unknown_fields=True):
    """Put a newer impact of ours in the place of an older one, so that a sum counts it once."""

    old: Annotated[str, Meta(description="The impact that no longer counts.", extra=PLACED)]
    new: Annotated[str, Meta(description="The impact that stands for it.", extra=PLACED)]


def supersede(node: Node, asked: Drop, officer: str) -> Told:
    """A later version of the older impact that names the newer one."""
    with deed(node, officer) as work:
        before, after = (our_own(work.tx, node.party, id) for id in (asked.old, asked.new))
        for seen in (before, after):
            if seen.data["type"] != IMPACT.name:
                raise NotFound("no-such-object", f"{seen.id} is no impact; only an impact takes the place of another.")
        said = one(work.tx, node.party, asked.old, IMPACT)
        made = next_version(before.data, {"superseded_by_ref": after.id}, work.at)
        cases = [ref for ref in (said.part.incident_ref,) if ref is not None]
        keep(work, "incident impact supersede", [made], stated(work, asked, before, *cases))
    return Told({"object": asked.old, "by": asked.new}, [f"{asked.new} stands for {asked.old} now."])


DEEDS = (
    DeskDeed("incident event add", "take in", AddEvent, add_event),
    DeskDeed("incident task add", "take in", AddTask, add_task),
    DeskDeed("incident task set", "take in", SetTask, set_task),
    DeskDeed("incident task list", "read", ListTasks, list_tasks),
    DeskDeed("incident impact add", "take in", AddImpact, add_impact),
    DeskDeed("incident impact supersede", "take in", Drop, supersede),
    DeskDeed("incident impact sum", "read", Sum, sum_),
)
