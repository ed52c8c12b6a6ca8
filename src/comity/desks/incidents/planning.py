"""Crisis response plans: a template per sector that becomes an incident's tasks, with owners and instants they are due.

A plan ships as data or is a file of the party's own in the same form. Using it mints one task a step; what a step may set running by law
is named and never started, since whether it is owed is for the party to say.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, TASK, Task
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import keep, minted, stated, when
from comity.desks.incidents.words import about, one
from comity.kernel.errors import InputRefused, NotAllowed, NotFound, Usage
from comity.kernel.model.instants import DAY, format
from comity.kernel.procedure.calendar import UTC, Calendar, after, executable
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.parties import name_of, resolve_party
from comity.node.reference import read_yaml, shipped_clocks, zone


class Step(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One step: what is done, which office does it, and how long after the plan is used it is due."""

    id: str
    name: str
    office: str
    due: str
    kind: str | None = None
    priority: Annotated[int, Meta(ge=0, le=100)] | None = None
    clock: str | None = None


class Plan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A plan, with its source and whether somebody checked it."""

    schema: str
    sector: str
    title: str
    version: str
    as_of: str
    source: str
    verified: bool
    steps: tuple[Step, ...]

    @property
    def mark(self) -> str:
        """Its source, version and whether it was checked, for a person."""
        return f"{'checked' if self.verified else 'unconfirmed'}; {self.source}; version {self.version}, {self.as_of}"


def read_plan(text: str) -> Plan:
    """The plan in a file.

    Raises:
        InputRefused: `desk-asked`, `procedure-table`.
    """
    data = read_yaml(text)
    if isinstance(data, dict):
        data = {**data, "as_of": str(data.get("as_of"))}
    try:
        plan = msgspec.convert(data, Plan)
    except msgspec.ValidationError as broken:
        raise InputRefused(
            "desk-asked", f"This is no plan as docs/formats/incidents.md shows it: {broken}."
        ) from broken
    clocks = {rule.id for rule in shipped_clocks()}
    for step in plan.steps:
        if not executable(step.due):
            raise InputRefused("desk-asked", f"Step {step.id} is due {step.due!r}, which is no stretch of time.")
        if step.clock is not None and step.clock not in clocks:
            raise InputRefused("desk-asked", f"Step {step.id} names the clock {step.clock!r}, which is not known.")
    if plan.schema != "plan/1" or len({step.id for step in plan.steps}) != len(plan.steps):
        raise InputRefused("desk-asked", "A plan has schema plan/1, and each step an id of its own.")
    return plan


@cache
def plans() -> dict[str, Plan]:
    """The plans that ship, by sector."""
    folder = files(__package__ or "").joinpath("plans")
    found = [read_plan(one.read_text(encoding="utf-8")) for one in folder.iterdir() if one.name.endswith(".yaml")]
    return {plan.sector: plan for plan in sorted(found, key=lambda plan: plan.sector)}


def _plan(sector: str | None, file: bytes | None) -> Plan:
    if (sector is None) == (file is None):
        raise Usage("desk-asked", f"Say --sector ({', '.join(plans())}) or --file, one of them.")
    if file is not None:
        try:
            return read_plan(file.decode())
        except UnicodeDecodeError as broken:
            raise InputRefused("desk-asked", "The file of the plan is not UTF-8 text.") from broken
    found = plans().get(str(sector))
    if found is None:
        raise NotFound("desk-asked", f"There is no plan for {sector!r}; there are {', '.join(plans())}.")
    return found


class ListPlans(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the crisis response plans that ship, one a sector."""


def list_(node: Node, asked: ListPlans, officer: str) -> Told:
    """The plans."""
    rows = [(plan.sector, plan.title, len(plan.steps), plan.mark) for plan in plans().values()]
    shape = {"plans": [msgspec.to_builtins(plan) for plan in plans().values()]}
    return Told(shape, Lines().table(("sector", "plan", "steps", "source"), rows).found)


class ShowPlan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the steps of a plan."""

    sector: Annotated[str, Meta(description="health, banking, transport or energy.", extra=PLACED)]


def show(node: Node, asked: ShowPlan, officer: str) -> Told:
    """One plan."""
    plan = _plan(asked.sector, None)
    rows = [(step.id, step.name, step.office, step.due, step.clock) for step in plan.steps]
    lines = Lines().add(f"{plan.title} ({plan.mark}).").table(("step", "what", "office", "due", "clock"), rows)
    return Told(msgspec.to_builtins(plan), lines.found)


class UsePlan(Like, kw_only=True, forbid_unknown_fields=True):
    """Make the steps of a plan tasks of an incident, with owners and instants they are due."""

    incident: Annotated[str, THE_INCIDENT]
    sector: Annotated[str | None, Meta(description="health, banking, transport or energy.")] = None
    file: Annotated[bytes | None, Meta(description="A plan of your own in the same form.")] = None
    owner: Annotated[
        tuple[str, ...], Meta(description="Who fills an office, as technical-lead=PARTY; else we. Once for each.")
    ] = ()
    begin: Annotated[str | None, Meta(description="From when the steps count; without it, from now.")] = None
    zone: Annotated[str | None, Meta(description="Where days are counted, such as Europe/Tallinn; else UTC.")] = None


def use(node: Node, asked: UsePlan, officer: str) -> Told:
    """Mint one task a step."""
    plan = _plan(asked.sector, asked.file)
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        words = about(work.tx, node.party, asked.incident)
        prefix = f"{plan.sector}@{plan.version}#"
        if any(said.by == node.party and (said.part.plan or "").startswith(prefix) for said in words.of(TASK)):
            raise NotAllowed("already-done", f"The plan {prefix[:-1]} is in use in {asked.incident} already.")
        owners = {office: resolve_party(work.tx, party).id for office, party in map(_pair, asked.owner)}
        unknown = sorted(set(owners) - {step.office for step in plan.steps})
        if unknown:
            raise Usage("desk-asked", f"The plan has no office {unknown[0]!r}.")
        begun = when(asked.begin, "--begin")
        begun = work.at if begun is None else begun
        calendar = UTC if asked.zone is None else Calendar(zone(asked.zone, begun - DAY, begun + 400 * DAY))
        made: list[dict[str, Any]] = []
        for step in plan.steps:
            says = Task(
                outcome="pending",
                name=step.name,
                task_types=() if step.kind is None else (step.kind,),
                due_date=format(after(begun, step.due, calendar)),
                priority=step.priority,
            )
            part = {
                "incident_ref": asked.incident,
                "owner": owners.get(step.office, node.party),
                "office": step.office,
                "plan": f"{prefix}{step.id}",
            }
            made.append(minted(work, TASK, says, part=part))
        ids = keep(work, "incident plan use", made, stated(work, asked, incident.seen, asked.incident))
        steps = [
            {"step": step.id, "task": task["id"], "due": task["due_date"], "owner": owners.get(step.office, node.party)}
            for step, task in zip(plan.steps, made, strict=True)
        ]
        rows = [
            (line["step"], step.name, step.office, name_of(work.tx, line["owner"]), line["due"])
            for line, step in zip(steps, plan.steps, strict=True)
        ]
    clocks = [step.clock for step in plan.steps if step.clock is not None]
    lines = Lines().add(f"{plan.title} ({plan.mark}).").table(("step", "task", "office", "owner", "due"), rows)
    lines.add(*(f"May be owed: the clock {name}; start it if it is." for name in clocks))
    shape = {"plan": prefix[:-1], "source": plan.source, "verified": plan.verified, "tasks": ids, "steps": steps}
    return Told({**shape, "clocks_to_consider": clocks}, lines.found)


def _pair(text: str) -> tuple[str, str]:
    office, equals, party = text.partition("=")
    if not equals or not office or not party:
        raise Usage("desk-asked", f"{text!r} names no owner; write it as technical-lead=PARTY.")
    return office, party


DEEDS = (
    DeskDeed("incident plan list", "read", ListPlans, list_),
    DeskDeed("incident plan show", "read", ShowPlan, show),
    DeskDeed("incident plan use", "take in", UsePlan, use),
)
