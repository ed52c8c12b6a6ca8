"""Listing proposals: who, under which regime's test, for which reasons; how one stands, and that it ended.

The test is the regime's own, point by point, each with its source and whether it was checked. A proposal answers every point that is
needed, or waives it with a reason; whether the answers are good is for those who decide. A listing that ended stays on the record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from comity.desks.measures.kinds import LISTING, LISTING_STEP, MEASURE, Criterion, Listing, ListingStep
from comity.desks.measures.standing import standing
from comity.desks.measures.stating import keep, moment, stated
from comity.desks.measures.subjects import entity, name_of_subject, not_stated, read_subject
from comity.desks.measures.toolbox import pairs
from comity.desks.measures.words import about, one
from comity.kernel.errors import ComityError, NotAllowed, Usage
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.documents import Document, Format, Heading, Paragraph, Table, render
from comity.node.facts import Fact, fact, whole, within
from comity.node.minting import our_own
from comity.node.parties import name_of
from comity.node.saying import Said, minted

REGIME: Final = "eu-cyber"
EFFECT: Final = "effect"
"""The point that one of the factors of a significant effect answers."""

THE_LISTING = Meta(description="The listing proposal's id.", extra=PLACED)


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a regime's test.

    Args:
        needed: Whether a proposal must answer or waive it; a factor is none, one of them is enough.
    """

    id: str
    text: str
    about: Fact
    needed: bool

    def as_json(self) -> dict[str, Any]:
        """{id, text, needed, sources, version, verified, mark}."""
        return {
            "id": self.id,
            "text": self.text,
            "needed": self.needed,
            "sources": [source.as_json() for source in self.about.sources],
            "version": self.about.as_of,
            "verified": self.about.verified,
            "mark": self.about.mark,
        }


def points() -> tuple[Point, ...]:
    """The test of the regime (Decision (CFSP) 2019/797, article 1), as far as the reference data tell it."""
    scope = fact("toolbox", "sanctions_regime.scope")
    factors = fact("toolbox", "sanctions_regime.significant_effect_factors")
    who = fact("toolbox", "sanctions_regime.who_can_be_listed")

    def any_of(name: str, of: Fact = scope) -> str:
        said = of.says[name]
        return ", or ".join(said) if isinstance(said, list) else str(said)

    return (
        Point("attack", f"There was a cyber-attack or an attempt: {any_of('attack_actions')}.", scope, True),
        Point("without-right", f"Without right: {any_of('without_right')}.", scope, True),
        Point("external-threat", f"It is an external threat: it {any_of('external_threat_any_of')}.", scope, True),
        Point(
            "target",
            f"What it was aimed at: {any_of('targets_member_state')}; or {any_of('third_states')}.",
            scope,
            True,
        ),
        Point(
            EFFECT,
            "Its effect was significant, or could have been if it was attempted; by one factor or more.",
            factors,
            True,
        ),
        *(Point(part.id, f"Factor of effect: {part.text}.", part, False) for part in within(factors)),
        Point("responsible", f"Who can be listed: {any_of('list', who)}.", who, True),
    )


def lacking(criteria: dict[str, Criterion]) -> tuple[Point, ...]:
    """The points that a proposal must answer and does not."""
    known = points()
    factor = any(criteria[point.id].met for point in known if not point.needed and point.id in criteria)
    return tuple(p for p in known if p.needed and p.id not in criteria and not (p.id == EFFECT and factor))


class Propose(Like, kw_only=True, forbid_unknown_fields=True):
    """Propose to list a person or a body: who, how the regime's test is met point by point, and the reasons."""

    measure: Annotated[str, Meta(description="The restrictive measure it belongs to, by id.", extra=PLACED)]
    subject: Annotated[bytes, Meta(description="Who, as FollowTheMoney writes an entity, JSON.")]
    reasons: Annotated[bytes, Meta(description="The statement of reasons, as it can be published, UTF-8.")]
    criterion: Annotated[
        tuple[str, ...], Meta(description="POINT=TEXT: by what a point of the test is met; once for each.")
    ] = ()
    waive: Annotated[tuple[str, ...], Meta(description="POINT=REASON: why a point is waived; once for each.")] = ()
    authority: Annotated[str | None, Meta(description="Who would list, such as the Council.")] = None
    program: Annotated[str | None, Meta(description="The programme it would stand under.")] = None
    provision: Annotated[
        tuple[str, ...], Meta(description="What would follow, such as asset freeze; once for each.")
    ] = ()
    review: Annotated[str | None, Meta(description="When it is to be looked at again: a day, an instant, P1Y.")] = None


def propose(node: Node, asked: Propose, officer: str) -> Told:
    """Mint a listing proposal."""
    subject = read_subject(asked.subject)
    try:
        reasons = asked.reasons.decode("utf-8").strip()
    except UnicodeDecodeError as broken:
        raise Usage("desk-asked", "The reasons are not UTF-8; save them as UTF-8 and give them again.") from broken
    if not reasons:
        raise Usage("desk-asked", "A listing proposal states its reasons.")
    known = tuple(point.id for point in points())
    met = {id: Criterion(met=text) for id, text in pairs(asked.criterion, known, "--criterion").items()}
    waived = {id: Criterion(waived=text) for id, text in pairs(asked.waive, known, "--waive").items()}
    if met.keys() & waived.keys():
        raise Usage("desk-asked", f"{min(met.keys() & waived.keys())} is met or waived, not both.")
    criteria = {**met, **waived}
    missing = lacking(criteria)
    if missing:
        raise NotAllowed(
            "listing-incomplete",
            f"The test of {REGIME} is not answered: {', '.join(point.id for point in missing)}. Say --criterion POINT=TEXT, or "
            f"--waive POINT=REASON; {missing[0].id} asks: {missing[0].text} ({missing[0].about.mark})",
        )
    with deed(node, officer) as work:
        measure = one(work.tx, node.party, asked.measure, MEASURE)
        if measure.says.category != "restrictive":
            raise NotAllowed(
                "measure-state",
                f"{measure.says.name} is no restrictive measure ({measure.says.option}); nobody is listed under it.",
            )
        review = moment(asked.review, "--review", work.at)
        says = Listing(
            measure_ref=asked.measure,
            regime=REGIME,
            subject=subject,
            criteria=criteria,
            reasons=reasons,
            authority=asked.authority,
            program=asked.program,
            provisions=asked.provision,
            review_on=None if review is None else format(review),
        )
        made = minted(work, LISTING, says)
        handling = stated(work, asked, measure.seen, asked.measure, str(made["id"]), personal=True)
        keep(work, "measure listing", [made], handling)
    unstated, open_ = not_stated(subject), [p.id for p in points() if p.id in criteria and p.about.verified is not True]
    lines = Lines().add(f"Proposed as {made['id']}. It holds personal data and is marked so.")
    if unstated:
        lines.add(f"Identifying data not stated: {', '.join(unstated)}.")
    lines.add(f"Points of the test that the reference data do not confirm in full: {', '.join(open_) or 'none'}.")
    if handling.minimised is not True or handling.retention is None or not handling.basis or not handling.purpose:
        lines.add(
            "It goes to nobody without an officer's word: personal data needs --basis, --purpose, --retention and --minimised."
        )
    return Told(
        {
            "id": made["id"],
            "measure": asked.measure,
            "not_stated": list(unstated),
            "unconfirmed": open_,
            "checklist": _checked(says),
        },
        lines.found,
    )


def _checked(says: Listing) -> list[dict[str, Any]]:
    found = []
    for point in points():
        answer = says.criteria.get(point.id)
        found.append({**point.as_json(), **({} if answer is None else msgspec.to_builtins(answer))})
    return found


class Delist(Like, kw_only=True, forbid_unknown_fields=True):
    """End a listing proposal of ours, or the listing that came of it; what was stays on the record."""

    listing: Annotated[str, THE_LISTING]
    reason: Annotated[str, Meta(description="Why, told to all who may see it.")]
    on: Annotated[str | None, Meta(description="From when; without it, now.")] = None


def delist(node: Node, asked: Delist, officer: str) -> Told:
    """Mint the step `delisted`."""
    if not asked.reason.strip():
        raise Usage("desk-asked", "Say --reason: why the listing ends.")
    with deed(node, officer) as work:
        our_own(work.tx, node.party, asked.listing)
        listing = one(work.tx, node.party, asked.listing, LISTING)
        if listing_state(work.tx, node.party, listing, work.at) == "delisted":
            raise NotAllowed("measure-state", f"{asked.listing} is delisted already.")
        at = moment(asked.on, "--on", work.at)
        says = ListingStep(
            listing_ref=asked.listing,
            says="delisted",
            starts=format(work.at if at is None else at),
            reason=asked.reason,
        )
        made = minted(work, LISTING_STEP, says)
        keep(work, "measure delist", [made], stated(work, asked, listing.seen, asked.listing))
    return Told(
        {"id": made["id"], "listing": asked.listing, "from": says.starts},
        [f"{asked.listing} is delisted from {says.starts}."],
    )


def steps_of(tx: Reading, us: str, listing: Said) -> tuple[Said, ...]:
    """What the author of a listing proposal did with it, in order; the word of another does nothing to it."""
    return tuple(
        said for said in about(tx, us, listing.id).of(LISTING_STEP) if said.by is not None and said.by == listing.by
    )


def listing_state(tx: Reading, us: str, listing: Said, now: Instant) -> str:
    """``proposed``, ``listed`` where its measure is carried out, or ``delisted``."""
    if any(said.says.says == "delisted" and parse(said.says.starts) <= now for said in steps_of(tx, us, listing)):
        return "delisted"
    try:
        measure = standing(tx, us, str(listing.says.measure_ref), now)
    except ComityError:  # a reader may have the listing and not its measure
        return "proposed"
    return "listed" if measure.state in ("executed", "under-review", "renewed") else "proposed"


def listing_json(tx: Reading, us: str, listing: Said, now: Instant) -> dict[str, Any]:
    """One listing for programs; ``ftm`` has the subject and its ``Sanction`` as FollowTheMoney writes them."""
    says, steps = listing.says, steps_of(tx, us, listing)
    state = listing_state(tx, us, listing, now)
    review = None if says.review_on is None else parse(says.review_on)
    subject = entity(says.subject, listing.id)
    started = _started(tx, us, listing, now) if state != "proposed" else None
    ended = next((said.says.starts for said in steps if said.says.says == "delisted"), None)
    sanction = {
        "entity": [subject["id"]],
        "authority": [says.authority] if says.authority else [],
        "program": [says.program or REGIME],
        "provisions": list(says.provisions),
        "status": [state],
        "reason": [says.reasons],
        "listingDate": [started[:10]] if started else [],
        "endDate": [ended[:10]] if ended else [],
    }
    regime = fact("toolbox", "sanctions_regime")
    return {
        "id": listing.id,
        "listing": listing.as_json(tx),
        "state": state,
        "checklist": _checked(says),
        "missing": [point.id for point in lacking(says.criteria)],
        "not_stated": list(not_stated(says.subject)),
        "review": says.review_on,
        "overdue": review is not None and review < now and state != "delisted",
        "steps": [said.as_json(tx) for said in steps],
        "ftm": [
            subject,
            {
                "id": f"{listing.id}-sanction",
                "schema": "Sanction",
                "properties": {name: value for name, value in sanction.items() if value},
            },
        ],
        "regime": regime.as_json(),
        "due_process": fact("toolbox", "sanctions_regime.due_process").as_json(),
    }


def _started(tx: Reading, us: str, listing: Said, now: Instant) -> str | None:
    try:
        measure = standing(tx, us, str(listing.says.measure_ref), now)
    except ComityError:
        return None
    did = [said.says.starts for said in measure.steps if said.by == measure.measure.by and said.says.says == "executed"]
    return max(did[0], format(listing.at)) if did else None


def listing_lines(tx: Reading, us: str, listing: Said, now: Instant) -> list[str]:
    """One listing for people."""
    shape = listing_json(tx, us, listing, now)
    says = listing.says
    lines = Lines().add(
        f"{name_of_subject(says.subject)} ({says.subject.schema}); {listing.id}, by {listing.named(tx)}, {listing.tlp or 'unmarked'}",
        f"State: {shape['state']}. Review: {says.review_on or 'none said'}{' OVERDUE' if shape['overdue'] else ''}.",
        f"Regime: {says.regime} ({shape['regime']['mark']}).",
    )
    lines.table(
        ("identifying", "as stated"), [(name, "; ".join(held)) for name, held in says.subject.properties.items()]
    )
    if shape["not_stated"]:
        lines.add(f"Not stated: {', '.join(shape['not_stated'])}.")
    lines.table(("point", "answer", "how sure is the test", "the test"), _answers(shape))
    lines.add(f"Reasons: {says.reasons}")
    lines.table(
        ("step", "by", "at", "reason or pack"),
        [
            (one.says.says, one.named(tx), one.says.starts, one.says.reason or ", ".join(one.says.pack_refs))
            for one in steps_of(tx, us, listing)
        ],
    )
    process = fact("toolbox", "sanctions_regime.due_process")
    return lines.add(f"After a listing: {'; '.join(process.says['steps'])} ({process.mark}).").found


def _answers(shape: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    factors = [one["id"] for one in shape["checklist"] if not one["needed"] and ("met" in one or "waived" in one)]

    def answer(one: dict[str, Any]) -> str:
        if "met" in one:
            return str(one["met"])
        if "waived" in one:
            return f"waived: {one['waived']}"
        return f"by {', '.join(factors)}" if one["id"] == EFFECT and factors else "not answered"

    return [
        (one["id"], answer(one), one["mark"], one["text"])
        for one in shape["checklist"]
        if one["needed"] or one["id"] in factors
    ]


class AsDocument(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Write a listing proposal as a document: who, the test point by point, the reasons, and what is unconfirmed."""

    listing: Annotated[str, THE_LISTING]
    format: Annotated[Format, Meta(description="pdf, docx, txt or json.")] = "txt"


def document(node: Node, asked: AsDocument, officer: str) -> Told:
    """The listing file."""
    with node.store.read() as tx:
        listing = one(tx, node.party, asked.listing, LISTING)
        paper = _paper(tx, node.party, listing, node.clock())
    file, media_type = render(node.typesetting, paper, asked.format)
    return Told({"id": listing.id, "format": asked.format, "title": paper.title}, (), file, media_type)


def _paper(tx: Reading, us: str, listing: Said, now: Instant) -> Document:
    shape, says = listing_json(tx, us, listing, now), listing.says
    process = fact("toolbox", "sanctions_regime.due_process")
    identifying = tuple((name, "; ".join(values)) for name, values in says.subject.properties.items())
    steps = tuple((one.says.says, one.says.starts, one.says.reason or "") for one in steps_of(tx, us, listing))
    return Document(
        kind="listing",
        title=f"Listing proposal: {name_of_subject(says.subject)}",
        language="en",
        blocks=(
            Paragraph(
                "state", f"State: {shape['state']}. Regime: {says.regime}. Review: {says.review_on or 'none said'}."
            ),
            Heading("identifying", "Identifying data"),
            Table("identifying-table", ("property", "as stated"), identifying),
            Paragraph("not-stated", f"Not stated: {', '.join(shape['not_stated']) or 'nothing'}."),
            Heading("test", "The regime's test"),
            Table("test-table", ("point", "answer", "how sure is the test", "the test"), tuple(_answers(shape))),
            Heading("reasons", "Statement of reasons"),
            *(Paragraph(f"reason-{n}", text) for n, text in enumerate(filter(None, says.reasons.split("\n\n")), 1)),
            *((Heading("history", "What was done"), Table("steps", ("step", "at", "reason"), steps)) if steps else ()),
            Heading("process", "After a listing"),
            Paragraph("due-process", f"{'; '.join(process.says['steps'])} ({process.mark})."),
        ),
        marking=f"TLP:{listing.tlp.upper()}" if listing.tlp else "unmarked",
        party=listing.named(tx) if listing.by is None else name_of(tx, listing.by),
        status="proposal" if shape["state"] == "proposed" else shape["state"],
        reference=listing.id,
        notes=(
            *(
                f"{one['id']}: the test is told as {one['mark']}."
                for one in shape["checklist"]
                if one["verified"] is not True
            ),
            f"Reference data as of {whole('toolbox')['as_of']}.",
        ),
    )


DEEDS = (
    DeskDeed("measure listing", "sign", Propose, propose),
    DeskDeed("measure delist", "sign", Delist, delist),
    DeskDeed("measure document", "read", AsDocument, document),
)
