"""Reading what parties said of a dossier: every object that names it, by whose word it is, and what cannot be read.

Whose word an object is, is decided by its seal, never by what it says of itself: an object that another party made and that claims to
be a part of our dossier is shown as that party's, or as nobody's, and counts for nothing in ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from comity.desks.attribution.kinds import BY_NAME, DISSENT, DOSSIER, Dissent
from comity.kernel.errors import InputRefused, NotAllowed, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding, Reference, Version
from comity.node import saying
from comity.node.minting import Kind, Seen, newest
from comity.node.saying import Defect, Said, Words, words


def read(seen: Seen, us: str) -> Said | Defect:
    """What an object of this desk says, or what is wrong with it."""
    return saying.read(seen, us, BY_NAME[str(seen.data["type"])])


def about(tx: Reading, us: str, target: str) -> Words[Said]:
    """Every object of this desk that names an object: a dossier, or what one dissents from."""
    ids: dict[str, None] = {}
    for ref in tx.find(Reference, target=target):
        row = tx.get(Version, ref.version)
        if row is not None and row.type in BY_NAME:
            ids[row.id] = None
    found = [read(seen, us) for id in ids for seen in newest(tx, us, str(type_of(id)), id=id)]
    return words((one for one in found if isinstance(one, Defect) or target in _names(one)), us)


def _names(said: Said) -> frozenset[str | None]:
    return frozenset((getattr(said.says, "dossier_ref", None), getattr(said.says, "about_ref", None)))


def all_of(tx: Reading, us: str, *kinds: Kind) -> Words[Said]:
    """Everything of these kinds that is held here."""
    return words((read(seen, us) for kind in kinds for seen in newest(tx, us, kind.name)), us)


def one(tx: Reading, us: str, id: str, *kinds: Kind) -> Said:
    """One object: ours where it is ours, else as the party says whose word it is, else as whoever handed it over has it.

    Raises:
        NotFound: `no-such-object`. InputRefused: `desk-object`.
    """
    names = {kind.name for kind in kinds}
    found = [read(seen, us) for seen in newest(tx, us, str(type_of(id)), id=id)] if type_of(id) in names else []
    said = sorted(
        (word for word in found if isinstance(word, Said)), key=lambda word: (word.by != us, word.by is None, -word.at)
    )
    if said:
        return said[0]
    for word in found:
        if isinstance(word, Defect):
            raise InputRefused("desk-object", word.sentence)
    wanted = " or ".join(sorted(name.removeprefix("x-comity-") for name in names))
    raise NotFound("no-such-object", f"No {wanted} {id} is held here; comity attribution list shows the dossiers.")


def ours(tx: Reading, us: str, id: str, *kinds: Kind) -> Said:
    """One object of ours.

    Raises:
        NotFound: `no-such-object`. NotAllowed: `not-ours`. InputRefused: `desk-object`.
    """
    found = one(tx, us, id, *kinds)
    if found.by != us or found.via != us:
        raise NotAllowed(
            "not-ours",
            f"{id} is the word of {found.named(tx)}; say what you think of it with comity attribution assess, finding or "
            "dissent, each an object of your own.",
        )
    return found


def is_draft(said: Said, us: str) -> bool:
    """Whether an object of ours is addressed to ourselves alone."""
    return bool(said.says.addressed_to == (us,))


@dataclass(frozen=True, slots=True)
class Dissented:
    """A dissent as it stands: with its words where it is held here, without where only another object names it.

    Args:
        dropped: Whether a later version of what it is about leaves it out although an earlier one named it.
    """

    id: str
    said: Said | None
    dropped: bool

    def as_json(self, tx: Reading) -> dict[str, Any]:
        """{id, by, name, at, about, text, who, withdrawn, dropped, state}."""
        says: Dissent | None = None if self.said is None else self.said.says
        return {
            "id": self.id,
            "by": None if self.said is None else self.said.by,
            "name": None if self.said is None else self.said.named(tx),
            "at": None if self.said is None else format(self.said.at),
            "about": None if says is None else says.about,
            "text": None if says is None else says.text,
            "who": None if says is None else says.who,
            "withdrawn": None if says is None else says.withdrawn,
            "dropped": self.dropped,
            "state": "not shown here" if says is None else "withdrawn" if says.withdrawn is not None else "stands",
        }

    def sentence(self, tx: Reading) -> str:
        """The same for a person."""
        if self.said is None:
            told = f"A dissent stands that is not shown here ({self.id})."
        else:
            says: Dissent = self.said.says
            who = f" ({says.who})" if says.who else ""
            from_ = f" from a {says.about} that is not named here" if says.about_ref is None else ""
            told = f"Dissent of {self.said.named(tx)}{who}{from_}: {says.text}"
            if says.withdrawn is not None:
                told += f" Withdrawn on {format(self.said.at)}: {says.withdrawn}"
        return f"{told} The newest version leaves it out; an earlier one named it." if self.dropped else told


def dissents(tx: Reading, us: str, target: Said) -> tuple[Dissented, ...]:
    """Every dissent from an object: those held here, and those any version of it that is held here names.

    A party takes a dissent back by a later version of its own, which stays here as withdrawn; what others leave out changes nothing.
    """
    held: dict[str, list[Said]] = {}
    for said in about(tx, us, target.id).of(DISSENT):
        if said.says.about_ref == target.id:
            held.setdefault(said.id, []).append(said)
    if target.type == DOSSIER.name:
        for said in about(tx, us, target.id).of(DISSENT):
            if said.says.about_ref is None:  # its author may not name to us what in the dossier it is about
                held.setdefault(said.id, []).append(said)
    named: set[str] = set()
    for row in tx.find(Version, id=target.id):
        versions = [one for one in _versions(tx, row) if one.custodian == target.via]
        named |= {ref for seen in versions for ref in _refs(seen.data)}
    now = set(target.says.dissent_refs)
    found: list[Dissented] = []
    for id in dict.fromkeys((*held, *sorted(named))):
        # what somebody vouches for stands; a copy that nobody vouches for takes nobody's place
        words: Sequence[Said | None] = (
            [said for said in held.get(id, ()) if said.by is not None] or held.get(id) or (None,)
        )
        found += [Dissented(id, said, id in named and id not in now) for said in words]
    return tuple(sorted(found, key=lambda one: (one.said is None, 0 if one.said is None else one.said.at, one.id)))


def _versions(tx: Reading, row: Version) -> Iterable[Seen]:
    for holding in tx.find(Holding, version=row.n):
        yield Seen(msgspec.json.decode(row.raw), row.n, None, holding.custodian, holding.title, None, holding.at)


def _refs(data: Any) -> frozenset[str]:
    said = data.get("dissent_refs")
    listed = said if isinstance(said, list) else []
    return frozenset(one for one in listed if isinstance(one, str) and type_of(one) == DISSENT.name)
