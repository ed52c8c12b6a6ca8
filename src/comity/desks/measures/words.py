"""Reading what parties said of a measure: each object with whose word it is, and the defects of what cannot be read.

A word is a party's own only where its object came under an uncontested seal of origin of that party, or is ours. That an object names a
party as its author proves nothing: such a word is kept, shown as unattributed, and counts for nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from comity.desks.measures.kinds import BY_NAME
from comity.kernel.errors import InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Reference, Version
from comity.node.minting import Kind, Seen, newest
from comity.node.parties import name_of


@dataclass(frozen=True, slots=True)
class Said:
    """One object as somebody said it.

    Args:
        by: Party id whose word it is; None: unattributed, it came by way of `via`.
        via: Party id it came from; our own id for ours.
        says: The Struct of its kind.
    """

    id: str
    type: str
    by: str | None
    via: str
    at: Instant
    tlp: str | None
    says: Any
    seen: Seen

    def named(self, tx: Reading) -> str:
        """By whose word, for a person."""
        return name_of(tx, self.by) if self.by is not None else f"unattributed, by way of {name_of(tx, self.via)}"

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{object, type, by, name, via, at, tlp, says}."""
        return {
            "object": self.id,
            "type": self.type,
            "by": self.by,
            "name": self.named(tx),
            "via": self.via,
            "at": format(self.at),
            "tlp": self.tlp,
            "says": msgspec.to_builtins(self.says),
        }


@dataclass(frozen=True, slots=True)
class Words:
    """Everything said, in order of when it was said and how it came, and a sentence for each object that could not be read."""

    said: tuple[Said, ...]
    defects: tuple[str, ...]

    def of(self, *kinds: Kind) -> tuple[Said, ...]:
        """Those of some kinds."""
        names = {kind.name for kind in kinds}
        return tuple(one for one in self.said if one.type in names)


def author(seen: Seen, us: str) -> str | None:
    """Whose word an object is: ours where we minted it, else that of an uncontested seal of origin; None: nobody vouches."""
    if seen.custodian == us and seen.title is None and seen.data.get("created_by_ref") == us:
        return us
    return seen.originator


def about(tx: Reading, us: str, target: str) -> Words:
    """Everything of this desk that refers to an object."""
    rows = (tx.get(Version, ref.version) for ref in tx.find(Reference, target=target))
    ids = dict.fromkeys(row.id for row in rows if row is not None and row.type in BY_NAME)
    words = _words((seen for id in ids for seen in _newest(tx, us, id)), us)
    return Words(tuple(one for one in words.said if target in _refers(one.says)), words.defects)


def all_of(tx: Reading, us: str, *kinds: Kind) -> Words:
    """Everything of these kinds that is held here."""
    return _words((seen for kind in kinds for seen in newest(tx, us, kind.name)), us)


def one(tx: Reading, us: str, id: str, *kinds: Kind) -> Said:
    """One object that can be read; of several copies one that somebody vouches for.

    Raises:
        NotFound: `no-such-object`. InputRefused: `desk-object`.
    """
    known = {kind.name for kind in kinds}
    found = _words(_newest(tx, us, id) if type_of(id) in known else (), us)
    for word in sorted(found.said, key=lambda said: said.by is None):
        return word
    if found.defects:
        raise InputRefused("desk-object", found.defects[0])
    raise NotFound("no-such-object", f"No {' or '.join(sorted(known))} {id} is held here.")


def _newest(tx: Reading, us: str, id: str) -> list[Seen]:
    return newest(tx, us, str(type_of(id)), id=id)


def _refers(says: Any) -> set[str]:
    return {str(getattr(says, name, None)) for name in ("measure_ref", "listing_ref")}


def _words(found: Iterable[Seen], us: str) -> Words:
    said: dict[tuple[str, str | None, str], Said] = {}
    defects: dict[str, None] = {}
    for seen in found:
        kind = BY_NAME[str(seen.data["type"])]
        try:
            says = kind.read(seen.data)
        except InputRefused as broken:
            defects[broken.sentence] = None
            continue
        by = author(seen, us)
        word = Said(seen.id, kind.name, by, seen.custodian, parse(seen.data["modified"]), seen.tlp, says, seen)
        # a party's word that came by several ways is one word, the latest; what nobody vouches for stays apart by its way
        key = (seen.id, by, "" if by is not None else seen.custodian)
        if key not in said or said[key].at < word.at:
            said[key] = word
    return Words(tuple(sorted(said.values(), key=lambda one: (one.at, one.seen.version))), tuple(defects))


def held(tx: Reading, us: str, id: str) -> Mapping[str, Any]:
    """The data of any object that is held here, by its id.

    Raises:
        NotFound: `no-such-object`.
    """
    kind = type_of(id)
    found = [] if kind is None else newest(tx, us, kind, id=id)
    if not found:
        raise NotFound("no-such-object", f"No object {id[:100]} is held here.")
    return found[0].data
