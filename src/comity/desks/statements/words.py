"""Reading what parties said: each statement and reply by whose word it is, as that party said it last, and what cannot be read.

Whose word an object is follows from its seal, never from what it says of itself: a statement that names another party and is not
sealed by it is shown as unattributed, with who handed it over. What a party records for another is the recorder's word.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comity.desks.statements.kinds import BY_NAME, STATEMENT, Reply, Statement, Words
from comity.desks.statements.scales import level
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.model.names import legible
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow, Publication
from comity.node.casework.keeping import case_row
from comity.node.minting import Kind, Seen, newest
from comity.node.parties import name_of
from comity.node.publishing import published

ROADS: Final = {"note-verbale": "a note verbale", "mail": "a letter", "telephone": "a call by telephone"}
UNSEEN: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class Said:
    """One statement or reply as somebody said it.

    Args:
        by: Party id whose word it is; None: unattributed, it came by way of `via`.
        via: Party id it came from; our own id for ours.
        says: A `Statement` or a `Reply`.
        public: Our own publication of it, where there is one.
    """

    id: str
    by: str | None
    via: str
    at: Instant
    tlp: str | None
    says: Any
    seen: Seen
    public: Publication | None = None

    @property
    def out(self) -> bool:
        """Whether it is public: its own marking says so."""
        return self.tlp == "clear"

    def named(self, tx: Reading) -> str:
        """By whose word, for a person; what is only recorded is never told as the word of whom it is recorded from."""
        who = name_of(tx, self.by) if self.by is not None else f"unattributed, by way of {name_of(tx, self.via)}"
        note = self.says.recorded_from
        return who if note is None else f"{legible(note.name)}, as {who} recorded it"

    def sentence(self, tx: Reading) -> str:
        """One sentence: whose word it is, and how it stands."""
        title = legible(self.says.title or UNSEEN)
        what = "statement" if isinstance(self.says, Statement) else "reply"
        note = self.says.recorded_from
        if note is not None:
            recorder = name_of(tx, self.by) if self.by is not None else "Somebody unattributed"
            return (
                f"{recorder} recorded the {what} “{title}” of {legible(note.name)} from {ROADS[note.road]}, {legible(note.reference)}, "
                f"received {note.received}; it is not signed by {legible(note.name)}."
            )
        if self.by is None:
            claimed = str(self.seen.data.get("created_by_ref", "nobody"))
            return (
                f"Nobody vouches for the {what} “{title}”: it names {name_of(tx, claimed)} and came by way of "
                f"{name_of(tx, self.via)}; do not read it as the word of either."
            )
        return f"The {what} “{title}” is the word of {name_of(tx, self.by)}, {'public' if self.out else 'not public'}."

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{id, type, by, name, via, at, tlp, public, says, sentence}."""
        return {
            "id": self.id,
            "type": str(self.seen.data["type"]),
            "by": self.by,
            "name": self.named(tx),
            "via": self.via,
            "at": format(self.at),
            "tlp": self.tlp,
            "public": self.out,
            "says": msgspec.to_builtins(self.says),
            "sentence": self.sentence(tx),
        }


@dataclass(frozen=True, slots=True)
class Defect:
    """An object that does not have the form of its kind, from whom it came, and what is wrong with it."""

    id: str
    via: str
    sentence: str

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{id, via, name, sentence}."""
        return {"id": self.id, "via": self.via, "name": name_of(tx, self.via), "sentence": self.sentence}


@dataclass(frozen=True, slots=True)
class Everything:
    """What is held: what could be read, in order of time, and what could not."""

    said: tuple[Said, ...]
    defects: tuple[Defect, ...]


def author(seen: Seen, us: str) -> str | None:
    """Whose word an object is: ours where we minted it, else that of an uncontested seal of origin; None: nobody vouches."""
    if seen.custodian == us and seen.title is None:
        return us if seen.data.get("created_by_ref") == us else seen.originator
    return seen.originator


def held(tx: Reading, us: str, *kinds: Kind, id: str | None = None) -> Everything:
    """Every statement or reply of these kinds held here, or those of one id, each word of each party once."""
    said: list[Said] = []
    defects: list[Defect] = []
    for kind in kinds:
        for seen in newest(tx, us, kind.name, id=id):
            try:
                says = kind.read(seen.data)
            except InputRefused as broken:
                defects.append(Defect(seen.id, seen.custodian, broken.sentence))
                continue
            by = author(seen, us)
            public = published(tx, seen.id) if by == us else None
            said.append(Said(seen.id, by, seen.custodian, parse(seen.data["modified"]), seen.tlp, says, seen, public))
    return Everything(tuple(sorted(_once(said), key=lambda one: (one.at, one.id))), tuple(dict.fromkeys(defects)))


def _once(said: Iterable[Said]) -> list[Said]:
    """The same word once, by whatever ways it came; of one party's words under one id, the newest."""
    found: dict[tuple[str, str | None, bytes], Said] = {}
    for one in said:
        # What nobody vouches for stands by itself: two such are two, unless they are the same bytes.
        key = one.id, one.by, b"" if one.by is not None else canonical(dict(one.seen.data))
        if key not in found or found[key].at < one.at:
            found[key] = one
    return list(found.values())


def one(tx: Reading, us: str, text: str, *kinds: Kind) -> Said:
    """A statement or a reply by its id, or by an unambiguous beginning of it; the word of its author before what others hand on.

    Raises:
        NotFound: `no-such-object`. Usage: `ambiguous-name`. InputRefused: `desk-object`.
    """
    kinds = kinds or (STATEMENT,)
    exact = type_of(text) in {kind.name for kind in kinds}
    found = held(tx, us, *kinds, id=text) if exact else held(tx, us, *kinds)
    said = [one for one in found.said if one.id == text or (not exact and one.id.partition("--")[2].startswith(text))]
    if len({one.id for one in said}) > 1 and text:
        raise Usage(
            "ambiguous-name", f"{text!r} is the beginning of {len({one.id for one in said})} ids; say more of one."
        )
    if not said or not text:
        if exact and found.defects:
            raise InputRefused("desk-object", found.defects[0].sentence)
        raise NotFound(
            "no-such-object", f"No statement {text[:100]!r} is held here; comity statement list shows those that are."
        )
    return next((one for one in said if one.by is not None), said[0])


def case_or_none(tx: Reading, text: str) -> CaseRow | None:
    """The case of this id or title; None where the text names a statement."""
    if type_of(text) in BY_NAME:
        return None
    try:
        return case_row(tx, text)
    except NotFound:
        return None


def text_in(says: Statement | Reply, language: str) -> Words | None:
    """What it says in a language; None where it says nothing in it."""
    return next((one for one in says.texts if one.language.lower() == language.lower()), None)


def claim(says: Statement) -> str:
    """The claim of a statement in words: the step of the ladder with its number and what it commits to."""
    found = level(says.claim_level)
    return f"{says.claim_level}, no step of the ladder" if found is None else f"{found.n} {found.id}: {found.label}"
