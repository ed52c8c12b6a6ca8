"""Reading what parties said: each statement and reply by whose word it is, as that party said it last, and what cannot be read.

Whose word an object is follows from its seal, never from what it says of itself: a statement that names another party and is not
sealed by it is shown as unattributed, with who handed it over. What a party records for another is the recorder's word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from comity.desks.statements.kinds import BY_NAME, STATEMENT, Reply, Statement, Words
from comity.kernel.errors import InputRefused, NotFound, Usage
from comity.kernel.model.ids import type_of
from comity.kernel.model.names import legible
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseRow, Publication
from comity.node import saying
from comity.node.casework.keeping import case_row
from comity.node.minting import Kind, Seen, newest
from comity.node.parties import name_of
from comity.node.publishing import published
from comity.node.scales import level

ROADS: Final = {"note-verbale": "a note verbale", "mail": "a letter", "telephone": "a call by telephone"}
UNSEEN: Final = "(not shown)"


@dataclass(frozen=True, slots=True)
class Said(saying.Said):
    """One statement or reply as somebody said it.

    Args:
        public: Our own publication of it, where there is one.
    """

    public: Publication | None = None

    @property
    def out(self) -> bool:
        """Whether it is public: its own marking says so, and it names nobody as those it is for, as a draft does."""
        return self.tlp == "clear" and not self.says.addressed_to

    def named(self, tx: Reading) -> str:
        """By whose word, for a person; what is only recorded is never told as the word of whom it is recorded from."""
        who = saying.Said.named(self, tx)
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
        return {**saying.Said.as_json(self, tx), "public": self.out, "sentence": self.sentence(tx)}


def held(tx: Reading, us: str, *kinds: Kind, id: str | None = None) -> saying.Words[Said]:
    """Every statement or reply of these kinds held here, or those of one id, each word of each party once."""
    return saying.words((_read(tx, seen, us, kind) for kind in kinds for seen in newest(tx, us, kind.name, id=id)), us)


def _read(tx: Reading, seen: Seen, us: str, kind: Kind) -> Said | saying.Defect:
    found = saying.read(seen, us, kind)
    if isinstance(found, saying.Defect):
        return found
    public = published(tx, seen.id) if found.by == us else None
    return Said(found.id, found.type, found.by, found.via, found.at, found.tlp, found.says, seen, public)


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
