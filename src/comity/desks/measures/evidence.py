"""Evidence packs: what can be shown to a court, made anew from what cannot be shown, and kept apart from it.

Each piece is a new object of ours with an id of its own. It has the standard properties of the original, less those that tell of a source,
and names nothing outside of the pack. Which piece stands for which original is written in the audit of this node and nowhere
else. What another party gave is no original of ours: only its author can make a releasable version of it.
Source: toolbox.yaml, `listing_file.rule`; `comity.kernel.seal.anonymous` for what tells of a source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NoReturn
from uuid import UUID

from msgspec import Meta

from comity.desks.measures.kinds import LISTING, LISTING_STEP, ListingStep
from comity.desks.measures.stating import stated
from comity.desks.measures.words import one
from comity.kernel.errors import NotAllowed, NotFound
from comity.kernel.model.ids import type_of
from comity.kernel.model.instants import format
from comity.kernel.model.references import references, required_references
from comity.kernel.release.handling import Handling
from comity.kernel.release.markings import KNOWN
from comity.kernel.release.vocabulary import TLP, strictest
from comity.kernel.seal.anonymous import anonymise
from comity.kernel.seal.canonical import canonical
from comity.kernel.store.rows import Holding
from comity.node.context import Deed, Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Shared, Told
from comity.node.minting import MILLISECOND, Seen, mint, newest, our_own
from comity.node.objects import class_facets
from comity.node.parties import name_of
from comity.node.saying import author, held, minted

NEVER: Final = frozenset({"not-evidence"})
"""Caveats under which nothing is made of an object, whoever's it is."""

OTHERS: Final = frozenset({"chatham", "source-protected", "use-condition", "national-classification"})
"""Caveats that somebody else may have put on what is not our own word."""


class Pack(Shared, kw_only=True, forbid_unknown_fields=True):
    """Make a releasable evidence pack for a listing of ours: a new piece for each object, which names nothing of the original."""

    listing: Annotated[str, Meta(description="The listing proposal's id.", extra=PLACED)]
    object: Annotated[
        tuple[str, ...], Meta(description="Object of ours that a piece is made from; once for each.")
    ] = ()
    cite: Annotated[
        tuple[str, ...],
        Meta(description="Object that the pack names as it is, such as a published report; once for each."),
    ] = ()
    without: Annotated[
        tuple[str, ...], Meta(description="Property that no piece has, such as description; once for each.")
    ] = ()


def pack(node: Node, asked: Pack, officer: str) -> Told:
    """Mint the pieces, the grouping that holds them, and the step that names it."""
    ids = tuple(dict.fromkeys(asked.object))
    if not ids and not asked.cite:
        refuse("name the objects that pieces are made from")
    with deed(node, officer) as work:
        our_own(work.tx, node.party, asked.listing)
        listing = one(work.tx, node.party, asked.listing, LISTING)
        handling = asked.handling(work.at)
        originals = [original(work, id, handling) for id in ids]
        renamed = {
            seen.id: f"{seen.data['type']}--{UUID(bytes=node.random(16, f'evidence/{asked.listing}/{seen.id}/{work.at}'), version=4)}"
            for seen in originals
        }
        pieces = [piece(work, seen, renamed, frozenset(asked.without)) for seen in originals]
        for id in asked.cite:
            held(work.tx, node.party, id)
        stamp = format(work.at - work.at % MILLISECOND)
        grouping = {
            "type": "grouping",
            "spec_version": "2.1",
            "id": f"grouping--{UUID(bytes=node.random(16, f'evidence/{asked.listing}/pack/{work.at}'), version=4)}",
            "created_by_ref": node.party,
            "created": stamp,
            "modified": stamp,
            "name": "Evidence pack",
            "context": "unspecified",
            "object_refs": sorted({*renamed.values(), *asked.cite}),
        }
        apart(pieces, grouping, originals)
        mint(work, [*pieces, grouping], handling, name="measure evidence-pack")
        says = ListingStep(
            listing_ref=asked.listing, says="evidence-pack", starts=format(work.at), pack_refs=(str(grouping["id"]),)
        )
        step = minted(work, LISTING_STEP, says)
        terms = stated(work, Like(), listing.seen, asked.listing)
        mint(work, [step], terms, name="measure evidence-pack", kinds=[LISTING_STEP])
        work.audit(
            "measure-evidence-pack",
            {
                "listing": asked.listing,
                "pack": grouping["id"],
                "step": step["id"],
                "pieces": renamed,
                "cites": list(asked.cite),
            },
        )
    told = [
        {
            "object": made["id"],
            "of": seen.id,
            "left_out": sorted(seen.data.keys() - made.keys()),
        }
        for seen, made in zip(originals, pieces, strict=True)
    ]
    return Told(
        {"id": grouping["id"], "listing": asked.listing, "pieces": told, "cites": list(asked.cite), "step": step["id"]},
        [
            f"The pack stands as {grouping['id']}. Read each piece before it goes: its words are the original's.",
            *(f"{item['object']} without {', '.join(item['left_out']) or 'nothing left out'}" for item in told),
            "Which piece stands for which original is known on this node alone.",
        ],
    )


def original(work: Deed, id: str, handling: Handling) -> Seen:
    """An object of ours that a piece may be made from under a handling.

    Raises:
        NotAllowed: `evidence-original`. NotFound: `no-such-object`.
    """
    tx, us = work.tx, work.node.party
    kind = type_of(id)
    found = [] if kind is None else newest(tx, us, kind, id=id)
    if not found:
        raise NotFound("no-such-object", f"No object {id[:100]} is held here.")
    seen = next((item for item in found if item.custodian == us and item.title is None), None)
    if seen is None:
        refuse(f"{id} came from {name_of(tx, found[0].custodian)}; ask it for a releasable version, and --cite that")
    creator = seen.data.get("created_by_ref")
    ours = author(seen, us) == us
    if creator not in (None, us):
        refuse(f"{id} is the word of {creator}, not ours; --cite it as it is")
    if seen.data.get("granular_markings"):
        refuse(f"{id} has parts that are marked on their own; make a version without them first")
    held_as = next(row for row in tx.find(Holding, version=seen.version, custodian=us, ended=None) if row.title is None)
    facets = class_facets(tx, held_as.cls)
    barred = (facets.caveats or frozenset()) & (NEVER if ours else NEVER | OTHERS)
    if barred:
        refuse(f"{id} is marked {', '.join(sorted(barred))}")
    if not ours and (facets.tlp is None or strictest(TLP, (facets.tlp, handling.tlp)) != handling.tlp):
        refuse(f"{id} is no word of ours and is held as {facets.tlp or 'unmarked'}, which a pack cannot loosen")
    return seen


def piece(work: Deed, seen: Seen, renamed: Mapping[str, str], without: frozenset[str]) -> dict[str, Any]:
    """The releasable version of an original.

    Raises:
        NotAllowed: `evidence-original`, `source-not-hideable`.
    """
    us = work.node.party
    refs = [ref for ref in seen.data.get("object_marking_refs", ()) if KNOWN.get(ref, ("", ""))[0] != "tlp"]
    data = {name: value for name, value in seen.data.items() if name not in {*without, "object_marking_refs"}}
    if refs:
        data["object_marking_refs"] = refs
    made = anonymise(
        data,
        new_id=renamed[seen.id],
        at=work.at - work.at % MILLISECOND,
        own=(),
        source=us,
        renamed=renamed,
    )
    inside = set(renamed.values())
    for ref in references(made):
        if ref.kind == "object" and ref.target not in inside:
            if ref.property in required_references(str(made["type"])):
                refuse(f"{seen.id} says nothing without {ref.target}; name that object too")
            made.pop(ref.property, None)
    if "created" in made:
        made["created_by_ref"] = us
    return made


def apart(pieces: list[dict[str, Any]], grouping: Mapping[str, Any], originals: list[Seen]) -> None:
    """Return if nothing in the pack names an original, whole or by the last part of its id.

    Raises:
        NotAllowed: `evidence-original`.
    """
    for made in (*pieces, grouping):
        text = canonical(dict(made)).decode()
        for seen in originals:
            if seen.id.partition("--")[2] in text:
                refuse(f"a piece would name {seen.id}; leave the property that does out (--without)")


def refuse(why: str) -> NoReturn:
    """Refuse to make a piece."""
    raise NotAllowed("evidence-original", f"No evidence pack can be made so: {why}.")


DEEDS = (DeskDeed("measure evidence-pack", "release", Pack, pack),)
