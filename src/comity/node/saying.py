"""What parties said in objects: each word with whose it is, as it was said last; and how what is added to an object is handled.

Whose word an object is follows from its seal, never from what it says of itself. Words of different parties are never put together,
and an object that nobody vouches for takes nobody's place: it stands apart, with who handed it over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

import msgspec

from comity.kernel.errors import InputRefused, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.release.handling import Handling
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding
from comity.node.carrying import drawn
from comity.node.context import Deed
from comity.node.minting import Kind, Seen, mint, new_object, newest
from comity.node.objects import class_facets
from comity.node.parties import name_of

ALIKE: Final = ("tlp", "pap", "basis", "purpose")
"""What is added to an object is held under the same of these, where the officer says nothing else."""

NO_FURTHER: Final = ("recipients", "embargo", "retention")
"""And under these, where the object is one that we took in ourselves: what is added to it goes no further than it does."""


def author(seen: Seen, us: str) -> str | None:
    """Whose word an object is: ours where we minted it, else that of an uncontested seal of origin; None: nobody vouches."""
    minted_here = seen.custodian == us and seen.title is None and seen.data.get("created_by_ref") == us
    return us if minted_here else seen.originator


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
        """{id, type, by, name, via, at, tlp, says}."""
        return {
            "id": self.id,
            "type": self.type,
            "by": self.by,
            "name": self.named(tx),
            "via": self.via,
            "at": format(self.at),
            "tlp": self.tlp,
            "says": msgspec.to_builtins(self.says),
        }


@dataclass(frozen=True, slots=True)
class Defect:
    """An object that does not have the form of its kind: whose word it is, from whom it came, and what is wrong with it."""

    id: str
    by: str | None
    via: str
    sentence: str

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{id, by, via, name, sentence}."""
        name = name_of(tx, self.by or self.via)
        return {"id": self.id, "by": self.by, "via": self.via, "name": name, "sentence": self.sentence}


S = TypeVar("S", bound=Said)


@dataclass(frozen=True, slots=True)
class Words(Generic[S]):
    """What was said, in the order in which it was said, and what could not be read."""

    said: tuple[S, ...]
    defects: tuple[Defect, ...] = ()

    def of(self, *kinds: Kind, by: str | None = None) -> tuple[S, ...]:
        """Those of some kinds, where `by` is given of that party alone."""
        names = {kind.name for kind in kinds}
        return tuple(one for one in self.said if one.type in names and (by is None or one.by == by))


def read(seen: Seen, us: str, kind: Kind) -> Said | Defect:
    """What an object of a kind says, or what is wrong with it."""
    by = author(seen, us)
    try:
        says = kind.read(seen.data)
    except InputRefused as broken:
        return Defect(seen.id, by, seen.custodian, broken.sentence)
    return Said(seen.id, kind.name, by, seen.custodian, parse(str(seen.data["modified"])), seen.tlp, says, seen)


def words(found: Iterable[S | Defect], us: str) -> Words[S]:
    """What was read, each word once."""
    every = list(found)
    said = [one for one in every if not isinstance(one, Defect)]
    return Words(once(said, us), tuple(dict.fromkeys(one for one in every if isinstance(one, Defect))))


def once(said: Iterable[S], us: str) -> tuple[S, ...]:
    """The same word once, by whatever ways it came, of each author the newest; in the order in which it was said.

    An author's two different texts of one instant both stay, so that they are seen. Our own word is what we keep of it ourselves, not
    what came back of it.
    """
    every = list(said)
    home = {one.id for one in every if one.by == us == one.via}
    latest: dict[tuple[str, str], Instant] = {}
    told: dict[tuple[str, str | None, str | bytes], S] = {}
    for one in every:
        if one.by is not None:
            latest[one.id, one.by] = max(latest.get((one.id, one.by), one.at), one.at)
    for one in every:
        if one.by is None:
            told.setdefault((one.id, None, one.via), one)
        elif one.at == latest[one.id, one.by] and (one.by != us or one.via == us or one.id not in home):
            told.setdefault((one.id, one.by, canonical(dict(one.seen.data))), one)
    return tuple(sorted(told.values(), key=lambda one: (one.at, one.id)))


def held(tx: Reading, us: str, id: str) -> Seen:
    """Any object that is held here, ours before what others gave.

    Raises:
        NotFound: `no-such-object`.
    """
    kind = type_of(id)
    found = [] if kind is None else newest(tx, us, kind, id=id)
    if not found:
        raise NotFound("no-such-object", f"No object {id[:100]} is held here; comity search finds what is.")
    return found[0]


def as_held(
    tx: Reading,
    us: str,
    said: Handling,
    seen: Seen,
    *,
    alike: Sequence[str] = ALIKE,
    own: Sequence[str] = NO_FURTHER,
) -> Handling:
    """What an officer said, and for what is left unsaid as an object is held here; its caveats are added to those that were said.

    Args:
        said: What the officer said; None counts as not said.
        alike: What is taken from any object.
        own: What is taken only from one that we took in ourselves.
    """
    holding = next(
        one
        for one in tx.find(Holding, version=seen.version, ended=None)
        if one.custodian == seen.custodian and one.title == seen.title
    )
    facets = class_facets(tx, holding.cls)
    standing: dict[str, Any] = {
        name: getattr(facets, name) for name in ("tlp", "pap", "basis", "purpose", "recipients")
    }
    standing |= {"embargo": holding.embargo, "retention": holding.expiry, "minimised": facets.minimised or None}
    names = (*alike, *own) if seen.custodian == us else alike
    more = {name: standing[name] for name in names if getattr(said, name) is None}
    caveats = None if said.caveats is None and facets.caveats is None else (said.caveats or frozenset())
    return replace(said, **more, caveats=caveats if caveats is None else caveats | (facets.caveats or frozenset()))


def minted(work: Deed, kind: Kind, says: msgspec.Struct) -> dict[str, Any]:
    """A new object of a kind."""
    return new_object(work.node, kind, says, work.at, draw=drawn(work, f"{kind.name}/{work.at}/{says!r}"))


def keep_and_note(
    work: Deed,
    name: str,
    objects: Sequence[Mapping[str, Any]],
    handling: Handling,
    kinds: Iterable[Kind],
    **detail: Any,
) -> list[str]:
    """Mint objects of a desk, with the definitions of those of its kinds that are among them, and write the audit row; gives their ids.

    Args:
        name: The deed, ``measure propose``.
        detail: What the audit row says beside the ids; it never leaves this node.
    """
    named = {key for one in objects for key in one.get("extensions") or {}}
    made = mint(work, objects, handling, name=name, kinds=[kind for kind in kinds if kind.extension in named])
    ids = [one.id for one in made]
    work.audit(name.replace(" ", "-"), {"objects": ids, **detail})
    return ids
