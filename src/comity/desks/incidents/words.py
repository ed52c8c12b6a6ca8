"""Reading what parties said: every object about an incident, by whose word it is, and the defects of what cannot be read.

Words of different parties are never put together: each stays one `Said`, with its author, its source and its instant. What a party
says is taken from its objects only; that a party says nothing is told as silence, and is no word of its.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.desks.incidents.kinds import BY_NAME, CORE, INCIDENT, PART, Core, Economic, Part
from comity.kernel.errors import InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reference, Version
from comity.node import saying
from comity.node.minting import Kind, Seen, newest
from comity.node.saying import Defect, Words, words

SIGHTING: Final = "sighting"


@dataclass(frozen=True, slots=True)
class Said(saying.Said):
    """One object as somebody said it.

    Args:
        part: What our extension says of it; empty where there is none.
    """

    part: Part

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{id, type, by, name, via, at, tlp, says, part?}."""
        part = msgspec.to_builtins(self.part)
        return {**saying.Said.as_json(self, tx), **({"part": part} if part else {})}


class Sighted(msgspec.Struct, kw_only=True):
    """STIX ``sighting``: `count` 0 says that it was looked for and not seen (STIX 2.1 §5.2)."""

    sighting_of_ref: str
    count: int | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    description: str | None = None


SIGHTINGS: Final = Kind(SIGHTING, "A sighting.", Sighted, "docs/formats/incidents.md", "")


def read(seen: Seen, us: str) -> Said | Defect:
    """What an object says, or what is wrong with it."""
    found = saying.read(seen, us, BY_NAME.get(str(seen.data["type"]), SIGHTINGS))
    if isinstance(found, Defect):
        return found
    try:
        part = _part(seen.data)
        if found.type == INCIDENT.name:
            core_of(seen.data)
    except InputRefused as broken:
        return Defect(seen.id, found.by, seen.custodian, broken.sentence)
    return Said(found.id, found.type, found.by, found.via, found.at, found.tlp, found.says, seen, part)


def core_of(data: Mapping[str, Any]) -> Core:
    """The core extension of an incident; an empty one where there is none, or where it is not shown.

    Raises:
        InputRefused: `desk-object`.
    """
    return _extension(data, CORE, Core) or Core()


def economic_of(data: Mapping[str, Any]) -> Economic | None:
    """The range of money of an impact; None where it has none.

    Raises:
        InputRefused: `desk-object`.
    """
    found: Economic | None = _extension(data, "economic-ext", Economic)
    return found


def _part(data: Mapping[str, Any]) -> Part:
    economic_of(data)
    return _extension(data, PART.extension, Part) or Part()


def _extension(data: Mapping[str, Any], key: str, type: Any) -> Any:
    held = data.get("extensions")
    body = held.get(key) if isinstance(held, dict) else None
    if body is None:
        return None
    try:
        return msgspec.convert(body, type)
    except msgspec.ValidationError as broken:
        raise InputRefused(
            "desk-object", f"The extension {key} of {data.get('id')} cannot be read: {broken}."
        ) from broken


def refers(said: Said) -> frozenset[str]:
    """The objects that this one stands about, as it says itself."""
    names = ("incident_ref", "request_ref", "about_ref", "notice_ref")
    found = {getattr(said.says, name, None) for name in names} | {said.part.incident_ref}
    return frozenset(one for one in found if one is not None)


def about(tx: Reading, us: str, target: str) -> Words[Said]:
    """Everything that stands about an object: what refers to it, and what an incident itself names by the suite's own lists."""
    ids: dict[str, None] = {}
    own: set[str] = set()
    for seen in newest(tx, us, "incident", id=target) if type_of(target) == "incident" else ():
        try:
            core = core_of(seen.data)
        except InputRefused:
            continue
        own.update((*core.event_refs, *core.task_refs, *core.impact_refs))
    for ref in tx.find(Reference, target=target):
        row = tx.get(Version, ref.version)
        if row is not None:
            ids[row.id] = None
    found = [one for id in (*ids, *own) for one in _read_all(tx, us, id)]
    return words((one for one in found if isinstance(one, Defect) or target in refers(one) or one.id in own), us)


def all_of(tx: Reading, us: str, *kinds: Kind) -> Words[Said]:
    """Everything of these kinds that is held here."""
    return words((read(seen, us) for kind in kinds for seen in newest(tx, us, kind.name)), us)


def of_id(tx: Reading, us: str, id: str) -> Words[Said]:
    """Every word under one id: each source's own."""
    return words(_read_all(tx, us, id), us)


def one(tx: Reading, us: str, id: str, *kinds: Kind) -> Said:
    """One object that can be read.

    Raises:
        NotFound: `no-such-object`. InputRefused: `desk-object`.
    """
    known = {kind.name for kind in kinds}
    found = _read_all(tx, us, id) if type_of(id) in known else []
    for word in found:
        if isinstance(word, Said):
            return word
    for word in found:
        if isinstance(word, Defect):
            raise InputRefused("desk-object", word.sentence)
    raise NotFound("no-such-object", f"No {' or '.join(sorted(known))} {id} is held here.")


def _read_all(tx: Reading, us: str, id: str) -> list[Said | Defect]:
    kind = type_of(id)
    if kind not in BY_NAME and kind != SIGHTING:
        return []
    return [read(seen, us) for seen in newest(tx, us, str(kind), id=id)]
