"""Evidence, graded and classed, the hypotheses it is held against, and what each piece weighs for each of them.

Four classes (docs/formats/attribution.md). Shared: the object itself is named. Shown: seen in a meeting, and who was shown it is told
that and nobody else is. Described: in words only. Withheld: nothing of it leaves, not its reference, not that it exists. What a piece
that is not shared rests on stands in an object of its own that never leaves.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.attribution.dossiers import drafted
from comity.desks.attribution.facts import grade
from comity.desks.attribution.kinds import (
    DOSSIER,
    EVIDENCE,
    HYPOTHESIS,
    SHOWING,
    SOURCE,
    WEIGHING,
    Credibility,
    Reliability,
    Sharing,
    Showing,
    Source,
    Value,
    Weight,
)
from comity.desks.attribution.stating import SAY, THE_DOSSIER, keep, not_empty, stated
from comity.desks.attribution.words import about, ours
from comity.kernel.errors import NotAllowed, NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Party, StreamRow
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Told
from comity.node.minting import Kind
from comity.node.parties import name_of, resolve_party
from comity.node.saying import Said, Words, held, minted
from comity.node.stating import instant

_ORDER: Final = ("withheld", "described", "shown", "shared")
"""From what nobody gets to what everybody gets; what was given is never made narrower."""


class Add(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Take an object into a dossier of ours as evidence, or grade and class anew what was taken in before."""

    dossier: Annotated[str, THE_DOSSIER]
    object: Annotated[str, Meta(description="The id of the object it rests on.", extra=PLACED)]
    class_: Annotated[
        Sharing,
        Meta(
            description="shared: the object is named; shown: seen in a meeting; described: in words only; withheld: nothing of "
            "it leaves."
        ),
    ] = msgspec.field(name="class")
    source: Annotated[Reliability, Meta(description="Reliability of the source: A to E, F where it cannot be judged.")]
    information: Annotated[
        Credibility, Meta(description="Credibility of the information: 1 to 5, 6 where it cannot be judged.")
    ]
    say: Annotated[str, Meta(description="What it shows, in words; of a withheld piece they stay here too.")]
    shown_to: Annotated[
        tuple[str, ...], Meta(description="Of shown: a party it was shown to, or another in words; once for each.")
    ] = ()
    shown_at: Annotated[str | None, Meta(description="Of shown: when, an instant.")] = None
    shown_where: Annotated[str | None, Meta(description="Of shown: at which meeting.")] = None


def add(node: Node, asked: Add, officer: str) -> Told:
    """Mint a piece of evidence, and beside it what stays at home or goes to one party."""
    us, sharing = node.party, asked.class_
    if (sharing == "shown") != bool(asked.shown_to) or (asked.shown_at is None) == bool(asked.shown_to):
        raise Usage("desk-asked", "What was shown says to whom and when: --shown-to and --shown-at; nothing else does.")
    with deed(node, officer) as work:
        dossier = ours(work.tx, us, asked.dossier, DOSSIER)
        object = held(work.tx, us, asked.object).id
        words = about(work.tx, us, dossier.id)
        before = _of_object(words, us, object)
        if before is not None:
            _not_narrower(work.tx, us, before, sharing)
        says = {
            "dossier_ref": dossier.id,
            "sharing": sharing,
            "source": asked.source,
            "information": asked.information,
            "text": not_empty(asked.say, "--say"),
            "object_refs": [object] if sharing == "shared" else None,
        }
        piece = drafted(work, EVIDENCE, says, before)
        objects = [piece]
        if sharing != "shared" and not _rests(words, us, piece["id"]):
            rests = Source(dossier_ref=dossier.id, addressed_to=(us,), evidence_ref=piece["id"], object_refs=(object,))
            objects.append(minted(work, SOURCE, rests))
        for name in asked.shown_to:
            shown = Showing(
                dossier_ref=dossier.id,
                addressed_to=(us,),
                evidence_ref=piece["id"],
                shown_to=_to(work.tx, name),
                shown_at=format(instant(asked.shown_at or "", "--shown-at")),
                where=asked.shown_where,
            )
            objects.append(minted(work, SHOWING, shown))
        keep(work, "attribution evidence", objects, stated(work, None, dossier, dossier.id))
    return Told(
        {"id": piece["id"], "class": sharing, "grade": f"{asked.source}{asked.information}"},
        [
            f"The evidence stands as {piece['id']}, {sharing}, graded {grade(asked.source, asked.information)}.",
            *(["Nothing of it leaves this node, whatever is released."] if sharing == "withheld" else []),
        ],
    )


def _to(tx: Reading, name: str) -> str:
    try:
        return resolve_party(tx, name).id
    except NotFound:
        return not_empty(name, "--shown-to")


def _of_object(words: Words[Said], us: str, object: str) -> Said | None:
    named = {said.id: said for said in words.of(EVIDENCE, by=us)}
    for said in named.values():
        if object in said.says.object_refs:
            return said
    for said in words.of(SOURCE, by=us):
        if object in said.says.object_refs and said.says.evidence_ref in named:
            return named[said.says.evidence_ref]
    return None


def _rests(words: Words[Said], us: str, piece: str) -> bool:
    return any(said.says.evidence_ref == piece for said in words.of(SOURCE, by=us))


def _not_narrower(tx: Reading, us: str, before: Said, sharing: str) -> None:
    given = [row.id for row in tx.find(Party) if _stands(tx, row.id, before.id)]
    if given and _ORDER.index(sharing) < _ORDER.index(before.says.sharing):
        names = ", ".join(sorted(name_of(tx, party) for party in given))
        raise NotAllowed(
            "evidence-given",
            f"{before.id} was given as {before.says.sharing} to {names}, so it cannot become {sharing}; comity handling set with "
            "a stricter TLP takes it back first.",
        )


def _stands(tx: Reading, party: str, object: str) -> bool:
    row = next(iter(tx.find(StreamRow, party=party, object=object, order=("n",), reverse=True, limit=1)), None)
    return row is not None and row.kind != "withdrawn" and row.ended is None


class Suppose(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Put a hypothesis into a dossier of ours: one of the competing answers to its question."""

    dossier: Annotated[str, THE_DOSSIER]
    name: Annotated[str, Meta(description="What it is called.", extra=PLACED)]
    say: Annotated[str, SAY]


def suppose(node: Node, asked: Suppose, officer: str) -> Told:
    """Mint a hypothesis; the same name again says it anew."""
    us = node.party
    with deed(node, officer) as work:
        dossier = ours(work.tx, us, asked.dossier, DOSSIER)
        name = not_empty(asked.name, "NAME")
        said = about(work.tx, us, dossier.id).of(HYPOTHESIS, by=us)
        before = next((one for one in said if one.says.name == name), None)
        says = {"dossier_ref": dossier.id, "name": name, "text": not_empty(asked.say, "--say")}
        made = drafted(work, HYPOTHESIS, says, before)
        keep(work, "attribution hypothesis", [made], stated(work, None, dossier, dossier.id))
    return Told({"id": made["id"]}, [f"The hypothesis stands as {made['id']}."])


class Weigh(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Say how a piece of evidence stands to a hypothesis; said again, the later word counts."""

    dossier: Annotated[str, THE_DOSSIER]
    evidence: Annotated[str, Meta(description="The id of the piece of evidence.", extra=PLACED)]
    hypothesis: Annotated[str, Meta(description="The id of the hypothesis.", extra=PLACED)]
    value: Annotated[Value, Meta(description="consistent, inconsistent, neutral or not-applicable.")]
    weight: Annotated[Weight, Meta(description="How much it counts: low, medium or high.")] = "medium"


def weigh(node: Node, asked: Weigh, officer: str) -> Told:
    """Mint a weighing, or its next version."""
    us = node.party
    with deed(node, officer) as work:
        dossier = ours(work.tx, us, asked.dossier, DOSSIER)
        words = about(work.tx, us, dossier.id)
        for id, kind in ((asked.evidence, EVIDENCE), (asked.hypothesis, HYPOTHESIS)):
            _within(words, us, id, kind)
        before = next(
            (
                said
                for said in words.of(WEIGHING, by=us)
                if (said.says.evidence_ref, said.says.hypothesis_ref) == (asked.evidence, asked.hypothesis)
            ),
            None,
        )
        says: dict[str, Any] = {
            "dossier_ref": dossier.id,
            "evidence_ref": asked.evidence,
            "hypothesis_ref": asked.hypothesis,
            "value": asked.value,
            "weight": asked.weight,
        }
        made = drafted(work, WEIGHING, says, before)
        keep(work, "attribution weigh", [made], stated(work, None, dossier, dossier.id))
    return Told({"id": made["id"]}, [f"{asked.evidence} is {asked.value} with {asked.hypothesis}."])


def _within(words: Words[Said], us: str, id: str, kind: Kind) -> None:
    if not any(said.id == id for said in words.of(kind, by=us)):
        what = kind.name.removeprefix("x-comity-")
        raise NotFound(
            "no-such-object", f"This dossier of ours has no {what} {id}; comity attribution show lists them."
        )


DEEDS = (
    DeskDeed("attribution evidence", "take in", Add, add),
    DeskDeed("attribution hypothesis", "take in", Suppose, suppose),
    DeskDeed("attribution weigh", "take in", Weigh, weigh),
)
