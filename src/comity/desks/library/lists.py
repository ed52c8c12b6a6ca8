"""Reference lists to be read: every fact with its sources, the day it stands for, and whether it was checked."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from comity.node.context import Node
from comity.node.desk import PLACED, DeskDeed, Lines, Told
from comity.node.facts import Fact, fact, facts, lists, whole, within


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the reference lists that ship, and how much of each was checked."""


def list_(node: Node, asked: List, officer: str) -> Told:
    """The lists."""
    found = []
    for name in lists():
        every = facts(name)
        flags = [one.verified for one in every]
        found.append(
            {
                "name": name,
                "version": every[0].as_of,
                "facts": len(every),
                "checked": flags.count(True),
                "partly": flags.count("partly"),
                "unconfirmed": flags.count(False),
                "sources": len(whole(name).get("sources") or {}),
            }
        )
    heads = ("name", "version", "facts", "checked", "partly", "unconfirmed", "sources")
    return Told({"lists": found}, Lines().table(heads, [tuple(one[head] for head in heads) for one in found]).found)


class Show(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show what a reference list says, or one fact of it, with sources, version and whether it was checked."""

    name: Annotated[str, Meta(description="The list, such as toolbox.", extra=PLACED)]
    id: Annotated[
        str | None, Meta(description="One fact: its id or path, such as P3. Without it, all.", extra=PLACED)
    ] = None


def show(node: Node, asked: Show, officer: str) -> Told:
    """The facts of a list, or one with those within it."""
    data = whole(asked.name)
    if asked.id is None:
        found = facts(asked.name)
    else:
        one = fact(asked.name, asked.id)
        found = (one, *_all_within(one))
    lines = Lines().add(*(str(data[name]) for name in ("warning", "note") if name in data))
    lines.table(("fact", "what it says", "how sure"), [(one.path, one.text, one.mark) for one in found])
    if asked.id is not None:
        lines.add(*(f"{name}: {_text(value)}" for name, value in found[0].says.items() if name not in _TOLD))
        lines.add(*(f"Source {one.id}: {one.title}{f' ({one.url})' if one.url else ''}" for one in found[0].sources))
    notes = {name: data[name] for name in ("warning", "note") if name in data}
    return Told({"name": asked.name, **notes, "facts": [one.as_json() for one in found]}, lines.found)


_TOLD = frozenset({"id", "verified", "source", "label", "title"})


def _all_within(one: Fact) -> tuple[Fact, ...]:
    return tuple(deeper for part in within(one) for deeper in (part, *_all_within(part)))


def _text(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return ", ".join(_text(item) for item in value) if isinstance(value, list) else str(value)


DEEDS = (
    DeskDeed("reference list", "read", List, list_),
    DeskDeed("reference show", "read", Show, show),
)
