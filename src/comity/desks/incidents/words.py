"""Reading what parties said: every object about an incident, by whose word it is, and the defects of what cannot be read.

Words of different parties are never put together: each stays one `Said`, with its author, its source and its instant. What a party
says is taken from its objects only; that a party says nothing is told as silence, and is no word of its.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.desks.incidents.kinds import BY_NAME, CORE, INCIDENT, PART, Core, Economic, Part
from comity.kernel.errors import InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reference, Version
from comity.node.minting import Kind, Seen, newest
from comity.node.parties import name_of

SIGHTING: Final = "sighting"


@dataclass(frozen=True, slots=True)
class Said:
    """One object as somebody said it.

    Args:
        by: Party id whose word it is; None: unattributed, it came by way of `via`.
        via: Party id it came from; our own id for ours.
        says: The Struct of its kind.
        part: What our extension says of it; empty where there is none.
    """

    id: str
    type: str
    by: str | None
    via: str
    at: Instant
    tlp: str | None
    says: Any
    part: Part
    seen: Seen

    def named(self, tx: Reading) -> str:
        """By whose word, for a person."""
        return name_of(tx, self.by) if self.by is not None else f"unattributed, by way of {name_of(tx, self.via)}"

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{object, type, by, name, via, at, tlp, says, part?}."""
        part = msgspec.to_builtins(self.part)
        return {
            "object": self.id,
            "type": self.type,
            "by": self.by,
            "name": self.named(tx),
            "via": self.via,
            "at": format(self.at),
            "tlp": self.tlp,
            "says": msgspec.to_builtins(self.says),
            **({"part": part} if part else {}),
        }


@dataclass(frozen=True, slots=True)
class Defect:
    """An object that does not have the form of its kind, by whom it came and what is wrong with it."""

    id: str
    by: str | None
    via: str
    sentence: str

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{object, by, via, name, sentence}."""
        return {
            "object": self.id,
            "by": self.by,
            "via": self.via,
            "name": name_of(tx, self.by or self.via),
            "sentence": self.sentence,
        }


class Sighted(msgspec.Struct, kw_only=True):
    """STIX ``sighting``: `count` 0 says that it was looked for and not seen (STIX 2.1 §5.2)."""

    sighting_of_ref: str
    count: int | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    description: str | None = None


_SIGHTING: Final = Kind(SIGHTING, "A sighting.", Sighted, "docs/formats/incidents.md", "")


def author(seen: Seen, us: str) -> str | None:
    """Whose word an object is: ours where we minted it, else that of an uncontested seal of origin; None: nobody vouches."""
    if seen.custodian == us and seen.title is None:
        return us if seen.data.get("created_by_ref") == us else seen.originator
    return seen.originator


def read(seen: Seen, us: str) -> Said | Defect:
    """What an object says, or what is wrong with it."""
    kind = BY_NAME.get(str(seen.data["type"]), _SIGHTING)
    by = author(seen, us)
    try:
        says, part = kind.read(seen.data), _part(seen.data)
        if kind is INCIDENT:
            core_of(seen.data)
    except InputRefused as broken:
        return Defect(seen.id, by, seen.custodian, broken.sentence)
    return Said(seen.id, kind.name, by, seen.custodian, parse(seen.data["modified"]), seen.tlp, says, part, seen)


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


@dataclass(frozen=True, slots=True)
class Words:
    """Everything said about one object, in order of who said it and when, and what could not be read."""

    said: tuple[Said, ...]
    defects: tuple[Defect, ...]

    def of(self, *types: str) -> tuple[Said, ...]:
        """Those of some types."""
        return tuple(one for one in self.said if one.type in types)


def about(tx: Reading, us: str, target: str) -> Words:
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
    said = [one for one in found if isinstance(one, Said) and (target in refers(one) or one.id in own)]
    defects = [one for one in found if isinstance(one, Defect)]
    return Words(tuple(sorted(_once(said), key=_order)), tuple(dict.fromkeys(defects)))


def all_of(tx: Reading, us: str, *kinds: Kind) -> Words:
    """Everything of these kinds that is held here."""
    found = [read(seen, us) for kind in kinds for seen in newest(tx, us, kind.name)]
    said = [one for one in found if isinstance(one, Said)]
    return Words(tuple(sorted(_once(said), key=_order)), tuple(one for one in found if isinstance(one, Defect)))


def of_id(tx: Reading, us: str, id: str) -> Words:
    """Every word under one id: each source's own."""
    found = _read_all(tx, us, id)
    said = [one for one in found if isinstance(one, Said)]
    return Words(tuple(sorted(_once(said), key=_order)), tuple(one for one in found if isinstance(one, Defect)))


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


def _order(said: Said) -> tuple[Instant, str]:
    return said.at, said.id


def _once(said: Iterable[Said]) -> Iterator[Said]:
    """The same word once, by whatever ways it came; an older version that came by a longer way is none of its own."""
    every = list(said)
    latest: dict[tuple[str, str | None], Instant] = {}
    for one in every:
        latest[one.id, one.by] = max(latest.get((one.id, one.by), one.at), one.at)
    told: set[tuple[str, str | None, bytes]] = set()
    for one in every:
        text = canonical(dict(one.seen.data))
        if one.by is not None and (one.at < latest[one.id, one.by] or (one.id, one.by, text) in told):
            continue
        told.add((one.id, one.by, text))
        yield one
