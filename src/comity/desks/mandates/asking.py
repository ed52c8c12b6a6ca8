"""Asking: which mandates there are, and whether an officer may do a deed now, and if not, why."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.mandates.giving import Id, known_deeds
from comity.desks.mandates.telling import lines_of, name_of, shape_of
from comity.kernel.errors import ComityError, NotFound, Usage
from comity.kernel.model.instants import Instant
from comity.kernel.release.purposes import nearest
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Officer
from comity.node import mandates as rule
from comity.node.context import Acting, Node, read_setting
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.officers import RULES
from comity.node.stating import instant_or_none

At = Annotated[str | None, Meta(description="As it stood or will stand at this instant; without it, now.")]


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the mandates: who holds what, up to where, until when, and how each stands."""

    at: At = None


def list_(node: Node, asked: List, officer: str) -> Told:
    """The mandates."""
    with node.store.read() as tx:
        at = _instant(node, tx, asked.at)
        shapes = [shape_of(tx, one, at) for one in rule.mandates(tx) if one.says.at <= at]
        required = rule.required(tx, at)
    rows = [
        (
            one["id"],
            one["names"][one["officer"]],
            ", ".join(one["deeds"]),
            ", ".join(f"{word} {value}" for word, value in one["ceilings"].items()),
            one["until"],
            ", ".join(one["names"][each] for each in one["substitutes"]),
            one["stands"],
        )
        for one in shapes
    ]
    lines = Lines().table(("id", "officer", "for", "up to", "until", "stand in", "stands"), rows).found
    if not required:
        lines.append("No mandate was ever in force here, so officers act by their roles alone.")
    return Told({"mandates": shapes, "required": required}, lines)


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show one mandate, with its digest."""

    mandate: Id


def show(node: Node, asked: Show, officer: str) -> Told:
    """One mandate."""
    with node.store.read() as tx:
        given = rule.need_mandate(tx, asked.mandate)
        at = _instant(node, tx, None)
        return Told(shape_of(tx, given, at), [*lines_of(tx, given, at), f"  digest   {given.row.digest}"])


class Check(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say whether an officer may do a deed, by the role and by a mandate, and if not, what is missing and who could."""

    officer: Annotated[str, Meta(description="Who, name or id.", extra=PLACED)]
    deed: Annotated[str, Meta(description="The words of the command, such as 'agreement sign'.", extra=PLACED)]
    at: At = None


def check(node: Node, asked: Check, officer: str) -> Told:
    """May this officer do this."""
    known, name = known_deeds(), " ".join(asked.deed.split())
    kind = known.get(name)
    if kind is None:
        near = nearest(name, known)
        raise Usage(
            "mandate-form",
            f"{name!r} is no deed that is known here and could need a mandate{f'; did you mean {near!r}?' if near else '.'}",
        )
    with node.store.read() as tx:
        row = next((row for row in tx.find(Officer) if asked.officer in (row.id, row.name) and row.ended is None), None)
        if row is None:
            raise NotFound("no-such-officer", f"No active officer is named {asked.officer!r}.")
        at = _instant(node, tx, asked.at)
        shape: dict[str, Any] = {"officer": row.id, "name": row.name, "deed": name, "kind": kind}
        if not set(RULES[kind]) & set(row.roles.split()):
            needed = " or ".join(repr(one) for one in RULES[kind])
            why = f"{row.name} does not have the role {needed}."
            return Told({**shape, "may": False, "code": "role-missing", "why": why, "under": []}, [why], status=1)
        try:
            digests = rule.covering(tx, Acting(name, kind, row.id), at)
        except ComityError as broken:
            shape |= {"may": False, "code": broken.code, "why": broken.sentence, "under": []}
            return Told(shape, [broken.sentence], status=1)
        under = [one for one in rule.mandates(tx) if one.row.digest in digests]
        lines = [f"{row.name} may do comity {name}{'' if under else ': the role is enough'}."]
        for one in under:
            reach = ", ".join(f"{word} {value}" for word, value in one.says.ceilings) or "no ceiling is stated"
            whose = "" if one.says.officer == row.id else f", standing in for {name_of(tx, one.says.officer)}"
            lines.append(f"  under {one.says.id}{whose}: {reach}")
        shape |= {"may": True, "under": [shape_of(tx, one, at) for one in under]}
    return Told(shape, lines)


def _instant(node: Node, tx: Reading, text: str | None) -> Instant:
    said = instant_or_none(text, "--at")
    now: Instant = max(node.clock(), read_setting(tx, "clock", 0))
    return now if said is None else said


DEEDS = (
    DeskDeed("mandate list", "read officers", List, list_),
    DeskDeed("mandate show", "read officers", Show, show),
    DeskDeed("mandate check", "read", Check, check),
)
